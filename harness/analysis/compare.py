"""Whether a model goes beyond an observer: a transition of the difference between the two."""

from dataclasses import replace

import numpy as np

from harness.analysis.checks import DEFAULTS, check_axis, check_options
from harness.analysis.evidence import weigh
from harness.analysis.pairing import paired
from harness.analysis.prepare import EXCESS, prepare_sequences
from harness.analysis.verdict import judge
from harness.types import AnalysisOptions, SequenceCurve, Transition


def beyond(
    curve: SequenceCurve, baseline: SequenceCurve, *, options: AnalysisOptions = DEFAULTS
) -> Transition:
    """Judge the excess p_model - p_baseline of each sequence, in [-1, 1], as a curve of its own.

    Only a rise of the excess to at least `min_change` above zero is a
    transition beyond the observer. Where the model is worse than the observer,
    or catches up with it, the verdict is "none", with a warning that says so;
    `lower` and `upper` are plateaus of the excess.

    Raises CurveError if the two share no sequences or too few levels.
    """
    check_options(options)
    mine, theirs = paired(curve, baseline)
    check_axis(mine, options)
    excess = replace(mine, name=f"{curve.name} - {baseline.name}", p=mine.p - theirs.p)
    prepared = prepare_sequences(excess, options, EXCESS)
    found = judge(prepared, weigh(prepared.likelihood, prepared.axis, options), options)
    left = len(curve.sequence_ids) - len(mine.sequence_ids)
    if left:
        said = f"{left} of {len(curve.sequence_ids)} sequences have no counterpart in {baseline.name!r}"
        found = replace(found, warnings=(*found.warnings, said))
    if found.p_none >= 0.5 or _rises_above(found, options.min_change):
        return found
    return _not_beyond(found, baseline.name)


def _rises_above(found: Transition, least: float) -> bool:
    """Return whether the excess rises by `least` to `least` or more, to within its fit."""
    if found.direction is not None and found.upper is not None:
        return found.direction == "increasing" and found.upper >= least
    fit = np.asarray(found.fit)
    rise = fit - np.minimum.accumulate(fit)
    return bool(np.any((rise >= least) & (fit >= least)))


def _not_beyond(found: Transition, baseline: str) -> Transition:
    """Return the verdict "none" for an excess that changes, but not upwards from the observer.

    The classes are changes beyond the observer, so the whole posterior is on none.
    """
    fit = found.fit
    where = "" if found.location is None else f", half-way at {found.location:.4g}"
    return Transition(
        curve=found.curve,
        verdict="none",
        p_none=1.0,
        p_gradual=0.0,
        p_sharp=0.0,
        p_multiple=0.0,
        options=found.options,
        warnings=(
            *found.warnings,
            f"the excess over {baseline!r} changes{where}, but the model is never beyond the observer by "
            f"min_change after a rise: the excess starts at {fit[0]:+.3f}, ends at {fit[-1]:+.3f} and is "
            f"between {min(fit):+.3f} and {max(fit):+.3f}; where it is negative the model is worse than the observer",
        ),
        fit=fit,
    )
