"""The shapes a curve may have: one change or two, at every place and width, with their prior."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.analysis.axis import Axis, axis_of
from harness.analysis.shapes import Shapes, logistic
from harness.types import Bools, Floats

WIDTH_10_90 = 2 * np.log(9.0)  # 10-90 % width of the logistic function, in units of its scale
STEP_SHARE = 0.25  # prior mass of an exact step among single changes; half lies on sharp ones in all
SHARP_WIDTHS = (0.125, 0.25, 0.5, 0.85)  # as fractions of the largest sharp width
GRADUAL_WIDTHS = 8  # log-spaced from just above the largest sharp width to WIDEST
WIDEST = 1.5  # widest transition considered, in ranges: beyond it a logistic is a straight line
HILL_WIDTH = 0.7  # widths above this share of the location: below it a Hill curve is a logistic within 2 %
PAIR_PLACES = 22  # places of either change of a pair, even in bins
PAIR_WIDTHS = (0.0, 0.06, 0.2)  # in ranges


@dataclass(frozen=True, slots=True, eq=False)
class Singles:
    """One change each: mean = L0 (1 - rise) + L1 rise."""

    location: Floats  # (n,), half-way point on the axis
    width: Floats  # (n,), 10-90 % width on the axis, 0 for an exact step
    hill: Bools  # (n,), whether the shape is a Hill curve rather than a logistic one
    shapes: Shapes  # what each plateau contributes at each bin
    reach: Floats  # (n,), part of the change that lies between the first and the last level
    log_prior: Floats  # (n,), sums to 1/2 over sharp and to 1/2 over gradual ones
    sharp: Bools  # (n,)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Two changes each, the first over (90 %) before the second begins (10 %)."""

    location: Floats  # (n, 2)
    width: Floats  # (n, 2)
    shapes: Shapes  # what each plateau contributes at each bin
    reach: Floats  # (n, 2)


def rises(x: Floats, location: Floats, width: Floats) -> Floats:
    """Return a logistic from 0 to 1 for each location and 10-90 % width: shape (n, len(x)).

    Width 0 is an exact step, half-way where x equals the location.
    """
    distance = x[None, :] - location[:, None]
    scale = np.where(width > 0, width, 1.0)[:, None] / WIDTH_10_90
    rise = logistic(distance / scale)
    rise[width == 0] = np.heaviside(distance[width == 0], 0.5)
    return rise


def hill_rises(x: Floats, location: Floats, width: Floats) -> Floats:
    """Return x^b / (x^b + location^b) for each location > 0 and 10-90 % width: shape (n, len(x)), x >= 0.

    A logistic in log x: what evidence that adds up along the context, and
    learning by counting, look like on a linear axis, with a tail no logistic
    has. Its 10-90 % width is 2 location sinh(ln 9 / b).
    """
    power = np.log(9.0) / np.arcsinh(width / (2 * location))
    with np.errstate(divide="ignore"):
        ratio = np.log(x)[None, :] - np.log(location)[:, None]
    return logistic(power[:, None] * ratio)


def shape_rises(x: Floats, location: Floats, width: Floats, hill: Bools) -> Floats:
    """Return the rise of each shape, logistic or Hill, at each point: shape (n, len(x))."""
    full = rises(x, location, width)
    if hill.any():
        full[hill] = hill_rises(x, location[hill], width[hill])
    return full


def singles_at(x: Floats, singles: Singles, index: int) -> Floats:
    """Return the rise of one of the shapes at other points than its bins: shape (len(x),)."""
    i = slice(index, index + 1)
    return np.asarray(shape_rises(x, singles.location[i], singles.width[i], singles.hill[i])[0])


def skewed(axis: Axis, location: Floats, width: Floats) -> Bools:
    """Return for which places and widths a Hill curve differs from a logistic and has a meaning."""
    if axis.shift is not None or axis.x[0] < 0:
        return np.zeros(len(location), dtype=bool)
    return np.asarray((location > 0) & (width > HILL_WIDTH * location))


def sharp_limit(axis: Axis, location: float, sharp_width: float) -> float:
    """Return the largest width called sharp at a location, on the axis.

    `sharp_width` times the range, or two level spacings where the levels
    cannot resolve that, but never more than half the range.
    """
    low, high = axis.gap(location)
    return max(sharp_width * axis.range, min(2 * (high - low), axis.range / 2))


