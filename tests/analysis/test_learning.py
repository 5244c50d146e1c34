"""Learning times, leads over seeds, and an exact test that times fall along a factor."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from harness.analysis.learning import falling_trend, lead, learning_time, mean_interval
from harness.errors import CurveError

STEP = np.geomspace(40, 1500, 19)


def test_a_step_is_learned_where_it_is() -> None:
    accuracy = np.where(np.arange(19) >= 8, 1.0, 0.0)
    assert learning_time(STEP, accuracy, threshold=0.5, smoothing=0.0) == STEP[8]
    assert (
        learning_time(STEP, accuracy, threshold=0.5) == STEP[8]
    )  # a symmetric kernel leaves half-way where it is


def test_three_in_a_row_are_asked_for() -> None:
    accuracy = np.zeros(19)
    accuracy[[3, 4, 9, 10, 11]] = 1.0
    assert learning_time(STEP, accuracy, threshold=0.5, smoothing=0.0) == STEP[9]
    assert learning_time(STEP, accuracy, threshold=0.5, smoothing=0.0, consecutive=2) == STEP[3]
    accuracy[[9, 10, 11]] = 0.0
    accuracy[-2:] = 1.0
    assert learning_time(STEP, accuracy, threshold=0.5, smoothing=0.0) is None


def test_steps_must_ascend() -> None:
    with pytest.raises(CurveError, match="steps ascending"):
        learning_time(STEP[::-1], np.zeros(19), threshold=0.5)


def test_a_lead_is_counted_in_octaves_and_bounds_are_named() -> None:
    found = lead([100.0, 100.0, None], [400.0, None, 50.0], last=1600.0)
    assert found is not None
    assert (found.mean, found.seeds, found.bounds, found.without) == (3.0, 2, 1, 1)
    assert found.low < 0 < 6 < found.high  # two seeds: Student's t with one degree of freedom
    assert lead([None], [10.0], last=100.0) is None


def test_a_lead_over_many_seeds_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        times = 100 * 2 ** rng.normal(1.0, 0.5, 20)  # the mean lead is one octave
        found = lead([100.0] * 20, times.tolist(), last=1e9)
        assert found is not None
        covered += found.low <= 1.0 <= found.high
    assert covered >= stats.binom.ppf(0.001, 200, 0.93)


def test_the_trend_agrees_with_scipys_page_test_without_ties() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        values = rng.normal(size=(4, 3))
        falling = stats.page_trend_test(-values, method="exact")
        assert falling_trend(values).p_value == pytest.approx(falling.pvalue, abs=1e-12)


def test_the_trend_with_ties_counts_all_permutations() -> None:
    values = np.array([[4.0, 2.0, 2.0], [np.inf, np.inf, 1.0]])
    level, ranks = np.array([1, 2, 3]), stats.rankdata(values, axis=1)
    observed = (ranks @ level).sum()
    every = [
        (np.array(a) @ level) + (np.array(b) @ level)
        for a in permutations(ranks[0])
        for b in permutations(ranks[1])
    ]
    found = falling_trend(values)
    assert found.statistic == observed
    assert found.p_value == pytest.approx(np.mean(np.array(every) <= observed))


def test_the_trend_is_exact_where_nothing_falls() -> None:
    rng = np.random.default_rng(8)
    p = [falling_trend(rng.normal(size=(3, 3))).p_value for _ in range(1000)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 1000)  # 4 binomial s.d.
    falls = falling_trend(np.array([[3.0, 2.0, 1.0]] * 3))
    assert falls.p_value == falls.least == pytest.approx(1 / 216)


def test_a_missing_time_must_be_written_as_never() -> None:
    with pytest.raises(CurveError, match="infinity"):
        falling_trend(np.array([[1.0, np.nan]]))


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_of_a_mean_over_few_seeds_holds_it(seeds: int) -> None:
    rng = np.random.default_rng(21)
    held = 0
    for _ in range(300):
        low, high = mean_interval(rng.normal(1.0, 0.5, seeds))
        held += low <= 1.0 <= high
    assert held >= stats.binom.ppf(
        0.001, 300, 0.93
    )  # of five, the resampled means alone hold it 83 times in 100


def test_one_value_has_no_interval_and_one_seed_none_of_its_lead() -> None:
    with pytest.raises(CurveError, match="at least 2 are needed"):
        mean_interval(np.array([1.0]))
    found = lead([100.0], [400.0], last=1600.0)
    assert found is not None
    assert found.mean == pytest.approx(2)
    assert np.isnan(found.low)
