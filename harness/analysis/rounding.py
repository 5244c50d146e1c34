"""Sums of probabilities as whole counts, for what judges counts."""

import numpy as np

from harness.types import Floats, Ints


def whole_counts(k: Floats, seed: int) -> Ints:
    """Return sums of probabilities as whole numbers, up or down in proportion: shape (n_levels,).

    floor(k + u), u uniform: the mean is k, and given k no whole number of that
    mean varies less, so the variance is at most that of one draw per probability.
    """
    u = np.random.Generator(np.random.Philox(key=seed)).random(len(k))
    return np.asarray(np.floor(k + u * (k != np.floor(k))), dtype=np.int64)
