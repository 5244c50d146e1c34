"""Rank correlation of two tables, against scipy and against a known truth."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness.analysis.association import association, association_interval
from harness.errors import CurveError


def test_it_is_spearmans_with_ties() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 4, size=(2, 30)).astype(float)
    assert association(x, y) == pytest.approx(spearmanr(x, y).statistic)


def test_a_monotone_relation_is_one_and_a_constant_has_none() -> None:
    d = np.array([[0.1, 0.2], [0.5, 0.9]])
    assert association(d, d**3) == pytest.approx(1.0)
    assert np.isnan(association(d, np.full((2, 2), 0.5)))


def test_tables_that_do_not_pair_are_refused() -> None:
    with pytest.raises(CurveError, match="at least 3 cells"):
        association(np.zeros(2), np.zeros(2))


def test_sequences_of_two_rising_curves_give_an_interval_near_one() -> None:
    rng = np.random.default_rng(0)
    rise = np.linspace(0.1, 0.9, 8)
    hits = (rng.random((200, 8)) < rise).astype(float)
    p = np.clip(rise + 0.05 * rng.standard_normal((200, 8)), 0, 1)
    found = association_interval(hits, p)
    assert found is not None
    value, low, high = found
    assert value > 0.9
    assert low > 0.8
    assert low <= value <= high <= 1


def test_few_sequences_have_no_interval_and_flat_curves_no_value() -> None:
    hits = np.tile([0.0, 0.5, 1.0], (4, 1))
    found = association_interval(hits, hits**2)
    assert found is not None
    assert found[0] == pytest.approx(1.0)
    assert np.isnan(found[1:]).all()
    assert association_interval(hits, np.full((4, 3), 0.5)) is None
