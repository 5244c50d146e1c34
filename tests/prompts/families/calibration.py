"""How well an ideal observer's probabilities agree with what came."""

import math
from collections.abc import Iterable

import numpy as np

from harness.types import Sequence


def standard_score(sequences: Iterable[Sequence]) -> float:
    """How often the likeliest symbol of the ideal observer came beyond expectation, in standard deviations.

    Over sequences drawn under the observer's own prior the sum of hit - p is a
    martingale whose variance is the sum of p (1 - p).
    """
    surprise = variance = 0.0
    for sequence in sequences:
        law = sequence.observers[sequence.ideal][:-1]
        p = law.max(axis=1)
        surprise += float(((sequence.symbols == law.argmax(axis=1)) - p).sum())
        variance += float(np.sum(p * (1 - p)))
    return surprise / math.sqrt(variance)
