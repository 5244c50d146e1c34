"""The convex combination of laws that best explains counts: a solver with a certificate."""

import numpy as np

from harness.types import Floats

_MOST_STEPS = 100  # 15-25 are usual
_TO_BOUNDARY = 0.995  # share of the way to the boundary that a step may go
_SHRINK = 0.1  # of the barrier, a step
_ARMIJO = 1e-4  # share of the predicted decrease that a step must reach (Nocedal & Wright 2006, eq. 3.4)


def best_weights(count: Floats, laws: Floats, *, gap: float) -> Floats:
    """Return the weights w on the simplex that maximise F = sum over rows r of count_r log(laws_r . w).

    `count` (n_problems, n_rows) >= 0, each problem scaled to sum to 1; `laws`
    (n_rows, n_observers) >= 0, with some observer > 0 wherever a count is.
    Returns (n_problems, n_observers).

    A primal-dual interior-point method (Nocedal & Wright 2006, chapter 19) on
    -F + sum(w), w >= 0, whose optimum lies on the simplex (Kim et al. 2020).
    It ends where F is within `gap` of its maximum, shown by `excess`. Where laws
    coincide, their weights are shared evenly.

    Raises ArithmeticError if it did not come that far, which is a defect.
    """
    n_problems, k = len(count), laws.shape[1]
    w, z = np.full((n_problems, k), 1 / k), np.ones((n_problems, k))
    pairs = (laws[:, :, None] * laws[:, None, :]).reshape(len(laws), k * k)
    open_ = np.arange(n_problems)
    for _ in range(_MOST_STEPS):
        share = w[open_] / w[open_].sum(axis=1, keepdims=True)
        open_ = open_[excess(share, count[open_], laws) > gap]
        if not open_.size:
            return np.asarray(w / w.sum(axis=1, keepdims=True))
        w[open_], z[open_] = _step(w[open_], z[open_], count[open_], laws, pairs)
    raise ArithmeticError(f"{open_.size} of {n_problems} mixtures not within {gap} nats of their optimum")


def excess(w: Floats, count: Floats, laws: Floats) -> Floats:
    """Return how far F may be below its maximum at weights on the simplex: shape (n_problems,).

    With g the gradient of F, w . g = 1, and since F is concave max F - F(w) <=
    max(g) - 1. It is 0 exactly where the Karush-Kuhn-Tucker conditions hold:
    g_k = 1 for every observer in use and g_k <= 1 for all others.
    """
    return np.asarray(gradient(w, count, laws).max(axis=1) - 1)


def gradient(w: Floats, count: Floats, laws: Floats) -> Floats:
    """Return the gradient of F: shape (n_problems, n_observers)."""
    return np.asarray(_ratio(count, w @ laws.T) @ laws)


def _step(w: Floats, z: Floats, count: Floats, laws: Floats, pairs: Floats) -> tuple[Floats, Floats]:
    """Move the weights and their multipliers one damped Newton step towards the central path."""
    k = w.shape[1]
    mix = w @ laws.T
    g = _ratio(count, mix) @ laws
    hessian = (_ratio(_ratio(count, mix), mix) @ pairs).reshape(-1, k, k)
    mu = _SHRINK * (w * z).mean(axis=1, keepdims=True)
    slope = 1 - g - mu / w  # of the barrier function
    dw = -np.linalg.solve(hessian + (z / w)[:, :, None] * np.eye(k), slope[:, :, None])[:, :, 0]
    dz = mu / w - z - z / w * dw
    size = np.minimum(1, _TO_BOUNDARY / np.maximum((-dw / w).max(axis=1), _TO_BOUNDARY))
    target = np.sum(slope * dw, axis=1)
    before = _barrier(w, count, laws, mu)
    for _ in range(40):  # until 2^-40: steps below rounding are taken as they are
        worse = _barrier(w + size[:, None] * dw, count, laws, mu) > before + _ARMIJO * size * target + 1e-15
        if not worse.any():
            break
        size = np.where(worse, size / 2, size)
    dual = np.minimum(1, _TO_BOUNDARY / np.maximum((-dz / z).max(axis=1), _TO_BOUNDARY))
    w = w + size[:, None] * dw
    z = np.clip(z + dual[:, None] * dz, mu / w / 1e10, mu / w * 1e10)  # Waechter & Biegler 2006, eq. 16
    return w, z


def _barrier(w: Floats, count: Floats, laws: Floats, mu: Floats) -> Floats:
    mix = w @ laws.T
    logs = np.log(mix, out=np.zeros_like(mix), where=count > 0)
    return np.asarray(w.sum(axis=1) - (count * logs).sum(axis=1) - mu[:, 0] * np.log(w).sum(axis=1))


def _ratio(count: Floats, mix: Floats) -> Floats:
    return np.divide(count, mix, out=np.zeros_like(mix), where=count > 0)


def unresolved(w: Floats, count: Floats, laws: Floats, *, tolerance: float) -> Floats:
    """Return the size of each observer's part in changes of w that change nothing: shape (n_observers,).

    `w` and `count` are of one problem. Such changes are those of the observers in
    use or on the verge of it (g_k near 1) that leave the mixture where it is in
    every row counted, up to `tolerance` relative to the rows' probabilities.
    Above 0 the weight of the observer is not determined.
    """
    g = gradient(w[None], count[None], laws)[0]
    active = np.flatnonzero((w > tolerance) | (g > 1 - tolerance))
    rows = count > 0
    scaled = np.sqrt(count[rows, None]) / (laws[rows] @ w)[:, None] * laws[np.ix_(rows, active)]
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    free = vectors[:, np.sqrt(np.maximum(values, 0)) < tolerance]
    part = np.zeros(len(w))
    part[active] = np.linalg.norm(free, axis=1)
    return part
