"""From posterior to verdict: the transition of one curve, and what must be said beside it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from harness.analysis.checks import DEFAULTS
from harness.analysis.counts import CountLikelihood
from harness.analysis.estimate import Estimate, estimate
from harness.analysis.evidence import DECIDED, Classes, Weighed, weigh
from harness.analysis.goodness import with_goodness
from harness.analysis.prepare import Prepared, prepare
from harness.analysis.scorings import logit_change
from harness.analysis.screen import screen
from harness.analysis.several import Several, locate_changes
from harness.analysis.templates import sharp_limit, singles_at
from harness.types import AnalysisOptions, Curve, Floats, Transition, Verdict

MISFIT = 3.0  # chi2 per degree of freedom above which "none" is not concluded
LOCATED = 0.5  # of the range: a location known no better than to half of it is not a place


def transitions(
    curves: Iterable[Curve], *, options: AnalysisOptions = DEFAULTS, goodness: int = 0
) -> list[Transition]:
    """Judge each curve by itself, whatever the others are. Raises CurveError for numbers that are not a curve.

    Counts at the same levels are screened together (`screen`): a curve that is
    plainly flat, or plainly neither flat nor not, is not looked at more closely,
    and its probabilities are those of the screen.

    With `goodness` above 0, that many curves are simulated from each fit and judged, for `deviance` and `fit_p`.
    """
    given = list(curves)
    found: list[Transition | None] = [None] * len(given)
    alike: dict[bytes, list[tuple[int, Prepared, CountLikelihood]]] = defaultdict(list)
    for i, curve in enumerate(given):
        prepared = prepare(curve, options)
        if isinstance(prepared.likelihood, CountLikelihood):
            alike[prepared.level.tobytes()].append((i, prepared, prepared.likelihood))
        else:
            found[i] = judge(prepared, weigh(prepared.likelihood, prepared.axis, options), options)
    for group in alike.values():
        for j, classes in screen([likelihood for _, _, likelihood in group], group[0][1].axis, options):
            i, prepared, _ = group[j]
            found[i] = judge(prepared, classes, options)
    judged = [one for one in found if one is not None]
    if not goodness:
        return judged
    refit = partial(transitions, options=options)
    return [with_goodness(c, t, goodness, refit) for c, t in zip(given, judged, strict=True)]


def transition(curve: Curve, *, options: AnalysisOptions = DEFAULTS, goodness: int = 0) -> Transition:
    """Judge one curve: whether it changes by `min_change`, where, how sharply, with what certainty.

    "sharp" is a tested claim: its posterior is at least 0.9, the upper bound of
    the width at `options.confidence` is at most `sharp_width` times the range,
    or two level spacings where levels are coarser (said in a warning), in p and
    in logit p (a step of logit p cannot be made by the scale), and its place is
    known to within half of the range. `goodness` as in `transitions`.
    Raises CurveError for numbers that are not a curve.
    """
    return transitions([curve], options=options, goodness=goodness)[0]


def judge(prepared: Prepared, weighed: Classes, options: AnalysisOptions) -> Transition:
    """Turn the posterior of a prepared curve into a transition.

    Where something changes, the posterior over shapes is needed too (`Weighed`).
    """
    verdict = _verdict(weighed)
    warnings = list(prepared.warnings)
    found: Estimate | None = None
    several: Several | None = None
    if verdict == "multiple" and isinstance(weighed, Weighed):
        several = locate_changes(prepared, weighed, options)
        if len(several.changes) < 2:
            several, verdict = None, "undetermined"
            warnings.append("a single change does not fit, but no second one of at least min_change is found")
    elif isinstance(weighed, Weighed) and weighed.changes_once:
        found = estimate(prepared, weighed, options)
        warnings += _edge_warnings(prepared, found)
    if prepared.misfit > MISFIT:
        warnings.append(
            f"no shape with up to four changes fits (chi2 per degree of freedom {prepared.misfit:.1f}): "
            "look at the curve itself"
        )
        verdict = "undetermined" if verdict == "none" else verdict
    if max(weighed.none, weighed.gradual, weighed.sharp, weighed.multiple) < DECIDED:
        warnings.append(_undetermined(weighed))
    if verdict == "sharp" and found is not None and isinstance(weighed, Weighed):
        reason = doubt(prepared, weighed, found, options)
        limit = sharp_limit(prepared.axis, found.at, options.sharp_width)
        if reason is not None:
            verdict = "undetermined"
            warnings.append(reason)
        elif limit > options.sharp_width * prepared.axis.range:
            warnings.append(
                "levels are too far apart to resolve the declared sharp width: "
                f"sharp means within two level spacings here ({limit:.4g} on the axis)"
            )
    return _assemble(prepared, weighed, options, verdict, found, several, tuple(warnings))


def doubt(prepared: Prepared, weighed: Weighed, found: Estimate, options: AnalysisOptions) -> str | None:
    """Return why a change that is most probably sharp is not called so, None if nothing speaks against it."""
    limit = sharp_limit(prepared.axis, found.at, options.sharp_width)
    if found.wide > limit * (1 + 1e-9):
        return f"sharpness is not shown: the width may reach {found.wide:.4g} on the axis where {limit:.4g} is allowed"
    if found.unlocated > LOCATED:
        return (
            "a sharp change is the most probable, but where is not known: the interval of its location "
            f"covers {found.unlocated:.0%} of the range, where {LOCATED:.0%} is allowed"
        )
    if prepared.values.low < 0:  # a difference of two probabilities has no logit
        return None
    in_logit = logit_change(prepared, weighed, options)
    if in_logit is None:
        return "sharp in p, but logit p does not show a single change: the sharpness may be the scale's doing"
    if not in_logit.sharp:
        wide = in_logit.width_high
        reach = "may be any" if wide is None else f"may reach {wide:.4g} levels"
        return f"sharp in p, but not shown in logit p, where the width {reach}: the sharpness may be the scale's doing"
    return None


def _verdict(weighed: Classes) -> Verdict:
    if weighed.none >= DECIDED:
        return "none"
    if weighed.gradual >= DECIDED:
        return "gradual"
    if weighed.sharp >= DECIDED:
        return "sharp"
    return "multiple" if weighed.multiple >= DECIDED else "undetermined"


def _assemble(
    prepared: Prepared,
    weighed: Classes,
    options: AnalysisOptions,
    verdict: Verdict,
    found: Estimate | None,
    several: Several | None,
    warnings: tuple[str, ...],
) -> Transition:
    fit = several.fit if several else _single_fit(prepared, weighed)
    blank = Transition(
        curve=prepared.curve.name,
        verdict=verdict,
        p_none=weighed.none,
        p_gradual=weighed.gradual,
        p_sharp=weighed.sharp,
        p_multiple=weighed.multiple,
        changes=several.changes if several else (),
        options=options,
        warnings=warnings,
        fit=tuple(_at_all_levels(prepared, fit).tolist()),
    )
    if several:
        return replace(blank, lower=float(fit.min()), upper=float(fit.max()))
    if found is None:
        return blank
    return replace(
        blank,
        location=found.location,
        location_low=found.location_low,
        location_high=found.location_high,
        width=found.width,
        width_low=found.width_low,
        width_high=found.width_high,
        lower=min(found.before, found.after),
        upper=max(found.before, found.after),
        resolution=found.resolution,
        direction="increasing" if found.after > found.before else "decreasing",
    )


def _single_fit(prepared: Prepared, weighed: Classes) -> Floats:
    """Return the most probable constant or single change at each level, its plateaus by least squares.

    Plateaus under the full covariance can lie off the points they describe.
    """
    if weighed.none >= 0.5 or not isinstance(weighed, Weighed):
        return np.full(len(prepared.mean), prepared.mean.mean())
    best = int(np.argmax(weighed.single_weight))
    rise = singles_at(prepared.axis.x, weighed.singles, best)
    shape = np.stack([1 - rise, rise])
    plateaus = np.linalg.lstsq(shape.T, prepared.mean, rcond=1e-6)[0]
    return np.asarray(np.clip(plateaus @ shape, prepared.values.low, prepared.values.high))


def _at_all_levels(prepared: Prepared, fit: Floats) -> Floats:
    """Return the fit at every level asked for, those without data included."""
    return np.interp(prepared.level, prepared.curve.level, fit)


def _undetermined(weighed: Classes) -> str:
    shares = {
        "none": weighed.none,
        "gradual": weighed.gradual,
        "sharp": weighed.sharp,
        "multiple": weighed.multiple,
    }
    first, second = sorted(shares, key=lambda name: -shares[name])[:2]
    return (
        f"undetermined between {first} ({shares[first]:.2f}) and {second} ({shares[second]:.2f}): "
        f"a verdict needs a posterior of {DECIDED}"
    )


def _edge_warnings(prepared: Prepared, found: Estimate) -> list[str]:
    axis, level = prepared.axis, prepared.curve.level
    said = []
    if found.at <= axis.x[1]:
        said.append(f"the change is at the edge: only level {float(level[0])!r} lies before it")
    elif not found.seen[0]:
        said.append(
            "the curve changes from the first level on: the plateau before the change is not observed"
        )
    if found.at >= axis.x[-2]:
        said.append(f"the change is at the edge: only level {float(level[-1])!r} lies after it")
    elif not found.seen[1]:
        said.append("the curve still changes at the last level: the plateau after the change is not observed")
    return said
