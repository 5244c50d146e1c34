"""The simulated law that the analyzer is held to: true curves, and what is measured of them.

Constant, drift (0.06 in all: no change worth the name), linear, logistic of width
0.13-0.80 of the range (gradual), 0.01-0.08 and exact steps (sharp), two steps
(multiple); amplitude 0.25-0.9, three in ten decreasing. Apart from these, because the
analyzer's shapes are not theirs: Gompertz's curve, with its long tail after or before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.types import CountCurve, SequenceCurve

Floats = NDArray[np.float64]
NULLS = ("constant", "drift")
CHANGES = ("linear", "wide", "mid", "narrow", "step", "two steps")
SKEWED = ("late tail", "early tail")
CLASS = {"constant": "none", "drift": "none", "linear": "gradual", "wide": "gradual", "mid": "gradual"}
CLASS |= {"narrow": "sharp", "step": "sharp", "two steps": "multiple"}
CLASS |= dict.fromkeys(SKEWED, "gradual")
WIDTHS = {"wide": (0.3, 0.8), "mid": (0.13, 0.3), "narrow": (0.01, 0.08), "step": (0.0, 0.0)}
WIDTHS |= dict.fromkeys(SKEWED, (0.13, 0.5))
PLACES = {"wide": (0.35, 0.65), "late tail": (0.2, 0.55), "early tail": (0.45, 0.8)}  # others (0.2, 0.8)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A true curve at levels 0, 1, ..., with its location and width where it has one change."""

    kind: str
    p: Floats
    location: float | None = None
    width: float | None = None


def draw_truth(kind: str, n_levels: int, rng: np.random.Generator) -> Truth:
    """Draw a true curve of one kind."""
    u: Floats = np.linspace(0, 1, n_levels)
    span = n_levels - 1
    amplitude = rng.uniform(0.25, 0.9)
    low = rng.uniform(0.02, 0.98 - amplitude)
    sign = -1.0 if rng.random() < 0.3 else 1.0
    if kind == "constant":
        return Truth(kind, np.full(n_levels, rng.uniform(0.05, 0.95)))
    if kind == "drift":
        return Truth(kind, rng.uniform(0.1, 0.9) + sign * rng.uniform(0.01, 0.06) * (u - 0.5))
    start = low if sign > 0 else low + amplitude
    if kind == "linear":
        return Truth(kind, start + sign * amplitude * u)
    if kind == "two steps":
        first, second = rng.uniform(0.15, 0.4), rng.uniform(0.6, 0.85)
        inside = ((u > first) & (u < second)).astype(np.float64)
        return Truth(kind, start + sign * amplitude * inside)
    width = float(rng.uniform(*WIDTHS[kind]))
    location = rng.uniform(*PLACES.get(kind, (0.2, 0.8)))
    if kind == "step":
        location = (np.floor(location * span) + 0.5) / span
        rise = (u > location).astype(np.float64)
    elif kind in SKEWED:
        side = 1.0 if kind == "late tail" else -1.0
        steepness = np.log(np.log(10) / -np.log(0.9)) / width
        tail = np.exp(-np.log(2) * np.exp(-side * steepness * (u - location)))
        rise = tail if kind == "late tail" else 1 - tail
    else:
        rise = 1 / (1 + np.exp(-(u - location) * 2 * np.log(9) / width))
    return Truth(kind, start + sign * amplitude * rise, location * span, width * span)


def draw_counts(truth: Truth, m: int, icc: float, rng: np.random.Generator) -> CountCurve:
    """Draw binomial counts, or beta-binomial ones with an intra-class correlation."""
    p = truth.p if icc == 0 else rng.beta(*(q * (1 / icc - 1) for q in (truth.p, 1 - truth.p)))
    n = np.full(len(p), m)
    return CountCurve(truth.kind, np.arange(len(p), dtype=np.float64), rng.binomial(n, p), n)


def draw_sequences(truth: Truth, n_sequences: int, rho: float, rng: np.random.Generator) -> SequenceCurve:
    """Draw probabilities whose mean is the truth: AR(1) noise and a random intercept, as wide as p allows."""
    n_levels = len(truth.p)
    noise = np.empty((n_sequences, n_levels))
    noise[:, 0] = rng.standard_normal(n_sequences)
    for t in range(1, n_levels):
        noise[:, t] = rho * noise[:, t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(n_sequences)
    shift = 0.4 * rng.standard_normal((n_sequences, 1))
    # Bounded, symmetric and within [0, 1]: the mean stays the truth, which logit noise would move.
    room = np.minimum(truth.p, 1 - truth.p)
    p = truth.p + 0.5 * room * np.tanh(0.6 * noise + shift)
    ids = tuple(f"s{i}" for i in range(n_sequences))
    return SequenceCurve(truth.kind, np.arange(n_levels, dtype=np.float64), p, ids)
