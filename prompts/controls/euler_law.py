"""The exact law of a sequence that is uniform among all with its k-grams."""

from collections import Counter
from itertools import pairwise

import numpy as np

from harness.types import Floats, Ints

_NEARLY = 1e-9  # below it a probability may be a rounded 0: whether it is 0 is then looked up in the graph


def context_path(symbols: Ints, k: int) -> list[int]:
    """Return the contexts of k - 1 symbols one after the other, numbered as they first come.

    k >= 2. There are length - k + 2 of them, none if the length is below k - 1.
    """
    known: dict[tuple[int, ...], int] = {}
    drawn = symbols.tolist()
    windows = (tuple(drawn[i : i + k - 1]) for i in range(len(drawn) - k + 2))
    return [known.setdefault(window, len(known)) for window in windows]


def rearrangement_law(symbols: Ints, n_symbols: int, k: int) -> Floats:
    """Return the law of each symbol given those before it, all sequences with these k-grams equally probable.

    The first k - 1 symbols are certain, and the last row is NaN. From context u
    with d steps left, m of them to context a, the BEST theorem gives p(a) = m / d
    if u is the last context and else p(a) = m (1 - tau_a) / (d - 1), where tau_a
    is the share of spanning trees towards the last context that hold a given one
    of the m steps. By the matrix-tree theorem tau_a = G[u, u] - G[a, u], where G is
    the inverse of the Laplacian of the steps left, without the last context.

    G is built from the end of the sequence, one step after the other, by updates
    of rank one that divide by 1 + tau and never by a small number, for the
    contexts with more than one successor: O(length * n_such**2).
    """
    path = context_path(symbols, k)
    start = min(k - 1, symbols.size)
    law = np.full((symbols.size + 1, n_symbols), np.nan)
    law[:start] = np.eye(n_symbols)[symbols[:start]]
    if len(path) < 2:
        return law
    law[start:-1] = 0
    emits = dict(zip(path, symbols[k - 2 :].tolist(), strict=True))  # the last symbol of each context
    left = {u: Counter[int]() for u in path}
    trees = _Trees(path)
    for t in range(len(path) - 2, -1, -1):
        u, a = path[t], path[t + 1]
        trees.add(u, a, is_first=not left[u])
        left[u][a] += 1
        d = left[u].total()
        for b, m in left[u].items():
            if u == path[-1]:
                p = m / d
            elif len(left[u]) == 1:
                p = 1.0
            else:
                p = m * (1 - trees.share(u, b)) / (d - 1)
                if m == 1 and p < _NEARLY:
                    p = max(p, np.finfo(float).tiny) if _can_be_spared(u, b, path[-1], left) else 0.0
            law[start + t, emits[b]] = p
    law[start:-1] /= law[start:-1].sum(axis=1, keepdims=True)
    return law


class _Trees:
    """The inverse Laplacian of a growing set of steps towards the last context of a path.

    A context with one successor does as that does, so that only those with more
    have a row; the row of the last context stays 0.
    """

    def __init__(self, path: list[int]) -> None:
        successors: dict[int, set[int]] = {}
        for u, a in pairwise(path):
            successors.setdefault(u, set()).add(a)
        branching = [u for u, every in successors.items() if len(every) > 1 and u != path[-1]]
        self._branching = frozenset(branching)
        self._row = {u: i for i, u in enumerate([*branching, path[-1]])}
        for t in range(len(path) - 2, -1, -1):  # backwards: what comes after a context has its row already
            self._row.setdefault(path[t], self._row[path[t + 1]])
        self._inverse: Floats = np.zeros((len(branching) + 1, len(branching) + 1))

    def add(self, u: int, a: int, *, is_first: bool) -> None:
        """Add a step from u to a; `is_first` if it is the only one from u."""
        i, j, inverse = self._row[u], self._row[a], self._inverse
        if u not in self._branching or i == j:  # a step that leads back to u is in no tree
            return
        if is_first:
            inverse[i] = inverse[j]
            inverse[i, i] += 1
        else:
            inverse -= np.outer(inverse[:, i], inverse[i] - inverse[j]) / (1 + self.share(u, a))

    def share(self, u: int, a: int) -> float:
        """Return the share of spanning trees that hold a step from u to a: 0..1 if there is one."""
        i, j = self._row[u], self._row[a]
        return float(self._inverse[i, i] - self._inverse[j, i])


def _can_be_spared(u: int, a: int, end: int, left: dict[int, Counter[int]]) -> bool:
    """Return whether `end` can be reached from u by the steps left, but the only one from u to a."""
    reached = {u}
    found = [b for b in left[u] if b != a]
    while found:
        b = found.pop()
        if b == end:
            return True
        if b not in reached:
            reached.add(b)
            found += left[b]
    return False
