"""The planner asks where the transition is, stops when it is known, and comes back the same from what it was told."""

import math
import re

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.analysis import AdaptivePlanner, transition, whole_counts
from harness.analysis.planner_choice import expected_gain
from harness.analysis.planner_grid import make_grid
from harness.analysis.planner_posterior import Posterior
from harness.analysis.planner_rules import spread_order
from harness.errors import CurveError, SpecError
from harness.types import AnalysisOptions, Floats
from tests.analysis.simulation import levels, logistic

LEVELS = levels(33)


def asked(planner: AdaptivePlanner, p: Floats, rng: np.random.Generator, batch: int = 1) -> AdaptivePlanner:
    """Ask until it is done, each call a draw of p at its level."""
    while not planner.done:
        for x in planner.ask(batch):
            at = int(np.searchsorted(planner.levels, x))
            planner.tell(x, int(rng.random() < p[at]))
    return planner


def truth(rng: np.random.Generator, width: float) -> tuple[float, Floats]:
    """Return a location at .1 to .9 of the range, plateaus at .02 to .25 and .8 to .98, and the curve."""
    location = float(rng.uniform(0.1, 0.9) * 32)
    low, high = rng.uniform(0.02, 0.25), rng.uniform(0.8, 0.98)
    return location, logistic(LEVELS, location, width * 32, low, high)


@pytest.mark.parametrize("batch", [1, 8])
def test_a_transition_is_found_to_the_precision_asked_for(batch: int) -> None:
    rng = np.random.default_rng(11)
    inside, calls = 0, []
    for i in range(10):
        location, p = truth(rng, [0.0, 0.05][i % 2])
        planner = asked(AdaptivePlanner(LEVELS, seed=i), p, rng, batch)
        report = planner.report
        assert report.stopped == "precise"
        assert report.high - report.low <= 2 * 0.05 * 32 + 1e-9
        inside += report.low <= location <= report.high
        calls.append(report.calls)
    assert inside >= 8  # of .95 intervals, 7 or fewer of 10 hold the truth with odds of 1 in 87
    assert np.mean(calls) <= 33 * 20 / 4


def test_the_calls_go_where_the_transition_is() -> None:
    rng = np.random.default_rng(5)
    planner = asked(AdaptivePlanner(LEVELS), logistic(LEVELS, 20.5, 0, 0.1, 0.9), rng)
    x = np.array([x for x, _, _ in planner.observations])
    near = np.mean(np.abs(x - 20.5) <= 4)
    assert near > 2 * 8 / 33  # twice what a uniform choice puts there


def test_the_verdict_is_the_analyzers_own_on_what_was_told() -> None:
    rng = np.random.default_rng(6)
    p = logistic(LEVELS, 10.5, 0, 0.05, 0.95)
    planner = asked(AdaptivePlanner(LEVELS, until="judged"), p, rng, batch=8)
    found, curve = planner.transition, planner.curve
    assert int(curve.trials.sum()) == planner.report.calls
    assert found == transition(curve)
    assert planner.stopped == "precise"
    assert found.location_low is not None
    assert found.location_high is not None
    assert found.location_low <= 10.5 <= found.location_high


def test_a_second_change_where_no_call_went_is_seen_if_asked_until_judged() -> None:
    p = np.where((LEVELS > 7) & (LEVELS < 26), 0.95, 0.05)
    planner = asked(AdaptivePlanner(LEVELS, until="judged"), p, np.random.default_rng(7), batch=8)
    assert planner.stopped == "several"
    assert planner.transition.verdict == "multiple"


@pytest.mark.parametrize("p", [0.0, 0.5, 0.93])
def test_a_flat_curve_is_given_up_after_every_eighth_was_asked(p: float) -> None:
    planner = asked(AdaptivePlanner(LEVELS), np.full(33, p), np.random.default_rng(2), batch=8)
    assert planner.report.stopped == "none"
    assert planner.report.p_none >= 0.95
    x = np.array([x for x, _, _ in planner.observations])
    assert min(np.isin(x, block).sum() for block in np.array_split(LEVELS, 8)) >= 4


