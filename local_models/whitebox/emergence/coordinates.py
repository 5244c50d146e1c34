"""Coordinates of paired states that are the same whatever invertible linear map either side went through."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from harness.types import Floats

States = NDArray[np.floating]
_SMALLEST = 1e-7  # of the largest variance: below it, float32 states hold rounding alone
_CONSTANT = 1e-12  # of the mean square: the same for a side that does not vary
_PAIRS = 8  # for each direction kept at least: with fewer, chance correlations drown the others
_CLOSEST = 1 - 1e-6  # correlations above are 1 up to rounding


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Canonical variates of x and y (Hotelling 1936), each put on the scale of a Gaussian, and how these correlate.

    The scale is that of normal scores: it keeps the order, so it loses nothing,
    and a state far outside what was seen cannot carry an estimate away.
    """

    centres: tuple[Floats, Floats]
    maps: tuple[Floats, Floats]  # (width of x, k), (width of y, k)
    scales: tuple[tuple["Scale", ...], tuple["Scale", ...]]  # one for each of the k variates
    correlation: Floats  # (k,), 0 where it may be chance alone

    def of(self, x: States, y: States) -> tuple[Floats, Floats]:
        """Return both sides in these coordinates, each (n, k), about Gaussian with unit variance."""
        u, v = (
            np.stack(
                [scale.of(c) for scale, c in zip(scales, ((side - centre) @ axes).T, strict=True)], axis=1
            )
            for side, centre, axes, scales in zip((x, y), self.centres, self.maps, self.scales, strict=True)
        )
        return u, v


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """A monotone map of one coordinate onto normal scores, constant beyond the values it was fitted to."""

    values: Floats  # ascending
    scores: Floats

    def of(self, values: Floats) -> Floats:
        """Return the scores of values, by linear interpolation."""
        return np.asarray(np.interp(values, self.values, self.scores))


def _scale(values: Floats) -> Scale:
    knots, counts = np.unique(values, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(values)  # equal values share their middle rank
    return Scale(knots, ndtri(middle))


def canonical_coordinates(x: States, y: States, *, components: int) -> Coordinates:
    """Fit at most `components` canonical pairs to x (n, width) and y (n, width).

    Dropping the others can only lose information (data processing), and so does
    keeping no more directions than one in eight pairs, those of the largest
    variance. A side that does not vary has none, so that k is 0.
    """
    whitened, centres, whitenings = [], [], []
    for side in (x, y):
        centre = side.mean(axis=0, dtype=np.float64)
        variance, axes = np.linalg.eigh(np.cov((side - centre).T, bias=True).reshape(side.shape[1], -1))
        constant = _CONSTANT * float(np.mean(side.astype(np.float64) ** 2))
        kept = (variance > _SMALLEST * variance[-1]) & (variance > constant)
        kept[: -max(1, len(side) // _PAIRS)] = False  # ascending: the largest are the last
        whitening = axes[:, kept] / np.sqrt(variance[kept])
        centres.append(centre)
        whitenings.append(whitening)
        whitened.append((side - centre) @ whitening)
    n = len(x)
    left, _, right = np.linalg.svd(whitened[0].T @ whitened[1] / n, full_matrices=False)
    k = min(components, left.shape[1], right.shape[0])
    left, right = left[:, :k], right[:k].T
    turned = np.where(((whitened[0] @ left) ** 3).sum(axis=0) < 0, -1.0, 1.0)  # a sign that the data decide
    left, right = left * turned, right * turned
    maps = (whitenings[0] @ left, whitenings[1] @ right)
    variates = (whitened[0] @ left, whitened[1] @ right)
    scales = tuple(tuple(_scale(c) for c in side.T) for side in variates)
    again = np.array(
        [
            np.corrcoef(scale_u.of(u), scale_v.of(v))[0, 1]
            for scale_u, scale_v, u, v in zip(*scales, *(side.T for side in variates), strict=True)
        ]
    )
    return Coordinates(
        centres=(centres[0], centres[1]),
        maps=maps,
        scales=(scales[0], scales[1]),
        correlation=_without_chance(again, whitened[0].shape[1] / n, whitened[1].shape[1] / n),
    )


def _without_chance(fitted: Floats, a: float, b: float) -> Floats:
    """Return the correlations that make Gaussian pairs show the fitted ones, with a and b directions a pair.

    A squared correlation r shows as l = (r (1 - a) + a) (r (1 - b) + b) / r, and
    below the edge of what independent sides show as nothing (Bao, Hu, Pan & Zhou 2019).
    """
    middle = np.maximum(fitted, 0.0) ** 2 - a * (1 - b) - b * (1 - a)
    under = middle**2 - 4 * (1 - a) * (1 - b) * a * b
    seen = (middle > 0) & (under > 0)
    r = (middle + np.sqrt(np.where(seen, under, 0.0))) / (2 * (1 - a) * (1 - b))
    return np.asarray(np.where(seen, np.sqrt(np.clip(r, 0.0, _CLOSEST)), 0.0))
