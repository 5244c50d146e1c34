import pytest

from harness.errors import SpecError, UnknownName
from harness.prompts.symbols import SYMBOL_SETS, alphabet, joined


def test_the_named_sets_are_these() -> None:
    assert {name: "".join(symbols) for name, symbols in SYMBOL_SETS.items()} == {
        "binary": "01",
        "coin": "HT",
        "digits": "23456789",
        "letters": "abcdefghijklmnop",
        "pair": "xy",
    }


def test_a_name_gives_its_set_and_own_symbols_pass_through() -> None:
    assert alphabet("coin") == ("H", "T")
    assert alphabet(("Heads", "Tails", "Edge")) == ("Heads", "Tails", "Edge")


def test_a_misspelt_set_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UnknownName, match=r"no symbol set 'binray'; did you mean 'binary'\? \(known: binary, coin,"
    ):
        alphabet("binray")


@pytest.mark.parametrize("symbols", [(), ("a",), ("a", "a"), ("a", "", "b")])
def test_symbols_that_cannot_be_told_apart_are_refused(symbols: tuple[str, ...]) -> None:
    with pytest.raises(SpecError, match="two or more, all distinct and none empty"):
        alphabet(symbols)


def test_long_symbols_are_joined_with_blanks() -> None:
    assert joined(("0", "1", "1")) == "011"
    assert joined(("Heads", "Tails")) == "Heads Tails"