def test_a_planner_rebuilt_from_what_was_told_asks_the_same() -> None:
    rng = np.random.default_rng(8)
    _, p = truth(rng, 0.2)
    planner = AdaptivePlanner(LEVELS, seed=4)
    for _ in range(6):
        for x in planner.ask(5):
            planner.tell(x, int(rng.random() < p[int(x)]))
    again = AdaptivePlanner(LEVELS, observations=planner.observations, seed=4)
    assert again.ask(8) == planner.ask(8) == planner.ask(8)  # asking changes nothing
    assert again.report == planner.report


def test_known_plateaus_save_calls_on_a_step_and_are_rebuilt_with_it() -> None:
    known = ((0.0, 0.3), (0.75, 1.0))
    rng = np.random.default_rng(31)
    calls, inside = np.zeros(2), 0
    for i in range(12):
        location, p = truth(rng, 0.0)
        free = asked(AdaptivePlanner(LEVELS, seed=i), p, np.random.default_rng(i))
        planner = asked(AdaptivePlanner(LEVELS, plateaus=known, seed=i), p, np.random.default_rng(i))
        calls += [planner.report.calls, free.report.calls]
        inside += planner.report.low <= location <= planner.report.high
    assert calls[0] < calls[1]
    assert inside >= 10  # of 12 at .95 fewer than 10 have probability .02
    told = planner.observations[:-1]
    again = AdaptivePlanner(LEVELS, observations=told, plateaus=known, seed=11)
    assert again.ask() == [planner.observations[-1][0]]


def test_the_order_in_which_calls_were_told_does_not_matter_to_what_is_known() -> None:
    rng = np.random.default_rng(9)
    told = [(float(x), int(rng.random() < 0.1 + 0.8 * (x > 15)), 1) for x in rng.integers(0, 33, 60)]
    forward = AdaptivePlanner(LEVELS, observations=told).report
    joined = [(x, sum(k for y, k, _ in told if y == x), sum(n for y, _, n in told if y == x)) for x in LEVELS]
    backward = AdaptivePlanner(LEVELS, observations=[t for t in joined[::-1] if t[2]]).report
    assert (backward.low, backward.high) == pytest.approx((forward.low, forward.high), rel=1e-4)
    assert backward.p_none == pytest.approx(forward.p_none, rel=1e-3)


@pytest.mark.parametrize(("scale", "shift"), [(1000.0, 0.0), (0.01, -3.0)])
def test_the_unit_of_the_levels_does_not_matter(scale: float, shift: float) -> None:
    rng = np.random.default_rng(10)
    outcome = logistic(LEVELS, 12.3, 3, 0.1, 0.9) > rng.random((10, 33))
    one, other = AdaptivePlanner(LEVELS), AdaptivePlanner(scale * LEVELS + shift)
    for draws in outcome:
        places = [np.searchsorted(planner.levels, planner.ask(3)).tolist() for planner in (one, other)]
        assert places[0] == places[1] != []
        for at in places[0]:
            one.tell(float(one.levels[at]), int(draws[at]))
            other.tell(float(other.levels[at]), int(draws[at]))


def test_a_mirrored_curve_is_as_well_known() -> None:
    told = [(float(x), int(x > 20), 1) for x in LEVELS]
    mirror = [(x, 1 - k, n) for x, k, n in told]
    up, down = (AdaptivePlanner(LEVELS, observations=t).report for t in (told, mirror))
    assert (up.low, up.high, up.p_none) == pytest.approx((down.low, down.high, down.p_none), rel=1e-3)


