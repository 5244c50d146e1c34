from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from math import prod

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers import dirichlet
from harness.prompts.observers.changes import change_point
from tests.prompts.observers.words import Word, assert_ratio_of_evidences, ints, multinomial_evidence


def evidence_by_enumeration(word: Word, m: int, hazard: Fraction, alpha: Fraction) -> Fraction:
    """P(word): every set of moments of change weighed one by one."""
    if not word:
        return Fraction(1)
    total = Fraction(0)
    for changed in product([False, True], repeat=len(word) - 1):
        starts = [0, *(n for n, change in enumerate(changed, start=1) if change), len(word)]
        segments = [word[i:j] for i, j in pairwise(starts)]
        prior = hazard ** sum(changed) * (1 - hazard) ** (len(changed) - sum(changed))
        total += prior * prod(multinomial_evidence([s.count(a) for a in range(m)], alpha) for s in segments)
    return total


@pytest.mark.parametrize(
    ("m", "hazard", "alpha", "word"),
    [
        (2, Fraction(1, 10), Fraction(1, 2), (0, 0, 0, 0, 1, 1, 1, 0, 1)),
        (2, Fraction(1, 3), Fraction(1), (0, 1, 1, 0, 0, 0, 1, 1, 1)),
        (2, Fraction(1), Fraction(1), (0, 0, 0, 1)),
        (3, Fraction(1, 5), Fraction(1, 2), (0, 0, 2, 1, 1, 1, 1, 0)),
    ],
)
def test_the_filter_is_exact(m: int, hazard: Fraction, alpha: Fraction, word: Word) -> None:
    @cache
    def evidence(prefix: Word) -> Fraction:
        return evidence_by_enumeration(prefix, m, hazard, alpha)

    law = change_point(ints(word), m, hazard=float(hazard), alpha=float(alpha))
    assert_ratio_of_evidences(law, word, evidence)


def test_without_changes_it_is_dirichlet_and_with_one_each_step_uniform() -> None:
    word = np.random.default_rng(1).integers(3, size=60)
    never, always = (change_point(word, 3, hazard=h) for h in (0.0, 1.0))
    np.testing.assert_allclose(never, dirichlet(word, 3, 0.5), rtol=1e-12)
    np.testing.assert_allclose(always, 1 / 3, rtol=1e-12)


def test_a_long_run_is_forgotten_within_a_few_symbols() -> None:
    """The note's .75 -> .25 taken to its end: 0^2000 1^20, where counts alone would stay with 0."""
    word = np.array([0] * 2000 + [1] * 20)
    law = change_point(word, 2, hazard=1 / 50)
    np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)
    assert law[2000, 0] > 0.97
    assert law[2005, 1] > 0.8
    assert dirichlet(word, 2, 0.5)[-1, 1] < 0.02


def test_parameters_out_of_range_are_named() -> None:
    with pytest.raises(SpecError, match=r"hazard=1\.5"):
        change_point(ints("01"), 2, hazard=1.5)
    with pytest.raises(SpecError, match=r"alpha=0\.0"):
        change_point(ints("01"), 2, hazard=0.5, alpha=0.0)
