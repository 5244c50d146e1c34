"""Location, width and plateaus of a single change, with intervals that never claim more than the levels show."""

from dataclasses import dataclass

import numpy as np

from harness.analysis.axis import Axis
from harness.analysis.bootstrap import interval, resampled_means
from harness.analysis.evidence import Weighed
from harness.analysis.halfway import make_reader
from harness.analysis.prepare import Prepared
from harness.analysis.refine import refined_posterior
from harness.types import AnalysisOptions, Floats, SequenceCurve

MISSHAPEN = 1.5  # chi2 per degree of freedom from which widths are read off the curve, not off a shape


@dataclass(frozen=True, slots=True)
class Estimate:
    """One change, in units of the level except `wide`. Bounds are None where no interval can be had."""

    location: float
    location_low: float | None
    location_high: float | None
    width: float
    width_low: float | None
    width_high: float | None
    before: float
    after: float
    wide: float  # upper bound of the width, on the axis
    at: float  # location on the axis
    seen: tuple[bool, bool]  # whether the plateau before and after was observed
    resolution: float  # spacing of the levels at the location
    unlocated: float  # width of the location's interval, as a share of the range; 0 without an interval


def estimate(prepared: Prepared, weighed: Weighed, options: AnalysisOptions) -> Estimate:
    """Measure a single change: by its sequences where there are enough, else by the posterior over shapes."""
    if isinstance(prepared.curve, SequenceCurve):
        return _from_sequences(prepared, prepared.curve, weighed, options)
    return _from_posterior(prepared, weighed, options)


def _from_sequences(
    prepared: Prepared, curve: SequenceCurve, weighed: Weighed, options: AnalysisOptions
) -> Estimate:
    """Read the half-way point off the isotonic mean and the width off the refitted shape.

    Intervals are from resampling sequences. Where no logistic fits, the width
    and its bounds are read off the isotonic mean too.
    """
    axis = prepared.axis
    reader = make_reader(prepared, weighed, options.sharp_width)
    point = reader.read(prepared.mean[None, :])
    at = float(point.half[0])
    shaped = prepared.misfit < MISSHAPEN
    wide = float(point.width[0] if shaped else point.end[0] - point.start[0])
    if not prepared.sampled:
        bounds, widths = None, (0.0, _posterior_bound(weighed, options.confidence))
    else:
        rng = np.random.default_rng(options.seed)
        draws = reader.read(resampled_means(curve.p, rng))
        n, confidence = len(curve.p), options.confidence
        bounds = interval(draws.half, at, confidence, n)
        if shaped:
            narrow, widest = interval(draws.width, wide, confidence, n)
            widths = narrow, widest + axis.bin_span(at) / 2  # bins blur a change by half of what they span
        else:
            widths = interval(draws.end - draws.start, wide, confidence, n)
    plateaus = (float(point.before[0]), float(point.after[0]))
    return _report(axis, at, bounds, wide, widths, plateaus, reader.seen)


def _from_posterior(prepared: Prepared, weighed: Weighed, options: AnalysisOptions) -> Estimate:
    """Take medians and central intervals of the posterior on a grid around its bulk."""
    axis = prepared.axis
    found = refined_posterior(prepared.likelihood, axis, weighed, options.sharp_width)
    singles, fit, weight = found.singles, found.fit, found.weight
    tail = (1 - options.confidence) / 2
    low, at, high = _quantiles(singles.location, weight, [tail, 0.5, 1 - tail])
    narrow, wide, widest = _quantiles(singles.width, weight, [tail, 0.5, 1 - tail])
    plateaus = weight @ fit.level
    best = int(np.argmax(weight))
    begin, end = at - singles.width[best] / 2, at + singles.width[best] / 2
    seen = (bool(begin >= axis.x[0] - wide / 10), bool(end <= axis.x[-1] + wide / 10))
    return _report(
        axis, at, (low, high), wide, (narrow, widest), (float(plateaus[0]), float(plateaus[1])), seen
    )


def _report(
    axis: Axis,
    at: float,
    bounds: tuple[float, float] | None,
    wide: float,
    widths: tuple[float, float],
    plateaus: tuple[float, float],
    seen: tuple[bool, bool],
) -> Estimate:
    """Put an estimate in units of the level, no interval narrower than the gap between levels it lies in."""
    left, right = axis.gap(at)
    gap = right - left
    narrow = widths[0] if widths[0] >= gap else 0.0  # narrower than that and a step look the same
    widest = max(widths[1], gap)
    low, high = None, None
    if bounds is not None:
        low, high = max(min(bounds[0], left), axis.x[0]), min(max(bounds[1], right), axis.x[-1])
    return Estimate(
        location=axis.to_level(at),
        location_low=None if low is None else axis.to_level(low),
        location_high=None if high is None else axis.to_level(high),
        width=_in_levels(axis, at, wide),
        width_low=None if bounds is None else _in_levels(axis, at, narrow),
        width_high=None if bounds is None else _in_levels(axis, at, widest),
        before=plateaus[0],
        after=plateaus[1],
        wide=widest,
        at=at,
        seen=seen,
        resolution=axis.to_level(right) - axis.to_level(left),
        unlocated=0.0 if low is None or high is None else (high - low) / axis.range,
    )


def _in_levels(axis: Axis, at: float, width: float) -> float:
    return axis.to_level(at + width / 2) - axis.to_level(at - width / 2)


def _quantiles(values: Floats, weight: Floats, at: list[float]) -> tuple[float, ...]:
    """Return weighted quantiles, interpolated between values."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order]) - weight[order] / 2
    return tuple(float(q) for q in np.interp(at, total, values[order]))


def _posterior_bound(weighed: Weighed, confidence: float) -> float:
    return _quantiles(weighed.singles.width, weighed.single_weight, [(1 + confidence) / 2])[0]