def test_the_expected_gain_is_the_mean_drop_of_entropy_over_the_two_outcomes() -> None:
    """The closed form against the definition: told either way, weighted by how probable that is."""
    grid = make_grid(levels(9), AnalysisOptions())
    posterior = Posterior(grid)
    for i, k in ((0, 0), (8, 1), (4, 1)):
        posterior.tell(i, k, 1)
    shares, belief = grid.cell, posterior.belief

    def entropy(b: object) -> float:
        t = np.append(shares @ b.change.sum(axis=1, dtype=np.float64), b.none)  # type: ignore[attr-defined]
        return float(-np.sum(t * np.log(t)))

    gain = expected_gain(grid, belief, shares)
    for i in (1, 3, 6):
        p = float(np.sum(belief.change * grid.p(i)) + belief.constant @ grid.constant)
        told = []
        for k in (1, 0):
            after = Posterior(grid)
            for j, before in ((0, 0), (8, 1), (4, 1), (i, k)):
                after.tell(j, before, 1)
            told.append(entropy(after.belief))
        assert gain[i] == pytest.approx(entropy(belief) - p * told[0] - (1 - p) * told[1], abs=1e-5)


def test_one_call_a_level_is_bayes_rule_on_independent_draws() -> None:
    grid = make_grid(levels(5), AnalysisOptions())
    posterior = Posterior(grid)
    weight = np.exp(grid.log_prior)[:, None] / len(grid.before) / 2 * np.ones(len(grid.before))
    constant = np.full(len(grid.constant), 0.5 / len(grid.constant))
    for i, k in enumerate((0, 1, 0, 1, 1)):
        posterior.tell(i, k, 1)
        p = np.asarray(grid.p(i), dtype=np.float64)
        weight, constant = (
            weight * (p if k else 1 - p),
            constant * (grid.constant if k else 1 - grid.constant),
        )
    total = weight.sum() + constant.sum()
    assert posterior.belief.none == pytest.approx(constant.sum() / total, rel=1e-4)
    np.testing.assert_allclose(posterior.belief.change, weight / total, atol=1e-6)


def test_calls_that_agree_by_level_more_than_chance_make_the_interval_wider() -> None:
    """Eight levels of 20 calls each; scattered by more than draws can be, or not."""
    smooth = [2, 2, 3, 2, 17, 18, 17, 18]
    rough = [0, 6, 0, 3, 19, 12, 20, 17]
    reports = [
        AdaptivePlanner(range(8), observations=[(x, k, 20) for x, k in enumerate(ks)]).report
        for ks in (smooth, rough)
    ]
    assert reports[0].high - reports[0].low < reports[1].high - reports[1].low


def test_dear_levels_are_asked_less() -> None:
    shares = []
    for cost in (None, lambda n: 1 + 10 * n):
        rng = np.random.default_rng(12)
        planner = asked(AdaptivePlanner(LEVELS, cost=cost), logistic(LEVELS, 16.5, 0, 0.1, 0.9), rng)
        x = np.array([x for x, _, _ in planner.observations])
        shares.append(np.mean(x > 20))
    assert shares[1] < shares[0]


def test_no_level_is_asked_more_often_than_allowed_and_then_it_ends() -> None:
    planner = AdaptivePlanner(range(4), per_level=3)
    while not planner.done:
        for x in planner.ask(8):
            planner.tell(x, 0, 0)  # every call fails
    assert planner.stopped == "levels"
    assert sorted(x for x, _, _ in planner.observations) == sorted([0.0, 1.0, 2.0, 3.0] * 3)
    assert planner.ask(8) == []


def test_it_never_asks_more_than_the_fixed_grid() -> None:
    planner = AdaptivePlanner(range(5), grid_trials=4)
    for i in range(20):
        planner.tell(i % 5, i % 2)
    assert planner.stopped == "calls"
    assert planner.report.calls == planner.report.grid_calls == 20


def test_of_many_levels_65_are_asked_the_first_and_the_last_among_them_on_either_axis() -> None:
    for axis in ("linear", "log2"):
        planner = AdaptivePlanner(range(1025), options=AnalysisOptions(axis=axis))
        told = asked(planner, logistic(levels(1025), 300.5, 0, 0.05, 0.95), np.random.default_rng(3), batch=8)
        assert told.stopped == "precise"
        assert told.report.low <= 300.5 <= told.report.high
        assert {0.0, 1024.0} <= {x for x, _, _ in told.observations}


