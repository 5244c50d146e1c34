"""Which observers a model's predictions are a mixture of, at each context length."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import rel_entr

from harness.cognitive.behaviour import rows_of_law
from harness.cognitive.simplex import best_weights, excess, unresolved
from harness.errors import SpecError
from harness.types import Bools, Floats, Ints

_GAP = 1e-12  # nats a symbol that the mean KL may exceed its minimum by: weights to about 1e-6
_RESAMPLED_GAP = 1e-9  # the same, of resampled sequences, whose weights need be right to 1e-4 only
_SAME = (
    1e-6  # relative difference of laws below which observers count as one: printed probabilities have as many
)


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """The mixture of observers nearest to a model, at each context length."""

    observers: tuple[str, ...]
    context_lengths: Ints  # (n_lengths,), ascending
    weights: Floats  # (n_lengths, n_observers), rows on the simplex
    low: Floats  # (n_lengths, n_observers), of the bootstrap interval; 0 where not determined
    high: Floats  # (n_lengths, n_observers); 1 where not determined
    determined: Bools  # (n_lengths, n_observers), False where other weights explain the model as well
    divergence: Floats  # (n_lengths,), mean KL(model || mixture) over sequences, nats
    alone: Floats  # (n_lengths, n_observers), mean KL(model || observer); inf where it excludes what the model says
    gap: Floats  # (n_lengths,), nats that the divergence is above its minimum at most (KKT)
    resampled: Floats  # (draws, n_lengths, n_observers), weights of resampled sequences


def mixture_weights(
    model_law: Floats,
    bank: Mapping[str, Floats],
    *,
    context_lengths: Ints,
    rng: np.random.Generator,
    draws: int = 300,
    confidence: float = 0.95,
) -> Mixture:
    """Find the convex combination of observers that best explains a model, at each context length by itself.

    `model_law` and each observer of `bank` have shape (n_sequences, n_lengths,
    n_symbols), one row at each of `context_lengths`; NaN rows of the model were
    not measured. The weights minimise the mean over sequences of KL(model ||
    sum of weight_k observer_k), which is convex; `gap` bounds what is left.

    The intervals are percentiles over resampled whole sequences: a sequence
    keeps all its context lengths. Where observers say the same (all are uniform
    before the first symbol), their weights are shared evenly, marked as not
    determined, and the interval is 0..1.

    Raises SpecError where shapes differ, rows are no laws, or the model puts mass
    on a symbol that every observer excludes: then a uniform observer is wanted.
    """
    names, lengths = tuple(bank), np.asarray(context_lengths, np.int64)
    if draws < 1 or not 0 < confidence < 1:
        raise SpecError(f"draws={draws!r} must be at least 1 and confidence={confidence!r} in 0..1")
    model = _checked(model_law, lengths)
    laws = _stacked(bank, model)
    times = _resampled(len(model), draws, rng)
    resampled = np.empty((draws, lengths.size, len(names)))
    levels = []
    for i, length in enumerate(lengths.tolist()):
        level = _Level(model[:, i], laws[:, i], length)
        resampled[:, i] = best_weights(level.counts(times), level.rows, gap=_RESAMPLED_GAP)
        levels.append(level)
    weights = np.stack([level.weights for level in levels])
    determined = np.stack([level.determined for level in levels])
    low, high = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return Mixture(
        observers=names,
        context_lengths=lengths,
        weights=weights,
        low=np.where(determined, np.minimum(low, weights), 0),
        high=np.where(determined, np.maximum(high, weights), 1),
        determined=determined,
        divergence=np.array([level.divergence(level.weights) for level in levels]),
        alone=np.array([[level.divergence(one) for one in np.eye(len(names))] for level in levels]),
        gap=np.array([level.gap for level in levels]),
        resampled=resampled,
    )


class _Level:
    """The problem at one context length: the model's laws (n_sequences, n_symbols) and the observers'."""

    def __init__(self, model: Floats, laws: Floats, length: int) -> None:
        self.measured = model.any(axis=1)
        if not self.measured.any():
            raise SpecError(f"context length {length}: no sequence was measured; leave it out")
        self.model, self.rows = model, laws.reshape(-1, laws.shape[-1])
        count = self.counts(np.ones((1, len(model))))
        if np.any(self.rows[count[0] > 0].max(axis=1) <= 0):
            raise SpecError(
                f"context length {length}: the model puts mass on a symbol that every observer excludes; "
                "add an observer that excludes none, e.g. the uniform law"
            )
        w = best_weights(count, self.rows, gap=_GAP)
        self.weights, self.gap = w[0], float(excess(w, count, self.rows)[0])
        self.determined = unresolved(w[0], count[0], self.rows, tolerance=_SAME) < _SAME

    def counts(self, times: Floats) -> Floats:
        """Return the laws weighted by how often each sequence was drawn: (draws, n_sequences * n_symbols).

        A draw without a sequence that was measured here takes all of them.
        """
        times = np.where((times @ self.measured)[:, None] > 0, times, 1)
        count = (times[:, :, None] * self.model).reshape(len(times), -1)
        return np.asarray(count / count.sum(axis=1, keepdims=True))

    def divergence(self, weights: Floats) -> float:
        """Return the mean over measured sequences of KL(model || mixture)."""
        mixture = (self.rows @ weights).reshape(self.model.shape)
        return float(rel_entr(self.model, mixture).sum() / self.measured.sum())


def _resampled(n_sequences: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return how often each sequence is drawn: (draws, n_sequences)."""
    share = np.full(n_sequences, 1 / n_sequences)
    return rng.multinomial(n_sequences, share, size=draws).astype(np.float64)


def _checked(model_law: Floats, lengths: Ints) -> Floats:
    shape = np.shape(model_law)
    if len(shape) != 3 or not shape[0] or lengths.shape != shape[1:2] or np.any(np.diff(lengths) <= 0):
        raise SpecError(
            f"model_law of shape {shape} must be (n_sequences, n_lengths, n_symbols), "
            f"with as many ascending context_lengths; got {lengths.tolist()!r}"
        )
    return rows_of_law(np.asarray(model_law, np.float64), "model_law")


def _stacked(bank: Mapping[str, Floats], model: Floats) -> Floats:
    """Return the observers' laws as (n_sequences, n_lengths, n_symbols, n_observers)."""
    if not bank:
        raise SpecError("the bank holds no observer")
    for name, law in bank.items():
        if np.shape(law) != model.shape:
            raise SpecError(f"observer {name!r} has shape {np.shape(law)}; the model {model.shape}")
    stacked = np.stack([rows_of_law(law, f"observer {name!r}") for name, law in bank.items()], axis=-1)
    unsaid = np.any(model, axis=2) & ~np.all(np.any(stacked, axis=2), axis=2)
    if unsaid.any():
        raise SpecError(f"an observer has no law at {int(unsaid.sum())} rows that the model was measured at")
    return stacked
