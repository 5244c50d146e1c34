from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from harness.prompts.controls.euler import rearranged
from harness.prompts.observers import ngram
from harness.types import Ints
from tests.prompts.controls.controlled import RARE, controlled, philox


def kgrams(symbols: tuple[int, ...], k: int) -> Counter[tuple[int, ...]]:
    return Counter(symbols[i : i + k] for i in range(len(symbols) - k + 1))


def every_rearrangement(text: str, k: int) -> set[tuple[int, ...]]:
    """All sequences with the same k-grams and first k - 1 symbols, found by trying every order."""
    symbols = tuple(map(int, text))
    return {
        other
        for other in set(permutations(symbols))
        if other[: k - 1] == symbols[: k - 1] and kgrams(other, k) == kgrams(symbols, k)
    }


def digits(text: str) -> Ints:
    return np.array(list(map(int, text)), np.int64)


@pytest.mark.parametrize(
    ("text", "k", "n_ways"),
    [
        ("011001011", 2, 18),  # ends in another context than it begins with
        ("0110100110", 2, 24),  # ends where it begins
        ("012010210", 2, 15),
        ("001122012", 2, 8),
        ("1011001000", 3, 8),
        ("1010010110", 3, 9),
        ("0000100000", 4, 4),
        ("1110111110", 4, 3),
    ],
)
def test_rearrangements_are_uniform_among_all_with_the_same_kgrams(text: str, k: int, n_ways: int) -> None:
    ways = every_rearrangement(text, k)
    assert len(ways) == n_ways
    rng = philox(k)
    seen = Counter(tuple(rearranged(digits(text), k, rng).tolist()) for _ in range(60 * n_ways))
    assert set(seen) == ways
    assert stats.chisquare(list(seen.values())).pvalue > RARE


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize(
    ("family", "symbols"), [("bernoulli", "coin"), ("markov", "digits"), ("periodic", "letters")]
)
def test_kgrams_and_the_beginning_are_kept(family: str, symbols: str, k: int) -> None:
    before, after = controlled(f"kgram_shuffle?k={k}", 300, 7, family, symbols=symbols)
    for j in range(1, k + 1):
        assert kgrams(tuple(after.symbols.tolist()), j) == kgrams(tuple(before.symbols.tolist()), j)
    np.testing.assert_array_equal(after.symbols[: k - 1], before.symbols[: k - 1])


def test_a_period_whose_contexts_are_all_different_is_its_own_kgram_shuffle() -> None:
    """One period of symbols that all differ has a single Euler path; what is longer than the k-gram is not kept."""
    before, after = controlled("kgram_shuffle?k=2", 60, 3, period=5, symbols="letters")
    np.testing.assert_array_equal(after.symbols, before.symbols)
    np.testing.assert_array_equal(after.law[:60], before.law[:60])
    before, after = controlled("kgram_shuffle?k=2", 60, 3, period=5)
    assert (after.symbols != before.symbols).any()


def test_the_baseline_counts_the_kgrams_that_are_kept() -> None:
    _, after = controlled("kgram_shuffle?k=4", 100, 2, period=7)
    np.testing.assert_array_equal(after.observers["ngram4"], ngram(after.symbols, 2, k=4))
