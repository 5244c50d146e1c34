"""Counterbalancing: which surface writes which symbol, so that no preference of a model for a word is a result.

Over all assignments of a set every surface writes every symbol equally often.
A number of sequences that is a multiple of `len(assignments(n_symbols))` is
balanced exactly.
"""

from functools import cache
from itertools import permutations

from harness.errors import SpecError

_ALL = 3  # up to so many symbols every permutation is used; 4 have 24 already

Assignment = tuple[int, ...]
"""Entry s is the index of the surface that writes symbol s."""


@cache
def assignments(n_symbols: int) -> tuple[Assignment, ...]:
    """Return every assignment in use, the one that changes nothing first.

    Up to three symbols these are all permutations: n! of them. Above, they are
    the n rows of a Latin square: each surface writes each symbol once. For an
    even number the square is Williams' (1949): besides, of two neighbours of
    the alphabet every ordered pair of surfaces occurs once. With an odd number
    no cyclic square has that, and the plain one is used, in which a surface
    keeps its neighbours. Raises SpecError for fewer than two symbols.
    """
    if n_symbols < 2:
        raise SpecError(f"n_symbols={n_symbols!r} cannot be counterbalanced; at least 2 can")
    if n_symbols <= _ALL:
        return tuple(permutations(range(n_symbols)))
    start = _zigzag(n_symbols) if n_symbols % 2 == 0 else list(range(n_symbols))
    # Surfaces named by their place in the first row: that row then changes nothing.
    name = {surface: i for i, surface in enumerate(start)}
    return tuple(tuple(name[(s + row) % n_symbols] for s in start) for row in range(n_symbols))


def assignment(n_symbols: int, replicate: int) -> Assignment:
    """Return the assignment of a replicate (0-based): the replicates take turns."""
    if replicate < 0:
        raise SpecError(f"replicate={replicate!r} must be >= 0")
    every = assignments(n_symbols)
    return every[replicate % len(every)]


def counterbalanced(names: tuple[str, ...], replicate: int) -> tuple[str, ...]:
    """Return the names in the order in which they write the symbols of a replicate."""
    return tuple(names[i] for i in assignment(len(names), replicate))


def _zigzag(n: int) -> list[int]:
    """Return 0, 1, n-1, 2, n-2, ...: for even n its successive differences modulo n are all different."""
    return [(i + 1) // 2 if i % 2 else -(i // 2) % n for i in range(n)]
