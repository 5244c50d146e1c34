from itertools import permutations

import numpy as np
import pytest

from harness.errors import SpecError, UnknownName
from harness.prompts.rendering import render
from harness.prompts.symbols import SYMBOL_SETS, alphabet, joined
from harness.types import Sequence


def test_the_named_sets_are_these() -> None:
    """A sequence of a stored run is drawn again from its set: a set that changes is another suite."""
    assert {name: joined(symbols) for name, symbols in SYMBOL_SETS.items()} == {
        "binary": "01",
        "coin": "HT",
        "digits": "23456789",
        "letters": "abcdefghijklmnop",
        "pair": "xy",
        "flips": "Heads Tails",
        "colours": "red blue green black white pink gold brown",
        "words": "door river stone table glass cloud bread wheel leaf key",
        "nonce": "bol dag fif gir ker lum nep sav",
        "nonce_2": "bom dup fol gol lig mog rab vot",
    }


@pytest.mark.parametrize("name", SYMBOL_SETS)
@pytest.mark.parametrize("separator", ["", " ", ", ", "\n"])
def test_the_symbols_of_a_set_are_told_apart_by_any_separator(name: str, separator: str) -> None:
    symbols = SYMBOL_SETS[name]
    n = len(symbols)
    every_pair = np.array([i for pair in permutations(range(n), 2) for i in pair], np.int64)
    sequence = Sequence(symbols, every_pair, np.full((every_pair.size + 1, n), 1 / n), {}, "", "")
    assert render(sequence, separator=separator).surfaces  # a symbol that begins another would be refused
    assert not any(a.startswith(b) for a, b in permutations(symbols, 2))
    assert len({symbol.casefold() for symbol in symbols}) == n


@pytest.mark.parametrize("name", ["flips", "words", "nonce", "nonce_2"])
def test_each_word_of_a_set_begins_with_a_letter_of_its_own(name: str) -> None:
    assert len({symbol[0] for symbol in SYMBOL_SETS[name]}) == len(SYMBOL_SETS[name])


@pytest.mark.parametrize("name", ["nonce", "nonce_2"])
def test_a_nonce_word_can_be_pronounced(name: str) -> None:
    for word in SYMBOL_SETS[name]:
        assert [letter in "aeiou" for letter in word] == [False, True, False]


def test_the_two_nonce_sets_share_no_word() -> None:
    assert not set(SYMBOL_SETS["nonce"]) & set(SYMBOL_SETS["nonce_2"])


def test_a_name_gives_its_set_and_own_symbols_pass_through() -> None:
    assert alphabet("coin") == ("H", "T")
    assert alphabet(("Heads", "Tails", "Edge")) == ("Heads", "Tails", "Edge")


def test_a_misspelt_set_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UnknownName, match=r"no symbol set 'binray'; did you mean 'binary'\? \(known: binary, coin, colours,"
    ):
        alphabet("binray")


@pytest.mark.parametrize("symbols", [(), ("a",), ("a", "a"), ("a", "", "b")])
def test_symbols_that_cannot_be_told_apart_are_refused(symbols: tuple[str, ...]) -> None:
    with pytest.raises(SpecError, match="two or more, all distinct and none empty"):
        alphabet(symbols)


def test_long_symbols_are_joined_with_blanks() -> None:
    assert joined(("0", "1", "1")) == "011"
    assert joined(("Heads", "Tails")) == "Heads Tails"
