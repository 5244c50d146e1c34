"""Laws of transitions: planted parameters recovered, their intervals, and what is refused."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit

from harness.analysis.laws import belief_law, held_out, scaling_law, steering_law
from harness.analysis.laws_curve import evaluate, make_design, n_star_at
from harness.errors import CurveError, SpecError
from harness.types import CountCurve, Curve, Floats, SequenceCurve

LEVEL = np.unique(np.r_[0, np.round(np.geomspace(1, 128, 16))])
STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)
BELIEF = (0.0, 1.0)


def log_odds(level: Floats, star: float, slope: float, beta: float) -> Floats:
    return np.asarray(slope * ((level / star) ** beta - 1) / beta)


def counted(p: Floats, rng: np.random.Generator, n: int = 40) -> CountCurve:
    return CountCurve("counts", LEVEL, rng.binomial(n, p), np.full(len(p), n))


def noisy(p: Floats, own: Floats, rng: np.random.Generator, name: str = "sequences") -> SequenceCurve:
    """Rows about p with a share of their own, kept within [0, 1] symmetrically so that their mean is p."""
    z = np.clip(0.7 * own[:, None] + 0.5 * rng.standard_normal((len(own), len(p))), -1.9, 1.9)
    return SequenceCurve(name, LEVEL, p + 0.5 * np.minimum(p, 1 - p) * z, tuple(map(str, range(len(own)))))


def steered(kind: str, rng: np.random.Generator, interaction: float = 0.0) -> Mapping[float, Curve]:
    """N* = 20 without steering, slope 2.5, beta .4, effect .8 in log-odds a unit of strength."""
    own = rng.standard_normal(30)
    g = log_odds(LEVEL, 20, 1.0, 0.4)
    curves: dict[float, Curve] = {}
    for m in STRENGTHS:
        p = expit((2.5 + interaction * m) * g + 0.8 * m)
        curves[m] = counted(p, rng) if kind == "counts" else noisy(p, own, rng)
    return curves


def test_the_law_and_its_derivatives_agree_with_finite_differences() -> None:
    design = make_design(LEVEL, np.full(len(LEVEL), 0.7), tuple(range(7)))
    theta = np.array([[2.5, 1.7, 0.6, 0.1, 0.8, 0.4, 0.2]])
    p, slopes = evaluate(design, theta)
    q = expit(log_odds(LEVEL, np.exp(2.5), 1.7 + 0.2 * 0.7, 0.6) + 0.4 * 0.7)
    np.testing.assert_allclose(p[0], 0.1 + 0.8 * 0.9 * q, rtol=1e-12)

    def at(parameters: Floats) -> Floats:
        return np.asarray(evaluate(design, parameters[None])[0][0])

    numeric = optimize.approx_fprime(theta[0], at, 1e-7)
    np.testing.assert_allclose(slopes[0], numeric, atol=2e-6)


def test_n_star_at_a_strength_is_where_the_steered_log_odds_are_zero() -> None:
    theta = np.array([[np.log(20), 2.5, 0.4, 0.0, 1.0, 0.8, 0.1]])
    for m in STRENGTHS:
        at = np.array([n_star_at(theta, m)[0]])
        assert log_odds(at, 20, 2.5 + 0.1 * m, 0.4)[0] + 0.8 * m == pytest.approx(0, abs=1e-9)
    assert n_star_at(theta, 50.0)[0] == 0  # the prior alone is past half-way


@pytest.mark.parametrize("kind", ["counts", "sequences"])
@pytest.mark.parametrize("asymptotes", [BELIEF, None])
def test_planted_laws_are_recovered_and_covered(kind: str, asymptotes: tuple[float, float] | None) -> None:
    """16 curves; of 16 intervals of .95, 4 misses or more have a chance below .01; median error of N* below 10 %."""
    rng = np.random.default_rng(31)
    inside: dict[str, list[bool]] = {name: [] for name in ("n_star", "slope", "beta", "lower", "upper")}
    error = []
    for _ in range(16):
        star = float(np.exp(rng.uniform(np.log(5), np.log(50))))
        slope, beta = float(rng.uniform(1, 6) * rng.choice([-1, 1])), float(rng.uniform(0.15, 1.2))
        lower, upper = asymptotes or (float(rng.uniform(0, 0.2)), float(rng.uniform(0.8, 1)))
        q = expit(log_odds(LEVEL, star, slope, beta))
        if kind == "counts":
            curve: Curve = counted(lower + (upper - lower) * q, rng)
        else:
            table = noisy(q, rng.standard_normal(40), rng)
            curve = SequenceCurve("s", LEVEL, lower + (upper - lower) * table.p, table.sequence_ids)
        law = belief_law(curve, asymptotes=asymptotes)
        assert law.n_star is not None
        error.append(abs(np.log(law.n_star.value / star)))
        truth = {"n_star": star, "slope": slope, "beta": beta, "lower": lower, "upper": upper}
        for name, value in truth.items():
            interval = getattr(law, name)
            inside[name].append(interval.low - 1e-9 <= value <= interval.high + 1e-9)
    assert {name for name, seen in inside.items() if sum(seen) < 13} == set()
    assert np.median(error) < 0.10


def test_correlated_counts_widen_the_interval() -> None:
    """Trials that share a level: variance 5 times the binomial one; the interval grows in proportion to sqrt(5)."""
    rng = np.random.default_rng(12)
    p = np.clip(expit(log_odds(LEVEL, 20, 2.0, 0.5)), 1e-3, 1 - 1e-3)
    plain: list[float] = []
    loose: list[float] = []
    for _ in range(8):
        size = 39 / 4 - 1  # intra-class correlation 4/39: 1 + 39 icc = 5
        shared = rng.binomial(40, rng.beta(p * size, (1 - p) * size))
        for curve, to in (
            (counted(p, rng), plain),
            (CountCurve("c", LEVEL, shared, np.full(len(p), 40)), loose),
        ):
            star = belief_law(curve, asymptotes=BELIEF).n_star
            assert star is not None
            to.append(float(np.log(star.high / star.low)))
    assert 1.5 < np.median(loose) / np.median(plain) < 3.2


@pytest.mark.parametrize("kind", ["counts", "sequences"])
def test_a_flat_curve_has_no_n_star(kind: str) -> None:
    """Of 12 at a level of .05, 4 or more have a chance below .003."""
    rng = np.random.default_rng(3)
    p = np.full(len(LEVEL), 0.4)
    curves = [
        counted(p, rng) if kind == "counts" else noisy(p, rng.standard_normal(30), rng) for _ in range(12)
    ]
    laws = [belief_law(curve, asymptotes=None) for curve in curves]
    assert sum(law.n_star is not None for law in laws) <= 3
    assert all("no change is shown" in law.warnings[0] for law in laws if law.n_star is None)


@pytest.mark.parametrize("kind", ["counts", "sequences"])
def test_a_joint_fit_over_strengths_recovers_the_phase_boundary(kind: str) -> None:
    """8 sets of 5 curves, N* covered at nominal .95; .93 less 3 s.e. of 8 independent sets is .66."""
    rng = np.random.default_rng(41)
    truth = [20 * (1 - 0.4 * 0.8 * m / 2.5) ** (1 / 0.4) for m in STRENGTHS]
    inside, refused = [], []
    for _ in range(8):
        law = steering_law(steered(kind, rng), asymptotes=BELIEF)
        inside.append([n.low <= t <= n.high for n, t in zip(law.n_star, truth, strict=True)])
        assert law.effect.value == pytest.approx(0.8, abs=0.25)
        refused.append(law.p_additive < 0.05)
    assert np.mean(inside) >= 0.66
    assert sum(refused) <= 3  # of 8 at level .05: more has a chance below .0004


@pytest.mark.parametrize("kind", ["counts", "sequences"])
def test_steering_that_changes_the_slope_is_not_additive(kind: str) -> None:
    rng = np.random.default_rng(42)
    laws = [steering_law(steered(kind, rng, interaction=0.5), asymptotes=BELIEF) for _ in range(3)]
    assert all(law.p_additive < 0.05 for law in laws)
    assert all("not additive" in law.warnings[-1] for law in laws)


@pytest.mark.parametrize("kind", ["counts", "sequences"])
def test_n_star_of_a_strength_left_out_is_predicted(kind: str) -> None:
    """2 sets of 5 strengths: of 10 intervals of .95, 4 misses or more have a chance of .001."""
    rng = np.random.default_rng(43)
    found = [h for _ in range(2) for h in held_out(steered(kind, rng), asymptotes=BELIEF)]
    octaves = [h.octaves for h in found if h.octaves is not None]
    assert len(octaves) == len(found)
    assert np.mean([o.low <= 0 <= o.high for o in octaves]) >= 0.7
    assert np.median([abs(o.value) for o in octaves]) < 0.2


@pytest.mark.parametrize("scatter", [0.0, 0.15, 0.4])
def test_the_exponent_of_a_scaling_law_is_covered(scatter: float) -> None:
    """300 laws of six sizes; at least .93 less 3 s.e. (.045). Known errors are not shrunk, so .95 is exceeded at 0."""
    rng = np.random.default_rng(51)
    size = np.array([4.0, 8, 16, 32, 64, 128])
    inside = []
    for _ in range(300):
        error = rng.uniform(0.05, 0.2, len(size))
        y = np.log(2) + 1.2 * np.log(size) + np.hypot(scatter, error) * rng.standard_normal(len(size))
        law = scaling_law(size, np.exp(y - 1.96 * error), np.exp(y), np.exp(y + 1.96 * error))
        inside.append(
            law.exponent.low <= 1.2 <= law.exponent.high and law.factor.low <= 2.0 <= law.factor.high
        )
    assert np.mean(inside) >= 0.885


def test_an_exact_scaling_law_is_read_exactly() -> None:
    size = np.array([2.0, 4, 8, 16, 32])
    critical = 3 * size**0.5
    law = scaling_law(size, critical, critical, critical)
    assert law.exponent.value == pytest.approx(0.5)
    assert law.factor.value == pytest.approx(3)
    assert law.exponent.high - law.exponent.low < 1e-6


def test_a_critical_length_that_was_not_reached_is_refused_by_its_size() -> None:
    nan, inf = float("nan"), float("inf")
    with pytest.raises(CurveError, match=r"size 32.0: T_c was not reached .* too flat"):
        scaling_law([2, 4, 8, 16, 32], [1, 2, 3, 4, 64], [2, 3, 4, 5, nan], [3, 4, 5, 6, inf])
    with pytest.raises(CurveError, match="at least 4 different"):
        scaling_law([2, 4, 4, 8], [1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3])


def test_what_no_law_can_be_fitted_to_is_refused_by_name() -> None:
    rng = np.random.default_rng(0)
    p = np.full(len(LEVEL), 0.5)
    few = noisy(p, rng.standard_normal(4), rng)
    with pytest.raises(CurveError, match=r"4 sequence\(s\); .* at least 10"):
        belief_law(few, asymptotes=BELIEF)
    with pytest.raises(SpecError, match="0 <= lower < upper <= 1"):
        belief_law(counted(p, rng), asymptotes=(0.6, 0.2))
    below = CountCurve("c", LEVEL - 1, np.full(len(p), 2), np.full(len(p), 5))
    with pytest.raises(CurveError, match="levels >= 0"):
        belief_law(below, asymptotes=BELIEF)
    with pytest.raises(CurveError, match=r"2 strength\(s\).*at least 3"):
        steering_law({0.0: counted(p, rng), 1.0: counted(p, rng)}, asymptotes=BELIEF)
    mixed: dict[float, Curve] = {0.0: counted(p, rng), 1.0: few, 2.0: few}
    with pytest.raises(CurveError, match="one kind"):
        steering_law(mixed, asymptotes=BELIEF)
