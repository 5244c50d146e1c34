"""Curves of known truth for the tests of the analyzer."""

import numpy as np

from harness.types import CountCurve, Floats, SequenceCurve


def levels(n: int) -> Floats:
    return np.arange(n, dtype=np.float64)


def logistic(x: Floats, location: float, width: float, low: float, high: float) -> Floats:
    """Width is from 10 to 90 %; 0 for a step."""
    if width == 0:
        return np.where(x > location, high, low)
    return np.asarray(low + (high - low) / (1 + np.exp(-(x - location) * 2 * np.log(9) / width)))


def counts(
    p: Floats, n: int, rng: np.random.Generator, *, icc: float = 0.0, x: Floats | None = None
) -> CountCurve:
    """Binomial counts, or beta-binomial ones with an intra-class correlation."""
    p = p if icc == 0 else rng.beta(p * (1 / icc - 1), (1 - p) * (1 / icc - 1))
    trials = np.full(len(p), n, dtype=np.int64)
    return CountCurve("counts", levels(len(p)) if x is None else x, rng.binomial(trials, p), trials)


def sequences(p: Floats, x: Floats | None = None, name: str = "sequences") -> SequenceCurve:
    """A table of probabilities as a curve."""
    ids = tuple(f"s{i}" for i in range(len(p)))
    return SequenceCurve(name, levels(p.shape[1]) if x is None else x, np.asarray(p, dtype=np.float64), ids)


def replicates(p: Floats, n: int, rho: float, rng: np.random.Generator) -> SequenceCurve:
    """Probabilities whose mean is p, with AR(1) noise and a level of their own."""
    noise = np.empty((n, len(p)))
    noise[:, 0] = rng.standard_normal(n)
    for t in range(1, len(p)):
        noise[:, t] = rho * noise[:, t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(n)
    room = np.minimum(p, 1 - p)
    return sequences(p + 0.5 * room * np.tanh(0.6 * noise + 0.4 * rng.standard_normal((n, 1))))
