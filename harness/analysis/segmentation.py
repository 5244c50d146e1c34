"""Exact Bayesian segmentation: every way to cut a curve into runs of constant level, summed or drawn.

Forward sums over the last cut and backward draws, as in Fearnhead (2006),
"Exact and efficient Bayesian inference for multiple changepoint problems".
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from harness.analysis.likelihood import LevelPrior, Segments, logsumexp
from harness.types import Floats, Ints

CHANGES_PRIOR = {2: 0.6, 3: 0.25, 4: 0.15}  # prior over the number of cuts, given two or more
DRAWS = 128  # segmentations drawn for each number of cuts
LEVELS_EACH = 8  # times that the levels of each are drawn
PRIOR_DRAWS = 40_000  # segmentations of the prior, to learn how often it meets a condition
PLATEAU = 16  # a plateau between two changes in one direction holds 1/16 of the bins, and at least 2


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Segmentations with one number of cuts, drawn from their posterior, with their levels."""

    log_evidence: float  # of this number of cuts, settings of the noise summed, its prior not included
    start: Ints  # (n_draws, n_changes), first bin after each cut
    level: Floats  # (n_levels, n_draws, n_changes + 1), each draw with levels drawn several times


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Segmentations of several curves with one number of cuts."""

    log_evidence: Floats  # (n_curves,)
    start: Ints  # (n_curves, n_draws, n_changes)
    level: Floats  # (n_curves, n_levels, n_draws, n_changes + 1)

    def of_curve(self, index: int) -> Cuts:
        """Return the segmentations of one of the curves."""
        return Cuts(float(self.log_evidence[index]), self.start[index], self.level[index])


def forward(segments: Floats, n_changes: int) -> Floats:
    """Return log sums over all ways to cut bins 0..j into m + 1 runs, at [m, s, j].

    `segments` is (n_settings, n_bins, n_bins), the sums (n_changes + 1, n_settings, n_bins).
    """
    n_settings, n_bins, _ = segments.shape
    total = np.full((n_changes + 1, n_settings, n_bins), -np.inf)
    total[0] = segments[:, 0]
    for m in range(1, n_changes + 1):
        # The last run is i..j and the m runs before it end at i - 1.
        joint = total[m - 1, :, :-1, None] + segments[:, 1:, :]
        top = np.max(joint, axis=1)
        safe = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(divide="ignore"):
            total[m] = safe + np.log(np.sum(np.exp(joint - safe[:, None]), axis=1))
    return total


def log_ways(n_bins: int, n_changes: int) -> float:
    """Return log of the number of ways to place `n_changes` cuts between `n_bins` bins."""
    return float(gammaln(n_bins) - gammaln(n_changes + 1) - gammaln(n_bins - n_changes))


def draw_cuts(segments: Segments, total: Floats, n_changes: int, seed: int) -> Drawn:
    """Draw segmentations with `n_changes` cuts from the posterior of each curve, and the level of each run.

    The random numbers depend on the seed and the number of cuts only, so that
    a curve gets the same answer whatever was analysed before it.
    """
    bins, curves = segments.log_evidence.shape[1], len(segments.settings)
    uniform, normal = _random(seed, n_changes)
    score = segments.log_prior + total[n_changes, :, -1]
    chosen = np.empty((curves, DRAWS), dtype=np.int64)
    evidence = np.empty(curves)
    first = 0
    for i, size in enumerate(segments.settings):
        mine = score[first : first + size]
        evidence[i] = logsumexp(mine) - log_ways(bins, n_changes)
        share = np.cumsum(np.exp(mine - mine.max()))
        chosen[i] = first + np.searchsorted(share / share[-1], uniform[:, 0])
        first += size
    setting = chosen.ravel()
    threshold = np.tile(uniform.T, (1, curves)).astype(np.float32)
    end = np.full(len(setting), bins - 1)
    start = np.zeros((n_changes, len(setting)), dtype=np.int64)
    for m in range(n_changes, 0, -1):
        # Draws that share setting and end share the law of the start; there are far fewer of those than of draws.
        key = setting * bins + end
        held = np.bincount(key) > 0
        one, last = np.divmod(np.flatnonzero(held), bins)
        member = (np.cumsum(held) - 1)[key]
        column = total[m - 1, one, :-1] + segments.log_evidence[one, 1:, last]
        below = np.cumsum(np.exp((column - column.max(axis=1)[:, None]).astype(np.float32)), axis=1)
        below /= below[:, -1:]
        start[m - 1] = 1 + np.count_nonzero(below[member] < threshold[m, :, None], axis=1)
        end = start[m - 1] - 1
    opens = np.concatenate([np.zeros((1, len(setting)), dtype=np.int64), start])
    closes = np.concatenate([start - 1, np.full((1, len(setting)), bins - 1)])
    at = (setting, opens, closes)
    mean, sd = (values[at].reshape(-1, curves, 1, DRAWS) for values in (segments.mean, segments.sd))
    level = mean + sd * normal[:, None]
    return Drawn(evidence, start.reshape(-1, curves, DRAWS).transpose(1, 2, 0), level.transpose(1, 2, 3, 0))


@lru_cache(maxsize=16)
def _random(seed: int, n_changes: int) -> tuple[Floats, Floats]:
    """Return uniform numbers (DRAWS, n_changes + 1), and normal ones (n_changes + 1, LEVELS_EACH, DRAWS)."""
    rng = np.random.default_rng([seed, n_changes])
    uniform = rng.random((DRAWS, n_changes + 1))
    normal = rng.standard_normal((DRAWS, LEVELS_EACH, n_changes + 1))
    return uniform, np.ascontiguousarray(normal.transpose(2, 1, 0))


def cut_curves(segments: Segments, seed: int) -> list[Drawn]:
    """Segment curves with each number of cuts they have room for."""
    most = min(max(CHANGES_PRIOR), segments.log_evidence.shape[1] - 1)
    total = forward(segments.log_evidence, most)
    return [draw_cuts(segments, total, m, seed) for m in CHANGES_PRIOR if m <= most]


def cut_curve(segments: Segments, seed: int) -> list[Cuts]:
    """Segment one curve."""
    return [drawn.of_curve(0) for drawn in cut_curves(segments, seed)]


def most_drawn(cuts: Cuts) -> Ints:
    """Return the starts of the segmentation drawn most often: shape (n_changes,)."""
    unique, counts = np.unique(cuts.start, axis=0, return_counts=True)
    return np.asarray(unique[int(np.argmax(counts))])


def shortest_plateau(n_bins: int) -> int:
    """Return how many bins must lie between two changes in one direction."""
    return max(2, n_bins // PLATEAU)


def large_changes(start: Ints, level: Floats, least: float, n_bins: int) -> Ints:
    """Return how many changes of at least `least` each segmentation makes: (..., n_changes + 1) -> (...).

    `start` (..., n_changes) may have fewer axes than the levels. Steps in one
    direction without a plateau between them are one change: they are how cuts
    imitate a slope.
    """
    least_run = shortest_plateau(n_bins)
    count = np.zeros(level.shape[:-1], dtype=np.int64)
    current = level[..., 1] - level[..., 0]
    for i in range(1, start.shape[-1]):
        step = level[..., i + 1] - level[..., i]
        joined = (start[..., i] - start[..., i - 1] < least_run) & (current * step > 0)
        count += ~joined & (np.abs(current) >= least)
        current = np.where(joined, current, 0.0) + step
    return np.asarray(count + (np.abs(current) >= least))


@lru_cache(maxsize=64)
def prior_shares(prior: LevelPrior, n_bins: int, least: float, seed: int) -> tuple[dict[int, float], float]:
    """Return how often the prior makes two large changes, per number of cuts, and no change at all with two cuts."""
    rng = np.random.default_rng(seed)
    most = min(max(CHANGES_PRIOR), n_bins - 1)
    level = prior.draw(rng, (PRIOR_DRAWS, most + 1))
    places = 1 + np.argpartition(rng.random((PRIOR_DRAWS, n_bins - 1)), most - 1, axis=1)[:, :most]
    twice = {}
    for m in range(min(CHANGES_PRIOR), most + 1):
        start = np.sort(places[:, :m], axis=1)
        twice[m] = float(np.mean(large_changes(start, level[:, : m + 1], least, n_bins) >= 2))
    return twice, float(np.mean(np.ptp(level[:, :3], axis=1) < least))
