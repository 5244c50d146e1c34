"""Resampling whole sequences: the mean curves that other draws of the same sequences would have given."""

import numpy as np
from scipy import stats

from harness.types import Floats

DRAWS = 300


def resampled_means(p: Floats, rng: np.random.Generator) -> Floats:
    """Return mean curves of sequences drawn with replacement: (n_sequences, n_levels) -> (DRAWS, n_levels)."""
    return weighted_means(p, resampling_weights(len(p), rng))


def resampling_weights(n_sequences: int, rng: np.random.Generator) -> Floats:
    """Return how often each sequence is drawn: shape (DRAWS, n_sequences)."""
    share = np.full(n_sequences, 1 / n_sequences)
    return rng.multinomial(n_sequences, share, size=DRAWS).astype(np.float64)


def weighted_means(p: Floats, weight: Floats) -> Floats:
    """Return mean curves under weights of the sequences; a level that lost all takes the mean of all."""
    measured = ~np.isnan(p)
    total = weight @ measured
    with np.errstate(invalid="ignore", divide="ignore"):
        means = weight @ np.nan_to_num(p) / total
    return np.asarray(np.where(total > 0, means, np.nanmean(p, axis=0)))


def interval(draws: Floats, point: float, confidence: float, n_sequences: int) -> tuple[float, float]:
    """Return the percentile interval, stretched about the point for the few sequences it rests on.

    The bootstrap's own variance is (S - 1) / S of the true one and its tails are
    normal; the stretch is that of Student's t with S - 1 degrees of freedom.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    ratio = float(stats.t.ppf(1 - tail, n_sequences - 1) / stats.norm.ppf(1 - tail))
    stretch = ratio * float(np.sqrt(n_sequences / (n_sequences - 1)))
    return min(point, point + stretch * (low - point)), max(point, point + stretch * (high - point))
