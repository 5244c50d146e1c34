from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers.copying import induction_copy, lempel_ziv
from tests.prompts.observers.words import Word, along, ints


def longest_match(prefix: Word) -> tuple[int, int]:
    """The length of the longest suffix that ended earlier, and what followed where it ended last: by search."""
    n = len(prefix)
    for length in range(n - 1, 0, -1):
        for end in range(n - 1, length - 1, -1):
            if prefix[end - length : end] == prefix[n - length :]:
                return length, prefix[end]
    return 0, -1


def copied(prefix: Word, m: int, prior_random: Fraction) -> list[Fraction]:
    length, symbol = longest_match(prefix)
    if not length:
        return [Fraction(1, m)] * m
    copy = (1 - prior_random) * m**length
    chance = prior_random * len(prefix)
    return [((a == symbol) * copy + chance / m) / (copy + chance) for a in range(m)]


@pytest.mark.parametrize(("m", "length"), [(2, 10), (3, 6)])
@pytest.mark.parametrize("prior_random", [Fraction(1, 2), Fraction(9, 10)])
def test_the_longest_match_is_that_found_by_search(m: int, length: int, prior_random: Fraction) -> None:
    for word in product(range(m), repeat=length):
        law = induction_copy(ints(word), m, prior_random=float(prior_random))
        np.testing.assert_allclose(
            law[-1], np.array(copied(word, m, prior_random), np.float64), rtol=1e-12, atol=1e-15
        )


def test_a_repeated_block_is_copied_after_a_few_symbols() -> None:
    block = np.random.default_rng(1).permutation(16)
    word = np.concatenate([block, block])
    law = induction_copy(word, 16)
    np.testing.assert_allclose(law[:17], 1 / 16)  # nothing has come twice
    p = law[np.arange(17, 32), word[17:]]
    assert p[0] == pytest.approx((16 + 17 / 16) / (16 + 17))  # a match of one symbol after 17
    assert (p[2:] > 0.99).all()


def test_a_match_beyond_all_floats_is_certain() -> None:
    law = induction_copy(np.tile([0, 1], 1500), 2)
    np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)
    assert law[-1, 0] == 1


def of_lempel_ziv(prefix: Word, m: int) -> list[Fraction]:
    """The law by the leaves themselves, kept as a set of words."""
    leaves: set[Word] = {(a,) for a in range(m)}
    phrase: Word = ()
    for symbol in prefix:
        phrase = (*phrase, symbol)
        if phrase in leaves:
            leaves = (leaves - {phrase}) | {(*phrase, a) for a in range(m)}
            phrase = ()
    below = [sum(leaf[: len(phrase) + 1] == (*phrase, a) for leaf in leaves) for a in range(m)]
    return [Fraction(n, sum(below)) for n in below]


@pytest.mark.parametrize(("m", "length"), [(2, 60), (3, 60)])
def test_lempel_ziv_counts_the_leaves_of_its_tree(m: int, length: int) -> None:
    for word in [
        (0,) * length,
        (0, 1) * (length // 2),
        tuple(np.random.default_rng(2).integers(m, size=length).tolist()),
    ]:
        exact = [of_lempel_ziv(word[:n], m) for n in range(length + 1)]
        np.testing.assert_allclose(lempel_ziv(ints(word), m), np.array(exact, np.float64), rtol=1e-13)


def test_a_phrase_costs_the_logarithm_of_the_leaves() -> None:
    """0|1|00|01|11: five phrases, out of 2, 3, 4, 5 and 6 leaves."""
    assert along("01000111", lempel_ziv(ints("01000111"), 2)) == pytest.approx(
        1 / (2 * 3 * 4 * 5 * 6), rel=1e-13
    )


@pytest.mark.parametrize("prior_random", [0.0, 1.0])
def test_a_prior_that_leaves_a_hypothesis_out_is_refused(prior_random: float) -> None:
    with pytest.raises(SpecError, match=f"prior_random={prior_random}"):
        induction_copy(ints("01"), 2, prior_random=prior_random)
