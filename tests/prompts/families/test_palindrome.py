from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
PALINDROME = load_family("palindrome")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize("marked", [True, False])
def test_every_word_is_a_palindrome(marked: bool) -> None:
    sequence = PALINDROME.sample(301, philox(1), marked=marked, symbols=("a", "b", "c"))
    for word in "".join(sequence.alphabet[s] for s in sequence.symbols).split("|"):
        half = len(word) // 2
        assert half >= 1
        assert word[:half] == word[half + marked :][::-1]
        assert (word[half] == "#") is marked


@pytest.mark.parametrize("marked", [True, False])
def test_first_halves_are_uniform(marked: bool) -> None:
    rng, length = philox(2), 8 + marked
    words = [PALINDROME.sample(length, rng, marked=marked, stream="word").symbols for _ in range(480)]
    seen = Counter(tuple(word[:4].tolist()) for word in words)
    assert len(seen) == 16
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_who_knows_the_length_knows_the_second_half() -> None:
    sequence = PALINDROME.sample(40, philox(3), marked=False, stream="word")
    np.testing.assert_array_equal(sequence.law[:20], np.full((20, 2), 0.5))
    np.testing.assert_array_equal(sequence.law[np.arange(20, 40), sequence.target[20:]], 1)


def test_without_a_mark_the_ideal_observer_weighs_all_halves() -> None:
    """Each half that may have begun, one by one, as fractions: sizes are geometric with mean 3."""
    sequence = PALINDROME.sample(24, philox(4), marked=False, stream="word", mean_size=3.0)
    symbols = sequence.symbols.tolist()

    def mass(word: list[int]) -> Fraction:
        """The probability that a word of random size begins so."""
        begun = Fraction(0)
        for half in range(1, len(word) + 1):
            p = Fraction(1, 3) * Fraction(2, 3) ** (half - 1)
            fits = len(word) <= 2 * half and all(
                word[t] == word[2 * half - 1 - t] for t in range(half, len(word))
            )
            begun += p * fits * Fraction(1, 2) ** half
        return begun + Fraction(2, 3) ** len(word) * Fraction(1, 2) ** len(word)

    for n in range(24):
        on = [mass([*symbols[:n], a]) for a in (0, 1)]
        expected = [float(p / sum(on)) for p in on]
        np.testing.assert_allclose(sequence.observers["language"][n], expected, rtol=1e-10)


def test_the_mark_makes_the_rest_certain() -> None:
    sequence = PALINDROME.sample(41, philox(5), stream="word", mean_size=10.0)
    ideal = sequence.observers["language"]
    np.testing.assert_allclose(ideal[1:21, 2], 1 / 10, rtol=1e-9)  # P(|w| = t) / P(|w| >= t)
    np.testing.assert_array_equal(ideal[np.arange(21, 41), sequence.target[21:]], 1)


def test_copies_and_palindromes_are_told_apart_by_the_first_words() -> None:
    sequence = PALINDROME.sample(301, philox(6))
    either, ideal = sequence.observers["either"], sequence.observers["language"]
    np.testing.assert_allclose(either[:2], ideal[:2], rtol=1e-12)
    assert np.abs(either[:40] - ideal[:40]).max() > 0.2
    np.testing.assert_allclose(either[-150:], ideal[-150:], atol=1e-12)
