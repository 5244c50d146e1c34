"""What the scoring makes of a change: its width under several scorings, and the width a scoring makes by itself."""

from collections.abc import Sequence

import numpy as np
from scipy.special import logit, ndtr

from harness.analysis.axis import Axis
from harness.analysis.checks import DEFAULTS
from harness.analysis.evidence import Weighed, weigh
from harness.analysis.prepare import Prepared, prepare
from harness.analysis.scorings import change_of, floor_of, logit_change, single_change
from harness.analysis.templates import singles_at
from harness.errors import CurveError, SpecError
from harness.types import AnalysisOptions, Bools, CountCurve, Curve, Floats, Mirage, SequenceCurve

EXACT_MATCH = (5, 20)  # symbols, as in the demonstration that this block repeats on each curve
POINTS = 2001  # of the fitted curve


def mirage(
    curve: Curve,
    *,
    options: AnalysisOptions = DEFAULTS,
    exact_match: Sequence[int] = EXACT_MATCH,
    correct: Bools | None = None,
) -> Mirage | None:
    """Score one curve in p, logit p and accuracy; push its fit through metrics. None without a single change.

    Accuracy is p > 1/2, or `correct` (n_sequences, n_levels) where the largest
    probability was on the target. `accuracy_alone` is the width of
    P(logit p > 0) where logit p of a sequence is that of the fit plus normal
    noise of the s.d. seen between sequences: accuracy of a model whose p is no
    sharper than the fit. `exact_match` raises the fit to the power L, what L
    independent symbols of this p give (Schaeffer et al. 2023, their equation for
    exact match). Raises CurveError for numbers that are not a curve or a
    `correct` of another shape, SpecError for an L below 1.
    """
    if any(n < 1 for n in exact_match):
        raise SpecError(f"exact_match={list(exact_match)!r}: numbers of symbols must be at least 1")
    prepared = prepare(curve, options)
    weighed = weigh(prepared.likelihood, prepared.axis, options)
    in_p = single_change(prepared, weighed, options)
    if in_p is None:
        return None
    in_logit = logit_change(prepared, weighed, options)
    x, fit = fitted_curve(prepared, weighed)
    accuracy = accuracy_alone = None
    if isinstance(curve, SequenceCurve):
        accuracy = change_of(_hits(curve, correct), options)
        spread = _logit_spread(curve, floor_of(curve))
        points = _points(prepared.axis, x, ndtr(logit(np.clip(fit, 1e-6, 1 - 1e-6)) / max(spread, 1e-6)))
        accuracy_alone = None if points is None or accuracy is None else points[1]
    scorings = {"p": in_p, "logit p": in_logit, "accuracy": accuracy}
    sharp = tuple(name for name, found in scorings.items() if found is not None and found.sharp)
    known = sum(found is not None for found in scorings.values())
    matched = ((n, _points(prepared.axis, x, fit ** float(n))) for n in exact_match)
    return Mirage(
        curve=curve.name,
        p=in_p,
        logit=in_logit,
        floor=floor_of(curve),
        accuracy=accuracy,
        accuracy_alone=accuracy_alone,
        exact_match=tuple((n, *found) for n, found in matched if found is not None),
        sharp_only_under=sharp if len(sharp) < known else (),
        options=options,
    )


def fitted_curve(prepared: Prepared, weighed: Weighed) -> tuple[Floats, Floats]:
    """Return points of the axis between the first and the last level, and the most probable single change there."""
    x = np.linspace(prepared.axis.x[0], prepared.axis.x[-1], POINTS)
    best = int(np.argmax(weighed.single_weight))
    rise = singles_at(x, weighed.singles, best)
    before, after = weighed.single_fit.level[best]
    return x, np.asarray(np.clip(before + (after - before) * rise, 0, 1))


def _hits(curve: SequenceCurve, correct: Bools | None) -> CountCurve:
    """Return how many sequences are right at each level.

    As counts: where all sequences are right their 0s and 1s have no variance to
    learn. That the levels share sequences is not known to it, so the interval
    of this width is that of fresh sequences at each level.
    """
    if correct is not None and correct.shape != curve.p.shape:
        raise CurveError(f"curve {curve.name!r}: correct has shape {correct.shape!r}, p {curve.p.shape!r}")
    measured = ~np.isnan(curve.p)
    right = measured & (curve.p > 0.5 if correct is None else correct)
    kept = measured.any(axis=0)
    return CountCurve(
        curve.name, curve.level[kept], right.sum(axis=0)[kept], measured.sum(axis=0)[kept].astype(np.int64)
    )


def _logit_spread(curve: SequenceCurve, floor: float) -> float:
    """Return the s.d. of logit p between sequences, the median over levels."""
    if len(curve.p) < 2:
        return 0.0
    held = logit(np.clip(curve.p, floor, 1 - floor))
    known = np.sum(~np.isnan(held), axis=0) > 1
    return float(np.median(np.nanstd(held[:, known], axis=0, ddof=1))) if known.any() else 0.0


def _points(axis: Axis, x: Floats, y: Floats) -> tuple[float, float] | None:
    """Return half-way point and 10-90 % width of a monotone curve between its ends, None where it is flat."""
    change = float(y[-1] - y[0])
    if abs(change) < 1e-3:
        return None
    share = (y - y[0]) / change
    low, half, high = (float(np.interp(q, share, x)) for q in (0.1, 0.5, 0.9))
    return axis.to_level(half), axis.to_level(high) - axis.to_level(low)
