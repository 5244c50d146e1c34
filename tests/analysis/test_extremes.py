"""What is refused, what is warned of, and curves at the limits of what can be said."""

import dataclasses

import numpy as np
import pytest

from harness.analysis import transition
from harness.errors import CurveError, SpecError
from harness.types import AnalysisOptions, CountCurve, SequenceCurve, Transition
from tests.analysis.simulation import counts, levels, logistic, replicates, sequences


def count_curve(k: list[float], n: list[float], x: list[float] | None = None) -> CountCurve:
    level = np.arange(len(k), dtype=np.float64) if x is None else np.array(x)
    return CountCurve("c", level, np.array(k), np.array(n))


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        (count_curve([1, 11, 2], [10, 10, 10]), r"successes=11, trials=10 at level 1\.0"),
        (count_curve([1, -1, 2], [10, 10, 10]), r"successes=-1"),
        (count_curve([1, 0, 2], [10, 0, 10]), r"trials=0 at level 1\.0; trials must be above 0"),
        (count_curve([1, 1.5, 2], [10, 10, 10]), r"successes=1\.5 at level 1\.0; counts must be whole"),
        (count_curve([1, 2], [10, 10]), r"2 level\(s\) \[0\.0, 1\.0\]; a transition needs at least 3"),
        (count_curve([1, 2, 3], [9, 9, 9], [0, 2, 1]), r"level\[2\]=1\.0 is not above level\[1\]=2\.0"),
        (count_curve([1, 2, 3], [9, 9, 9], [0, 1, 1]), r"level\[2\]=1\.0 is not above level\[1\]=1\.0"),
        (count_curve([1, 2, 3], [9, 9, 9], [0, np.nan, 1]), r"level\[1\]=nan"),
        (count_curve([1, 2, 3], [9, 9]), r"one of each per level"),
        (sequences(np.array([[0.1, 1.2, 0.3]])), r"p=1\.2 in row 0 at level 1\.0"),
        (sequences(np.array([[0.1, 0.2, np.inf]])), r"p=inf"),
        (sequences(np.full((4, 5), np.nan)), r"0 of 5 levels hold a measured value"),
        (SequenceCurve("c", levels(3), np.zeros((2, 4)), ("a", "b")), r"shape \(2, 4\); \(2, 3\) is needed"),
        (SequenceCurve("c", levels(3), np.zeros((0, 3)), ()), r"at least one"),
    ],
)
def test_numbers_that_are_not_a_curve_are_refused_by_name(
    curve: CountCurve | SequenceCurve, message: str
) -> None:
    with pytest.raises(CurveError, match=message):
        transition(curve)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (AnalysisOptions(sharp_width=0.0), r"sharp_width=0\.0"),
        (AnalysisOptions(min_change=1.0), r"min_change=1\.0"),
        (AnalysisOptions(confidence=95.0), r"confidence=95\.0"),
    ],
)
def test_thresholds_outside_their_range_are_refused(options: AnalysisOptions, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        transition(count_curve([1, 2, 3], [9, 9, 9]), options=options)


def test_a_negative_level_has_no_place_on_the_log_axis() -> None:
    with pytest.raises(CurveError, match=r"level -1\.0 has no place"):
        transition(count_curve([1, 2, 3], [9, 9, 9], [-1, 0, 1]), options=AnalysisOptions(axis="log2"))


def holds_together(found: Transition) -> None:
    total = found.p_none + found.p_gradual + found.p_sharp + found.p_multiple
    assert total == pytest.approx(1)
    for field in dataclasses.fields(found):
        value = getattr(found, field.name)
        assert not (isinstance(value, float) and np.isnan(value)), field.name
    assert np.all((np.array(found.fit) >= 0) & (np.array(found.fit) <= 1))
    for middle, low, high in (
        (found.location, found.location_low, found.location_high),
        (found.width, found.width_low, found.width_high),
    ):
        if low is not None:
            assert middle is not None
            assert high is not None
            assert low <= middle <= high


@pytest.mark.parametrize("n_levels", [3, 4, 5, 6, 8, 300])
@pytest.mark.parametrize("m", [1, 7, 5000])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_flat_counts_of_any_size_are_never_given_a_change(n_levels: int, m: int, share: float) -> None:
    k = [float(round(share * m))] * n_levels
    found = transition(count_curve(k, [float(m)] * n_levels))
    holds_together(found)
    assert found.verdict in ("none", "undetermined")
    if m * n_levels >= 20 and n_levels >= 5:
        assert found.p_none > 0.6


@pytest.mark.parametrize("n_levels", [3, 4, 5, 8, 16, 64])
@pytest.mark.parametrize("m", [1, 20, 5000])
def test_a_full_step_in_counts_of_any_size_holds_together(n_levels: int, m: int) -> None:
    half = n_levels // 2
    found = transition(count_curve([0.0] * half + [float(m)] * (n_levels - half), [float(m)] * n_levels))
    holds_together(found)
    if m >= 20 and n_levels >= 5:
        assert found.p_none < 0.05
        assert found.direction in ("increasing", None)
    if m >= 20 and n_levels >= 16:
        assert found.verdict == "sharp"
        assert found.location == pytest.approx(half - 0.5, abs=0.5)


@pytest.mark.parametrize("n", [1, 2, 5, 9, 10, 500])
@pytest.mark.parametrize("n_levels", [3, 5, 16])
def test_any_number_of_sequences_and_levels_holds_together(n: int, n_levels: int) -> None:
    rng = np.random.default_rng([1, n, n_levels])
    p = logistic(levels(n_levels), n_levels / 2, 0.0, 0.1, 0.9)
    found = transition(sequences(np.clip(p + 0.03 * rng.standard_normal((n, n_levels)), 0, 1)))
    holds_together(found)
    if n < 10:
        assert found.location_low is None
        assert found.width_high is None
        assert any("interval" in w for w in found.warnings)
    elif n_levels >= 5:
        assert found.p_none < 0.05


def test_unequal_trials_weigh_as_many_as_they_are() -> None:
    rng = np.random.default_rng(2)
    n = np.where(np.arange(32) % 2, 200, 2)
    k = rng.binomial(n, logistic(levels(32), 15.5, 0.0, 0.3, 0.7))
    found = transition(CountCurve("c", levels(32), k, n))
    assert found.verdict == "sharp"
    assert found.location == pytest.approx(15.5, abs=1.5)


def test_identical_sequences_are_judged_without_an_interval_and_with_a_warning() -> None:
    p = logistic(levels(64), 20.5, 0.0, 0.2, 0.9)
    found = transition(sequences(np.tile(p, (30, 1))))
    assert found.verdict == "sharp"
    assert found.location == pytest.approx(20.5)
    assert found.location_low is None
    assert any("identical" in w for w in found.warnings)


def test_one_sequence_is_judged_with_a_warning() -> None:
    rng = np.random.default_rng(3)
    p = logistic(levels(64), 20.5, 0.0, 0.2, 0.9)
    found = transition(sequences(p[None] + 0.02 * rng.standard_normal((1, 64))))
    assert found.p_none < 0.05
    assert found.location_low is None
    assert any("one sequence only" in w for w in found.warnings)


def test_failed_cells_levels_and_sequences_are_left_out_and_said() -> None:
    rng = np.random.default_rng(4)
    table = np.clip(logistic(levels(40), 15.5, 0.0, 0.3, 0.8) + 0.05 * rng.standard_normal((30, 40)), 0, 1)
    table[rng.random(table.shape) < 0.2] = np.nan
    table[:, 7] = np.nan
    table[3] = np.nan
    found = transition(sequences(table))
    assert found.verdict == "sharp"
    assert found.location == pytest.approx(15.5, abs=0.5)
    assert len(found.fit) == 40
    assert any("1 of 40 levels hold no measured value, the first at [7.0]" in w for w in found.warnings)
    assert any("1 of 30 sequences" in w for w in found.warnings)


def test_failures_that_grow_with_the_level_are_pointed_out() -> None:
    rng = np.random.default_rng(5)
    table = np.clip(logistic(levels(30), 15.5, 0.0, 0.3, 0.8) + 0.05 * rng.standard_normal((30, 30)), 0, 1)
    table[rng.random(table.shape) < np.linspace(0, 0.7, 30)] = np.nan
    assert any("missing values grow along the curve" in w for w in transition(sequences(table)).warnings)


@pytest.mark.parametrize(
    ("at", "which"), [(0.5, "only level 0.0 lies before"), (62.5, "only level 63.0 lies after")]
)
def test_a_change_at_the_edge_is_said_to_be_at_the_edge(at: float, which: str) -> None:
    rng = np.random.default_rng(6)
    p = logistic(levels(64), at, 0.0, 0.2, 0.8)
    found = transition(sequences(np.clip(p + 0.03 * rng.standard_normal((30, 64)), 0, 1)))
    assert found.location == pytest.approx(at, abs=0.5)
    assert any(which in w for w in found.warnings)


def test_a_change_that_is_still_going_on_is_said_to_have_no_plateau() -> None:
    rng = np.random.default_rng(7)
    p = logistic(levels(64), 55.0, 40.0, 0.1, 0.9)
    found = transition(replicates(p, 40, 0.5, rng))
    assert found.verdict == "gradual"
    assert any("still changes at the last level" in w for w in found.warnings)


def test_sharp_is_claimed_only_within_what_the_levels_resolve() -> None:
    rng = np.random.default_rng(8)
    coarse = counts(logistic(levels(8), 3.5, 0.0, 0.05, 0.95), 300, rng)
    found = transition(coarse)
    if found.verdict == "sharp":
        assert (found.width_high or 9) <= 2
        assert any("too far apart" in w for w in found.warnings)


def test_a_curve_that_swings_from_level_to_level_is_not_called_flat() -> None:
    rng = np.random.default_rng(9)
    p = 0.6 + 0.3 * (np.arange(257) % 3 == 0) * (np.arange(257) > 20)
    found = transition(sequences(np.clip(p + 0.02 * rng.standard_normal((48, 257)), 0, 1)))
    assert found.verdict == "undetermined"
    assert any("look at the curve itself" in w for w in found.warnings)
