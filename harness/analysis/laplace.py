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
    inverse: (
        Single | None
    )  # (n_bins, n_settings), 1 / phi, of one curve; None if settings differ by a factor only
    scale: Floats  # (n, n_settings), 1 / phi where they do

    def part(self, rows: Ints) -> "Data":
        """Return the data of some of the shapes."""
        return Data(self.k[rows], self.n[rows], self.inverse, self.scale[rows])

    def sums(self, values: Single | Floats) -> Floats:
        """Return sums over bins of values (n, n_bins) under each setting: (n, n_settings)."""
        if self.inverse is None:
            return np.asarray(np.sum(values, axis=1)[:, None] * self.scale)
        return np.asarray(values @ self.inverse)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where each shape stands: evidence under each setting, and the Newton step to its own best setting's mode."""

    evidence: Floats  # (n, n_settings), gain included, priors of settings and normalisers not
    gain: Floats  # (n, n_settings), twice the log density that the quadratic still promises
    step: Floats  # (n_plateaus, n, n_settings)
    spread: Entries  # covariance of the logits, upper entries: (n, n_settings) each


def climb(weights: Single, logit: Floats, data: Data, offset: Floats, first: Ints) -> tuple[Floats, State]:
    """Return the logits (n_plateaus, n) at the mode of each shape's best setting, and the state there.

    `logit` is where to start, `weights` (n_plateaus, n, n_bins). `offset` (n, n_settings) is
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
        best = np.argmax(score, axis=1)
        top = score[every, best]
        near = top > (np.maximum.reduceat(top, first) - RELEVANT)[of]
        rows = np.flatnonzero((state.gain[every, best] > CONVERGED) & near)
        if not len(rows):
            break
        logit[:, rows] += np.clip(state.step[:, rows, best[rows]], -STEP, STEP)
        if len(rows) == len(every):
            state = _look(weights, logit, data)
        else:
            _put(state, rows, _look(weights[:, rows], logit[:, rows], data.part(rows)))
    return logit, state


def _put(state: State, rows: Ints, new: State) -> None:
    state.evidence[rows], state.gain[rows] = new.evidence, new.gain
    state.step[:, rows] = new.step
    for pair, entry in new.spread.items():
        state.spread[pair][rows] = entry


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
    objective += np.sum(np.log(slope), axis=0)[:, None]
    v = 1 / (p * q)
    pull, inform = (data.k - data.n * p) * v, data.n * v
    gradient = np.empty((size, *objective.shape))
    h = {}
    for a in range(size):
        gradient[a] = slope[a, :, None] * data.sums(weights[a] * pull) + (rest - level)[a, :, None]
        scaled = weights[a] * inform
        for b in range(a, size):
            h[a, b] = (slope[a] * slope[b])[:, None] * data.sums(scaled * weights[b])
        h[a, a] += 2 * slope[a, :, None]
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
