"""Shapes a mean curve may have, p = sum_k L_k w_k, and their plateaus by weighted least squares, many curves at once.

Nothing here is exact for counts: least squares chooses which shapes are worth
an exact look, and which curves are so plainly flat that none is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.types import Floats

Single = NDArray[np.float32]  # single precision: twice as fast, and enough to choose by

SMOOTHED = (0.25, 0.5, 0.25)  # of neighbouring shares, for the weights only
F = TypeVar("F", np.float32, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Weights of the plateaus at each bin, with what least squares needs of them, in single precision."""

    weights: Floats  # (n, n_plateaus, n_bins), sum to one over plateaus
    single: Single  # (n_plateaus, n, n_bins), the same
    design: Single  # (n_bins, n_plateaus * n)
    products: Single  # (n_bins, n_pairs * n), of two plateaus' weights

    @property
    def size(self) -> int:
        """Number of plateaus."""
        return int(self.weights.shape[1])

    @classmethod
    def of(cls, weights: Floats) -> "Shapes":
        """Multiply out what is the same for every curve."""
        n, size, bins = weights.shape
        single = np.ascontiguousarray(weights.transpose(1, 0, 2), np.float32)
        design = np.ascontiguousarray(single.reshape(size * n, bins).T)
        by_bin = design.reshape(bins, size, n)
        pairs = combinations_with_replacement(range(size), 2)
        products = np.concatenate([by_bin[:, a] * by_bin[:, b] for a, b in pairs], axis=1)
        return cls(weights, single, design, products)


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """Least squares plateaus of each curve under each shape; plateau by plateau, as arithmetic runs over shapes."""

    level: Single  # (n_plateaus, n_curves, n)
    chi2: Single  # (n_curves, n), of binomial variances, with the cost of plateaus outside [0, 1]
    covariance: dict[tuple[int, int], Single]  # of the levels, upper entries: (n_curves, n) each
    log_det: Single  # (n_curves, n), of the information

    def of_curve(self, index: int) -> "Guess":
        """Return what was found of one of the curves, by itself."""
        i = slice(index, index + 1)
        covariance = {pair: c[i].copy() for pair, c in self.covariance.items()}
        return Guess(self.level[:, i].copy(), self.chi2[i].copy(), covariance, self.log_det[i].copy())

    @classmethod
    def joined(cls, guesses: Sequence["Guess"]) -> "Guess":
        """Put curves together."""
        covariance = {
            pair: np.concatenate([g.covariance[pair] for g in guesses]) for pair in guesses[0].covariance
        }
        level = np.concatenate([g.level for g in guesses], axis=1)
        chi2, log_det = (
            np.concatenate(parts) for parts in zip(*((g.chi2, g.log_det) for g in guesses), strict=True)
        )
        return cls(level, chi2, covariance, log_det)


def least_squares(shapes: Shapes, k: Floats, n: Floats) -> Guess:
    """Fit every shape to counts (n_curves, n_bins) with binomial variances taken from smoothed shares.

    A plateau without bins of its own is pulled to the common share with the weight of one trial.
    """
    share = (k + 0.5) / (n + 1)
    padded = np.concatenate([share[:, :1], share, share[:, -1:]], axis=1)
    smooth = sum(w * padded[:, i : i + share.shape[1]] for i, w in enumerate(SMOOTHED))
    v = n / (smooth * (1 - smooth))
    centre = ((k.sum(axis=1) + 0.5) / (n.sum(axis=1) + 1))[:, None]
    ridge = (1 / (centre * (1 - centre))).astype(np.float32)
    y = share - centre
    size, count = shapes.size, len(shapes.weights)
    pulled = ((v * y).astype(np.float32) @ shapes.design).reshape(-1, size, count)
    gram = (v.astype(np.float32) @ shapes.products).reshape(len(k), -1, count)
    h = {
        (a, b): gram[:, i] + ridge if a == b else gram[:, i]
        for i, (a, b) in enumerate(combinations_with_replacement(range(size), 2))
    }
    inverse, log_det = inverted(h, size)
    level = np.empty((size, len(k), count), np.float32)
    chi2 = np.repeat(np.sum(v * y * y, axis=1).astype(np.float32)[:, None], count, axis=1)
    for a in range(size):
        level[a] = sum(inverse[min(a, b), max(a, b)] * pulled[:, b] for b in range(size))
        chi2 -= level[a] * pulled[:, a]
    level += centre.astype(np.float32)
    return Guess(level, chi2 + _outside(level, inverse), inverse, log_det)


def logistic(x: NDArray[F]) -> NDArray[F]:
    """Return 1 / (1 + exp(-x)), right to the rounding of 1; scipy's, right to its own, is three times slower."""
    half = x.dtype.type(0.5)
    return np.asarray(half + half * np.tanh(half * x), x.dtype)


def _outside(level: Single, inverse: dict[tuple[int, int], Single]) -> Single:
    """Return what it costs in chi2, at least, to bring the plateaus back into [0, 1]: (n_curves, n)."""
    cost = np.zeros(level.shape[1:], level.dtype)
    for a, one in enumerate(level):
        far = np.maximum(np.abs(one - np.float32(0.5)) - np.float32(0.5), 0)
        np.maximum(cost, far * far / inverse[a, a], out=cost)
    return cost


def inverted(
    h: dict[tuple[int, int], NDArray[F]], size: int
) -> tuple[dict[tuple[int, int], NDArray[F]], NDArray[F]]:
    """Return upper entries of the inverse, and log determinant (...), of symmetric matrices given by upper entries.

    Up to three rows by cofactors: LAPACK costs a call for each of thousands of tiny matrices.
    """
    if size == 1:
        return {(0, 0): np.reciprocal(h[0, 0])}, np.log(h[0, 0])
    if size == 2:
        det = h[0, 0] * h[1, 1] - h[0, 1] * h[0, 1]
        over = np.reciprocal(det)
        return {(0, 0): h[1, 1] * over, (0, 1): -h[0, 1] * over, (1, 1): h[0, 0] * over}, np.log(det)
    if size > 3:
        full = np.stack(
            [np.stack([h[min(a, b), max(a, b)] for b in range(size)], -1) for a in range(size)], -2
        )
        inverse = np.asarray(np.linalg.inv(full), full.dtype)
        entries = {pair: inverse[..., pair[0], pair[1]] for pair in h}
        return entries, np.asarray(np.linalg.slogdet(full)[1], full.dtype)
    (a, b, c), (d, e), f = (h[0, 0], h[0, 1], h[0, 2]), (h[1, 1], h[1, 2]), h[2, 2]
    one, two, three = d * f - e * e, c * e - b * f, b * e - c * d
    det = a * one + b * two + c * three
    over = np.reciprocal(det)
    return {
        (0, 0): one * over,
        (0, 1): two * over,
        (0, 2): three * over,
        (1, 1): (a * f - c * c) * over,
        (1, 2): (b * c - a * e) * over,
        (2, 2): (a * d - b * b) * over,
    }, np.log(det)


def invert(h: dict[tuple[int, int], NDArray[F]], size: int) -> tuple[NDArray[F], NDArray[F]]:
    """Return inverse (..., size, size) and log determinant (...) of symmetric matrices, given by upper entries."""
    entries, log_det = inverted(h, size)
    found: NDArray[F] = np.empty((*h[0, 0].shape, size, size), h[0, 0].dtype)
    for (a, b), entry in entries.items():
        found[..., a, b] = found[..., b, a] = entry
    return found, log_det
