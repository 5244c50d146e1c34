"""The scaling of a critical context length with a size: T_c = A n^nu, with errors in T_c."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

from harness.analysis.checks import DEFAULTS, check_options
from harness.errors import CurveError
from harness.types import AnalysisOptions, Bounded, Floats, ScalingLaw

MIN_SIZES = 4  # two parameters and two degrees of freedom for the scatter
FEW_FREE = 3  # degrees of freedom below which the exponent's interval rests on very little


def scaling_law(
    size: Sequence[float] | Floats,
    low: Sequence[float] | Floats,
    value: Sequence[float] | Floats,
    high: Sequence[float] | Floats,
    *,
    options: AnalysisOptions = DEFAULTS,
) -> ScalingLaw:
    """Fit ln T_c = ln A + nu ln n + scatter + error.

    `low`, `value`, `high` are T_c of each size with its interval at
    `options.confidence`, such as a transition's location; equal ones mean that T_c
    is exact. The scatter of the true T_c about the law is
    estimated (random-effects regression by restricted maximum likelihood), and the
    intervals are Knapp & Hartung's (2003): Student's t with n - 2 degrees of freedom.

    Raises CurveError for sizes or T_c that are not positive, fewer than 4 sizes,
    and a T_c that was not reached (NaN or infinite): the sizes without one are the
    late ones, and a law of the others would be too flat.
    """
    check_options(options)
    n, lo, at, hi = _checked(size, low, value, high)
    z = stats.norm.ppf(0.5 + options.confidence / 2)
    centre = float(np.mean(np.log(n)))
    x, y = np.stack([np.ones(len(n)), np.log(n) - centre], axis=1), np.log(at)
    error = np.log(hi / lo) / (2 * z)
    scatter = _scatter(x, y, error)
    coefficient, spread = _weighted(x, y, error**2 + scatter**2)
    freedom = len(n) - 2
    t = stats.t.ppf(0.5 + options.confidence / 2, freedom)
    warnings = []
    if freedom < FEW_FREE:
        warnings.append(
            f"{len(n)} sizes leave {freedom} degrees of freedom: the interval is wide for that reason"
        )

    def of(combination: Floats) -> tuple[float, float, float]:
        value = float(combination @ coefficient)
        half = float(t * np.sqrt(combination @ spread @ combination))
        return value, value - half, value + half

    nu = Bounded(*of(np.array([0.0, 1.0])))
    factor = Bounded(*(float(np.exp(v)) for v in of(np.array([1.0, -centre]))))
    return ScalingLaw(nu, factor, scatter, len(n), tuple(warnings))


def _checked(*given: Sequence[float] | Floats) -> tuple[Floats, Floats, Floats, Floats]:
    n, low, value, high = (np.asarray(v, dtype=np.float64) for v in given)
    if n.ndim != 1 or not n.shape == low.shape == value.shape == high.shape:
        shapes = [v.shape for v in (n, low, value, high)]
        raise CurveError(
            f"size, low, value and high have shapes {shapes!r}; one dimension each, and as many of each"
        )
    for i in np.flatnonzero(~(np.isfinite(value) & np.isfinite(high))):
        raise CurveError(
            f"size {float(n[i])!r}: T_c was not reached (value {float(value[i])!r}, up to {float(high[i])!r}); measure "
            "longer contexts there, or leave out every larger size and state it: leaving out the late ones alone "
            "makes the law too flat"
        )
    for i in np.flatnonzero(~(np.isfinite(n) & (n > 0) & (low > 0) & (low <= value) & (value <= high))):
        raise CurveError(
            f"size {float(n[i])!r}: T_c {float(value[i])!r} in {float(low[i])!r}..{float(high[i])!r}; "
            "needed are a size above 0 and 0 < low <= value <= high"
        )
    if len(np.unique(n)) < MIN_SIZES:
        raise CurveError(f"sizes {n.tolist()!r}: a scaling law needs at least {MIN_SIZES} different ones")
    return n, low, value, high


def _weighted(x: Floats, y: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return weighted least squares and Knapp & Hartung's covariance, never below the nominal one."""
    weight = 1 / np.maximum(variance, 1e-24)
    nominal = np.linalg.inv(x.T @ (weight[:, None] * x))
    coefficient = nominal @ (x.T @ (weight * y))
    factor = float(np.sum(weight * (y - x @ coefficient) ** 2)) / (len(y) - x.shape[1])
    return coefficient, nominal * max(factor, 1.0 if np.all(variance > 1e-20) else factor)


def _scatter(x: Floats, y: Floats, error: Floats) -> float:
    """Return the restricted maximum likelihood estimate of the scatter's standard deviation."""
    spread = float(np.std(y - x @ np.linalg.lstsq(x, y, rcond=None)[0]))
    if spread == 0:
        return 0.0

    def loss(log_scatter: float) -> float:
        weight = 1 / (error**2 + np.exp(2 * log_scatter))
        gram = x.T @ (weight[:, None] * x)
        rest = y - x @ np.linalg.solve(gram, x.T @ (weight * y))
        return float(np.sum(weight * rest**2) - np.sum(np.log(weight)) + np.linalg.slogdet(gram)[1])

    found = optimize.minimize_scalar(loss, bounds=(np.log(spread) - 7, np.log(spread) + 2), method="bounded")
    return float(np.exp(found.x))
