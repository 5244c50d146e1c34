"""The mean of a curve at each level with its own interval, for drawing; no verdict rests on it."""

import numpy as np
from scipy import stats

from harness.analysis.checks import check_curve
from harness.errors import SpecError
from harness.types import CountCurve, Curve, Floats, SequenceCurve


def mean_band(curve: Curve, confidence: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """Return mean, lower and upper bound at each level: three arrays (n_levels,), in [0, 1].

    Counts: Wilson's score interval, which keeps a width at 0 and 1. Sequences:
    Student's t interval of the mean over sequences, clipped to [0, 1]; exact
    probabilities near 0 and 1 vary little, so it is narrow there because the
    data are, and where all sequences agree it has no width. NaN where nothing was
    measured, and NaN bounds where fewer than two sequences were. Each interval
    is for its own level, not for all levels at once.

    Raises CurveError for numbers that are not a curve.
    """
    if not 0 < confidence < 1:
        raise SpecError(f"confidence={confidence!r}: must be above 0 and below 1")
    check_curve(curve)
    match curve:
        case CountCurve():
            return _wilson(curve, confidence)
        case SequenceCurve():
            return _student(np.clip(curve.p, 0, 1), confidence)


def _wilson(curve: CountCurve, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Wilson (1927); counts may be correlated within a level, which this band does not know."""
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    n = curve.trials.astype(np.float64)
    p = curve.successes / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    # At k = 0 and k = n one bound is exact; rounding must not put the mean outside.
    return p, np.clip(np.minimum(centre - half, p), 0, 1), np.clip(np.maximum(centre + half, p), 0, 1)


def _student(p: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    count = np.sum(~np.isnan(p), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(p, axis=0) / count
        variance = np.nansum(np.square(p - mean), axis=0) / (count - 1)
        mean = np.where(count > 0, mean, np.nan)
        variance = np.where(count > 1, variance, np.nan)
        t = stats.t.ppf(0.5 + confidence / 2, np.maximum(count - 1, 1))
        half = t * np.sqrt(variance / count)
    return mean, np.clip(mean - half, 0, 1), np.clip(mean + half, 0, 1)
