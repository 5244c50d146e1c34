from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers.noisy_periods import noisy_period
from harness.prompts.observers.periods import period
from tests.prompts.observers.words import Word, assert_ratio_of_evidences, ints


@pytest.mark.parametrize(
    ("m", "length", "max_period", "noise"),
    [(2, 7, 3, Fraction(1, 10)), (2, 5, 6, Fraction(2, 5)), (3, 4, 3, Fraction(1, 4))],
)
def test_the_law_is_exact_on_every_word(m: int, length: int, max_period: int, noise: Fraction) -> None:
    """Every pattern of every period weighed one by one, in exact arithmetic."""
    prior_random = Fraction(7, 10)

    @cache
    def evidence(word: Word) -> Fraction:
        total = prior_random / Fraction(m) ** len(word)
        for k in range(1, max_period + 1):
            share = (1 - prior_random) / max_period / Fraction(m) ** k
            for pattern in product(range(m), repeat=k):
                fits = (s == pattern[i % k] for i, s in enumerate(word))
                total += share * prod(
                    (1 - noise if fit else noise / (m - 1) for fit in fits), start=Fraction(1)
                )
        return total

    options = {"noise": float(noise), "prior_random": float(prior_random)}
    for word in product(range(m), repeat=length):
        assert_ratio_of_evidences(
            noisy_period(ints(word), m, max_period=max_period, **options), word, evidence
        )


@pytest.mark.parametrize("word", ["011" * 12, "0010111" * 6, "0100111010"])
def test_with_next_to_no_noise_it_is_the_observer_of_exact_repetition(word: str) -> None:
    law = noisy_period(ints(word), 2, max_period=8, noise=1e-12, prior_random=0.9)
    exact = period(ints(word), 2, max_period=8, prior_random=0.9, distinct=False, primitive=False)
    np.testing.assert_allclose(law, exact, atol=1e-6)


def test_a_wrong_symbol_costs_it_little() -> None:
    word = ints("01101" * 12)
    word[40] = 1 - word[40]
    law = noisy_period(word, 2, max_period=8, noise=0.05, prior_random=0.5)
    exact = period(word, 2, max_period=8, prior_random=0.5, distinct=False, primitive=False)
    after = np.arange(41, 60)
    assert (law[after, word[after]] > 0.9).all()
    np.testing.assert_allclose(exact[after], 0.5, atol=1e-9)


def test_long_sequences_stay_distributions() -> None:
    word = np.random.default_rng(1).integers(3, size=3000)
    law = noisy_period(word, 3, max_period=12, noise=0.01, prior_random=0.5)
    np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(law[-1], 1 / 3, rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": 0.0}, "noise=0 is the observer period"),
        ({"noise": 0.5}, r"noise=0\.5 with 2 symbols"),
        ({"prior_random": 1.0}, r"prior_random=1\.0"),
        ({"max_period": 0}, "max_period=0 must be at least 1"),
    ],
)
def test_impossible_settings_are_refused(options: dict[str, float], message: str) -> None:
    given = {"max_period": 4, "noise": 0.1, "prior_random": 0.5} | options
    with pytest.raises(SpecError, match=message):
        noisy_period(ints("01"), 2, **given)  # type: ignore[arg-type]
