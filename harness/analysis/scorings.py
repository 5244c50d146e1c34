"""The same answers under other scorings: how wide one change is in p, in logit p and in thresholded accuracy.

A sharp change of p can be the doing of the scale: p is a sigmoid of logit p,
and accuracy a step of p (Schaeffer, Miranda & Koyejo 2023). A step in logit p
cannot be made by any smooth monotone scoring, so *sharp* is claimed only where
the change is sharp in p and in logit p.
"""

from dataclasses import replace

import numpy as np
from scipy.special import expit, logit

from harness.analysis.axis import Axis
from harness.analysis.checks import DEFAULTS
from harness.analysis.estimate import estimate
from harness.analysis.evidence import Weighed, weigh
from harness.analysis.prepare import Prepared, prepare
from harness.analysis.readings import NO_CHANGE, SEVERAL, Drawn, posterior_draws
from harness.analysis.templates import WIDTH_10_90, sharp_limit
from harness.types import AnalysisOptions, CountCurve, Curve, Floats, Scored

SEQUENCE_FLOOR = (
    0.01  # a tenth of the default min_change: 0.99 to 0.999 is a change of logit p and hardly of p
)


def sharp_in_logit(curve: Curve, *, options: AnalysisOptions = DEFAULTS) -> Scored | None:
    """Return the change of a curve in logit p; its `sharp` says whether that is sharp. None without a single change.

    The upper bound of the 10-90 % width at `options.confidence` must be within
    the sharp limit, as it must in p. Raises CurveError for numbers that are not a curve.
    """
    prepared = prepare(curve, options)
    return logit_change(prepared, weigh(prepared.likelihood, prepared.axis, options), options)


def logit_change(prepared: Prepared, weighed: Weighed, options: AnalysisOptions) -> Scored | None:
    """Do the same for a curve that is prepared and weighed.

    Sequences: logit p of each sequence, p held between the floor and one minus
    it, is judged as a curve of its own; a change below `min_change` is one
    below 4 min_change in logit p, the least that it can be. Counts: each shape
    and pair of levels of the posterior is taken to logit p, held to 1/(2n).
    """
    if isinstance(prepared.curve, CountCurve):
        return _counted_in_logit(prepared, weighed, options)
    floor = floor_of(prepared.curve)
    top = float(logit(1 - floor))
    scaled = (logit(np.clip(prepared.curve.p, floor, 1 - floor)) / top + 1) / 2
    least = replace(options, min_change=4 * options.min_change / (2 * top))
    return change_of(replace(prepared.curve, p=scaled), least)


def change_of(curve: Curve, options: AnalysisOptions) -> Scored | None:
    """Return the single change of a curve, None where there is none or several."""
    prepared = prepare(curve, options)
    return single_change(prepared, weigh(prepared.likelihood, prepared.axis, options), options)


def single_change(prepared: Prepared, weighed: Weighed, options: AnalysisOptions) -> Scored | None:
    """Return the single change of a prepared curve, None where there is none or several."""
    if weighed.none >= NO_CHANGE or weighed.multiple >= SEVERAL:
        return None
    found = estimate(prepared, weighed, options)
    limit = sharp_limit(prepared.axis, found.at, options.sharp_width)
    sharp = bool(found.wide <= limit * (1 + 1e-9))
    return Scored(found.location, found.width, found.width_low, found.width_high, sharp)


def floor_of(curve: Curve) -> float:
    """Return what p is held to before the logit: half an answer for counts, else SEQUENCE_FLOOR."""
    if isinstance(curve, CountCurve):
        return min(1 / (2 * float(curve.trials.mean())), 0.25)  # one answer a level would leave no scale
    return SEQUENCE_FLOOR


def _counted_in_logit(prepared: Prepared, weighed: Weighed, options: AnalysisOptions) -> Scored | None:
    if weighed.none >= NO_CHANGE or weighed.multiple >= SEVERAL:
        return None
    axis = prepared.axis
    drawn = posterior_draws(prepared, weighed, options, np.random.default_rng(options.seed))
    low, half, high = _logit_points(drawn, floor_of(prepared.curve))
    tail = (1 - options.confidence) / 2
    narrow, wide, widest = (float(q) for q in np.quantile(high - low, [tail, 0.5, 1 - tail]))
    at = float(np.median(half))
    left, right = axis.gap(at)
    widest = max(widest, right - left)
    limit = sharp_limit(axis, at, options.sharp_width)
    narrow, wide, upper = (_in_levels(axis, at, w) for w in (narrow, wide, widest))
    return Scored(axis.to_level(at), wide, narrow, upper, widest <= limit * (1 + 1e-9))


def _logit_points(drawn: Drawn, floor: float) -> tuple[Floats, Floats, Floats]:
    """Return where each drawn curve is 10, 50 and 90 % of the way in logit p, on the axis: three arrays (n,)."""
    level = np.clip(drawn.level, 1e-6, 1 - 1e-6)
    before, after = logit(np.clip(level, floor, 1 - floor)).T
    change = level[:, 1] - level[:, 0]
    safe = np.where(np.abs(change) < 1e-9, 1e-9, change)
    low, half, high = (
        _place(drawn, np.clip((expit(before + q * (after - before)) - level[:, 0]) / safe, 1e-6, 1 - 1e-6))
        for q in (0.1, 0.5, 0.9)
    )
    return low, half, high


def _place(drawn: Drawn, rise: Floats) -> Floats:
    """Return where each shape has risen to `rise`: the inverse of a logistic or Hill curve."""
    at = drawn.location + drawn.width / WIDTH_10_90 * logit(rise)
    location, width = drawn.location[drawn.hill], drawn.width[drawn.hill]
    power = np.log(9.0) / np.arcsinh(width / (2 * location))
    at[drawn.hill] = location * np.exp(logit(rise[drawn.hill]) / power)
    return np.asarray(at)


def _in_levels(axis: Axis, at: float, width: float) -> float:
    return axis.to_level(at + width / 2) - axis.to_level(at - width / 2)
