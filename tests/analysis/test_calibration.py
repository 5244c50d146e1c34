"""A small seeded run of the benchmark: false positives, power, classes and coverage on the simulated law."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks._analyzer_cells import Cell, Record, balanced_accuracy, run_cell
from benchmarks._analyzer_law import CHANGES, NULLS, draw_counts, draw_truth
from harness.analysis import transition, transitions
from harness.analysis.checks import DEFAULTS
from harness.analysis.estimate import estimate
from harness.analysis.evidence import weigh
from harness.analysis.prepare import prepare
from harness.analysis.verdict import doubt, judge
from harness.types import CountCurve, Curve
from tests.analysis.simulation import counts, levels, logistic, replicates, sequences


def records(*cells: Cell) -> list[Record]:
    return [record for cell in cells for record in run_cell((cell, 7))[0]]


@pytest.mark.parametrize(("n_levels", "m"), [(16, 5), (16, 100), (32, 20), (64, 5)])
def test_false_positives_on_counts_stay_at_a_hundredth(n_levels: int, m: int) -> None:
    found = records(Cell("counts", n_levels, m, 0.0, NULLS, 60, 0))
    # At the target of 1 % more than 5 of 120 have probability 0.001.
    assert sum(r.detected for r in found) <= binom.ppf(0.999, len(found), 0.01)


def test_power_and_classes_of_counts_reach_their_targets() -> None:
    cells = [Cell("counts", t, m, 0.0, CHANGES, 5, 0) for t in (16, 64) for m in (20, 100)]
    nulls = [Cell("counts", t, m, 0.0, NULLS, 15, 0) for t in (16, 64) for m in (20, 100)]
    found = records(*cells)
    # At the target of 95 % fewer than 105 of 120 have probability 0.001.
    assert sum(r.detected for r in found) >= binom.ppf(0.001, len(found), 0.95)
    every = found + records(*nulls)
    # The target is 0.90, with 240 curves within 0.06 of it 99.9 % of the time.
    assert balanced_accuracy([r.wanted for r in every], [r.largest for r in every]) >= 0.84
    sure = [r.largest == r.wanted for r in every if r.posterior > 0.9]
    assert sum(sure) >= binom.ppf(0.001, len(sure), 0.99)


@pytest.mark.parametrize("kinds", [("wide", "mid"), ("step",)])
def test_intervals_of_counts_cover_over_the_law(kinds: tuple[str, ...]) -> None:
    found = records(*(Cell("counts", t, 100, 0.0, kinds, 12, 0) for t in (16, 32, 64)))
    for covered in ([r.location_covered for r in found], [r.width_covered for r in found]):
        given = [c for c in covered if c is not None]
        assert sum(given) >= binom.ppf(0.001, len(given), 0.93)


def test_a_curve_is_judged_the_same_in_any_company() -> None:
    rng = np.random.default_rng(1)
    curves: list[Curve] = [
        draw_counts(draw_truth(kind, n_levels, rng), m, 0.0, rng)
        for kind in (*NULLS, "mid", "step", "two steps")
        for n_levels, m in ((16, 5), (32, 100))
    ]
    curves.append(replicates(logistic(levels(16), 7.5, 0.0, 0.2, 0.8), 12, 0.8, rng))
    alone = [transition(curve) for curve in curves]
    assert transitions(curves) == alone
    order = rng.permutation(len(curves))
    shuffled = transitions([curves[i] for i in order])
    assert [shuffled[int(i)] for i in np.argsort(order)] == alone


def test_a_screened_curve_gets_the_verdict_of_the_exact_look() -> None:
    rng = np.random.default_rng(2)
    quick, exact = [], []
    for n_levels, m in ((16, 20), (64, 20), (32, 100)):
        curves = [draw_counts(draw_truth(kind, n_levels, rng), m, 0.0, rng) for kind in NULLS * 12]
        quick += transitions(curves)
        for curve in curves:
            prepared = prepare(curve, DEFAULTS)
            exact.append(judge(prepared, weigh(prepared.likelihood, prepared.axis, DEFAULTS), DEFAULTS))
    differs = [q.verdict != e.verdict for q, e in zip(quick, exact, strict=True)]
    assert sum(differs) <= 4  # of 72; two in a hundred is what the benchmark measures
    assert [q.p_none < 0.05 for q in quick] == [e.p_none < 0.05 for e in exact]
    # 0.01 on average over 1400 curves of the law, 0.3 at most
    assert np.mean([abs(q.p_none - e.p_none) for q, e in zip(quick, exact, strict=True)]) < 0.03


@pytest.mark.parametrize("location", [-20.0, 52.0])
def test_a_transition_outside_the_range_is_not_given_a_place_inside(location: float) -> None:
    rng = np.random.default_rng(3)
    p = logistic(levels(32), location, 6.0, 0.2, 0.8)
    for curve in (counts(p, 100, rng), replicates(p, 24, 0.5, rng)):
        found = transition(curve)
        assert found.verdict in ("none", "undetermined")
        assert found.location is None


def test_a_change_seen_only_in_some_levels_is_located_by_the_levels_it_is_seen_in() -> None:
    """Languages that leave one symbol possible now and then, differently often in each sequence."""
    rng = np.random.default_rng(54)
    certain = rng.random((14, 129)) < rng.choice([0.0, 0.0, 0.6, 0.9], size=(14, 1))
    certain[:, 0] = False
    learnt = 0.5 + 0.5 * certain * (1 - np.exp(-np.arange(129) / 3))
    table = np.clip(learnt + 0.3 * rng.standard_normal((14, 129)) * (learnt < 0.6), 0, 1)
    found = transition(sequences(table, x=2 * levels(129)))
    assert found.p_sharp > 0.9
    assert (found.location_low or 0) < 2 * 3 * np.log(2) < (found.location_high or 0)
    assert (found.location_high or 0) - (found.location_low or 0) < 20
    assert found.verdict == "undetermined"


def test_a_sharp_change_whose_place_is_not_known_is_not_called_sharp() -> None:
    curve = replicates(logistic(levels(32), 15.5, 0.0, 0.2, 0.8), 24, 0.5, np.random.default_rng(6))
    prepared = prepare(curve, DEFAULTS)
    weighed = weigh(prepared.likelihood, prepared.axis, DEFAULTS)
    found = estimate(prepared, weighed, DEFAULTS)
    assert doubt(prepared, weighed, found, DEFAULTS) is None
    said = doubt(prepared, weighed, replace(found, unlocated=0.6), DEFAULTS)
    assert said is not None
    assert "where is not known" in said


def test_goodness_of_fit_tells_a_curve_that_fits_from_calls_that_are_correlated() -> None:
    rng = np.random.default_rng(5)
    p = logistic(levels(16), 7.5, 3.0, 0.2, 0.8)
    fits = transition(counts(p, 50, rng), goodness=40)
    assert fits.fit_p is not None
    assert fits.fit_p > 0.02
    assert fits.deviance is not None
    assert 3 < fits.deviance < 35  # about chi2 with 12 degrees of freedom
    correlated = transition(counts(p, 50, rng, icc=0.4), goodness=40)
    assert correlated.fit_p == pytest.approx(1 / 41)
    assert transition(counts(p, 50, rng)).fit_p is None


def test_deviance_is_that_of_the_saturated_model() -> None:
    k, n = np.array([2, 5, 9, 10]), np.full(4, 10)
    curve = CountCurve("c", levels(4), k, n)
    found = transition(curve, goodness=3)
    p = np.array(found.fit)
    gained = np.asarray(binom.logpmf(k, n, k / n)) - np.asarray(binom.logpmf(k, n, p))
    assert found.deviance == pytest.approx(2 * gained.sum())


def test_the_resolution_is_the_spacing_of_the_levels_at_the_location() -> None:
    x = np.array([1.0, 2, 3, 5, 7, 8, 11, 20, 40])
    found = transition(CountCurve("step", x, np.where(x >= 11, 48, 3), np.full(9, 50)))
    assert found.resolution is not None
    assert found.resolution == pytest.approx(3.0)
    assert found.location_low is not None
    assert found.location_high is not None
    assert found.location_high - found.location_low >= found.resolution


@pytest.mark.parametrize("width", [8.0, 9.3, 10.0, 11.1])
def test_the_width_of_a_mean_curve_is_read_between_the_widths_of_the_grid(width: float) -> None:
    noise = 0.03 * np.random.default_rng(8).standard_normal((10, 41))
    p = logistic(levels(41), 20.3, width, 0.2, 0.8) + np.concatenate([noise, -noise])  # the mean is exact
    found = transition(sequences(p))
    assert found.width is not None
    assert found.width == pytest.approx(width, rel=0.01)  # neighbouring widths of the grid differ by 5-15 %
