"""The cognitive models with parameter values to test them at, and the odds a test may fail by chance."""

import numpy as np

from harness.cognitive import (
    Alternation,
    CognitiveModel,
    DiscountedFilter,
    Markov,
    RepeatMixture,
    WindowAverage,
    bernoulli,
)
from harness.types import Floats, Ints

RARE = 1e-6  # odds that correct code fails a statistical test, were the seed drawn at random
FIVE = 4.9  # standard errors of those odds, two-sided
CONCEPTS = ((0, 1, 1),)

CASES: dict[str, tuple[CognitiveModel, list[float]]] = {
    "bernoulli": (bernoulli(), [0.7]),
    "markov 1": (Markov(1), [0.3, 0.6]),
    "markov 3": (Markov(3), [0.2, 0.7, 0.5, 0.9, 0.4, 0.35, 0.8, 0.15]),
    "window 5": (WindowAverage(), [5, 0.5, 0.1]),
    "window 10": (WindowAverage(), [10, 0.6, 0.3]),
    "alternation": (Alternation(), [0.6, 0.7]),
    "filter .9": (DiscountedFilter(), [0.9, 3.0, 1.0, 0.05]),
    "filter .4": (DiscountedFilter(), [0.4, 2.0, 2.0, 0.1]),
    "average": (RepeatMixture(CONCEPTS, "average"), [0.5, 0.9, 0.05]),
    "map": (RepeatMixture(CONCEPTS, "map"), [0.55, 0.9, 0.05]),
    "tempered": (RepeatMixture(CONCEPTS, "tempered"), [0.5, 0.9, 0.05, 3.0]),
}


def flips(seed: int, shape: tuple[int, int]) -> Ints:
    return np.random.default_rng(seed).integers(2, size=shape)


def law_of(name: str, symbols: Ints) -> Floats:
    model, values = CASES[name]
    return model.bind(symbols)(np.array(values, np.float64))


def beginnings(name: str, seed: int, n_sequences: int) -> Ints:
    """One flip to go on from, or for the repeat mixtures four that fit the concept."""
    if "random" not in [p.name for p in CASES[name][0].parameters]:
        return flips(seed, (n_sequences, 1))
    return np.tile(np.array([0, 1, 1, 0]), (n_sequences, 1))
