"""What a regression model predicts and holds inside: predictions, states, and the mixture of ideal predictors it is.

A prediction after k examples is one number, and does not tell with which
weights it mixes the bases. As a function of the query it does: the same
examples are followed by many queries, and the model's answers are explained by
those of the ideal predictor of each basis.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.local_models.recipes._regression_predictors import Bases, coefficients
from harness.types import Floats

if TYPE_CHECKING:
    import torch

    from harness.local_models.regression_model import RegressionModel

_ROWS = 512  # sequences of one pass


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """The mixture of ideal predictors that a model's answers are nearest to, by sequence and number of examples."""

    weights: Floats  # (n_sequences, n_lengths, n_bases), each >= 0, sum 1
    explained: Floats  # (n_lengths,), share of the answers' mean square that the mixture explains, at most 1


def predicted(model: "RegressionModel", x: Floats, y: Floats) -> Floats:
    """Return the model's prediction of each y from what comes before it: (n_sequences, examples)."""
    import torch

    with torch.inference_mode():
        parts = [model(*pair).double().cpu().numpy() for pair in _passes(model, x, y)]
    return np.concatenate(parts)


def states(model: "RegressionModel", x: Floats, y: Floats, *, example: int) -> NDArray[np.float32]:
    """Return the residual stream after each block at x of this 0-based example: (n_blocks, n_sequences, width)."""
    import torch

    parts = []
    with torch.inference_mode(), _watched(model) as seen:
        for pair in _passes(model, x, y):
            model(*pair)
            parts.append(np.stack([s[:, 2 * example].float().cpu().numpy() for s in seen]))
            seen.clear()
    return np.concatenate(parts, axis=1)


def with_query(x: Floats, y: Floats, k: int, query: Floats) -> tuple[Floats, Floats]:
    """Return the first k examples of each sequence followed by this query, x (n, k + 1, d) and y (n, k + 1).

    `query` is (d,), the same for all, or (n, d). What stands as its y is never read.
    """
    last = np.broadcast_to(query, (len(x), x.shape[2]))[:, None]
    return np.concatenate([x[:, :k], last], axis=1), np.concatenate([y[:, :k], np.zeros((len(x), 1))], axis=1)


def implied_mixture(
    model: "RegressionModel", x: Floats, y: Floats, bases: Bases, noise: float, queries: Floats
) -> Implied:
    """Return the weights of the bases in the model's answers after k = 1..examples-1 examples of each sequence.

    The same `queries` (n_queries, dimensions) follow the k examples of every
    sequence; weights are those of the convex combination of the bases' ideal
    predictors that is nearest to the answers in squares. Of exact Bayes they
    are the posterior. At k = 0 all predictors say 0, and nothing is implied.
    """
    n, lengths = len(x), range(1, x.shape[1])
    ideal = coefficients(x, y, bases, noise)
    weights, explained = [], []
    for k in lengths:
        asked = with_query(
            np.repeat(x, len(queries), 0), np.repeat(y, len(queries), 0), k, np.tile(queries, (n, 1))
        )
        answers = predicted(model, *asked)[:, k].reshape(n, len(queries))
        each = np.einsum("nbr,mbr->nmb", ideal[:, k], queries[:, bases])
        mixture = nearest_mixture(each, answers)
        missed = answers - np.einsum("nmb,nb->nm", each, mixture)
        weights.append(mixture)
        explained.append(1 - np.square(missed).sum() / np.square(answers).sum())
    return Implied(np.stack(weights, axis=1), np.array(explained))


def nearest_mixture(each: Floats, answers: Floats) -> Floats:
    """Return the convex weights (n, n_bases) that take `each` (n, n_queries, n_bases) nearest to `answers`.

    Exact: least squares with sum 1 on every face of the simplex, the best of
    those whose weights are all at least 0. Where predictors coincide the weights
    are those of least norm on the face.
    """
    n, _, n_bases = each.shape
    gram = np.einsum("nmb,nmc->nbc", each, each)
    cross = np.einsum("nmb,nm->nb", each, answers)
    best, found = np.full(n, np.inf), np.zeros((n, n_bases))
    faces = chain.from_iterable(combinations(range(n_bases), size) for size in range(1, n_bases + 1))
    for face in map(list, faces):
        size = len(face)
        system = np.ones((n, size + 1, size + 1))  # Lagrange: the last row says that weights sum to 1
        system[:, :size, :size] = gram[:, face][:, :, face]
        system[:, size, size] = 0
        right = np.concatenate([cross[:, face], np.ones((n, 1))], axis=1)
        solved = np.einsum("nij,nj->ni", np.linalg.pinv(system, hermitian=True), right)[:, :size]
        weights = np.zeros((n, n_bases))
        weights[:, face] = solved
        lost = np.einsum("nb,nbc,nc->n", weights, gram, weights) - 2 * np.einsum("nb,nb->n", weights, cross)
        better = (solved >= -1e-12).all(axis=1) & (lost < best)
        best[better], found[better] = lost[better], weights[better]
    found = np.maximum(found, 0)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _passes(model: "RegressionModel", x: Floats, y: Floats) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
    import torch

    device = model.read_in.weight.device
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        yield tuple(torch.from_numpy(np.ascontiguousarray(a[rows])).float().to(device) for a in (x, y))  # type: ignore[misc]


@contextmanager
def _watched(model: "RegressionModel") -> "Iterator[list[torch.Tensor]]":
    """Collect what each block returns, in order."""
    from harness.local_models.whitebox.anatomy import stream

    seen: list[torch.Tensor] = []
    handles = [
        block.register_forward_hook(lambda _module, _args, output: seen.append(stream(output)))
        for block in model.body.layers
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
