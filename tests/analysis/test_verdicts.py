"""Verdicts on curves of known truth: false positives, power, classes, intervals."""

import numpy as np
import pytest

from harness.analysis import transition
from harness.types import AnalysisOptions, CountCurve, Curve, Floats, Transition
from tests.analysis.simulation import counts, levels, logistic, replicates, sequences

CHANGED = ("gradual", "sharp", "multiple")


def drift(n: int, total: float = 0.06) -> Floats:
    return 0.5 + total * (np.linspace(0, 1, n) - 0.5)


@pytest.mark.parametrize(("n_levels", "m"), [(16, 5), (16, 100), (32, 20)])
@pytest.mark.parametrize("icc", [0.0, 0.1])
def test_counts_without_a_change_are_not_given_one(n_levels: int, m: int, icc: float) -> None:
    rng = np.random.default_rng([1, n_levels, m, int(10 * icc)])
    truths = [np.full(n_levels, 0.5), np.full(n_levels, 0.9), drift(n_levels)] * 6
    found = [transition(counts(p, m, rng, icc=icc)) for p in truths]
    assert [t.verdict for t in found if t.verdict in CHANGED] == []
    assert (
        sum(t.p_none < 0.05 for t in found) <= 1
    )  # at a true rate of 1 % more than one of 18 has probability 0.013


@pytest.mark.parametrize("rho", [0.0, 0.8, 0.95])
@pytest.mark.parametrize(("n_levels", "n"), [(16, 12), (64, 20), (257, 48)])
def test_sequences_without_a_change_are_not_given_one(n_levels: int, n: int, rho: float) -> None:
    rng = np.random.default_rng([2, n_levels, n, int(100 * rho)])
    found = [transition(replicates(p, n, rho, rng)) for p in [np.full(n_levels, 0.5), drift(n_levels)] * 8]
    assert sum(t.p_none < 0.05 for t in found) == 0


@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-3, 0.05])
def test_fair_symbols_have_no_transition(noise: float) -> None:
    rng = np.random.default_rng(3)
    found = transition(sequences(0.5 + noise * rng.standard_normal((48, 257)).clip(-3, 3)))
    assert found.verdict == "none"
    assert found.p_none > 0.999
    assert found.location is None
    assert found.fit == pytest.approx([0.5] * 257, abs=0.01)


def test_an_observer_of_biased_symbols_that_varies_from_target_to_target_has_no_late_transition() -> None:
    """p(target) of a Krichevsky-Trofimov observer: its variance at one level is as large as a transition."""
    rng = np.random.default_rng(4)
    symbol = (rng.random((48, 257)) < 0.6).astype(np.int64)
    share = (np.cumsum(symbol, axis=1) - symbol + 0.5) / (np.arange(257) + 1)
    found = transition(sequences(np.where(symbol == 1, share, 1 - share)))
    assert found.verdict == "none"  # its mean rises from 0.5 to 0.52


@pytest.mark.parametrize(
    ("location", "width", "verdict"),
    [(0.4, 0.0, "sharp"), (0.6, 0.04, "sharp"), (0.5, 0.25, "gradual"), (0.5, 0.5, "gradual")],
)
@pytest.mark.parametrize("up", [True, False])
def test_the_class_location_and_asymptotes_of_one_change_are_recovered(
    location: float, width: float, verdict: str, up: bool
) -> None:
    rng = np.random.default_rng([5, int(100 * width), up])
    n = 64
    low, high = (0.2, 0.8) if up else (0.8, 0.2)
    at = np.floor(location * (n - 1)) + 0.5
    p = logistic(levels(n), at, width * (n - 1), low, high)
    for curve in (counts(p, 200, rng), replicates(p, 48, 0.8, rng)):
        found = transition(curve)
        assert found.verdict == verdict
        assert found.direction == ("increasing" if up else "decreasing")
        # 4 s.e. of a half-way point: about 0.015 of the range for the widest, half a gap for a step.
        assert found.location == pytest.approx(at, abs=max(0.5, 0.06 * width / 0.5 * (n - 1)))
        assert (found.lower, found.upper) == pytest.approx((0.2, 0.8), abs=0.08)
        assert np.abs(np.array(found.fit) - p).max() < 0.15


