from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers import beta_posterior, dirichlet, kt, markov, period
from tests.prompts.observers.words import Word, along, ints, multinomial_evidence


@pytest.mark.parametrize(
    ("word", "m", "expected"),
    [
        ("", 2, Fraction(1)),
        ("0", 2, Fraction(1, 2)),
        ("01", 2, Fraction(1, 8)),
        ("0001", 2, Fraction(5, 128)),
        ("0101", 2, Fraction(3, 128)),
        ("0000", 2, Fraction(35, 128)),
        ("012", 3, Fraction(1, 105)),
        ("001", 3, Fraction(1, 35)),
        ("222", 3, Fraction(1, 7)),
    ],
)
def test_kt_gives_the_textbook_block_probabilities(word: str, m: int, expected: Fraction) -> None:
    assert along(word, kt(ints(word), m)) == pytest.approx(float(expected), rel=1e-14)
    assert multinomial_evidence([word.count(str(a)) for a in range(m)], Fraction(1, 2)) == expected


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (2.0, 0.5)])
def test_beta_posterior_is_conjugate(a: float, b: float) -> None:
    rows = beta_posterior(ints("00101"), a=a, b=b)
    zeros = np.array([0, 1, 2, 2, 3, 3])
    np.testing.assert_allclose(rows[:, 0], (a + zeros) / (a + b + np.arange(6)), rtol=1e-14)


def test_dirichlet_gives_words_of_equal_counts_equal_probability() -> None:
    alpha = np.array([0.3, 1.0, 2.5])
    total = sum(along(word, dirichlet(ints(word), 3, alpha)) for word in product(range(3), repeat=4))
    assert total == pytest.approx(1, rel=1e-12)
    of_counts: dict[Word, set[float]] = {}
    for word in product(range(3), repeat=4):
        value = round(along(word, dirichlet(ints(word), 3, alpha)), 12)
        of_counts.setdefault(tuple(sorted(word)), set()).add(value)
    assert all(len(values) == 1 for values in of_counts.values())


def chain_evidence(word: Word, m: int, order: int, alpha: Fraction) -> Fraction:
    """P(word): uniform start, then a Dirichlet-multinomial for each context (integrated by hand)."""
    pairs = Counter((word[n - order : n], word[n]) for n in range(order, len(word)))
    contexts = {context for context, _ in pairs}
    start = Fraction(1, m ** min(order, len(word)))
    return start * prod(
        (multinomial_evidence([pairs[c, a] for a in range(m)], alpha) for c in contexts), start=Fraction(1)
    )


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize(("m", "alpha"), [(2, Fraction(1)), (2, Fraction(1, 2)), (3, Fraction(2))])
def test_markov_is_the_ratio_of_evidences(order: int, m: int, alpha: Fraction) -> None:
    rng = np.random.default_rng(order)
    word = tuple(rng.integers(m, size=14).tolist())
    law = markov(ints(word), m, order=order, alpha=float(alpha))
    for n in range(len(word) + 1):
        before = chain_evidence(word[:n], m, order, alpha)
        expected = [float(chain_evidence((*word[:n], a), m, order, alpha) / before) for a in range(m)]
        np.testing.assert_allclose(law[n], expected, rtol=1e-12)


@cache
def patterns(m: int, k: int, distinct: bool) -> list[Word]:
    """All patterns of period k, by looking at every word of length k."""
    words = list(product(range(m), repeat=k))
    if distinct:
        return [w for w in words if len(set(w)) == k]
    return [w for w in words if not any(k % d == 0 and w == w[:d] * (k // d) for d in range(1, k))]


def period_by_enumeration(
    word: Word, m: int, max_period: int, prior_random: Fraction, distinct: bool
) -> list[Fraction]:
    """The law after a word: every pattern of every period weighed one by one, in exact arithmetic."""
    periods = [k for k in range(1, max_period + 1) if patterns(m, k, distinct)]
    weight = [prior_random * Fraction(1, m) ** (len(word) + 1)] * m
    for k in periods:
        every = patterns(m, k, distinct)
        share = (1 - prior_random) / len(periods) / len(every)
        for pattern in every:
            if all(s == pattern[i % k] for i, s in enumerate(word)):
                weight[pattern[len(word) % k]] += share
    return [w / sum(weight) for w in weight]


@pytest.mark.parametrize(
    ("m", "length", "max_period", "prior_random", "distinct"),
    [
        (2, 7, 6, Fraction(1, 2), False),
        (2, 5, 4, Fraction(9, 10), False),
        (2, 4, 5, Fraction(1, 3), True),  # periods 1 and 2 only: no 3 different symbols of 2
        (3, 5, 4, Fraction(1, 2), False),
        (3, 5, 3, Fraction(1, 2), True),
        (4, 5, 9, Fraction(1, 4), True),
    ],
)
def test_period_is_exact_on_every_word(
    m: int, length: int, max_period: int, prior_random: Fraction, distinct: bool
) -> None:
    @cache
    def expected(word: Word) -> list[float]:
        return [float(p) for p in period_by_enumeration(word, m, max_period, prior_random, distinct)]

    for word in product(range(m), repeat=length):
        law = period(
            ints(word), m, max_period=max_period, prior_random=float(prior_random), distinct=distinct
        )
        exact = [expected(word[:n]) for n in range(length + 1)]
        np.testing.assert_allclose(law, exact, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("pattern", [(0,), (0, 1, 1), (0, 0, 1, 0, 0, 1, 1, 0), (0, 1, 0, 1, 0, 0)])
def test_period_is_exact_on_long_repetitions(pattern: Word) -> None:
    word = (pattern * 20)[:20]
    law = period(ints(word), 2, max_period=8, prior_random=0.5, distinct=False)
    exact = [
        [float(p) for p in period_by_enumeration(word[:n], 2, 8, Fraction(1, 2), False)] for n in range(21)
    ]
    np.testing.assert_allclose(law, exact, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("m", [2, 16])
def test_period_stays_a_law_when_every_likelihood_underflows(m: int) -> None:
    word = np.random.default_rng(1).integers(m, size=3000)
    law = period(word, m, max_period=24, prior_random=0.5, distinct=False)
    np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(law[100:], 1 / m, rtol=1e-9)  # all patterns are excluded


def test_a_rarer_pattern_hypothesis_is_believed_later() -> None:
    word = ints("01101" * 8)
    half_way = [
        int(np.argmax(law[np.arange(40), word] > 0.9))
        for law in (
            period(word, 2, max_period=8, prior_random=prior, distinct=False) for prior in (0.5, 0.9, 0.999)
        )
    ]
    assert half_way == sorted(set(half_way))


@pytest.mark.parametrize("options", [{"prior_random": 0.0}, {"prior_random": 1.0}, {"max_period": 0}])
def test_period_refuses_a_prior_that_leaves_a_hypothesis_out(options: dict[str, float]) -> None:
    name, value = next(iter(options.items()))
    with pytest.raises(SpecError, match=f"{name}={value}"):
        period(ints("01"), 2, **({"max_period": 4, "prior_random": 0.5, "distinct": False} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), float("inf")])
def test_a_prior_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(SpecError, match="alpha"):
        dirichlet(ints("01"), 2, alpha)
    with pytest.raises(SpecError, match="alpha"):
        markov(ints("01"), 2, order=1, alpha=alpha)
