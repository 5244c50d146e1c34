"""Ideal predictors of a mixture of sparse linear regressions, in closed form.

y = w.x + noise; w is N(0, 1) on one of the bases, a block of coordinates, and
zero elsewhere (Han et al. 2024, arXiv 2412.12276, section 3.3). All of them are
conditional means given the examples so far, and differ in what they know.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.types import Floats, Ints

Bases = NDArray[np.int64]
"""Coordinates of each basis: (n_bases, rank), disjoint."""


def predictions(x: Floats, y: Floats, basis: Ints, bases: Bases, noise: float) -> Mapping[str, Floats]:
    """Return what each predictor says of y_k from examples 0..k-1 and x_k: (batch, examples).

    `x` (batch, examples, dimensions), `y` (batch, examples), `basis` (batch,)
    the true ones, `noise` the variance of the noise, > 0. `oracle` knows the
    basis; `mixture` is Bayes over equally probable ones; `ridge` knows none and
    has w ~ N(0, rank / dimensions) in every coordinate.
    """
    each = np.stack([_conditional_mean(x[..., b], y, 1.0, noise)[0] for b in bases], axis=-1)
    weights = posterior(x, y, bases, noise)
    share = bases.shape[1] / x.shape[2]
    return {
        "oracle": np.take_along_axis(each, basis[:, None, None], axis=-1)[..., 0],
        "mixture": np.sum(each * weights, axis=-1),
        "ridge": _conditional_mean(x, y, share, noise)[0],
    }


def posterior(x: Floats, y: Floats, bases: Bases, noise: float) -> Floats:
    """Return the probability of each basis given k = 0..examples-1 examples: (batch, examples, n_bases).

    p(B | D) is proportional to N(y; 0, X_B X_B' + noise I); here by the chain
    rule, one example after the other.
    """
    steps = []
    for b in bases:
        mean, variance = _conditional_mean(x[..., b], y, 1.0, noise)
        steps.append(-0.5 * (np.log(variance) + (y - mean) ** 2 / variance))
    total = np.cumsum(np.stack(steps, axis=-1), axis=1)
    before = np.concatenate([np.zeros_like(total[:, :1]), total[:, :-1]], axis=1)
    weights = np.exp(before - before.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def coefficients(x: Floats, y: Floats, bases: Bases, noise: float) -> Floats:
    """Return E[w | examples 0..k-1] on the coordinates of each basis, were it the true one.

    Shape (batch, examples, n_bases, rank); times x_k on these coordinates it is
    that basis's prediction of y_k: (X'X + noise I)^-1 X'y.
    """
    xb = x[..., bases]  # (batch, examples, n_bases, rank)
    grams = np.einsum("bkni,bknj->bknij", xb, xb)
    sums = xb * y[..., None, None]
    grams, sums = (np.cumsum(a, axis=1) - a for a in (grams, sums))  # of the examples before k
    return np.linalg.solve(grams + noise * np.eye(bases.shape[1]), sums[..., None])[..., 0]


def _conditional_mean(x: Floats, y: Floats, prior: float, noise: float) -> tuple[Floats, Floats]:
    """Return mean and variance of y_k given examples 0..k-1, w ~ N(0, prior I): each (batch, examples).

    Recursive least squares: with covariance S of w and gain g = S x / (x'S x +
    noise), w grows by g (y - w.x) and S shrinks by g x'S.
    """
    batch, examples, d = x.shape
    w, s = np.zeros((batch, d)), np.broadcast_to(prior * np.eye(d), (batch, d, d)).copy()
    mean, variance = np.empty((batch, examples)), np.empty((batch, examples))
    for k in range(examples):
        xk = x[:, k]
        sx = np.einsum("bij,bj->bi", s, xk)
        mean[:, k] = np.einsum("bi,bi->b", w, xk)
        variance[:, k] = np.einsum("bi,bi->b", xk, sx) + noise
        gain = sx / variance[:, k, None]
        w += gain * (y[:, k] - mean[:, k])[:, None]
        s -= gain[:, :, None] * sx[:, None, :]
    return mean, variance
