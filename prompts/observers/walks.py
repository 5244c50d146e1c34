"""Observers of a random walk on a graph: what was next to what, and where words can stand on a known graph."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from harness.errors import SpecError
from harness.prompts.graphs import orbits
from harness.prompts.observers.contexts import grouped, one_hot
from harness.prompts.observers.counts import prior_weight
from harness.types import Floats, Ints

_CHUNK = 2**18  # entries of the tables made at once: temporaries of 2 MB
MOST_PLACEMENTS = 2**17  # of 200 walks on a 5 x 5 grid none needed more, of 40 on a 6 x 6 grid four


def undirected(symbols: Ints, n_symbols: int, *, alpha: float = 0.5) -> Floats:
    """Predict from how often two symbols stood next to each other, in either order.

    p(a | last i) is (n_ia + n_ai + alpha) over its sum: `ngram` of k = 2 for one
    who knows that a step can be retraced. The first two symbols are uniform.
    """
    prior = prior_weight("undirected", alpha)
    law = np.full((symbols.size + 1, n_symbols), 1 / n_symbols)
    if symbols.size < 2:
        return law
    steps = np.stack([symbols[:-1], symbols[1:]], axis=1)
    beside = one_hot(steps[:, ::-1].reshape(1, -1), n_symbols)[
        :, :-1
    ]  # each step both ways, the last symbol behind
    seen = grouped(steps.reshape(1, -1), n_symbols).earlier(beside) + beside
    weights = seen[0, 1::2] + prior
    law[2:] = weights / weights.sum(axis=1, keepdims=True)
    return law


def neighbours(symbols: Ints, n_symbols: int, *, alpha: float = 0.5, weight: float = 1.0) -> Floats:
    """Predict as `undirected` does, with what is three steps away expected beside it.

    With R the rows of the counts n_ia + n_ai over their sums, p(a | last i) is
    (n_ia + n_ai + alpha + weight * (R R R)_ia) over its sum: symbols with one
    neighbour in common are expected to have others in common, as on grids and
    honeycombs. Two steps would not do: on a bipartite graph they lead back to the
    side where one stands. The first two symbols are uniform.
    """
    prior = prior_weight("neighbours", alpha)
    expected = prior_weight("neighbours", weight, name="weight")
    law = np.full((symbols.size + 1, n_symbols), 1 / n_symbols)
    counts = np.zeros((n_symbols, n_symbols))
    n_steps = max(1, _CHUNK // n_symbols**2)
    for first in range(0, symbols.size - 1, n_steps):
        i, j = symbols[first:-1][:n_steps], symbols[first + 1 :][:n_steps]
        step = np.arange(i.size)
        seen = np.empty((i.size, n_symbols, n_symbols))
        for after, a, b in zip(seen, i.tolist(), j.tolist(), strict=True):
            counts[a, b] += 1
            counts[b, a] += 1
            after[:] = counts
        rows = seen / np.maximum(seen.sum(axis=2, keepdims=True), 1)
        three_away = (rows[step, j][:, None] @ rows @ rows)[:, 0]
        mixed = seen[step, j] + prior + expected * three_away
        law[first + 2 : first + 2 + i.size] = mixed / mixed.sum(axis=1, keepdims=True)
    return law


def placement(symbols: Ints, kernel: Floats, *, most: int = MOST_PLACEMENTS) -> Floats:
    """Predict a walk on a known graph on which words stand at random, by Bayes' rule over all placements.

    `kernel` (n, n) has rows of the probabilities to step from node to node; the
    n symbols stand on the n nodes, each placement as probable as any other, and
    the walk begins at any node alike. The posterior is a sum over all ways to put
    the words seen so far on nodes such that every step is possible, each with the
    product of its steps; words not seen yet share what is left equally.

    Exact as long as at most `most` ways fit, those that a symmetry of the graph
    makes of one start being one. From the row where more
    fit, and from a step on that no placement allows, rows are those of `undirected`.
    """
    n = len(kernel)
    if symbols.size and not 0 <= symbols.min() <= symbols.max() < n:
        raise SpecError(f"observer placement: symbols {symbols.min()}..{symbols.max()} must be in 0..{n - 1}")
    law = undirected(symbols, n)
    if not symbols.size:
        return law
    starts, log_p = _starts(kernel.tobytes(), n)
    node_of = np.full((starts.size, n), -1, np.int16)  # (n_ways, n_symbols), -1: not seen yet
    node_of[:, symbols[0]] = starts
    word_at = np.full((starts.size, n), n, np.int16)  # (n_ways, n_nodes), n: nobody yet
    word_at[np.arange(starts.size), starts] = symbols[0]
    law[1] = _next_word(kernel[starts], word_at, log_p)
    is_new = np.zeros(symbols.size + 1, np.bool_)
    is_new[np.unique(symbols, return_index=True)[1]] = True
    is_new[-1] = True
    t = 1
    while t < symbols.size:
        if is_new[t]:
            way, node = np.nonzero((kernel[node_of[:, symbols[t - 1]]] > 0) & (word_at == n))
            if not 0 < way.size <= most:
                break
            log_p = log_p[way] + np.log(kernel[node_of[way, symbols[t - 1]], node])
            node_of, word_at = node_of[way], word_at[way]
            node_of[:, symbols[t]] = node
            word_at[np.arange(way.size), node] = symbols[t]
            law[t + 1] = _next_word(kernel[node], word_at, log_p)
            t += 1
            continue
        longest = max(1, _CHUNK // word_at.size)
        run = symbols[t - 1 : t + min(int(is_new[t:].argmax()), longest)]
        rows, log_p = _known_words(run, kernel, node_of, word_at, log_p)
        law[t + 1 : t + 1 + len(rows)] = rows
        if len(rows) < run.size - 1:
            break
        left = np.isfinite(log_p)
        node_of, word_at, log_p = node_of[left], word_at[left], log_p[left]
        t += len(rows)
    return law


@lru_cache(maxsize=4)
def _starts(kernel: bytes, n: int) -> tuple[Ints, Floats]:
    """Return one node of each orbit, which stands for all that symmetries lead it to, and the log of their number."""
    groups = orbits(np.frombuffer(kernel).reshape(n, n))
    return np.array([group[0] for group in groups]), np.log([group.size for group in groups])


def _known_words(
    run: Ints, kernel: Floats, node_of: NDArray[np.int16], word_at: NDArray[np.int16], log_p: Floats
) -> tuple[Floats, Floats]:
    """Return the law after each word of a run but the first, all seen before, and the log weights at the end.

    Rows end before the first step that no placement allows.
    """
    n = len(kernel)
    nodes = node_of[:, run]
    with np.errstate(divide="ignore"):
        log_steps = np.log(kernel[nodes[:, :-1], nodes[:, 1:]])
    log_run = np.cumsum(np.concatenate([log_p[:, None], log_steps], axis=1), axis=1)[
        :, 1:
    ]  # (n_ways, n_steps)
    top = log_run.max(axis=0)
    possible = np.isfinite(top)
    n_rows = top.size if possible.all() else int(possible.argmin())
    weight = np.exp(log_run[:, :n_rows] - top[:n_rows])
    nodes = nodes[:, 1 : n_rows + 1]
    seen = np.flatnonzero(node_of[0] >= 0)
    rows = np.zeros((n_rows, n))
    rows[:, seen] = np.einsum("wt,wtk->tk", weight, kernel[nodes[:, :, None], node_of[:, None, seen]])
    if seen.size < n:
        new = np.einsum("wt,wtk,wk->t", weight, kernel[nodes], (word_at == n).astype(np.float64))
        rows[:, node_of[0] < 0] = (new / (n - seen.size))[:, None]
    return rows / rows.sum(axis=1, keepdims=True), log_run[:, -1]


def _next_word(steps: Floats, word_at: NDArray[np.int16], log_p: Floats) -> Floats:
    """Return the law of the next word, from the law of the next node in each placement."""
    n = steps.shape[1]
    weight = np.exp(log_p - log_p.max())
    by_word = np.bincount(word_at.ravel(), (weight[:, None] * steps).ravel(), minlength=n + 1)
    unseen = np.ones(n, np.bool_)
    unseen[word_at[0][word_at[0] < n]] = False
    law = np.asarray(by_word[:n], np.float64)
    law[unseen] = by_word[n] / max(int(unseen.sum()), 1)
    return np.asarray(law / law.sum())
