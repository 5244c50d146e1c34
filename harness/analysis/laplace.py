"""Laplace's approximation to the evidence of shapes under counts, every correlation at once.

Each shape has a few plateaus, p = sum_k L_k w_k. The integral over the plateaus is
taken on their logits, at the mode of the correlation that explains the shape
best; the others are reached from there by one Newton step of the same quadratic.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from scipy.special import expit

from harness.analysis.shapes import Single, inverted
from harness.types import Floats, Ints

ITERATIONS = 4  # at most; plateaus pressed against 0 or 1 creep on, to no change of the evidence
STEP = 2.0  # longest move of a logit in one iteration
CONVERGED = 0.02  # twice the log density that one more iteration can gain, and that is added unseen
FARTHEST = 4.0  # log density a quadratic is trusted to predict without looking
RELEVANT = 6.0  # a shape this far below the best in log evidence is left where it is: e^-6 = 0.0025
EDGE = np.float32(1e-9)  # keeps p and 1 - p above zero

Entries = dict[tuple[int, int], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """The counts that each shape is fitted to, and how much they count under each setting of the noise."""

    k: Single  # (n, n_bins)
    n: Single  # (n, n_bins)
    inverse: Single | None  # (n_settings, n_bins), 1 / phi, of one curve; None if it is the same at all bins
    scale: Floats  # (n_settings, n), 1 / phi where it is

    def part(self, rows: Ints) -> "Data":
        """Return the data of some of the shapes."""
        return Data(self.k[rows], self.n[rows], self.inverse, self.scale[:, rows])

    def sums(self, values: Single | Floats) -> Floats:
        """Return sums over bins of values (n, n_bins) under each setting: (n_settings, n)."""
        if self.inverse is None:
            return np.asarray(np.einsum("nt->n", values) * self.scale)
        return np.asarray(self.inverse @ values.T)

    def products(self, a: Single | Floats, b: Single | Floats) -> Floats:
        """Return the same of a times b; a sum that einsum takes costs a third of one that numpy takes by rows."""
        if self.inverse is None:
            return np.asarray(np.einsum("nt,nt->n", a, b) * self.scale)
        return self.sums(a * b)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where each shape stands: evidence under each setting, and the Newton step to its own best setting's mode.

    Settings come first, so that arithmetic runs over shapes.
    """

    evidence: Floats  # (n_settings, n), gain included, priors of settings and normalisers not
    gain: Floats  # (n_settings, n), twice the log density that the quadratic still promises
    step: Floats  # (n_plateaus, n_settings, n)
    spread: Entries  # covariance of the logits, upper entries: (n_settings, n) each


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What Laplace's approximation found of some shapes."""

    score: Floats  # (n_settings, n), log evidence with the prior of the setting
    level: Floats  # (n_plateaus, n)
    covariance: dict[tuple[int, int], Floats]  # of the levels, upper entries: (n,) each


def look_closely(weights: Single, level: Single, data: Data, offset: Floats, first: Ints) -> Seen:
    """Climb from `level`, kept off 0 and 1 by half a trial, and sum over settings what is found there; as `climb`."""
    least = 0.5 / (np.sum(weights * data.n, axis=2) + 1)
    start = np.clip(level, least, 1 - least).astype(np.float64)
    logit, state = climb(weights, logit_of(start), data, offset, first)
    score = state.evidence + offset
    share = np.exp(score - log_sum(score))
    found = expit(logit)
    slope = found * (1 - found)
    covariance = {
        (a, b): sum(share * spread) * slope[a] * slope[b] for (a, b), spread in state.spread.items()
    }
    return Seen(score, found, covariance)


def climb(weights: Single, logit: Floats, data: Data, offset: Floats, first: Ints) -> tuple[Floats, State]:
    """Return the logits (n_plateaus, n) at the mode of each shape's best setting, and the state there.

    `logit` is where to start, `weights` (n_plateaus, n, n_bins). `offset` (n_settings, n) is
    what is added to the evidence of a setting. Shapes of several curves are
    done together, those of a curve next to each other, each from one of
    `first` on; those far below the best of their curve keep a coarser approximation.
    """
    logit = logit.copy()
    state = _look(weights, logit, data)
    every = np.arange(logit.shape[1])
    of = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(every))))
    for _ in range(ITERATIONS - 1):
        score = state.evidence + offset
        best = np.argmax(score, axis=0)
        top = score[best, every]
        near = top > (np.maximum.reduceat(top, first) - RELEVANT)[of]
        rows = np.flatnonzero((state.gain[best, every] > CONVERGED) & near)
        if not len(rows):
            break
        logit[:, rows] += np.clip(state.step[:, best[rows], rows], -STEP, STEP)
        if len(rows) == len(every):
            state = _look(weights, logit, data)
        else:
            _put(state, rows, _look(weights[:, rows], logit[:, rows], data.part(rows)))
    return logit, state


def _put(state: State, rows: Ints, new: State) -> None:
    state.evidence[:, rows], state.gain[:, rows], state.step[:, :, rows] = new.evidence, new.gain, new.step
    for pair, entry in new.spread.items():
        state.spread[pair][:, rows] = entry


def _look(weights: Single, logit: Floats, data: Data) -> State:
    """Evaluate density, gradient and Fisher information at the logits, under every setting.

    What is summed over bins is in single precision, p and 1 - p each by its own sum so that neither is a
    small difference; logarithms of counts in the thousands are then right to 0.005 in sum.
    """
    size = len(weights)
    level, rest = expit(logit), expit(-logit)
    slope = level * rest
    p = np.maximum(_mixture(weights, level), EDGE)
    q = np.maximum(_mixture(weights, rest), EDGE)
    objective = data.sums((np.log(p) * data.k + np.log(q) * (data.n - data.k)).astype(np.float64))
    objective += np.sum(np.log(slope), axis=0)
    v = 1 / (p * q)
    pull, inform = (data.k - data.n * p) * v, data.n * v
    gradient = np.empty((size, *objective.shape))
    h = {}
    for a in range(size):
        gradient[a] = slope[a] * data.products(weights[a], pull) + (rest[a] - level[a])
        scaled = weights[a] * inform
        for b in range(a, size):
            h[a, b] = slope[a] * slope[b] * data.products(scaled, weights[b])
        h[a, a] += 2 * slope[a]
    spread, log_det = inverted(h, size)
    step = np.zeros_like(gradient)
    for a, b in combinations_with_replacement(range(size), 2):
        step[a] += spread[a, b] * gradient[b]
        if a != b:
            step[b] += spread[a, b] * gradient[a]
    gain = np.sum(step * gradient, axis=0)
    evidence = objective + np.minimum(gain / 2, FARTHEST) - log_det / 2 + size / 2 * np.log(2 * np.pi)
    return State(evidence, gain, step, spread)


def _mixture(weights: Single, level: Floats) -> Single:
    """Return sum_k L_k w_k: (n, n_bins)."""
    single = level.astype(np.float32)[:, :, None]
    total = single[0] * weights[0]
    for a in range(1, len(weights)):
        total += single[a] * weights[a]
    return np.asarray(total)


def logit_of(p: Floats) -> Floats:
    """Return log odds."""
    return np.asarray(np.log(p) - np.log1p(-p))


def log_sum(score: Floats) -> Floats:
    """Return log of the sum of exponentials over the first axis."""
    top = score.max(axis=0)
    return np.asarray(top + np.log(sum(np.exp(score - top))))
