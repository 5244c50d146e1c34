"""Whether a fitted curve explains the data: its deviance, against that of curves simulated from it and refitted.

Deviance against the saturated model with a parametric bootstrap, after Wichmann &
Hill (2001), Perception & Psychophysics 63. It costs a judgment for each simulated
curve, so it is done on request only.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import xlogy

from harness.types import CountCurve, Curve, Floats, SequenceCurve, Transition

EDGE = 1e-6  # a fit of exactly 0 or 1 makes any other outcome impossible; none is meant to
MISFIT = 0.01  # fit_p below which it is said


def with_goodness(
    curve: Curve, found: Transition, draws: int, refit: Callable[[Sequence[Curve]], list[Transition]]
) -> Transition:
    """Return the transition with `deviance` and `fit_p`, the share of simulated deviances that reach it.

    Counts are simulated as binomial: a small `fit_p` says that the shape is
    wrong or that the calls at one level are correlated. Sequences are simulated
    by drawing whole residual rows anew around the fit, which keeps their
    correlations. (1 + reached) / (1 + draws), so it is never 0.
    """
    rng = np.random.default_rng(found.options.seed)
    fit = np.asarray(found.fit)
    value = deviance(curve, fit)
    simulated = [_simulated(curve, fit, rng) for _ in range(draws)]
    others = [deviance(c, np.asarray(t.fit)) for c, t in zip(simulated, refit(simulated), strict=True)]
    p = (1 + sum(other >= value for other in others)) / (1 + draws)
    said = found.warnings
    if p < MISFIT:
        said = (*said, f"the fitted curve does not explain the data (deviance {value:.4g}, p = {p:.2g})")
    return replace(found, deviance=value, fit_p=p, warnings=said)


def deviance(curve: Curve, fit: Floats) -> float:
    """Return twice the log likelihood ratio of the saturated model to the fit, summed over levels.

    Binomial for counts, 2 sum k log(k / n p) + (n - k) log((n - k) / n (1 - p)).
    For sequences the squared distance of the mean from the fit in standard
    errors, levels taken singly; the simulated curves share their correlation.
    """
    p = np.clip(fit, EDGE, 1 - EDGE)
    if isinstance(curve, CountCurve):
        k, n = curve.successes, curve.trials
        return float(2 * np.sum(xlogy(k, k / (n * p)) + xlogy(n - k, (n - k) / (n * (1 - p)))))
    mean, error = _moments(curve)
    seen = np.isfinite(error) & (error > 0)
    return float(np.sum(np.square((mean - fit)[seen] / error[seen])))


def _moments(curve: SequenceCurve) -> tuple[Floats, Floats]:
    """Return the mean at each level and its standard error, NaN where fewer than two sequences were measured."""
    count = np.sum(~np.isnan(curve.p), axis=0)
    safe = np.maximum(count, 1)
    mean = np.nansum(curve.p, axis=0) / safe
    square = np.nansum(np.square(curve.p - mean), axis=0) / np.maximum(count - 1, 1)
    return mean, np.where(count > 1, np.sqrt(square / safe), np.nan)


def _simulated(curve: Curve, fit: Floats, rng: np.random.Generator) -> Curve:
    if isinstance(curve, CountCurve):
        return replace(curve, successes=rng.binomial(curve.trials, np.clip(fit, 0, 1)))
    mean, _ = _moments(curve)
    rows = rng.integers(len(curve.p), size=len(curve.p))
    return replace(curve, p=np.clip(curve.p[rows] - mean + fit, 0, 1))
