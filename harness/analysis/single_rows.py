"""One change fitted to each sequence of a curve by itself: how likely each place and width is, row by row."""

from dataclasses import dataclass

import numpy as np

from harness.analysis.axis import Axis
from harness.analysis.replicates import bin_means
from harness.analysis.templates import WIDEST, rises
from harness.types import Bools, Floats, SequenceCurve

SHARP_GRID = (0.0, 0.2, 0.4, 0.8)  # widths tried, as fractions of the declared sharp width
GRADUAL_START, GRADUAL_GRID = (
    1.25,
    8,
)  # log-spaced from 1.25 of it, so that a cell ends at 1, to WIDEST ranges
LEVEL_SPREAD = 0.4  # prior s.d. of a change: nearly flat over what a probability can do
DISCREPANCY = 0.05  # of min_change: the s.d. of p that a shape need not match, as noise at the least
LEAST_MEASURED = 0.5  # of the bins: a sequence with fewer is left out
RHO = np.linspace(0.0, 0.95, 20)  # autocorrelations of noise tried


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Log likelihoods of one change per sequence, plateaus integrated out and noise at its best."""

    location: Floats  # (n_places,), on the axis
    width: Floats  # (n_widths,), on the axis, ascending from 0
    score: Floats  # (n_rows, n_places, n_widths), log likelihood less that of no change
    size: Floats  # (n_rows,), change between the ends of the range of the best shape, with its sign


def fit_rows(curve: SequenceCurve, axis: Axis, *, sharp_width: float, min_change: float) -> Rows | None:
    """Fit one logistic change, or an exact step, to every sequence at every place and width.

    Generalised least squares with AR(1) noise whose autocorrelation, and whose
    variance per bin up to a factor of the row, are learnt from the residuals of
    all rows; the change has a normal prior. Missing bins are interpolated
    within their row; None if no row is measured well enough. Noise at a fixed autocorrelation imitates changes of any
    width alike, so the widths of noisy rows are told only by all rows together.
    """
    y, first = _filled(bin_means(curve.p, axis)), axis.start
    if not len(y):
        return None
    ends = np.append(first[1:], len(axis.x)) - 1
    centre = (axis.x[first] + axis.x[ends]) / 2
    location = np.sort(np.concatenate([centre, (axis.x[ends[:-1]] + axis.x[first[1:]]) / 2]))
    sharp = sharp_width * np.asarray(SHARP_GRID)
    gradual = np.geomspace(GRADUAL_START * sharp_width, max(WIDEST, 3 * sharp_width), GRADUAL_GRID)
    width = np.concatenate([sharp, gradual]) * axis.range
    full = rises(axis.x, np.repeat(location, len(width)), np.tile(width, len(location)))
    rise = axis.binned(full)
    even = np.ones(rise.shape[1])
    least = (DISCREPANCY * min_change) ** 2
    best, change = _least_squares(y, rise, even, least)[1:]
    residual = _residuals(y, rise[best], change[np.arange(len(y)), best])
    scale = _bin_scale(residual)
    rho = _autocorrelation(residual / scale)
    white_y, white_rise, white_even = (_whitened(t / scale, rho) for t in (y, rise, even))
    score, best, change = _least_squares(white_y, white_rise, white_even, least)
    size = change[np.arange(len(y)), best] * (full[best, -1] - full[best, 0])
    return Rows(location, width, score.reshape(len(y), len(location), len(width)), size)


def _filled(table: Floats) -> Floats:
    """Return the rows that are measured well enough, gaps interpolated: shape (n_rows, n_bins)."""
    known = ~np.isnan(table)
    kept = known.mean(axis=1) >= LEAST_MEASURED
    bins = np.arange(table.shape[1])
    return np.array(
        [np.interp(bins, bins[k], row[k]) for row, k in zip(table[kept], known[kept], strict=True)]
    )


def _least_squares(y: Floats, rise: Floats, one: Floats, least: float) -> tuple[Floats, Floats, Floats]:
    """Fit y = a one + d rise: log likelihood over that of d = 0 (n, m), the best shape (n,) and d (n, m).

    The noise variance of a row is that of its best fit, and `least` at the least.
    """
    unit = one / np.sqrt(one @ one)
    y, rise = y - np.outer(y @ unit, unit), rise - np.outer(rise @ unit, unit)
    power = np.sum(rise * rise, axis=1)
    cross = y @ rise.T
    change = cross / np.maximum(power, 1e-9)
    total = np.sum(y * y, axis=1)
    left = np.maximum(total[:, None] - cross * change, 0)
    freedom = max(y.shape[1] - 4, 1)  # two plateaus, a place and a width
    floor = freedom * least
    variance = (left.min(axis=1, keepdims=True) + floor) / freedom
    occam = np.log1p(LEVEL_SPREAD**2 * power[None, :] / variance) / 2
    score = freedom / 2 * (np.log(total + floor)[:, None] - np.log(left + floor)) - occam
    return score, np.argmax(score, axis=1), change


def _residuals(y: Floats, rise: Floats, change: Floats) -> Floats:
    left = y - change[:, None] * rise
    return np.asarray(left - left.mean(axis=1, keepdims=True))


def _bin_scale(residual: Floats) -> Floats:
    """Return the s.d. of noise per bin over its mean, smoothed over neighbours: shape (n_bins,)."""
    square = np.mean(residual**2, axis=0)
    padded = np.concatenate([square[:2][::-1], square, square[-2:][::-1]])
    smooth = np.convolve(padded, np.full(5, 0.2), mode="valid")
    typical = float(smooth.mean())
    return np.sqrt(np.maximum(smooth, 0.05 * typical) / typical) if typical > 0 else np.ones(len(square))


def _autocorrelation(residual: Floats) -> float:
    """Return the autocorrelation under which the residuals of all rows are most likely."""
    n, bins = residual.shape
    losses = []
    for rho in RHO:
        white = _whitened(residual, float(rho))
        power = np.sum(white * white, axis=1) + 1e-12
        losses.append(float(bins * np.sum(np.log(power)) + n * (bins - 1) * np.log(1 - rho**2)) / 2)
    return float(RHO[int(np.argmin(losses))])


def _whitened(table: Floats, rho: float) -> Floats:
    """Return AR(1) noise of unit variance turned into white noise, along the last axis."""
    later = (table[..., 1:] - rho * table[..., :-1]) / np.sqrt(1 - rho**2)
    return np.concatenate([table[..., :1], later], axis=-1)


def changing(rows: Rows, least: float, *, rising: bool) -> Bools:
    """Return which rows change by at least `least` in the given direction, more likely than not at all."""
    n_rows = len(rows.score)
    flat = rows.score.reshape(n_rows, -1)
    top = flat.max(axis=1)
    evidence = top + np.log(np.mean(np.exp(flat - top[:, None]), axis=1))
    sign = 1.0 if rising else -1.0
    return np.asarray((evidence > 0) & (sign * rows.size >= least))
