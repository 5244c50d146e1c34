"""What the outcomes told so far say of every change on the planner's grid, calls at one level not independent.

With n calls at a level the variance is phi = 1 + (n - 1) icc times the binomial
one: the double-binomial likelihood of `counts`, summed over a few correlations,
so that neither an interval nor the choice of the next level believes that
many calls at one level say as much as calls at many.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from harness.analysis.planner_grid import Grid
from harness.types import Floats, Ints

ICC = (0.004, 0.02, 0.06, 0.15)  # the least allows for curves that no shape of the grid matches to 0.03
ICC_PRIOR = (0.55, 0.24, 0.14, 0.07)  # as `counts` has it, correlations that are near each other joined
P_NONE = 0.5  # prior of a curve that does not change


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """A posterior over changes and constants; both tables together sum to one."""

    change: Floats  # (n_shapes, n_pairs), float32
    constant: Floats  # (n_constants,)

    @property
    def none(self) -> float:
        """Return the probability that the curve does not change."""
        return float(self.constant.sum())


class Posterior:
    """Counts per level and the belief they lead to; the same calls in another order lead to the same belief."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        shapes, pairs = grid.rise.shape[0], len(grid.before)
        self.k, self.n = (np.zeros(grid.rise.shape[1]) for _ in range(2))
        self._norm = np.zeros((len(ICC), len(self.n)))
        self._log_change = np.zeros((len(ICC), shapes, pairs), dtype=np.float32)
        self._log_constant = np.zeros((len(ICC), len(grid.constant)))
        prior = np.log(1 - P_NONE) + grid.log_prior - np.log(pairs)
        self._log_prior = prior.astype(np.float32)[:, None]
        self.belief = self._belief()
        self.icc = np.asarray(ICC_PRIOR)  # posterior of the correlations

    def tell(self, i: int, k: float, n: float) -> None:
        """Add n calls at level i, k of them successes."""
        k_before, n_before = self.k[i], self.n[i]
        self.k[i] += k
        self.n[i] += n
        tables = [self._grid.p(i), self._grid.constant]
        logs = [(np.log(p), np.log1p(-p)) for p in tables]
        for j, icc in enumerate(ICC):
            now, before = _phi(self.n[i], icc), _phi(n_before, icc)
            hits = np.float32(self.k[i] / now - k_before / before)
            misses = np.float32((self.n[i] - self.k[i]) / now - (n_before - k_before) / before)
            self._log_change[j] += hits * logs[0][0] + misses * logs[0][1]
            self._log_constant[j] += hits * logs[1][0] + misses * logs[1][1]
            self._norm[j, i] = _normaliser(self.k[i], self.n[i], now)
        self.belief = self._belief()

    def information(self, waiting: Ints) -> Floats:
        """Return how many independent calls one more at each level is worth: shape (n_levels,), at most 1.

        `waiting` calls per level are asked and not told yet.
        """
        n = (self.n + waiting)[:, None]
        gain = (n + 1) / _phi(n + 1, np.asarray(ICC)) - n / _phi(np.maximum(n, 1), np.asarray(ICC))
        return np.asarray(gain @ self.icc)

    def _belief(self) -> Belief:
        norm = self._norm.sum(axis=1) + np.log(ICC_PRIOR)
        norm = (norm - norm.max()).astype(np.float32)
        constants = self._log_constant.shape[1]
        change = self._log_change + (self._log_prior + norm[:, None, None])
        constant = self._log_constant + norm[:, None] + np.log(P_NONE / constants)
        top = max(float(change.max()), float(constant.max()))
        change -= np.float32(top)
        np.exp(change, out=change)
        constant = np.exp(constant - top)
        each = change.sum(axis=(1, 2), dtype=np.float64) + constant.sum(axis=1)
        total = float(each.sum())
        self.icc = each / total
        return Belief(change.sum(axis=0) / np.float32(total), constant.sum(axis=0) / total)


def location_interval(grid: Grid, belief: Belief, confidence: float) -> tuple[float, float]:
    """Return the central interval of the location on the axis, given a change; at least the gap it lies in."""
    mass = grid.cell @ belief.change.sum(axis=1, dtype=np.float64)
    total = np.concatenate([[0.0], np.cumsum(mass / mass.sum())])
    tail = (1 - confidence) / 2
    low, middle, high = np.interp([tail, 0.5, 1 - tail], total, grid.edges)
    x = grid.axis.x[grid.asked]
    right = int(np.clip(np.searchsorted(x, middle, side="right"), 1, len(x) - 1))
    return float(min(low, x[right - 1])), float(max(high, x[right]))


def _phi(n: Floats | float, icc: Floats | float) -> Floats:
    return np.asarray(1 + (np.maximum(n, 1.0) - 1) * icc)


def _normaliser(k: float, n: float, phi: Floats) -> float:
    """Return what the double-binomial likelihood (Efron 1986) adds at a level, the same for every curve."""
    if n == 0:
        return 0.0
    share = k / n
    saturated = xlogy(k, share) + xlogy(n - k, 1 - share)
    return float((1 - 1 / phi) * saturated - np.log(phi) / 2)
