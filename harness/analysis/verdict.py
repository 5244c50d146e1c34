"""From posterior to verdict: the transition of one curve, and what must be said beside it."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from harness.analysis.checks import DEFAULTS
from harness.analysis.estimate import Estimate, estimate
from harness.analysis.evidence import Weighed, weigh
from harness.analysis.prepare import Prepared, prepare
from harness.analysis.several import Several, locate_changes
from harness.analysis.templates import sharp_limit, singles_at
from harness.types import AnalysisOptions, Curve, Floats, Transition, Verdict

MISFIT = 3.0  # chi2 per degree of freedom above which "none" is not concluded
DECIDED = 0.9  # posterior a class needs; right 96-100 % of the time in each cell of benchmarks/analyzer.py


def transitions(curves: Iterable[Curve], *, options: AnalysisOptions = DEFAULTS) -> list[Transition]:
    """Judge each curve by itself. Raises CurveError for numbers that are not a curve."""
    return [transition(curve, options=options) for curve in curves]


def transition(curve: Curve, *, options: AnalysisOptions = DEFAULTS) -> Transition:
    """Judge one curve: whether it changes by `min_change`, where, how sharply, with what certainty.

    "sharp" is a tested claim: its posterior is at least 0.9 and the upper bound
    of the width at `options.confidence` is at most `sharp_width` times the
    range, or two level spacings where levels are coarser (said in a warning).
    Raises CurveError for numbers that are not a curve.
    """
    prepared = prepare(curve, options)
    return judge(prepared, weigh(prepared.likelihood, prepared.axis, options), options)


def judge(prepared: Prepared, weighed: Weighed, options: AnalysisOptions) -> Transition:
    """Turn the posterior of a prepared curve into a transition."""
    verdict = _verdict(weighed)
    warnings = list(prepared.warnings)
    found: Estimate | None = None
    several: Several | None = None
    if verdict == "multiple":
        several = locate_changes(prepared, weighed, options)
        if len(several.changes) < 2:
            several, verdict = None, "undetermined"
            warnings.append("a single change does not fit, but no second one of at least min_change is found")
    elif weighed.gradual + weighed.sharp >= DECIDED:
        found = estimate(prepared, weighed, options)
        warnings += _edge_warnings(prepared, found)
    if prepared.misfit > MISFIT:
        warnings.append(
            f"no shape with up to four changes fits (chi2 per degree of freedom {prepared.misfit:.1f}): "
            "look at the curve itself"
        )
        verdict = "undetermined" if verdict == "none" else verdict
    if verdict == "undetermined" and weighed.multiple < DECIDED:
        warnings.append(_undetermined(weighed))
    if verdict == "sharp" and found is not None:
        limit = sharp_limit(prepared.axis, found.at, options.sharp_width)
        if found.wide > limit * (1 + 1e-9):
            verdict = "undetermined"
            warnings.append(
                f"sharpness is not shown: the width may reach {found.wide:.4g} on the axis where {limit:.4g} is allowed"
            )
        elif limit > options.sharp_width * prepared.axis.range:
            warnings.append(
                "levels are too far apart to resolve the declared sharp width: "
                f"sharp means within two level spacings here ({limit:.4g} on the axis)"
            )
    return _assemble(prepared, weighed, options, verdict, found, several, tuple(warnings))


def _verdict(weighed: Weighed) -> Verdict:
    if weighed.none >= DECIDED:
        return "none"
    if weighed.gradual >= DECIDED:
        return "gradual"
    if weighed.sharp >= DECIDED:
        return "sharp"
    return "multiple" if weighed.multiple >= DECIDED else "undetermined"


def _assemble(
    prepared: Prepared,
    weighed: Weighed,
    options: AnalysisOptions,
    verdict: Verdict,
    found: Estimate | None,
    several: Several | None,
    warnings: tuple[str, ...],
) -> Transition:
    fit = several.fit if several else _single_fit(prepared, weighed, changed=weighed.none < 0.5)
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
        fit=tuple(float(v) for v in _at_all_levels(prepared, fit)),
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
        direction="increasing" if found.after > found.before else "decreasing",
    )


def _single_fit(prepared: Prepared, weighed: Weighed, *, changed: bool) -> Floats:
    """Return the most probable constant or single change at each level, its plateaus by least squares.

    Plateaus under the full covariance can lie off the points they describe.
    """
    best = int(np.argmax(weighed.single_weight))
    singles, x = weighed.singles, prepared.axis.x
    rise = singles_at(x, singles, best)
    shape = np.stack([1 - rise, rise]) if changed else np.ones((1, len(x)))
    plateaus = np.linalg.lstsq(shape.T, prepared.mean, rcond=1e-6)[0]
    return np.asarray(np.clip(plateaus @ shape, prepared.values.low, prepared.values.high))


def _at_all_levels(prepared: Prepared, fit: Floats) -> Floats:
    """Return the fit at every level asked for, those without data included."""
    return np.interp(prepared.level, prepared.curve.level, fit)


def _undetermined(weighed: Weighed) -> str:
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
