"""A curve made ready: checked, levels without data left out, its likelihood built, its weaknesses named."""

from dataclasses import dataclass, replace

import numpy as np

from harness.analysis.axis import Axis, make_axis
from harness.analysis.checks import MIN_LEVELS, check_axis, check_curve, check_options
from harness.analysis.counts import count_likelihood
from harness.analysis.likelihood import Likelihood
from harness.analysis.replicates import MeanLikelihood, mean_likelihood, single_likelihood
from harness.analysis.segmentation import cut_curve, most_drawn
from harness.analysis.shapes import Shapes
from harness.analysis.templates import paired_changes, single_changes
from harness.errors import CurveError
from harness.types import AnalysisOptions, CountCurve, Curve, Floats, Ints, SequenceCurve

FEW = 10  # sequences: with fewer a bootstrap interval is too short, so none is given
LEAST_DISCREPANCY = 0.1  # of min_change: the s.d. of p that a shape need not match
SHAPE_DISCREPANCY = 0.03  # of the size of the curve: real rises are not exactly logistic
INFORMATIVE = 0.1  # difference in failure rate along the curve that is pointed out


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """What the mean of a curve can be: bounds, and the prior of a plateau."""

    low: float
    high: float
    centre: float
    spread: float


PROBABILITY = Values(0.0, 1.0, 0.5, 0.4)  # the normal prior is nearly flat over [0, 1]
EXCESS = Values(-1.0, 1.0, 0.0, 0.4)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A curve with its axis and likelihood. `level` leaves out what was never measured."""

    curve: Curve  # without empty levels
    level: Floats  # all levels asked for
    axis: Axis
    mean: Floats  # (n_levels,) of the curve without empty levels
    likelihood: Likelihood
    values: Values
    misfit: float  # chi2 per degree of freedom of the best shape, at least 1; noise is widened by it
    sampled: bool  # whether sequences can be resampled for an interval
    warnings: tuple[str, ...]


def prepare(curve: Curve, options: AnalysisOptions) -> Prepared:
    """Check a curve of probabilities or counts and build what is needed to judge it."""
    check_options(options)
    check_curve(curve)
    check_axis(curve, options)
    if isinstance(curve, CountCurve):
        return _prepare_counts(curve, options)
    return prepare_sequences(replace(curve, p=np.clip(curve.p, 0, 1)), options, PROBABILITY)


def prepare_sequences(curve: SequenceCurve, options: AnalysisOptions, values: Values) -> Prepared:
    """Build what is needed to judge a table of values per sequence, already checked."""
    measured = ~np.isnan(curve.p)
    kept = np.flatnonzero(measured.any(axis=0))
    rows = np.flatnonzero(measured.any(axis=1))
    if len(kept) < MIN_LEVELS:
        raise CurveError(
            f"curve {curve.name!r}: {len(kept)} of {len(curve.level)} levels hold a measured value; "
            f"a transition needs at least {MIN_LEVELS}"
        )
    ids = tuple(curve.sequence_ids[i] for i in rows)
    full = SequenceCurve(curve.name, curve.level[kept], curve.p[np.ix_(rows, kept)], ids)
    axis = make_axis(full.level, options.axis)
    mean = np.nanmean(full.p, axis=0)
    identical = len(rows) > 1 and not np.any(np.nanmax(full.p, axis=0) - np.nanmin(full.p, axis=0) > 1e-12)
    likelihood = _sequence_likelihood(full, axis, mean, options, values)
    misfit = _misfit(likelihood, axis, options.sharp_width)
    return Prepared(
        curve=full,
        level=curve.level,
        axis=axis,
        mean=mean,
        likelihood=likelihood.tempered(misfit),
        values=values,
        misfit=misfit,
        sampled=len(rows) >= FEW and not identical,
        warnings=_sequence_warnings(curve, kept, rows, identical),
    )


def _prepare_counts(curve: CountCurve, options: AnalysisOptions) -> Prepared:
    axis = make_axis(curve.level, options.axis)
    mean = curve.successes / curve.trials
    joined = axis.binned(curve.successes.astype(np.float64)) / axis.binned(curve.trials.astype(np.float64))
    likelihood = count_likelihood(curve, axis, _discrepancy(joined, options))
    return Prepared(curve, curve.level, axis, mean, likelihood, PROBABILITY, 1.0, False, ())


def _sequence_likelihood(
    curve: SequenceCurve, axis: Axis, mean: Floats, options: AnalysisOptions, values: Values
) -> MeanLikelihood:
    discrepancy = _discrepancy(axis.binned(mean), options)
    build = mean_likelihood if len(curve.p) > 1 else single_likelihood
    return build(curve, axis, discrepancy=discrepancy, centre=values.centre, spread=values.spread)


def _discrepancy(mean: Floats, options: AnalysisOptions) -> float:
    ranked = np.sort(mean)
    at = np.arange(len(mean))
    low, high = np.interp([0.05 * at[-1], 0.95 * at[-1]], at, ranked)  # np.quantile takes eight times as long
    return max(LEAST_DISCREPANCY * options.min_change, SHAPE_DISCREPANCY * float(high - low))


def _misfit(likelihood: MeanLikelihood, axis: Axis, sharp_width: float) -> float:
    """Return chi2 per degree of freedom of the best shape of one, two or more changes, at least 1."""
    ratios = []
    for shapes, parameters in (
        (single_changes(axis, sharp_width).shapes, 4),
        (paired_changes(axis).shapes, 7),
    ):
        if len(shapes.weights):
            misfit = likelihood.misfit(shapes.weights, likelihood.fit(shapes))
            ratios.append(float(misfit.min()) / max(len(axis.start) - parameters, 1))
    for cut in cut_curve(likelihood.segments(), 0):  # the draws only propose places
        n_changes = cut.start.shape[1]
        start = most_drawn(cut)
        run = np.searchsorted(start, np.arange(len(axis.start)), side="right")
        weights = (run == np.arange(n_changes + 1)[:, None]).astype(np.float64)[None]
        misfit = likelihood.misfit(weights, likelihood.fit(Shapes.of(weights)))
        ratios.append(float(misfit[0]) / max(len(axis.start) - 2 * n_changes - 1, 1))
    return max(1.0, min(ratios))


def _sequence_warnings(curve: SequenceCurve, kept: Ints, rows: Ints, identical: bool) -> tuple[str, ...]:
    found = []
    n_levels, n_rows = len(curve.level), len(rows)
    if len(rows) < len(curve.p):
        found.append(
            f"{len(curve.p) - n_rows} of {len(curve.p)} sequences hold no measured value and are left out"
        )
    if n_rows == 1:
        found.append(
            "one sequence only: no replicates, so noise is guessed from the curve and no interval is given"
        )
    elif n_rows < FEW:
        found.append(f"{n_rows} sequences only: no interval is given below {FEW}")
    if identical:
        found.append(
            "all sequences are identical: nothing is known of how sequences differ, so no interval is given"
        )
    if len(kept) < n_levels:
        empty = [float(x) for x in np.delete(curve.level, kept)[:5]]
        found.append(
            f"{n_levels - len(kept)} of {n_levels} levels hold no measured value, the first at {empty!r}"
        )
    missing = np.isnan(curve.p[np.ix_(rows, kept)]).mean(axis=0)
    third = max(len(missing) // 3, 1)
    growth = float(missing[-third:].mean() - missing[:third].mean())
    if abs(growth) > INFORMATIVE:
        word = "grow" if growth > 0 else "fall"
        found.append(
            f"missing values {word} along the curve, from {missing[:third].mean():.0%} to "
            f"{missing[-third:].mean():.0%}: a change may be one of which sequences are left"
        )
    return tuple(found)
