"""The belief law as a function of its parameters, and its fit to many data sets at once.

Bigelow et al. 2025 (arXiv 2511.00617): log-odds of a belief = a m + b + gamma N^(1 - alpha),
m the strength of steering and N the number of examples. b, gamma and alpha are not
identifiable as alpha goes to 1; the form used here has the same curves with
beta = 1 - alpha, N* = (-b / gamma)^(1 / beta) and slope = -b beta.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from harness.types import Bools, Floats

N_STAR, SLOPE, BETA, LOWER, UPPER, EFFECT, INTERACTION = range(7)  # columns of a table of parameters
BETAS = (0.01, 2.0)  # .01 is the law in ln N to within 5 % over a factor of 10^4
SLOPE_MOST = 200.0  # a step between neighbouring levels that are 5 % apart
BEYOND = 3.0  # N* is looked for up to e^3 = 20 times beyond the levels
ITERATIONS = 80
TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Where each value was measured, and which parameters are free."""

    level: Floats  # (n_values,), N >= 0
    strength: Floats  # (n_values,), m - reference
    free: tuple[int, ...]
    bounds: Floats  # (7, 2) of every parameter


def make_design(level: Floats, strength: Floats, free: tuple[int, ...]) -> Design:
    """Set the bounds: N* as its logarithm, asymptotes as lower and as the share of the rest that upper is."""
    positive = np.log(level[level > 0])
    reach = positive.min() - BEYOND, positive.max() + BEYOND
    wide = (-1e3, 1e3)
    bounds = [reach, (-SLOPE_MOST, SLOPE_MOST), BETAS, (0, 1), (0, 1), wide, wide]
    return Design(level, strength, free, np.array(bounds, dtype=np.float64))


def evaluate(design: Design, theta: Floats) -> tuple[Floats, Floats]:
    """Return p and its derivatives: (n_sets, 7) -> (n_sets, n_values), (n_sets, n_values, n_free)."""
    log_n, slope, beta, lower, share, effect, mixed = (theta[:, [i]] for i in range(7))
    with np.errstate(divide="ignore"):
        r = np.log(design.level) - log_n
    power = np.exp(np.minimum(beta * r, 50.0))  # 0 at N = 0
    g = (power - 1) / beta
    m = design.strength
    q = expit(slope * g + m * (effect + mixed * g))
    span = share * (1 - lower)
    steep = span * q * (1 - q)
    strong = slope + m * mixed
    r0 = np.where(np.isfinite(r), r, 0.0)
    columns = {
        N_STAR: -steep * strong * power,
        SLOPE: steep * g,
        BETA: steep * strong * (r0 * power - g) / beta,
        LOWER: 1 - share * q,
        UPPER: (1 - lower) * q,
        EFFECT: steep * m,
        INTERACTION: steep * m * g,
    }
    return lower + span * q, np.stack([columns[i] for i in design.free], axis=-1)


def fit_sets(design: Design, start: Floats, y: Floats, trials: Floats | None) -> tuple[Floats, Floats]:
    """Fit every data set from its own start: (n_sets, 7), (n_sets, n_values) -> parameters, loss (n_sets,).

    Least squares of p; with `trials` (n_values,) maximum likelihood of binomial
    counts, the loss being the deviance up to a constant. Levenberg-Marquardt
    with Fisher's weights, all data sets side by side, steps cut at the bounds.
    """
    theta = start.copy()
    damping = np.full(len(theta), 1e-2)
    p, slopes = evaluate(design, theta)
    loss = _loss(p, y, trials)
    free = list(design.free)
    low, high = design.bounds[free].T
    active: Bools = np.ones(len(theta), dtype=bool)
    for _ in range(ITERATIONS):
        i = np.flatnonzero(active)
        if not i.size:
            break
        p, slopes = evaluate(design, theta[i])
        inside = np.clip(p, TINY, 1 - TINY)
        weight = np.ones_like(p) if trials is None else trials / (inside * (1 - inside))
        pull = np.matmul(((y[i] - p) * weight)[:, None, :], slopes)[:, 0, :]
        at = theta[i][:, free]
        stuck = ((at <= low) & (pull < 0)) | ((at >= high) & (pull > 0))
        slopes = np.where(stuck[:, None, :], 0.0, slopes)
        pull = np.where(stuck, 0.0, pull)
        curvature = np.matmul((slopes * weight[:, :, None]).transpose(0, 2, 1), slopes)
        own = np.einsum("bii->bi", curvature)
        ridge = damping[i, None] * own + 1e-9 * (1 + own.max(axis=1, keepdims=True))
        step = np.linalg.solve(curvature + ridge[:, :, None] * np.eye(len(free)), pull[:, :, None])[:, :, 0]
        trial = theta[i].copy()
        trial[:, free] = np.clip(at + step, low, high)
        new = _loss(evaluate(design, trial)[0], y[i], trials)
        better = new < loss[i]
        gain = np.where(better, loss[i] - new, 0.0)
        done = better & (gain <= 1e-9 * (np.abs(loss[i]) + TINY)) | (~better & (damping[i] > 1e6))
        theta[i[better]] = trial[better]
        loss[i[better]] = new[better]
        damping[i] = np.where(better, damping[i] / 4, damping[i] * 6)
        active[i[done]] = False
    return theta, loss


def _loss(p: Floats, y: Floats, trials: Floats | None) -> Floats:
    if trials is None:
        return np.asarray(np.sum((y - p) ** 2, axis=1))
    p = np.clip(p, TINY, 1 - TINY)
    return np.asarray(-2 * np.sum(trials * (y * np.log(p) + (1 - y) * np.log1p(-p)), axis=1))


def n_star_at(theta: Floats, strength: float) -> Floats:
    """Return N* at a strength (relative to the reference): (n_sets, 7) -> (n_sets,); 0 where already past half-way."""
    beta = theta[:, BETA]
    slope = theta[:, SLOPE] + theta[:, INTERACTION] * strength
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = 1 - beta * theta[:, EFFECT] * strength / slope
        log_ratio = np.where(inner > 0, np.log(np.maximum(inner, 0)) / beta, -np.inf)
    return np.asarray(np.exp(np.minimum(theta[:, N_STAR] + log_ratio, 700.0)))
