import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from harness.cognitive.simplex import best_weights, excess, gradient, unresolved
from harness.types import Floats


def problem(seed: int, *, spread: float) -> tuple[Floats, Floats]:
    """Counts (4, n_rows) and laws (n_rows, n_observers) of random size; a small spread makes laws nearly 0 or 1."""
    rng = np.random.default_rng(seed)
    k, m, n_sequences = rng.integers(2, 7), rng.integers(2, 6), rng.integers(3, 30)
    laws = rng.dirichlet(np.full(m, spread), size=(n_sequences, k)).transpose(0, 2, 1).reshape(-1, k)
    count = rng.dirichlet(np.full(m, spread), size=(4, n_sequences)).reshape(4, -1) / n_sequences
    return count, np.maximum(laws, 1e-12)


def objective(w: Floats, count: Floats, laws: Floats) -> float:
    return float(count @ np.log(laws @ w))


def slsqp(count: Floats, laws: Floats) -> tuple[Floats, bool]:
    """Weights by scipy, and whether it says it succeeded."""

    def loss(w: Floats) -> float:
        return -objective(w, count, laws)

    def slope(w: Floats) -> Floats:
        return np.asarray(-gradient(w[None], count[None], laws)[0])

    k = laws.shape[1]
    sum_to_one = LinearConstraint(np.ones((1, k)), 1.0, 1.0)
    found = minimize(
        loss,
        np.full(k, 1 / k),
        jac=slope,
        method="SLSQP",
        bounds=[(1e-9, 1.0)] * k,
        constraints=sum_to_one,
        options={"ftol": 1e-13, "maxiter": 500},
    )
    return found.x / found.x.sum(), bool(found.success)


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("seed", range(8))
def test_weights_agree_with_slsqp(seed: int, spread: float) -> None:
    count, laws = problem(seed, spread=spread)
    for w, c in zip(best_weights(count, laws, gap=1e-12), count, strict=True):
        reference, succeeded = slsqp(c, laws)
        assert objective(w, c, laws) >= objective(reference, c, laws) - 1e-12
        if spread >= 1 and succeeded:  # with laws near 0 and 1 SLSQP itself stops short
            assert objective(reference, c, laws) == pytest.approx(objective(w, c, laws), abs=1e-7)
            np.testing.assert_allclose(w, reference, atol=2e-3)


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_the_optimality_conditions_hold(spread: float) -> None:
    for seed in range(20, 50):
        count, laws = problem(seed, spread=spread)
        w = best_weights(count, laws, gap=1e-12)
        g = gradient(w, count, laws)
        np.testing.assert_allclose(w.sum(axis=1), 1, rtol=1e-12)
        assert (w >= 0).all()
        assert (g <= 1 + 1e-12).all()  # no observer would help if it had more
        np.testing.assert_allclose(w * (g - 1), 0, atol=1e-11)  # those in use are even


def test_the_excess_bounds_how_far_the_optimum_is() -> None:
    rng = np.random.default_rng(60)
    for seed in range(60, 80):
        count, laws = problem(seed, spread=1.0)
        w = rng.dirichlet(np.ones(laws.shape[1]), size=4)
        best = best_weights(count, laws, gap=1e-12)
        for i, bound in enumerate(excess(w, count, laws)):
            assert 0 <= objective(best[i], count[i], laws) - objective(w[i], count[i], laws) <= bound + 1e-12


def test_two_observers_agree_with_a_fine_grid() -> None:
    rng = np.random.default_rng(81)
    laws = rng.dirichlet([1, 1], size=(40, 2)).transpose(0, 2, 1).reshape(-1, 2)
    count = (rng.dirichlet([1, 1], size=40) / 40).reshape(1, -1)
    grid = np.linspace(0, 1, 100_001)
    totals = count @ np.log(laws @ np.stack([grid, 1 - grid]))
    assert best_weights(count, laws, gap=1e-12)[0, 0] == pytest.approx(grid[totals.argmax()], abs=2e-5)


def test_observers_that_exclude_symbols_are_weighed() -> None:
    # a deterministic observer right in 7 of 10 rows and the uniform law of two symbols: maximise
    # .7 log(w + (1 - w) / 2) + .3 log((1 - w) / 2), so w = .4
    hit = np.array([1.0, 0.0] * 10)
    count = np.array([[1.0, 0.0] * 7 + [0.0, 1.0] * 3]) / 10
    w = best_weights(count, np.stack([hit, np.full(20, 0.5)], axis=1), gap=1e-12)
    np.testing.assert_allclose(w[0], [0.4, 0.6], atol=1e-6)


def test_observers_that_coincide_share_evenly_and_are_unresolved() -> None:
    rng = np.random.default_rng(82)
    one, other = (rng.dirichlet([1, 1], size=50).ravel() for _ in range(2))
    laws = np.stack([one, other, other], axis=1)
    count = (0.4 * one + 0.6 * other)[None] / 50
    w = best_weights(count, laws, gap=1e-12)
    np.testing.assert_allclose(w[0], [0.4, 0.3, 0.3], atol=1e-6)
    part = unresolved(w[0], count[0], laws, tolerance=1e-6)
    assert (part < 1e-6).tolist() == [True, False, False]


def test_coinciding_observers_that_are_of_no_use_are_resolved() -> None:
    rng = np.random.default_rng(83)
    one = rng.dirichlet([1, 1], size=50)
    laws = np.stack([one.ravel(), one[:, ::-1].ravel(), one[:, ::-1].ravel()], axis=1)
    count = one.ravel()[None] / 50
    w = best_weights(count, laws, gap=1e-12)
    np.testing.assert_allclose(w[0], [1, 0, 0], atol=1e-6)
    assert unresolved(w[0], count[0], laws, tolerance=1e-6).max() < 1e-6
