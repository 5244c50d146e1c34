"""The band drawn around a curve."""

import numpy as np
import pytest
from scipy import stats

from harness.analysis import mean_band
from harness.errors import CurveError, SpecError
from harness.types import CountCurve
from tests.analysis.simulation import levels, sequences


@pytest.mark.parametrize(("k", "n"), [(0, 10), (5, 10), (10, 10), (199, 200)])
def test_the_band_of_counts_is_the_wilson_interval(k: int, n: int) -> None:
    mean, low, high = mean_band(CountCurve("c", levels(3), np.full(3, k), np.full(3, n)))
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    np.testing.assert_allclose([mean[0], low[0], high[0]], [k / n, *expected], atol=1e-12)


def test_the_band_of_sequences_is_the_t_interval_over_sequences() -> None:
    p = np.random.default_rng(0).uniform(0.3, 0.7, size=(12, 4))
    mean, low, high = mean_band(sequences(p), 0.9)
    expected = stats.ttest_1samp(p[:, 2], 0).confidence_interval(0.9)
    np.testing.assert_allclose([mean[2], low[2], high[2]], [p[:, 2].mean(), *expected])


def test_the_band_of_sequences_covers_their_mean() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(8, 2, size=(20, 3000))
    _, low, high = mean_band(sequences(p))
    assert np.mean((low <= 0.8) & (high >= 0.8)) == pytest.approx(0.95, abs=0.02)


def test_the_band_stays_in_the_unit_interval_and_around_the_mean() -> None:
    p = np.array([[1.0, 0.0, 0.5], [1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    mean, low, high = mean_band(sequences(p))
    assert np.all((low >= 0) & (low <= mean) & (mean <= high) & (high <= 1))
    assert (low[2], high[2]) == (0.5, 0.5)  # sequences that agree have no width


def test_levels_with_too_few_sequences_have_no_bounds() -> None:
    p = np.array([[0.1, np.nan, np.nan, 0.4], [0.2, np.nan, 0.3, 0.5]])
    mean, low, high = mean_band(sequences(p))
    np.testing.assert_array_equal(np.isnan(mean), [False, True, False, False])
    np.testing.assert_array_equal(np.isnan(low), [False, True, True, False])
    np.testing.assert_array_equal(np.isnan(high), [False, True, True, False])


def test_a_band_of_what_is_no_curve_is_refused() -> None:
    with pytest.raises(CurveError, match=r"successes=9, trials=5"):
        mean_band(CountCurve("c", levels(3), np.array([1, 2, 9]), np.array([5, 5, 5])))
    with pytest.raises(SpecError, match=r"confidence=95\.0"):
        mean_band(sequences(np.full((2, 3), 0.5)), 95.0)
