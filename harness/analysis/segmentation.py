"""Exact Bayesian segmentation: every way to cut a curve into runs of constant level, summed or drawn.

Forward sums over the last cut and backward draws, as in Fearnhead (2006),
"Exact and efficient Bayesian inference for multiple changepoint problems".
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from harness.analysis.likelihood import Likelihood, Segments
from harness.types import Floats, Ints

CHANGES_PRIOR = {2: 0.6, 3: 0.25, 4: 0.15}  # prior over the number of cuts, given two or more
DRAWS = 400  # segmentations drawn for each number of cuts
LEVELS_EACH = 5  # times that the levels of each are drawn
PRIOR_DRAWS = 8_000  # segmentations of the prior, to learn how often it meets a condition
PLATEAU = 16  # a plateau between two changes in one direction holds 1/16 of the bins, and at least 2


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Segmentations with one number of cuts, drawn from their posterior, with their levels."""

    log_evidence: float  # of this number of cuts, its prior not included
    start: Ints  # (n_draws, n_changes), first bin after each cut
    level: Floats  # (n_draws, n_changes + 1)


def forward(segments: Floats, n_changes: int) -> Floats:
    """Return log sums over all ways to cut bins 0..j into m + 1 runs: shape (n_changes + 1, n_bins) at [m, j]."""
    total = np.full((n_changes + 1, len(segments)), -np.inf)
    total[0] = segments[0]
    for m in range(1, n_changes + 1):
        # The last run is i..j and the m runs before it end at i - 1.
        joint = total[m - 1, :-1, None] + segments[1:, :]
        top = np.max(joint, axis=0)
        safe = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(divide="ignore"):
            total[m] = safe + np.log(np.sum(np.exp(joint - safe), axis=0))
    return total


def log_ways(n_bins: int, n_changes: int) -> float:
    """Return log of the number of ways to place `n_changes` cuts between `n_bins` bins."""
    return float(gammaln(n_bins) - gammaln(n_changes + 1) - gammaln(n_bins - n_changes))


def draw_cuts(segments: Segments, total: Floats, n_changes: int, rng: np.random.Generator) -> Cuts:
    """Draw segmentations with `n_changes` cuts from their posterior, and the level of each run."""
    bins = len(segments.log_evidence)
    start = np.zeros((DRAWS, n_changes), dtype=np.int64)
    end = np.full(DRAWS, bins - 1)
    for m in range(n_changes, 0, -1):
        score = total[m - 1, :-1][None, :] + segments.log_evidence[1:, :].T[end]
        gumbel = rng.gumbel(size=score.shape)
        start[:, m - 1] = 1 + np.argmax(score + gumbel, axis=1)
        end = start[:, m - 1] - 1
    start = np.repeat(start, LEVELS_EACH, axis=0)
    first = np.concatenate([np.zeros((len(start), 1), dtype=np.int64), start], axis=1)
    last = np.concatenate([start - 1, np.full((len(start), 1), bins - 1)], axis=1)
    level = segments.mean[first, last] + segments.sd[first, last] * rng.standard_normal(first.shape)
    evidence = segments.log_prior + float(total[n_changes, -1]) - log_ways(bins, n_changes)
    return Cuts(evidence, start, level)


def cut_curve(likelihood: Likelihood, rng: np.random.Generator) -> list[Cuts]:
    """Segment a curve with each number of cuts it has room for, under each setting of the noise."""
    found = []
    for segments in likelihood.segments():
        most = min(max(CHANGES_PRIOR), len(segments.log_evidence) - 1)
        total = forward(segments.log_evidence, most)
        found += [draw_cuts(segments, total, m, rng) for m in CHANGES_PRIOR if m <= most]
    return found


def most_drawn(cuts: Cuts) -> Ints:
    """Return the starts of the segmentation drawn most often: shape (n_changes,)."""
    unique, counts = np.unique(cuts.start, axis=0, return_counts=True)
    return np.asarray(unique[int(np.argmax(counts))])


def shortest_plateau(n_bins: int) -> int:
    """Return how many bins must lie between two changes in one direction."""
    return max(2, n_bins // PLATEAU)


def large_changes(start: Ints, level: Floats, least: float, n_bins: int) -> Ints:
    """Return how many changes of at least `least` each segmentation makes: (n_draws, ...) -> (n_draws,).

    Steps in one direction without a plateau between them are one change: they
    are how cuts imitate a slope.
    """
    short = np.diff(start, axis=1) < shortest_plateau(n_bins)
    steps = np.diff(level, axis=1)
    count = np.zeros(len(start), dtype=np.int64)
    current = steps[:, 0]
    for i in range(1, steps.shape[1]):
        joined = short[:, i - 1] & (np.sign(current) == np.sign(steps[:, i]))
        count += ~joined & (np.abs(current) >= least)
        current = np.where(joined, current, 0.0) + steps[:, i]
    return np.asarray(count + (np.abs(current) >= least))


def prior_shares(
    likelihood: Likelihood, n_bins: int, least: float, rng: np.random.Generator
) -> tuple[dict[int, float], float]:
    """Return how often the prior makes two large changes, per number of cuts, and no change at all with two cuts."""
    most = min(max(CHANGES_PRIOR), n_bins - 1)
    level = likelihood.prior_levels(rng, (PRIOR_DRAWS, most + 1))
    places = 1 + np.argpartition(rng.random((PRIOR_DRAWS, n_bins - 1)), most - 1, axis=1)[:, :most]
    twice = {}
    for m in range(min(CHANGES_PRIOR), most + 1):
        start = np.sort(places[:, :m], axis=1)
        twice[m] = float(np.mean(large_changes(start, level[:, : m + 1], least, n_bins) >= 2))
    return twice, float(np.mean(np.ptp(level[:, :3], axis=1) < least))
