"""Rearrangements of a sequence that keep its k-grams: Euler paths, drawn uniformly.

A sequence is a walk on its contexts of k - 1 symbols in which each step is one
k-gram. The sequences with the same k-grams and the same first k - 1 symbols are
the walks that take the same steps in another order; all end in the same context.
"""

from itertools import pairwise

import numpy as np

from harness.prompts.controls.euler_law import context_path, rearrangement_law
from harness.prompts.controls.source import Source
from harness.prompts.draws import integers_below, permutation
from harness.prompts.later import later
from harness.prompts.observers import ngram
from harness.types import Ints, Sequence


def kgram_shuffle(source: Source, rng: np.random.Generator, *, k: int) -> Sequence:
    """Rearrange the symbols, all sequences with the same k-grams and first k - 1 symbols equally probable.

    The law is exact: it knows the k-grams, and the first k - 1 symbols for
    certain; its last row is NaN. Observer `ngram<k>` counts k-grams.
    """
    drawn = rearranged(source.symbols, k, rng)
    law = rearrangement_law(drawn, source.n_symbols, k)
    rows = ngram(drawn, source.n_symbols, k=k)
    return source.become(drawn, law, later(lambda: {**source.observe(drawn), f"ngram{k}": rows}))


def rearranged(symbols: Ints, k: int, rng: np.random.Generator) -> Ints:
    """Return a sequence uniform among those with the same k-grams and the same first k - 1 symbols.

    A uniform spanning tree towards the last context says by which step each other
    context is left for the last time; its other steps are taken in uniform order
    (van Aardenne-Ehrenfest & de Bruijn 1951; Kandel, Matias, Unger & Winkler 1996).
    """
    path = context_path(symbols, k)
    if len(path) < 2:
        return symbols
    steps: list[list[int]] = [[] for _ in range(max(path) + 1)]
    emits = dict(zip(path, symbols[k - 2 :].tolist(), strict=True))  # the last symbol of each context
    for u, a in pairwise(path):
        steps[u].append(a)
    exits = _last_exits(steps, path[-1], rng)
    order: list[list[int]] = []
    for u, every in enumerate(steps):
        kept = [a for i, a in enumerate(every) if i != exits.get(u)]
        last = [every[exits[u]]] if u in exits else []
        order.append([*(kept[i] for i in permutation(len(kept), rng)), *last][::-1])
    drawn, u = symbols[: k - 1].tolist(), path[0]
    for _ in path[1:]:
        u = order[u].pop()
        drawn.append(emits[u])
    return np.array(drawn, np.int64)


def _last_exits(steps: list[list[int]], end: int, rng: np.random.Generator) -> dict[int, int]:
    """Draw a uniform spanning tree towards `end` by loop-erased walks (Wilson 1996).

    Returns, for each context but the end, the place of its step in `steps`.
    """
    tree: dict[int, int] = {}
    for start in range(len(steps)):
        walk: dict[int, int] = {}
        u = start
        while u != end and u not in tree:
            walk[u] = int(integers_below(len(steps[u]), 1, rng)[0])
            u = steps[u][walk[u]]
        u = start
        while u != end and u not in tree:
            tree[u] = walk[u]
            u = steps[u][walk[u]]
    return tree
