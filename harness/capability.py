"""What readings of hidden capability say: the gap of a checkpoint, and when capability and behaviour come."""

from collections.abc import Sequence

import numpy as np

from harness.analysis.learning import Lead, lead, learning_time, mean_interval
from harness.types import Bounded, Floats
from harness.types.capability import CapabilityCourse, CapabilityReading, Gap


def gap_of(reading: CapabilityReading) -> Gap:
    """Return the gaps of one checkpoint on its held-out trials, each with a bootstrap interval over trials."""
    means = reading.random.mean(axis=1)
    return Gap(
        latent=_bounded(reading.tuned - reading.naive),
        natural=_bounded(reading.natural - reading.naive),
        over=_bounded(reading.over - reading.naive),
        beyond_random=_bounded(reading.tuned - reading.random.mean(axis=0)),
        random_as_good=(int((means >= reading.tuned.mean()).sum()), len(means)),
    )


def course_of(
    step: Sequence[int],
    readings: Sequence[CapabilityReading],
    *,
    threshold: float,
    consecutive: int = 3,
    smoothing: float = 1.5,
) -> CapabilityCourse:
    """Return one seed over training; times as `learning_time` gives them.

    The capability is what the best of naive prompting, over-prompting and latent
    intervention gives, chosen at each checkpoint on the other trials; the
    behaviour is naive prompting.
    """
    steps = np.asarray(step, dtype=np.float64)
    able = np.array([r.able.mean() for r in readings])
    does = np.array([r.naive.mean() for r in readings])
    times = [
        learning_time(steps, x, threshold=threshold, consecutive=consecutive, smoothing=smoothing)
        for x in (able, does)
    ]
    gaps = tuple(map(gap_of, readings))
    return CapabilityCourse(steps, tuple(readings), gaps, threshold, times[0], times[1])


def lead_of(seeds: Sequence[CapabilityCourse]) -> Lead | None:
    """Return by how many octaves of training capability comes before behaviour, with a bootstrap over seeds."""
    last = min(float(seed.step[-1]) for seed in seeds)
    return lead([s.capability for s in seeds], [s.behaviour for s in seeds], last=last)


def _bounded(difference: Floats) -> Bounded:
    low, high = mean_interval(difference)
    return Bounded(float(difference.mean()), low, high)