@lru_cache(maxsize=16)
def _singles(level: bytes, x: bytes, start: bytes, shift: float | None, sharp_width: float) -> Singles:
    axis = axis_of(level, x, start, shift)
    edges = _boundaries(axis)
    each = 2 * int(
        np.clip(64 // (len(edges) - 1), 1, 4)
    )  # places per bin, so that few bins are no coarser grid
    places = np.interp(np.arange(1, each * (len(edges) - 1)) / each, np.arange(len(edges)), edges)
    share = np.diff(np.concatenate([[axis.x[0]], (places[:-1] + places[1:]) / 2, [axis.x[-1]]]))
    widths = np.concatenate(
        [
            sharp_width * np.asarray(SHARP_WIDTHS),
            np.geomspace(1.25 * sharp_width, max(WIDEST, 3 * sharp_width), GRADUAL_WIDTHS),
        ]
    )
    gaps = (axis.x[:-1] + axis.x[1:]) / 2
    location = np.concatenate([gaps, np.repeat(places, len(widths))])
    width = np.concatenate([np.zeros(len(gaps)), np.tile(widths * axis.range, len(places))])
    prior = np.concatenate([np.diff(axis.x), np.repeat(share, len(widths))]) / axis.range
    limit = np.array([sharp_limit(axis, at, sharp_width) for at in location])
    return make_singles(axis, location, width, prior, width <= limit)


def make_singles(axis: Axis, location: Floats, width: Floats, prior: Floats, sharp: Bools) -> Singles:
    """Build single changes; `prior` is relative, within steps, other sharp ones and gradual ones.

    Where a Hill curve differs from the logistic, both are built with equal prior.
    """
    twice = np.flatnonzero(skewed(axis, location, width))
    hill = np.concatenate([np.zeros(len(location), dtype=bool), np.ones(len(twice), dtype=bool)])
    prior = prior.copy()
    prior[twice] /= 2
    location, width, prior, sharp = (np.concatenate([a, a[twice]]) for a in (location, width, prior, sharp))
    mass = np.zeros(len(location))
    step = width == 0
    groups = [(step, STEP_SHARE), (sharp & ~step, 0.5 - STEP_SHARE), (~sharp, 0.5)]
    for members, share in groups:
        if members.any():
            mass[members] = share * prior[members] / prior[members].sum()
    full = shape_rises(axis.x, location, width, hill)
    with np.errstate(divide="ignore"):
        log_prior = np.log(mass)
    rise = axis.binned(full)
    shapes = Shapes.of(np.stack([1 - rise, rise], axis=1))
    return Singles(location, width, hill, shapes, full[:, -1] - full[:, 0], log_prior, sharp)


def single_changes(axis: Axis, sharp_width: float) -> Singles:
    """Return every single change considered on an axis; remembered, as many curves share their levels.

    Locations are flat over the range: exact steps in every gap between levels,
    others at every bin and between bins.
    """
    return _singles(*axis.key(), sharp_width)


@lru_cache(maxsize=8)
def _pairs(x_bytes: bytes, start_bytes: bytes) -> Pairs:
    axis = Axis(np.frombuffer(x_bytes), np.frombuffer(x_bytes), np.frombuffer(start_bytes, np.int64), None)
    inner = _boundaries(axis)[1:-1]
    chosen = np.unique(np.round(np.linspace(0, len(inner) - 1, PAIR_PLACES)).astype(int))
    places, widths = inner[chosen], np.asarray(PAIR_WIDTHS) * axis.range
    grid = np.stack(np.meshgrid(places, widths, places, widths, indexing="ij"), axis=-1).reshape(-1, 4)
    return make_pairs(axis, grid[:, [0, 2]], grid[:, [1, 3]])


def make_pairs(axis: Axis, location: Floats, width: Floats) -> Pairs:
    """Build pairs of changes, leaving out those that overlap or have no bin between them."""
    apart = location[:, 1] - location[:, 0] >= np.maximum(width.mean(axis=1), 1e-9 * axis.range)
    location, width = location[apart], width[apart]
    first = rises(axis.x, location[:, 0], width[:, 0])
    second = np.minimum(rises(axis.x, location[:, 1], width[:, 1]), first)
    weights = np.stack([1 - first, first - second, second], axis=1)
    reach = np.stack([f[:, -1] - f[:, 0] for f in (first, second)], axis=1)
    return Pairs(location, width, Shapes.of(axis.binned(weights)), reach)


def paired_changes(axis: Axis) -> Pairs:
    """Return every pair of changes considered on an axis, even in bins; empty for three bins or fewer."""
    return _pairs(axis.x.tobytes(), axis.start.tobytes())


@lru_cache(maxsize=64)
def constant_shape(n_bins: int) -> Shapes:
    """Return the one shape of a curve that does not change."""
    return Shapes.of(np.ones((1, 1, n_bins)))


def _boundaries(axis: Axis) -> Floats:
    """Return the points between bins, with the first and the last level at the ends: (n_bins + 1,)."""
    between = (axis.x[axis.start[1:] - 1] + axis.x[axis.start[1:]]) / 2
    return np.concatenate([[axis.x[0]], between, [axis.x[-1]]])
