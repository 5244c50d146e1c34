"""The observer of a tree source: exact averaging over all context trees up to a depth."""

import math

import numpy as np

from harness.errors import SpecError
from harness.prompts.observers.contexts import Contexts, contexts, one_hot
from harness.prompts.observers.counts import prior_weight
from harness.types import Floats, Ints

_BLOCK = 2**15  # rows of law at a time: temporaries that stay in a processor's cache


def ctw(
    symbols: Ints,
    n_symbols: int,
    *,
    depth: int,
    past: Ints | tuple[int, ...] = (),
    stop: float = 0.5,
    alpha: float = 0.5,
) -> Floats:
    """Predict by context-tree weighting (Willems, Shtarkov & Tjalkens 1995), exactly.

    The hypotheses are all trees of contexts of at most `depth` symbols; the law
    of the next symbol depends on the leaf that the last symbols lead to and has
    prior Dirichlet(alpha), 1/2 being the Krichevsky-Trofimov estimator. A node
    above `depth` is a leaf with probability `stop`, whatever the number of
    symbols: a tree with l leaves above `depth` and i inner nodes has prior
    stop^l (1 - stop)^i. With 1/2 these are the weights of the paper. For more
    than two symbols others are in use (the Bayesian context trees of Kontoyiannis
    et al. 2022 stop with 1 - 2^(1 - n_symbols)).

    `past` holds the symbols before the first. Where fewer than `depth` are
    given, the context of the first symbols ends in a mark "before the start",
    which is a further symbol of contexts and never comes again.

    Returns the law at every prefix, (length + 1, n_symbols). The product of the
    probabilities of the symbols is the weighted block probability P_w.
    """
    law = ctw_batch(symbols[None], n_symbols, depth=depth, past=past, stop=stop, alpha=alpha)
    return np.asarray(law[0])


def ctw_batch(
    symbols: Ints,
    n_symbols: int,
    *,
    depth: int,
    past: Ints | tuple[int, ...] = (),
    stop: float = 0.5,
    alpha: float = 0.5,
) -> Floats:
    """Predict each of many sequences as `ctw` does, in a fraction of the time.

    `symbols` has shape (n_sequences, length), the law (n_sequences, length + 1, n_symbols).
    """
    if depth < 0:
        raise SpecError(f"observer ctw: depth={depth!r} must be >= 0")
    if not 0 < stop < 1:
        raise SpecError(f"observer ctw: stop={stop!r} must be above 0 and below 1")
    prior = prior_weight("ctw", alpha)
    before = np.array(past, np.int64)
    if np.any((before < 0) | (before >= n_symbols)):
        raise SpecError(f"observer ctw: past={past!r} must be symbols 0..{n_symbols - 1}")
    n_sequences, length = symbols.shape
    law = np.empty((n_sequences, length + 1, n_symbols))
    step = max(1, _BLOCK // (length + 1))
    for i in range(0, n_sequences, step):
        block = symbols[i : i + step]
        nodes = list(contexts(block, n_symbols, deepest=depth, past=before))
        law[i : i + step] = _weighted(nodes, one_hot(block, n_symbols), stop, prior)
    return law


def count_trees(depth: int, n_symbols: int = 2) -> int:
    """Return the number of context trees of at most `depth`: 1, 2, 5, 26, 677, ... for two symbols."""
    if depth < 0 or n_symbols < 2:
        raise SpecError(
            f"cannot count trees of depth={depth!r} over n_symbols={n_symbols!r}; at least 0 and 2"
        )
    return 1 if depth == 0 else 1 + count_trees(depth - 1, n_symbols) ** n_symbols


def _weighted(nodes: list[Contexts], hot: Floats, stop: float, alpha: float) -> Floats:
    """Return the law at the root, from the deepest nodes up.

    With P_e(s) the block probability of node s as a leaf and P_w(as) those of
    its subtrees, the law at s is the mean of the leaf's and the subtree's with
    weights stop P_e(s) and (1 - stop) prod_a P_w(as). The logarithm of their
    ratio grows with each symbol that visits s, by that of its two probabilities:
    a sum over earlier rows, so that no loop runs over symbols.
    """
    coded = hot[:, :-1] > 0
    law = _leaf(nodes[-1], hot, alpha)
    for node in reversed(nodes[:-1]):
        leaf = _leaf(node, hot, alpha)
        gain = np.zeros((*hot.shape[:2], 1))
        gain[:, :-1, 0] = np.log(leaf[:, :-1][coded] / law[:, :-1][coded]).reshape(coded.shape[:2])
        log_ratio = node.earlier(gain) + math.log(stop / (1 - stop))
        law += (leaf - law) * (0.5 + 0.5 * np.tanh(0.5 * log_ratio))
    return law


def _leaf(node: Contexts, hot: Floats, alpha: float) -> Floats:
    seen = node.earlier(hot) + alpha
    seen /= seen.sum(axis=2, keepdims=True)
    return seen