def test_a_change_of_a_quarter_is_found_in_twenty_trials_a_level() -> None:
    rng = np.random.default_rng(6)
    truths = [logistic(levels(32), at + 0.5, 0.0, 0.3, 0.58) for at in range(8, 24, 2)]
    found = [transition(counts(p, 20, rng)) for p in truths]
    assert sum(t.p_none < 0.05 for t in found) >= 7  # of 8, at a power of 0.95 or more


def coverage(found: list[Transition], location: float, width: float) -> tuple[float, float]:
    kept = [t for t in found if t.location_low is not None]
    assert len(kept) >= 0.8 * len(found)
    at = [(t.location_low or 0) <= location <= (t.location_high or 0) for t in kept]
    wide = [(t.width_low or 0) <= width <= (t.width_high or 0) for t in kept]
    return float(np.mean(at)), float(np.mean(wide))


@pytest.mark.parametrize("width", [0.0, 6.0])
def test_intervals_of_counts_cover_the_truth(width: float) -> None:
    rng = np.random.default_rng([7, int(width)])
    p = logistic(levels(20), 9.5, width, 0.15, 0.85)
    at, wide = coverage([transition(counts(p, 40, rng)) for _ in range(30)], 9.5, width)
    assert at >= 0.85  # 30 curves at 95 %: fewer than 26 covered has probability 0.003
    assert wide >= 0.85


@pytest.mark.parametrize("width", [0.0, 16.0])
def test_intervals_of_sequences_cover_the_truth(width: float) -> None:
    rng = np.random.default_rng([8, int(width)])
    p = logistic(levels(64), 27.5, width, 0.2, 0.8)
    at, wide = coverage([transition(replicates(p, 24, 0.8, rng)) for _ in range(50)], 27.5, width)
    assert at >= 0.85  # 50 curves at 95 %: fewer than 43 covered has probability 0.004
    assert wide >= 0.85


def test_sequences_that_step_at_different_places_are_one_change_as_wide_as_they_scatter() -> None:
    rng = np.random.default_rng(9)
    x = np.arange(257.0)
    for centre, spread, verdict in ((12.0, 2.0, "sharp"), (120.0, 30.0, "gradual")):
        step = rng.normal(centre, spread, size=(48, 1))
        found = transition(sequences(np.where(x < step, 0.5, 0.997)))
        assert found.verdict == verdict
        assert found.location == pytest.approx(centre, abs=4 * spread / np.sqrt(48) + 1)
        assert found.width is not None
        # the 10-90 % distance of a normal distribution is 2.563 s.d.; its estimate from 48 varies by 15 %
        assert found.width == pytest.approx(2.563 * spread, rel=0.5)


@pytest.mark.parametrize("at", [2.5, 4.5, 8.5])
def test_an_early_transition_is_not_swallowed_by_bins(at: float) -> None:
    rng = np.random.default_rng([10, int(at)])
    p = logistic(levels(257), at, 0.0, 0.5, 0.98)
    found = transition(sequences(np.clip(p + 0.01 * rng.standard_normal((48, 257)), 0, 1)))
    assert found.verdict == "sharp"
    assert found.location == pytest.approx(at, abs=0.1)
    assert (found.location_low, found.location_high) == (np.floor(at), np.ceil(at))


def test_a_step_lies_between_its_levels_and_its_interval_holds_both() -> None:
    x = np.array([1.0, 2, 3, 5, 7, 8, 11, 20, 40])
    k = np.where(x >= 8, 48, 3)
    found = transition(CountCurve("step", x, k, np.full(9, 50)))
    assert found.location is not None
    assert 7 <= found.location <= 8
    assert (found.location_low or 0) <= 7
    assert (found.location_high or 0) >= 8
    assert found.width_low == 0


def test_a_slow_law_is_gradual_and_neither_several_changes_nor_sharp() -> None:
    """p = 0.5 + 0.4 n / (n + 5), whose 10-90 % width is 5 (9 - 1/9) = 44.4, against 25.6 that is called sharp."""
    rng = np.random.default_rng(11)
    n = np.arange(257.0)
    for noise in (0.02, 1e-4):
        found = transition(sequences(0.5 + 0.4 * n / (n + 5) + noise * rng.standard_normal((48, 257))))
        assert found.verdict == "gradual"
        assert found.location == pytest.approx(5, abs=0.5)
        assert found.width == pytest.approx(44.4, abs=4)


