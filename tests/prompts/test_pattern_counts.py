from itertools import product

import numpy as np
import pytest

from harness.prompts.pattern_counts import first_break, log_distinct, log_primitive

Word = tuple[int, ...]


def starting(patterns: list[Word], prefix: Word) -> int:
    """How many patterns start with a prefix that is no longer than they are."""
    return sum(pattern[: len(prefix)] == prefix for pattern in patterns)


@pytest.mark.parametrize(("m", "k"), [(2, 1), (2, 2), (2, 4), (2, 6), (2, 8), (2, 9), (3, 4), (3, 6)])
@pytest.mark.parametrize("seed", range(4))
def test_primitive_words_are_counted_as_enumeration_counts_them(m: int, k: int, seed: int) -> None:
    primitive = [w for w in product(range(m), repeat=k) if all(w[d:] + w[:d] != w for d in range(1, k))]
    word = (
        tuple(np.random.default_rng(seed).integers(m, size=2 + k // 2).tolist()) * k
    )  # often no prefix fits
    counted = np.exp(log_primitive(np.array(word), m, k))
    expected = [[starting(primitive, (*word[:n], a)) for a in range(m)] for n in range(k)]
    np.testing.assert_allclose(counted, expected, rtol=1e-12)


@pytest.mark.parametrize(("m", "k"), [(2, 1), (2, 2), (4, 3), (5, 5)])
@pytest.mark.parametrize("word", [(0, 1, 0, 1, 0), (1, 1, 0, 0, 1), (0,), ()])
def test_words_of_different_symbols_are_counted_as_enumeration_counts_them(
    m: int, k: int, word: Word
) -> None:
    different = [w for w in product(range(m), repeat=k) if len(set(w)) == k]
    counted = np.exp(log_distinct(np.array(word, np.int64), m, k))
    prefixes = range(min(k, len(word) + 1))
    expected = [[starting(different, (*word[:n], a)) for a in range(m)] for n in prefixes]
    np.testing.assert_allclose(counted, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("word", "k", "index"),
    [("0110110", 3, 7), ("0110111", 3, 6), ("01", 1, 1), ("00", 1, 2), ("01", 5, 2), ("", 1, 0)],
)
def test_the_first_break_is_the_length_of_the_longest_prefix_of_that_period(
    word: str, k: int, index: int
) -> None:
    assert first_break(np.array([int(s) for s in word], np.int64), k) == index
