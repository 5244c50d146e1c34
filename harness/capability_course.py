"""Hidden capability over training: when capability and behaviour come, and the lead, over trials and over seeds."""

import re
from collections.abc import Sequence

import numpy as np

from harness.analysis.checks import DEFAULTS
from harness.analysis.learning import lead, learning_times
from harness.conditions import MIN_LEVELS
from harness.model_names import step_of
from harness.types import Bounded, Floats
from harness.types.capability import (
    Capability,
    CapabilityCourse,
    CapabilityReading,
    CapabilitySeeds,
    CapabilitySeries,
    Gap,
    TrialLead,
)
from harness.types.whitebox import WhiteBoxResult

_RESAMPLES = 1000


def course_of(
    step: Sequence[int],
    readings: Sequence[CapabilityReading],
    gaps: Sequence[Gap],
    *,
    threshold: float,
    consecutive: int = 3,
    smoothing: float = 1.5,
) -> CapabilityCourse:
    """Return one seed over training, a reading and its gap a checkpoint; times as `learning_time` gives them.

    The capability is what the best of naive prompting, over-prompting and latent
    intervention gives, chosen at each checkpoint on the other trials; the
    behaviour is naive prompting.
    """
    steps = np.asarray(step, dtype=np.float64)
    able, does = (np.stack(rows) for rows in ([r.able for r in readings], [r.naive for r in readings]))
    rows = np.random.default_rng(DEFAULTS.seed).integers(able.shape[1], size=(_RESAMPLES, able.shape[1]))
    rows = np.vstack([np.arange(able.shape[1]), rows])  # the trials as they are, then resampled
    capability, behaviour = (
        learning_times(
            steps,
            scores[:, rows].mean(axis=2).T,
            threshold=threshold,
            consecutive=consecutive,
            smoothing=smoothing,
        )
        for scores in (able, does)
    )
    return CapabilityCourse(
        step=steps,
        readings=tuple(readings),
        gaps=tuple(gaps),
        threshold=threshold,
        capability=None if np.isnan(capability[0]) else float(capability[0]),
        behaviour=None if np.isnan(behaviour[0]) else float(behaviour[0]),
        lead=_trial_lead(capability, behaviour, float(steps[-1])),
    )


def capability_seeds(results: Sequence[WhiteBoxResult]) -> tuple[CapabilitySeeds, ...]:
    """Return every training series that was measured at three checkpoints or more, with its seeds, task by task.

    Series whose names differ in numbers alone are seeds of each other.
    """
    groups: dict[tuple[str, str], list[CapabilitySeries]] = {}
    for one in _series_in(results):
        groups.setdefault((re.sub(r"\d+", "#", one.series), one.title), []).append(one)
    return tuple(map(seeds_of, groups.values()))


def seeds_of(series: Sequence[CapabilitySeries]) -> CapabilitySeeds:
    """Return seeds with the lead over them: octaves by which capability comes before behaviour, seeds resampled.

    Without seeds that are able at step 0: nothing can be said to come before it.
    """
    timed = [one.course for one in series if one.course.lead is not None]
    if not timed:
        return CapabilitySeeds(tuple(series), None, 0, len(series))
    last = min(float(course.step[-1]) for course in timed)
    found = lead([c.capability for c in timed], [c.behaviour for c in timed], last=last)
    assert found is not None, "each of them has a capability"
    over = Bounded(found.mean, found.low, found.high)
    return CapabilitySeeds(tuple(series), over, found.bounds, len(series) - found.seeds)


def _series_in(results: Sequence[WhiteBoxResult]) -> list[CapabilitySeries]:
    groups: dict[tuple[str, str], dict[int, Capability]] = {}
    for result in results:
        named, found = step_of(result.model), result.findings.get("capability")
        if named is not None and isinstance(found, Capability):
            groups.setdefault((named[0], result.title), {})[named[1]] = found
    return [
        _series(*name, dict(sorted(by_step.items())))
        for name, by_step in groups.items()
        if len(by_step) >= MIN_LEVELS
    ]


def _series(name: str, title: str, by_step: dict[int, Capability]) -> CapabilitySeries:
    last = by_step[max(by_step)]
    course = course_of(
        list(by_step),
        [found.reading for found in by_step.values()],
        [found.gap for found in by_step.values()],
        threshold=last.threshold,
        consecutive=last.consecutive,
        smoothing=last.smoothing,
    )
    return CapabilitySeries(name, title, last, course)


def _trial_lead(capability: Floats, behaviour: Floats, last: float) -> TrialLead | None:
    """Return the lead of the first times, with the quantiles of the other ones; NaN is never.

    None where the capability never comes, or at step 0, before which nothing can
    be; resamples in which it does so are left out and counted.
    """
    comes = capability > 0
    if not comes[0]:
        return None
    octaves = np.log2(np.where(np.isnan(behaviour), last, behaviour)[comes] / capability[comes])
    tail = (1 - DEFAULTS.confidence) / 2
    low, high = np.quantile(octaves[1:], [tail, 1 - tail]) if len(octaves) > 1 else (np.nan, np.nan)
    bound, without = bool(np.isnan(behaviour[0])), float(np.mean(~comes[1:]))
    return TrialLead(float(octaves[0]), float(low), float(high), bound, without)