# p(random) of gpt-3.5-turbo-instruct judging (011) repeated, |x| = 1..12, digitised from the authors'
# figure, then the low plateau it stays on: a rise at 4 and a fall centred at 8.1.
JUDGED = np.array([0.31, 0.40, 0.25, 0.84, 0.85, 0.79, 0.73, 0.50, 0.16, 0.12, 0.17, 0.05, *[0.04] * 8])


@pytest.mark.parametrize("kind", ["counts 20", "counts 100", "sequences"])
def test_the_judgment_curve_of_011_rises_at_4_and_falls_at_8(kind: str) -> None:
    rng = np.random.default_rng(12)
    x = np.arange(1.0, 21.0)
    curve: Curve
    if kind == "sequences":
        curve = sequences(np.clip(JUDGED + 0.08 * rng.standard_normal((24, 20)), 0, 1), x)
    else:
        curve = counts(JUDGED, int(kind.split()[1]), rng, x=x)
    found = transition(curve)
    assert found.verdict == "multiple"
    rise, fall = found.changes
    assert rise.low <= 3.5 <= rise.high
    assert fall.low <= 8.1 <= fall.high
    assert found.location is None


def test_a_dip_and_a_spike_are_two_changes() -> None:
    rng = np.random.default_rng(13)
    x = levels(257)
    dip = np.where((x > 40) & (x < 60), 0.3, 0.9)
    found = transition(sequences(np.clip(dip + 0.05 * rng.standard_normal((48, 257)), 0, 1)))
    assert found.verdict == "multiple"
    assert [c.location for c in found.changes] == pytest.approx([40.5, 59.5], abs=1.5)
    spike = np.where(np.arange(32) == 14, 0.95, 0.2)
    assert transition(counts(spike, 100, rng)).verdict == "multiple"


def test_the_log_axis_makes_a_change_over_octaves_as_wide_as_it_is() -> None:
    rng = np.random.default_rng(14)
    x = np.array([1.0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
    p = logistic(np.log2(x), 5.0, 4.0, 0.1, 0.9)
    found = transition(counts(p, 400, rng, x=x), options=AnalysisOptions(axis="log2"))
    assert found.verdict == "gradual"
    assert found.location == pytest.approx(32, rel=0.15)
    assert found.width == pytest.approx(2**7 - 2**3, rel=0.25)


def test_the_same_curve_gives_the_same_numbers_whatever_was_analysed_before() -> None:
    rng = np.random.default_rng(15)
    curve = replicates(logistic(levels(32), 12.5, 0.0, 0.2, 0.8), 20, 0.8, rng)
    first = transition(curve)
    transition(replicates(drift(32), 20, 0.0, rng))
    assert transition(curve) == first


def test_reversing_and_mirroring_a_curve_changes_nothing_else() -> None:
    rng = np.random.default_rng(16)
    curve = replicates(logistic(levels(33), 12.5, 6.0, 0.2, 0.7), 24, 0.5, rng)
    found, mirrored = transition(curve), transition(sequences(1 - curve.p))
    assert mirrored.direction == "decreasing"
    assert mirrored.location == pytest.approx(found.location)
    assert mirrored.lower == pytest.approx(1 - (found.upper or 0), abs=1e-6)
    assert mirrored.upper == pytest.approx(1 - (found.lower or 0), abs=1e-6)
    assert mirrored.p_none == pytest.approx(found.p_none, abs=1e-9)


@pytest.mark.parametrize("model", ["counts", "sequences"])
def test_a_change_that_only_the_scale_makes_sharp_is_not_called_sharp(model: str) -> None:
    # A logistic from 0.01 to 0.99: its 10-90 % width in p is 5 of 64 levels, within a tenth of the range. In logit p
    # it runs nearly straight between the corners, 80 % of the way taking 0.8 * 9.2 / 4.39 = 1.67 times as long.
    x, rng = levels(65), np.random.default_rng(17)

    def judged(p: Floats) -> Transition:
        return transition(counts(p, 400, rng) if model == "counts" else replicates(p, 60, 0.0, rng))

    found = judged(logistic(x, 30.3, 5, 0.01, 0.99))
    assert found.p_sharp > 0.9
    assert found.verdict == "undetermined"
    assert any("logit p" in warning for warning in found.warnings)
    assert judged(logistic(x, 30.3, 0, 0.05, 0.95)).verdict == "sharp"
