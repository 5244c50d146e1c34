from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers.delayed_periods import delayed_period
from tests.prompts.observers.words import Word, assert_ratio_of_evidences, ints


@pytest.mark.parametrize(
    ("m", "length", "max_period", "hazard"),
    [
        (2, 7, 3, Fraction(1, 10)),
        (2, 5, 6, Fraction(1, 2)),
        (3, 4, 2, Fraction(1, 4)),
        (2, 5, 1, Fraction(1, 3)),
    ],
)
def test_the_law_is_exact_on_every_word(m: int, length: int, max_period: int, hazard: Fraction) -> None:
    """Every delay, period and pattern weighed one by one, in exact arithmetic."""

    @cache
    def evidence(word: Word) -> Fraction:
        n = len(word)
        total = (1 - hazard) ** n / Fraction(m) ** n  # not begun yet
        for tau, k in product(range(n), range(1, max_period + 1)):
            share = hazard * (1 - hazard) ** tau / max_period / Fraction(m) ** (tau + k)
            tail = word[tau:]
            patterns = product(range(m), repeat=k)
            total += share * sum(all(s == p[i % k] for i, s in enumerate(tail)) for p in patterns)
        return total

    for word in product(range(m), repeat=length):
        law = delayed_period(ints(word), m, max_period=max_period, hazard=float(hazard))
        assert_ratio_of_evidences(law, word, evidence)


def test_a_pattern_is_found_wherever_it_begins() -> None:
    for delay in (0, 50, 400):
        noise = np.random.default_rng(delay).integers(2, size=delay)
        word = np.concatenate([noise, ints("01101" * 12)])
        law = delayed_period(word, 2, max_period=8, hazard=0.02)
        late = np.arange(delay + 30, word.size)
        assert (law[late, word[late]] > 0.99).all()
        np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)


def test_a_break_far_into_the_pattern_sends_it_back_to_random() -> None:
    law = delayed_period(ints("011" * 700 + "1"), 2, max_period=3, hazard=0.01)
    assert law[2100, 0] > 0.999999
    np.testing.assert_allclose(law[2101], 0.5, atol=0.05)  # the pattern may have begun in the last symbols


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_period": 0}, "max_period=0 must be at least 1"),
        ({"hazard": 0.0}, r"hazard=0\.0 must be above 0 and below 1"),
        ({"hazard": 1.0}, r"hazard=1\.0 must be above 0 and below 1"),
    ],
)
def test_impossible_settings_are_refused(options: dict[str, float], message: str) -> None:
    given = {"max_period": 4, "hazard": 0.1} | options
    with pytest.raises(SpecError, match=message):
        delayed_period(ints("01"), 2, **given)  # type: ignore[arg-type]
