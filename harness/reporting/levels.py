"""What a curve result says at each level, summed or averaged for tables and figures."""

from dataclasses import dataclass

import numpy as np

from harness.types import CountCurve, Curve, CurveResult, Floats, SequenceCurve, Transition


def mean_over_sequences(curve: Curve) -> Floats:
    """Return the mean p at each level over what was scored, NaN where nothing was; shape (n_levels,)."""
    if isinstance(curve, CountCurve):
        return curve.successes / curve.trials
    scored = np.isfinite(curve.p)
    n = scored.sum(axis=0)
    total = np.where(scored, curve.p, 0.0).sum(axis=0)
    mean = np.full(total.shape, np.nan)
    np.divide(total, n, out=mean, where=n > 0)
    return mean


def failures_per_level(result: CurveResult) -> Floats:
    """Return the failures of all kinds at each level, shape (n_levels,)."""
    total = np.zeros(len(result.curve.level))
    for per_level in result.failures.values():
        total += np.asarray(per_level, dtype=np.float64)
    return total


def fitted(result: CurveResult) -> Floats | None:
    """Return the fitted p at each level, shape (n_levels,), or None if the analyzer gave none for these levels."""
    fit = np.asarray(result.transition.fit, dtype=np.float64)
    return fit if fit.shape == result.curve.level.shape else None


def ideal_observer(result: CurveResult) -> tuple[str, SequenceCurve] | None:
    """Return the ideal observer, which is the first of the observers, or None if there are none."""
    return next(iter(result.observers.items()), None)


def ideal_transition(result: CurveResult) -> Transition | None:
    """Return the transition of the ideal observer, or None where it was not analysed."""
    ideal = ideal_observer(result)
    return None if ideal is None else result.observer_transitions.get(ideal[0])


def lowest_mass(result: CurveResult) -> tuple[float, float] | None:
    """Return the smallest captured mass and the context length it is at, or None if it is nowhere known."""
    if not np.isfinite(result.mass).any():
        return None
    at = int(np.nanargmin(result.mass))
    return float(result.mass[at]), float(result.curve.level[at])


@dataclass(frozen=True, slots=True)
class Place:
    """A half-way point with its interval, in symbols; the interval is the point where there is none."""

    value: float
    interval: tuple[float, float]


def half_way(result: CurveResult) -> Place | None:
    """Return where a curve is half-way: its transition's location, else the point its delay was read at."""
    return _place(result.transition, None if result.delay is None else result.delay.model_half)


def ideal_half_way(result: CurveResult) -> Place | None:
    """Return the same of the ideal observer."""
    return _place(ideal_transition(result), None if result.delay is None else result.delay.observer_half)


def _place(found: Transition | None, half: float | None) -> Place | None:
    if found is not None and found.location is not None:
        low = found.location if found.location_low is None else found.location_low
        high = found.location if found.location_high is None else found.location_high
        return Place(found.location, (low, high))
    return None if half is None else Place(half, (half, half))
