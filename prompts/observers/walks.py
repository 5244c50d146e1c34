"""Observers of a random walk on a graph: what was next to what, and where words can stand on a known graph."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.errors import SpecError
from harness.prompts.graphs import orbits
from harness.prompts.observers.counts import prior_weight
from harness.types import Floats, Ints

MOST_PLACEMENTS = 2**17  # of 200 walks on a 5 x 5 grid none needed more, of 40 on a 6 x 6 grid four


def undirected(symbols: Ints, n_symbols: int, *, alpha: float = 0.5) -> Floats:
    """Predict from how often two symbols stood next to each other, in either order.

    p(a | last i) is (n_ia + n_ai + alpha) over its sum: `ngram` of k = 2 for one
    who knows that a step can be retraced. The first two symbols are uniform.
    """
    prior = prior_weight("undirected", alpha)
    law = np.full((symbols.size + 1, n_symbols), 1 / n_symbols)
    seen = np.full((n_symbols, n_symbols), prior)
    for t, (i, j) in enumerate(pairwise(symbols.tolist()), start=2):
        seen[i, j] += 1
        seen[j, i] += 1
        law[t] = seen[j] / seen[j].sum()
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
    seen, rows = np.zeros((n_symbols, n_symbols)), np.zeros((n_symbols, n_symbols))
    for t, (i, j) in enumerate(pairwise(symbols.tolist()), start=2):
        seen[i, j] += 1
        seen[j, i] += 1
        rows[i], rows[j] = seen[i] / seen[i].sum(), seen[j] / seen[j].sum()
        mixed = seen[j] + prior + expected * (rows[j] @ rows @ rows)
        law[t] = mixed / mixed.sum()
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
    groups = orbits(kernel)  # a start stands for all starts that symmetries lead it to
    starts = np.array([group[0] for group in groups])
    log_p = np.log([group.size for group in groups])
    node_of = np.full((starts.size, n), -1, np.int16)  # (n_ways, n_symbols), -1: not seen yet
    node_of[:, symbols[0]] = starts
    word_at = np.full((starts.size, n), n, np.int16)  # (n_ways, n_nodes), n: nobody yet
    word_at[np.arange(starts.size), starts] = symbols[0]
    law[1] = _next_word(kernel[starts], word_at, log_p)
    for t, (i, j) in enumerate(pairwise(symbols.tolist()), start=2):
        steps = kernel[node_of[:, i]]  # (n_ways, n_nodes)
        is_new = bool(node_of[0, j] < 0)
        if is_new:
            way, node = np.nonzero((steps > 0) & (word_at == n))
        else:
            way = np.flatnonzero(steps[np.arange(len(steps)), node_of[:, j]])
            node = node_of[way, j]
        if not 0 < way.size <= most:
            break
        log_p = log_p[way] + np.log(steps[way, node])
        if is_new or way.size < len(node_of):
            node_of, word_at = node_of[way], word_at[way]
            node_of[:, j] = node
            word_at[np.arange(way.size), node] = j
        law[t] = _next_word(kernel[node], word_at, log_p)
    return law


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
