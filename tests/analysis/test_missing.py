"""Failures that grow with the context are named, and others are not."""

import numpy as np
import pytest
from scipy import stats

from harness.analysis import failure_trend
from harness.errors import CurveError


def test_the_statistic_is_that_of_a_regression_on_the_single_calls() -> None:
    """N r^2 of single calls on scores is the Cochran-Armitage chi-square (Agresti 2013, 5.3.5)."""
    rng = np.random.default_rng(5)
    asked = rng.integers(5, 40, 9)
    failed = rng.binomial(asked, np.linspace(0.1, 0.3, 9))
    x = np.repeat(np.arange(9), asked)
    y = np.concatenate([np.r_[np.ones(k), np.zeros(n - k)] for k, n in zip(failed, asked, strict=True)])
    r = np.corrcoef(x, y)[0, 1]
    expected = stats.norm.sf(np.sqrt(len(x)) * r)
    assert failure_trend(failed, asked).p_value == pytest.approx(expected, rel=1e-9)


def test_a_steady_rate_is_named_about_once_in_a_thousand() -> None:
    rng = np.random.default_rng(6)
    asked = np.full(16, 48)
    named = sum(failure_trend(rng.binomial(asked, 0.1), asked).grows for _ in range(4000))
    assert named <= 13  # 4 expected; more than 13 has probability 1e-4


@pytest.mark.parametrize(("last", "grows"), [(0.5, True), (0.3, True), (0.0, False)])
def test_a_rate_that_rises_to_the_longest_contexts_is_named(last: float, grows: bool) -> None:
    rng = np.random.default_rng(7)
    asked = np.full(16, 48)
    assert failure_trend(rng.binomial(asked, np.linspace(0, last, 16)), asked).grows is grows
    falling = rng.binomial(asked, np.linspace(last, 0, 16))
    assert not failure_trend(falling, asked).grows


def test_levels_without_calls_and_no_calls_at_all_are_no_trend() -> None:
    none = np.zeros(5, dtype=np.int64)
    assert failure_trend(none, none).p_value == 1.0
    assert not failure_trend(none, np.full(5, 9)).grows
    assert not failure_trend(np.full(5, 9), np.full(5, 9)).grows
    with pytest.raises(CurveError, match="not counts"):
        failure_trend(np.array([3]), np.array([2]))
