"""The four algorithms of Competition Dynamics (Park et al. 2025) on many sequences at once, and a model beside them.

Retrieval weighs the chains of a library by what was seen, inference counts
anew; each does so from pairs of symbols or from symbols alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.local_models.recipe import Predict
from harness.local_models.recipes import _laws as laws
from harness.types import Floats, Ints

_SEQUENCES = 256  # of each kind


def predictions(sequences: Ints, library: Floats) -> Mapping[str, Floats]:
    """Return what each algorithm says of symbol n from the n before: (batch, length, n_symbols).

    `sequences` (batch, length) are drawn from chains whose first symbol is
    uniform, `library` is (chains, n_symbols, n_symbols). The four are as the
    paper has them, retrieval with equal prior weights and inference with
    Dirichlet(1).
    """
    m = library.shape[1]
    stationary = stationary_laws(library)
    last, length = sequences[:, :-1], sequences.shape[1]
    by_pair = np.zeros((len(sequences), length, len(library)))
    by_pair[:, 2:] = np.cumsum(np.log(library[:, last[:, :-1], last[:, 1:]]), axis=2).transpose(1, 2, 0)
    by_symbol = np.zeros_like(by_pair)
    by_symbol[:, 1:] = np.cumsum(np.log(stationary[:, last]), axis=2).transpose(1, 2, 0)

    bigram_retrieval = np.full((len(sequences), length, m), 1 / m)
    bigram_retrieval[:, 1:] = np.einsum("btn,nbtj->btj", _weights(by_pair[:, 1:]), library[:, last])
    return {
        "bigram retrieval": bigram_retrieval,
        "unigram retrieval": _weights(by_symbol) @ stationary,
        "bigram inference": _counted_pairs(sequences, m),
        "unigram inference": _counted(sequences, m),
    }


def stationary_laws(library: Floats) -> Floats:
    """Return the stationary law of each chain, (chains, n_symbols): the solution of pi T = pi, sum pi = 1."""
    m = library.shape[1]
    equations = library.transpose(0, 2, 1) - np.eye(m)
    equations[:, -1] = 1
    return np.asarray(
        np.linalg.solve(equations, np.broadcast_to(np.eye(m)[-1][:, None], (len(library), m, 1)))[..., 0]
    )


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a model of library chains is seen to do, on chains of the library and on new ones: a recipe's `measure`."""

    library: Floats  # (chains, n_symbols, n_symbols)
    length: int
    tokens: Callable[[Ints], Ints]  # sequences to tokens, BOS first; symbol i is token 2 + i

    def __call__(self, predict: Predict, rng: np.random.Generator) -> Mapping[str, Floats]:
        """Return p(target) and the mean divergence of each algorithm, at context lengths 0..length - 1."""
        known = self.library[rng.integers(len(self.library), size=_SEQUENCES)]
        new = rng.dirichlet(np.ones(known.shape[1]), size=known.shape[:2])
        rows: dict[str, Floats] = {}
        for kind, chains in (("library", known), ("new chains", new)):
            sequences = laws.walks(rng, chains, self.length)
            model = self._model(predict, sequences)
            target = np.take_along_axis(model, sequences[..., None], axis=-1)[..., 0]
            rows[f"{kind}: p(target)"] = target.mean(axis=0)
            for name, law in predictions(sequences, self.library).items():
                rows[f"{kind}: KL({name}, model)"] = divergence(law, model).mean(axis=0)
        return rows

    def _model(self, predict: Predict, sequences: Ints) -> Floats:
        logp = predict(self.tokens(sequences)[:, :-1]).astype(np.float64)[..., 2:]
        return np.asarray(np.exp(logp - np.logaddexp.reduce(logp, axis=-1, keepdims=True)))


def divergence(law: Floats, other: Floats) -> Floats:
    """Return KL(law, other) = sum of p ln(p / q) over the last axis, in nats."""
    return np.asarray(np.sum(law * (np.log(law) - np.log(other)), axis=-1))


def _weights(log_weight: Floats) -> Floats:
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def _counted(sequences: Ints, m: int) -> Floats:
    """Return (count + 1) / (n + m) before each symbol."""
    seen = np.cumsum(np.eye(m)[sequences], axis=1)
    before: Floats = np.concatenate([np.zeros_like(seen[:, :1]), seen[:, :-1]], axis=1) + 1
    return np.asarray(before / before.sum(axis=-1, keepdims=True))


def _counted_pairs(sequences: Ints, m: int) -> Floats:
    """Return (pairs + 1) / (times after + m) for the row of the symbol before each; the first symbol is uniform."""
    batch, length = sequences.shape
    counts = np.ones((batch, m, m))
    each = np.arange(batch)
    out = np.full((batch, length, m), 1 / m)
    for t in range(1, length):
        if t > 1:
            counts[each, sequences[:, t - 2], sequences[:, t - 1]] += 1
        row = counts[each, sequences[:, t - 1]]
        out[:, t] = row / row.sum(axis=-1, keepdims=True)
    return out
