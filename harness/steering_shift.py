"""How far steering moves a curve: its half-way point N* between given asymptotes, its mean, and the law drawn over it.

Asymptotes are given, not fitted: a steered curve that levels off elsewhere would
otherwise have a half-way point of its own, which says nothing of a shift.
"""

import numpy as np
from scipy.special import expit

from harness.analysis.bootstrap import interval, resampling_weights
from harness.analysis.laws_belief import best_fit, joined, resampled, start_of
from harness.analysis.laws_curve import N_STAR, SLOPE, Design, fit_sets
from harness.errors import CurveError
from harness.types import AnalysisOptions, Bounded, Floats, SequenceCurve, SteeringLaw


def n_star(curve: SequenceCurve, asymptotes: tuple[float, float] | None) -> float | None:
    """Return where a curve is half-way between asymptotes by the belief law; None where it does not rise in range."""
    found = _fitted(curve, asymptotes)
    return None if found is None else float(np.exp(found[1][0, N_STAR]))


def n_star_shift(
    base: SequenceCurve,
    steered: SequenceCurve,
    asymptotes: tuple[float, float] | None,
    options: AnalysisOptions,
) -> Bounded | None:
    """Return N* of the steered curve less that of the base, in symbols, both resampled with the same sequences.

    None where either has no N* in its range, as where there are no asymptotes.
    """
    one, other = _fitted(base, asymptotes), _fitted(steered, asymptotes)
    if one is None or other is None:
        return None
    design, theta = one
    rng = np.random.default_rng(options.seed)
    again = np.split(resampled([base, steered], design, theta, rng), [len(base.level)], axis=1)
    stars = [
        np.exp(fit_sets(d, np.repeat(start, len(y), axis=0), y, None)[0][:, N_STAR])
        for (d, start), y in zip((one, other), again, strict=True)
    ]
    value = float(np.exp(other[1][0, N_STAR]) - np.exp(theta[0, N_STAR]))
    low, high = interval(stars[1] - stars[0], value, options.confidence, len(base.sequence_ids))
    return Bounded(value, float(low), float(high))


def law_mean(law: SteeringLaw, level: Floats, strength: float) -> Floats:
    """Return p of the joint law at each level, for one strength."""
    away = np.array(law.strength) - law.reference
    beta, slope, effect = law.beta.value, law.slope.value, law.effect.value
    k = int(np.argmin(np.where([n.value > 0 for n in law.n_star], np.abs(away), np.inf)))
    n_ref = law.n_star[k].value * max(1 - beta * effect * away[k] / slope, 1e-12) ** (-1 / beta)
    logit = slope * ((level / n_ref) ** beta - 1) / beta + effect * (strength - law.reference)
    return np.asarray(law.lower.value + (law.upper.value - law.lower.value) * expit(logit))


def mean_bounded(values: Floats, options: AnalysisOptions) -> Bounded:
    """Return the mean over sequences with its interval, a bootstrap of sequences."""
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return Bounded(float(np.mean(values)) if len(values) else float("nan"), -np.inf, np.inf)
    draws = resampling_weights(len(values), np.random.default_rng(options.seed)) @ values / len(values)
    mean = float(values.mean())
    low, high = interval(draws, mean, options.confidence, len(values))
    return Bounded(mean, float(low), float(high))


def _fitted(curve: SequenceCurve, asymptotes: tuple[float, float] | None) -> tuple[Design, Floats] | None:
    """Return the fit of a curve; None where it falls, or is half-way only beyond its levels."""
    if asymptotes is None:
        return None
    try:
        design, starts = start_of([curve], [0.0], asymptotes)
    except CurveError:  # too few sequences or levels
        return None
    theta, _ = best_fit(design, starts, joined([curve]))
    rises = theta[0, SLOPE] > 0 and np.exp(theta[0, N_STAR]) <= curve.level[-1]
    return (design, theta) if rises else None
