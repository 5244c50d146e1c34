from itertools import groupby, product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.infinite_words import champernowne, de_bruijn, fibonacci, kolakoski, lfsr, thue_morse
from harness.prompts.statistics import linear_complexity
from harness.types import Ints


def text(word: Ints) -> str:
    return "".join(map(str, word.tolist()))


def factors(word: str, k: int) -> set[str]:
    return {word[i : i + k] for i in range(len(word) - k + 1)}


def test_thue_morse_is_its_own_morphism_and_free_of_overlaps() -> None:
    word = text(thue_morse(512))
    assert word[:16] == "0110100110010110"
    assert word == "".join({"0": "01", "1": "10"}[s] for s in word[:256])
    for k in range(1, 40):
        overlapping = (word[i : i + k + 1] == word[i + k : i + 2 * k + 1] for i in range(len(word) - 2 * k))
        assert not any(overlapping)


def test_thue_morse_over_three_symbols_adds_its_index_digits() -> None:
    morphism = {"0": "012", "1": "120", "2": "201"}
    word = text(thue_morse(243, 3))
    assert word == "".join(morphism[s] for s in word[:81])


def test_the_fibonacci_word_has_n_plus_one_factors_of_length_n() -> None:
    word = text(fibonacci(2000))
    assert word[:13] == "0100101001001"
    assert word[:1200] == "".join({"0": "01", "1": "0"}[s] for s in word)[:1200]
    assert [len(factors(word, n)) for n in range(1, 20)] == list(range(2, 21))


def test_the_kolakoski_word_is_its_own_run_lengths() -> None:
    word = kolakoski(3000)
    assert text(word[:20] + 1) == "12211212212211211221"  # OEIS A000002
    runs = [len(list(group)) - 1 for _, group in groupby(word.tolist())]
    assert runs[:-1] == word[: len(runs) - 1].tolist()


@pytest.mark.parametrize("m", [2, 3, 10])
def test_champernowne_counts(m: int) -> None:
    numbers = "".join(np.base_repr(i, m) for i in range(1, 500))
    assert text(champernowne(len(numbers), m)) == numbers


@pytest.mark.parametrize(("order", "m"), [(1, 2), (4, 2), (11, 2), (3, 3), (2, 8), (1, 5)])
def test_a_de_bruijn_cycle_holds_every_word_once(order: int, m: int) -> None:
    cycle = text(de_bruijn(order, m))
    assert len(cycle) == m**order
    windows = [(cycle + cycle)[i : i + order] for i in range(len(cycle))]
    assert sorted(windows) == sorted("".join(map(str, w)) for w in product(range(m), repeat=order))


@pytest.mark.parametrize("order", range(2, 13))
def test_a_register_runs_through_all_states_but_zero(order: int) -> None:
    cycle = text(lfsr(order))
    assert len(cycle) == 2**order - 1
    states = {(cycle + cycle)[i : i + order] for i in range(len(cycle))}
    assert len(states) == 2**order - 1
    twice = np.concatenate([lfsr(order), lfsr(order)])
    assert linear_complexity(twice)[-1] == order  # the recurrence also holds where the cycle closes


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_words_can_be_short(length: int) -> None:
    for word in (thue_morse(length), fibonacci(length), kolakoski(length), champernowne(length)):
        assert word.shape == (length,)
        assert word.dtype == np.int64


def test_impossible_orders_are_refused() -> None:
    with pytest.raises(SpecError, match=r"order=13; it must be in 2\.\.12"):
        lfsr(13)
    with pytest.raises(SpecError, match="order=0; it must be at least 1"):
        de_bruijn(0)
