"""How much later a model is half-way than its observer, on the same sequences."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.analysis.bootstrap import DRAWS, interval, resampling_weights, weighted_means
from harness.analysis.checks import DEFAULTS, MIN_LEVELS
from harness.analysis.evidence import Weighed, weigh
from harness.analysis.halfway import make_reader
from harness.analysis.pairing import paired
from harness.analysis.prepare import FEW, Prepared, prepare
from harness.analysis.refine import refined
from harness.analysis.several import locate_changes
from harness.types import AnalysisOptions, Curve, Delay, Floats, SequenceCurve

NO_CHANGE = 0.05  # a curve has a transition if its posterior of none is below this


@dataclass(frozen=True, slots=True, eq=False)
class Rise:
    """The half-way point of one curve, and of resamplings of it, in units of the level."""

    rising: bool
    half: float
    draws: Floats  # (n_draws,)
    gap: float  # between the levels it lies in
    last: float  # level


def excess_delay(
    model: Curve, observer: SequenceCurve, *, options: AnalysisOptions = DEFAULTS, name: str
) -> Delay:
    """Return n*_model - n*_observer, n* being the half-way point between a curve's own plateaus.

    The interval is from resampling the sequences, the same for both curves; a
    model that was counted is drawn from its posterior instead. It is None with
    fewer than ten sequences. A curve with several changes is read up to the
    extreme after its first one. A model that has no transition, or one in the
    other direction, is censored: the delay is at least last level - n*_observer.
    """
    if isinstance(model, SequenceCurve):
        model, observer = paired(model, observer)
    drawn = resampling_weights(len(observer.p), np.random.default_rng(options.seed))
    weights = dict(zip(observer.sequence_ids, drawn.T, strict=True))
    theirs = _rise(observer, options, weights)
    if theirs is None:
        return Delay(name, None, None, None, "observer")
    mine = _rise(model, options, weights)
    if mine is None or mine.rising != theirs.rising:
        return Delay(name, theirs.last - theirs.half, None, None, "model", observer_half=theirs.half)
    value = mine.half - theirs.half
    blank = Delay(name, value, None, None, None, mine.half, theirs.half)
    draws = mine.draws - theirs.draws
    n = len(observer.p)
    if n < FEW or not np.ptp(draws) > 0:
        return blank
    low, high = interval(draws, value, options.confidence, n)
    least = max(mine.gap, theirs.gap) / 2  # neither point is known better than the levels around it
    return replace(blank, low=min(low, value - least), high=max(high, value + least))


def _rise(curve: Curve, options: AnalysisOptions, weights: Mapping[str, Floats]) -> Rise | None:
    prepared = prepare(curve, options)
    weighed = weigh(prepared.likelihood, prepared.axis, options)
    if weighed.none >= NO_CHANGE:
        return None
    if weighed.multiple >= 0.5:
        fit = locate_changes(prepared, weighed, options).fit
        prepared = prepare(_until_extreme(prepared.curve, fit), options)
        weighed = weigh(prepared.likelihood, prepared.axis, options)
    return _read(prepared, weighed, options, weights)


def _read(
    prepared: Prepared, weighed: Weighed, options: AnalysisOptions, weights: Mapping[str, Floats]
) -> Rise:
    """Read a curve and its resamplings; `weights` says how often each draw holds each sequence."""
    axis, curve = prepared.axis, prepared.curve
    if isinstance(curve, SequenceCurve):
        reader = make_reader(prepared, weighed, options.sharp_width)
        half = reader.read(prepared.mean[None, :]).half[0]
        rows = np.stack([weights[name] for name in curve.sequence_ids], axis=1)  # those without data are gone
        draws = reader.read(weighted_means(curve.p, rows)).half
        rising = reader.rising
    else:
        singles = refined(axis, weighed, options.sharp_width)
        fit = prepared.likelihood.fit(singles.shapes)
        score = singles.log_prior + fit.log_evidence
        share = np.exp(score - score.max())
        share /= share.sum()
        rng = np.random.default_rng(options.seed + 1)  # not the stream that resamples the observer
        draws = rng.choice(singles.location, size=DRAWS, p=share)
        half = np.median(draws)
        plateaus = share @ fit.level
        rising = bool(plateaus[1] > plateaus[0])
    left, right = axis.gap(float(half))
    return Rise(
        rising=rising,
        half=axis.to_level(float(half)),
        draws=np.array([axis.to_level(float(x)) for x in draws]),
        gap=axis.to_level(right) - axis.to_level(left),
        last=float(prepared.level[-1]),
    )


def _until_extreme(curve: Curve, fit: Floats) -> Curve:
    """Return the curve up to the end of the plateau that its first change leads to."""
    first = float(fit[0])
    away = np.abs(fit - first)
    sign = 1.0 if fit[int(np.argmax(away > away.max() / 2))] > first else -1.0
    height = sign * fit
    stop = max(int(np.flatnonzero(height >= height.max() - 1e-9)[-1]) + 1, MIN_LEVELS)
    if isinstance(curve, SequenceCurve):
        return replace(curve, level=curve.level[:stop], p=curve.p[:, :stop])
    return replace(
        curve, level=curve.level[:stop], successes=curve.successes[:stop], trials=curve.trials[:stop]
    )
