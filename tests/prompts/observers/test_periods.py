"""The posterior over periods; the laws of `period` are tested with the other observers in test_observers.py."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers.periods import period, period_posterior
from tests.prompts.observers.words import Word, ints


def patterns(m: int, k: int, *, distinct: bool, primitive: bool) -> list[Word]:
    """The patterns of period k, by looking at every word of length k."""
    words = list(product(range(m), repeat=k))
    if distinct:
        return [w for w in words if len(set(w)) == k]
    if not primitive:
        return words
    return [w for w in words if not any(k % d == 0 and w == w[:d] * (k // d) for d in range(1, k))]


def beliefs(
    word: Word, m: int, prior_random: Fraction, every: list[list[Word]]
) -> tuple[list[Fraction], list[Fraction]]:
    """P(random or k | word) and the law after it, each pattern weighed one by one in exact arithmetic."""
    joint = [prior_random * Fraction(1, m) ** len(word)]
    law = [joint[0] / m] * m
    for of_period in every:
        share = (1 - prior_random) / len(every) / len(of_period)
        fitting = [w for w in of_period if all(s == w[i % len(w)] for i, s in enumerate(word))]
        joint.append(share * len(fitting))
        for w in fitting:
            law[w[len(word) % len(w)]] += share
    return [w / sum(joint) for w in joint], [p / sum(law) for p in law]


@pytest.mark.parametrize(
    ("m", "length", "max_period", "prior_random", "distinct", "primitive"),
    [
        (2, 7, 6, Fraction(1, 2), False, False),
        (2, 7, 6, Fraction(1, 2), False, True),
        (3, 5, 4, Fraction(9, 10), False, False),
        (3, 5, 3, Fraction(1, 3), True, True),
    ],
)
def test_posterior_and_law_are_exact_on_every_word(
    m: int, length: int, max_period: int, prior_random: Fraction, distinct: bool, primitive: bool
) -> None:
    every = [patterns(m, k, distinct=distinct, primitive=primitive) for k in range(1, max_period + 1)]
    for word in product(range(m), repeat=length):
        posterior, law = (
            observer(
                ints(word),
                m,
                max_period=max_period,
                prior_random=float(prior_random),
                distinct=distinct,
                primitive=primitive,
            )
            for observer in (period_posterior, period)
        )
        exact = [beliefs(word[:n], m, prior_random, every) for n in range(length + 1)]
        np.testing.assert_allclose(
            posterior, [[float(p) for p in b] for b, _ in exact], rtol=1e-10, atol=1e-15
        )
        np.testing.assert_allclose(law, [[float(p) for p in b] for _, b in exact], rtol=1e-10, atol=1e-15)


def transition_length(pattern: str, *, prior_random: float, primitive: bool) -> int:
    """The least n after which some period has been more likely than random at every longer prefix (to 40)."""
    word = ints((pattern * 40)[:40])
    posterior = period_posterior(
        word, 2, max_period=8, prior_random=prior_random, distinct=False, primitive=primitive
    )
    return int(np.flatnonzero(posterior[:, 0] > 0.5)[-1]) + 1


@pytest.mark.parametrize(
    ("pattern", "at_nine_tenths", "at_three_nines"),
    [("0", 7, 13), ("01", 8, 15), ("011", 10, 16), ("0111", 11, 17), ("01101", 12, 18), ("0010111", 14, 20)],
)
def test_transition_lengths_over_all_words(pattern: str, at_nine_tenths: int, at_three_nines: int) -> None:
    """A priori .9 or .999 random, the rest shared by periods 1..8, each pattern uniform among all words."""
    assert transition_length(pattern, prior_random=0.9, primitive=False) == at_nine_tenths
    assert transition_length(pattern, prior_random=0.999, primitive=False) == at_three_nines


@pytest.mark.parametrize(("pattern", "expected"), [("0", 8), ("01", 8), ("011", 9), ("01101", 12)])
def test_transition_lengths_over_primitive_words(pattern: str, expected: int) -> None:
    """Fewer patterns of a period are each more likely, and a constant is one of period 1 only."""
    assert transition_length(pattern, prior_random=0.9, primitive=True) == expected


def test_the_prior_is_what_is_believed_of_no_symbols() -> None:
    for primitive in (True, False):
        prior = period_posterior(
            ints(""), 2, max_period=5, prior_random=0.75, distinct=False, primitive=primitive
        )
        np.testing.assert_allclose(prior, [[0.75, *[0.05] * 5]], rtol=1e-12)


def test_a_constant_word_is_of_every_period_over_all_words_and_of_period_1_over_primitive_ones() -> None:
    of_all, of_primitive = (
        period_posterior(
            ints("0" * 40), 2, max_period=4, prior_random=0.5, distinct=False, primitive=primitive
        )[-1]
        for primitive in (False, True)
    )
    np.testing.assert_allclose(of_all[1:], np.array([8, 4, 2, 1]) / 15, rtol=1e-9)
    np.testing.assert_allclose(of_primitive[1:], [1, 0, 0, 0], atol=1e-9)


def test_different_symbols_leave_no_choice_of_words() -> None:
    with pytest.raises(SpecError, match="distinct=True has primitive words only"):
        period(ints("01"), 2, max_period=2, prior_random=0.5, distinct=True, primitive=False)