def test_probabilities_told_as_they_are_count_as_one_draw_each() -> None:
    drawn = AdaptivePlanner(range(6), observations=[(x, 5.0, 10) for x in range(6)])
    exact = AdaptivePlanner(range(6), observations=[(x, 0.5, 1) for x in range(6) for _ in range(10)])
    assert exact.report.p_none == pytest.approx(drawn.report.p_none, rel=1e-4)


def test_sums_of_probabilities_are_rounded_without_bias() -> None:
    k = np.array([0.0, 0.3, 2.75, 4.0])
    counts = np.array([whole_counts(k, seed) for seed in range(4000)])
    assert set(counts[:, 0]) == {0}
    assert set(counts[:, 3]) == {4}
    assert set(counts[:, 2]) == {2, 3}
    for column, fraction in ((1, 0.3), (2, 0.75)):
        up = int(np.sum(counts[:, column] > math.floor(k[column])))
        assert binomtest(up, 4000, fraction).pvalue > 1e-3  # fixed seeds: it holds or it does not


def test_every_beginning_of_the_first_questions_is_spread_out() -> None:
    for n in (2, 3, 8, 33):
        order = spread_order(n)
        assert sorted(order) == list(range(n))
        assert order[:2] == [0, n - 1]
    assert spread_order(33)[2:5] == [16, 8, 24]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"levels": [0, 2, 1]}, CurveError, "is not above"),
        ({"levels": [0, 1]}, CurveError, "at least 3"),
        ({"levels": [-1, 0, 1], "options": AnalysisOptions(axis="log2")}, CurveError, "log2"),
        ({"cost": [1, 2]}, SpecError, "one number per level"),
        ({"cost": lambda n: n}, SpecError, "cost=0.0 at level 0.0"),
        ({"precision": 0}, SpecError, "precision=0"),
        ({"max_calls": 0}, SpecError, "max_calls=0"),
        ({"about": "height"}, SpecError, "'location' or 'width'"),
        ({"until": "late"}, SpecError, "'located' or 'judged'"),
        ({"plateaus": ((0.9, 0.1), (0.0, 1.0))}, SpecError, "plateaus=((0.9, 0.1), (0.0, 1.0))"),
        ({"plateaus": ((0.4, 0.5), (0.4, 0.5))}, SpecError, "two heights 0.1 apart"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(
    arguments: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        AdaptivePlanner(**{"levels": [0, 1, 2, 3], **arguments})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((1.5, 1, 1), "level 1.5 is not one of the planner's; the nearest are"),
        ((1, 2, 1), "k must be between 0 and n"),
        ((1, -1, 1), "k must be between 0 and n"),
        ((1, math.nan, 1), "k must be between 0 and n"),
        ((1, 0, -1), "whole number of calls"),
        ((1, 0, 1.5), "whole number of calls"),
    ],
)
def test_outcomes_that_cannot_be_are_refused_and_change_nothing(
    told: tuple[float, float, int], words: str
) -> None:
    planner = AdaptivePlanner(range(4))
    with pytest.raises(CurveError, match=words):
        planner.tell(*told)
    assert planner.observations == ()


@pytest.mark.parametrize("seed", [1, 2])
def test_judged_ends_where_the_analyzers_own_interval_is_as_precise(seed: int) -> None:
    levels = np.arange(0.0, 99.0, 3.0)
    rng = np.random.default_rng([31, seed])
    planner = AdaptivePlanner(levels, until="judged", seed=seed)
    while not planner.done:
        for x in planner.ask(8):
            p = 0.1 + 0.8 / (1 + np.exp(-(x - 40.0) * 2 * np.log(9) / 6.0))
            planner.tell(x, int(rng.random() < p))
    found = planner.transition
    assert planner.stopped == "precise"
    assert found.location_low is not None
    assert found.location_high is not None
    assert found.location_high - found.location_low <= 2 * 0.05 * 96 + 1e-9  # half-width: .05 of the range
    assert found.location_low <= 40.0 <= found.location_high
