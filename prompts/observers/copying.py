"""Observers that look for what they saw word for word: the longest match, and the phrases of Lempel and Ziv."""

import numpy as np

from harness.errors import SpecError
from harness.types import Floats, Ints


def induction_copy(symbols: Ints, n_symbols: int, *, prior_random: float = 0.5) -> Floats:
    """Predict that the longest match goes on as it did before (what an induction head does), smoothed.

    After n symbols let l be the length of the longest suffix that ended earlier
    too (the two may overlap), and a the symbol that followed where it ended last.
    Either the suffix is a copy begun at one of n places, equally likely before,
    or its symbols are uniform and match by chance. Hence the odds of a copy are

        (1 - prior_random) / prior_random * n_symbols^l / n,

    even where l is log n / log n_symbols, the longest match that chance makes.
    The law gives symbol a the probability of a copy and shares the rest equally
    by all. It is uniform where l is 0, that is where the last symbol is new.

    A null hypothesis for claims about structure, not the ideal observer of any
    family: it weighs one match at a time. Time grows with the square of the length.
    """
    if not 0 < prior_random < 1:
        raise SpecError(f"observer induction_copy: prior_random={prior_random!r} must be above 0 and below 1")
    law = np.full((symbols.size + 1, n_symbols), 1 / n_symbols)
    match = np.zeros(
        symbols.size + 1, np.int64
    )  # [i]: common suffix of the first i and of the first n symbols
    prior_odds = (1 - prior_random) / prior_random
    for n in range(1, symbols.size + 1):
        same = symbols[: n - 1] == symbols[n - 1]
        match[1:n] = (match[: n - 1] + 1) * same
        latest = n - 1 - int(np.argmax(match[n - 1 :: -1]))
        length = int(match[latest])
        if length:
            rest = n / prior_odds * float(n_symbols) ** -length
            copied = 1 / (1 + rest)
            law[n] *= 1 - copied
            law[n, symbols[latest]] += copied
    return law


def lempel_ziv(symbols: Ints, n_symbols: int) -> Floats:
    """Predict by incremental parsing (Ziv & Lempel 1978; the law is that of Langdon 1983).

    The phrases so far make a tree: a phrase ends at the first leaf it reaches,
    which then gets n_symbols leaves of its own, and the next begins at the root.
    p(a | node) = leaves below child a / leaves below the node, so that a whole
    phrase has the probability 1 / leaves of the tree.
    """
    law = np.empty((symbols.size + 1, n_symbols))
    fresh = [1] * n_symbols
    children: list[list[int]] = [[0] * n_symbols]  # 0 is no node: the root is nobody's child
    leaves = [fresh.copy()]  # below each child
    node, path = 0, []
    for n, symbol in enumerate(symbols.tolist()):
        law[n] = leaves[node]
        path.append((node, symbol))
        node = children[node][symbol]
        if not node:  # a leaf: the phrase ends
            parent, last = path[-1]
            children[parent][last] = len(children)
            children.append([0] * n_symbols)
            leaves.append(fresh.copy())
            for above, branch in path:
                leaves[above][branch] += n_symbols - 1
            node, path = 0, []
    law[symbols.size] = leaves[node]
    return np.asarray(law / law.sum(axis=1, keepdims=True))
