"""Evidence against independent references: quadrature, dense Gaussians, enumeration."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import betaln, expit

from harness.analysis.axis import make_axis
from harness.analysis.counts import CountLikelihood, fit_counts, fit_each
from harness.analysis.evidence import PRIOR, weigh
from harness.analysis.likelihood import Segments
from harness.analysis.noise import noise_settings
from harness.analysis.replicates import MeanLikelihood
from harness.analysis.segmentation import DRAWS, draw_cuts, forward, large_changes, log_ways
from harness.analysis.shapes import Shapes, least_squares, logistic
from harness.analysis.templates import hill_rises, paired_changes, rises, single_changes
from harness.analysis.verdict import transition
from harness.types import AnalysisOptions, Floats
from tests.analysis.simulation import counts, levels
from tests.analysis.simulation import logistic as logistic_curve


def plain_counts(k: list[int], n: int) -> CountLikelihood:
    """With one trial per level nothing can be correlated: phi is 1 and the likelihood is the binomial one."""
    noise = noise_settings(np.ones(len(k)), 0.0)
    return CountLikelihood(np.array(k, dtype=float), np.full(len(k), float(n)), noise)


@pytest.mark.parametrize(
    ("k", "within"),
    [
        ([1, 2, 8, 9], 0.15),
        ([5, 4, 6, 5], 0.15),
        ([0, 0, 0, 0], 0.15),
        ([10, 9, 1, 2], 0.15),
        ([0, 0, 10, 10], 0.4),  # steeper than the shape: both plateaus are pressed against 0 and 1
    ],
)
def test_counts_evidence_of_a_change_is_the_integral_over_both_plateaus(k: list[int], within: float) -> None:
    n, rise = 10, np.array([0.02, 0.3, 0.7, 0.98])

    def density(high: float, low: float) -> float:
        p = low + (high - low) * rise
        return float(np.exp(np.sum(k * np.log(p) + (n - np.array(k)) * np.log1p(-p))))

    exact, _ = integrate.dblquad(density, 1e-9, 1 - 1e-9, 1e-9, 1 - 1e-9, epsrel=1e-6)
    found = plain_counts(k, n).fit(Shapes.of(np.stack([1 - rise, rise])[None])).log_evidence[0]
    # Laplace's approximation on the logits; a verdict needs odds of 9, which is 2.2 nats.
    assert found == pytest.approx(np.log(exact), abs=within)


@pytest.mark.parametrize("k", [[0, 0, 0], [3, 5, 4], [10, 10, 10]])
def test_counts_evidence_of_a_constant_is_the_beta_integral(k: list[int]) -> None:
    likelihood = plain_counts(k, 10)
    exact = betaln(1 + sum(k), 1 + 30 - sum(k))
    # Stirling's series after a shift by three
    assert likelihood.segments().log_evidence[0, 0, 2] == pytest.approx(exact, abs=1e-6)
    assert likelihood.fit(Shapes.of(np.ones((1, 1, 3)))).log_evidence[0] == pytest.approx(
        exact, abs=0.12
    )  # Laplace on the logit; weighing takes the exact one


def test_the_intra_class_correlation_explains_counts_that_vary_too_much() -> None:
    k, n = np.array([40.0, 62, 38, 65, 41, 60, 36, 64]), np.full(8, 100.0)
    plain = CountLikelihood(k, n, noise_settings(np.ones(8), 0.0)).segments()
    known = CountLikelihood(k, n, noise_settings(n, 0.0)).segments()
    whole = known.log_evidence[:, 0, -1]
    best = int(np.argmax(whole))
    # chi2 of these counts is 4.8 per degree of freedom
    assert plain.sd[0, 0, -1] < 0.02 < known.sd[best, 0, -1]
    assert whole[best] > plain.log_evidence[0, 0, -1] + 5


def test_sequence_evidence_is_the_density_of_the_mean_with_plateaus_integrated_out() -> None:
    rng = np.random.default_rng(0)
    root = rng.standard_normal((6, 6))
    covariance = root @ root.T / 50 + 0.01 * np.eye(6)
    mean, rise = rng.random(6), np.linspace(0.1, 0.9, 6)
    weights = np.stack([1 - rise, rise])
    total = covariance + 0.4**2 * weights.T @ weights
    exact = stats.multivariate_normal(np.full(6, 0.5), total).logpdf(mean)
    found = MeanLikelihood(mean, covariance, 0.5, 0.4).fit(Shapes.of(weights[None])).log_evidence[0]
    assert found == pytest.approx(exact, abs=1e-9)


def test_every_run_of_a_mean_curve_has_the_density_of_a_constant() -> None:
    rng = np.random.default_rng(1)
    root = rng.standard_normal((5, 5))
    covariance, mean = root @ root.T / 20 + 0.02 * np.eye(5), rng.random(5)
    found = MeanLikelihood(mean, covariance, 0.5, 0.4).segments().log_evidence[0]
    for i in range(5):
        for j in range(i, 5):
            part = covariance[i : j + 1, i : j + 1] + 0.4**2
            exact = stats.multivariate_normal(np.full(j - i + 1, 0.5), part).logpdf(mean[i : j + 1])
            assert found[i, j] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("n_changes", [1, 2, 3, 4])
def test_forward_sums_equal_the_enumeration_of_all_segmentations(n_changes: int) -> None:
    score = np.triu(np.random.default_rng(2).normal(size=(8, 8)))
    table = np.where(np.triu(np.ones((8, 8), dtype=bool)), score, -np.inf)
    ways = [(0, *cuts, 8) for cuts in combinations(range(1, 8), n_changes)]
    exact = np.log(sum(np.exp(sum(table[a, b - 1] for a, b in pairwise(w))) for w in ways))
    assert forward(table[None], n_changes)[n_changes, 0, -1] == pytest.approx(exact, abs=1e-9)
    assert log_ways(8, n_changes) == pytest.approx(np.log(len(ways)), abs=1e-9)


def test_drawn_segmentations_have_their_posterior_frequencies() -> None:
    score = 2 * np.random.default_rng(3).normal(size=(6, 6))
    table = np.where(np.triu(np.ones((6, 6), dtype=bool)), score, -np.inf)
    segments = Segments((1,), np.zeros(1), table[None], np.zeros((1, 6, 6)), np.ones((1, 6, 6)))
    drawn = draw_cuts(segments, forward(table[None], 2), 2, seed=4).start[0]
    ways = list(combinations(range(1, 6), 2))
    weight = np.array([np.exp(table[0, a - 1] + table[a, b - 1] + table[b, 5]) for a, b in ways])
    seen = np.array([np.mean(np.all(drawn == w, axis=1)) for w in ways])
    np.testing.assert_allclose(seen, weight / weight.sum(), atol=4 * 0.5 / np.sqrt(DRAWS))  # 4 s.e.


def test_a_staircase_without_plateaus_is_one_change_and_a_spike_is_two() -> None:
    start = np.array([[5, 6], [5, 6], [4, 12]])
    level = np.array([[0.1, 0.5, 0.9], [0.1, 0.9, 0.1], [0.1, 0.5, 0.9]])
    assert large_changes(start, level, 0.1, 16).tolist() == [1, 2, 2]
    assert large_changes(start, level * 0.1, 0.1, 16).tolist() == [0, 0, 0]


@pytest.mark.parametrize("n", [3, 4, 8, 64, 257])
def test_shapes_have_their_location_and_width_and_a_prior_that_sums_to_one(n: int) -> None:
    axis = make_axis(np.arange(float(n)), "linear")
    singles = single_changes(axis, 0.10)
    assert np.exp(singles.log_prior).sum() == pytest.approx(1)
    assert np.exp(singles.log_prior[singles.sharp]).sum() == pytest.approx(0.5)
    assert singles.shapes.weights.min() >= 0
    assert singles.shapes.weights.max() <= 1
    weights = paired_changes(axis).shapes.weights
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1)


@pytest.mark.parametrize("shape", [rises, hill_rises])
@pytest.mark.parametrize(("location", "width"), [(5.0, 3.0), (5.0, 40.0), (0.5, 9.0)])
def test_the_width_of_a_shape_is_its_10_to_90_percent_distance(
    shape: object, location: float, width: float
) -> None:
    x = np.linspace(0, 400, 400_001) if shape is hill_rises else np.linspace(-400, 400, 800_001)
    assert callable(shape)
    rise: Floats = shape(x, np.array([location]), np.array([width]))[0]
    low, half, high = np.interp([0.1, 0.5, 0.9], rise, x)
    assert half == pytest.approx(location, abs=2e-3)
    assert high - low == pytest.approx(width, abs=4e-3)


def test_posterior_odds_of_two_shapes_are_prior_times_bayes_factor() -> None:
    """A curve without information returns the prior."""
    axis = make_axis(np.arange(16.0), "linear")
    vague = MeanLikelihood(np.full(16, 0.5), 1e4 * np.eye(16), 0.5, 0.4)
    found = weigh(vague, axis, AnalysisOptions())
    posterior = {name: getattr(found, name) for name in PRIOR}
    assert posterior == pytest.approx(PRIOR, abs=0.03)  # s.e. of the drawn levels of small cuts, times two


def test_plateaus_of_extreme_counts_stay_inside_the_unit_interval() -> None:
    fit = plain_counts([0, 0, 0, 1000], 1000).fit(Shapes.of(np.array([[[1.0, 1, 1, 0], [0, 0, 0, 1]]])))
    assert 0 < fit.level.min() < 0.001
    assert 0.998 < fit.level.max() < 1


def test_curves_fitted_together_are_fitted_as_if_alone() -> None:
    rng = np.random.default_rng(6)
    axis = make_axis(np.arange(16.0), "linear")
    shapes = single_changes(axis, 0.10).shapes
    p = np.where(np.arange(16) > 7, 0.7, 0.3)
    trials = [
        np.full(16, 5),
        np.full(16, 100),
        rng.integers(3, 60, 16),
        rng.integers(3, 60, 16),
    ]  # two are uneven
    curves = []
    for n in trials:
        k = rng.binomial(n, p).astype(np.float64)
        curves.append(CountLikelihood(k, n.astype(np.float64), noise_settings(n.astype(np.float64), 0.0)))
    guess = least_squares(shapes, np.stack([c.k for c in curves]), np.stack([c.n for c in curves]))
    together = fit_counts(curves, shapes, guess)
    for i, curve in enumerate(curves):
        alone = curve.fit(shapes)
        np.testing.assert_allclose(
            together.log_evidence[i], alone.log_evidence, atol=1e-3
        )  # single precision
        np.testing.assert_allclose(together.level[i], alone.level, atol=1e-4)
        assert together.noisiest[i] == alone.noisiest


def test_curves_with_shapes_of_their_own_are_fitted_exactly_as_if_alone() -> None:
    rng = np.random.default_rng(9)
    axis = make_axis(np.arange(24.0), "linear")
    singles = single_changes(axis, 0.10).shapes.weights
    curves: list[CountLikelihood] = []
    shapes: list[Shapes] = []
    for n in (1, 20, 100, 20):  # several numbers of settings of the noise, and of shapes
        trials = np.full(24, float(n)) + (rng.integers(0, 9, 24) if len(curves) == 3 else np.zeros(24))
        noise = noise_settings(trials, 0.0)
        curves.append(CountLikelihood(rng.binomial(trials.astype(int), 0.4).astype(float), trials, noise))
        shapes.append(Shapes.of(singles[rng.random(len(singles)) < 0.5]))
    for together, curve, own in zip(fit_each(curves, shapes), curves, shapes, strict=True):
        alone = curve.fit(own)
        np.testing.assert_array_equal(together.log_evidence, alone.log_evidence)
        np.testing.assert_array_equal(together.level, alone.level)
        np.testing.assert_array_equal(together.covariance, alone.covariance)
        assert together.noisiest == alone.noisiest


@pytest.mark.parametrize(("kind", "within"), [(np.float64, 2e-16), (np.float32, 1e-7)])
def test_the_logistic_function_is_that_of_scipy(kind: type[np.floating], within: float) -> None:
    x = np.array([-np.inf, -800, -40, -3, -1e-9, 0, 0.2, 5, 800, np.inf]).astype(kind)
    assert logistic(x).dtype == kind
    np.testing.assert_allclose(logistic(x), expit(x), atol=within, rtol=0)


def test_a_change_beyond_doubt_has_no_floor_under_p_none() -> None:
    """Shapes that are left out because others fit far better must not count as small changes."""
    rng = np.random.default_rng(0)
    found = transition(counts(logistic_curve(levels(48), 20.0, 3.0, 0.2, 0.8), 1000, rng))
    assert found.p_none < 1e-100
