"""All regular languages over two symbols whose minimal automaton is small, each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata.dfa import DFA
from harness.types import Bools, Ints

MOST_STATES = 4  # five have 3,705,306 languages


@dataclass(frozen=True, slots=True, eq=False)
class Enumeration:
    """Every language over two symbols whose minimal complete automaton has at most `max_states` states.

    A language is a table and a set of accepting states. Tables are numbered
    canonically, start 0, and filled up to `max_states` rows with rejecting
    states that lead to themselves.
    """

    max_states: int
    tables: Ints  # (n_tables, max_states, 2)
    n_states: Ints  # (n_tables,)
    minimal: Bools  # (n_tables, 2**max_states): is the table minimal if the states in the bits of the index accept?

    def counts(self) -> tuple[int, ...]:
        """Return how many languages need exactly 1, 2, ... states."""
        each = self.minimal.sum(axis=1)
        return tuple(int(each[self.n_states == n].sum()) for n in range(1, self.max_states + 1))

    def __len__(self) -> int:
        return int(self.minimal.sum())

    def __iter__(self) -> Iterator[DFA]:
        """Yield the minimal automata, by number of states."""
        for t, subset in zip(*np.nonzero(self.minimal), strict=True):
            n = int(self.n_states[t])
            yield DFA(self.tables[t, :n], accepting_sets(self.max_states)[subset, :n])


@cache
def minimal_binary_dfas(max_states: int) -> Enumeration:
    """Return all languages of at most `max_states` states, 1..4: 2, 24, 1028 and 56,014 of exactly 1, 2, 3 and 4."""
    if not 1 <= max_states <= MOST_STATES:
        raise SpecError(f"max_states={max_states!r} must be in 1..{MOST_STATES}")
    parts = [_canonical_tables(n) for n in range(1, max_states + 1)]
    tables = np.concatenate([_padded(part, max_states) for part in parts])
    n_states = np.repeat(np.arange(1, max_states + 1), [len(part) for part in parts])
    minimal = np.concatenate([_minimal(tables[n_states == n], n) for n in range(1, max_states + 1)])
    for array in (tables, n_states, minimal):
        array.setflags(write=False)
    return Enumeration(max_states, tables, n_states, minimal)


def accepting_sets(n_states: int) -> Bools:
    """Return all sets of states as flags, (2**n_states, n_states): row i holds the bits of i."""
    return (np.arange(2**n_states)[:, None] >> np.arange(n_states) & 1).astype(np.bool_)


def _canonical_tables(n: int) -> Ints:
    """Return the tables whose n states a breadth-first search meets in order: shape (n_tables, n, 2)."""
    entries = np.array(list(product(range(n), repeat=2 * n)), np.int64)
    met = np.maximum.accumulate(np.column_stack([np.zeros(len(entries), np.int64), entries]), axis=1)
    in_order = (entries <= met[:, :-1] + 1).all(axis=1)
    in_time = (met[:, : 2 * n : 2] >= np.arange(n)).all(axis=1)  # state i is met before its row is read
    return entries[in_order & in_time].reshape(-1, n, 2)


def _padded(tables: Ints, size: int) -> Ints:
    n = tables.shape[1]
    rest = np.broadcast_to(np.arange(n, size)[:, None], (len(tables), size - n, 2))
    return np.concatenate([tables, rest], axis=1)


def _minimal(tables: Ints, n: int) -> Bools:
    """Return for which sets of accepting states every two of the first n states are told apart by a word."""
    size = tables.shape[1]
    accepting = accepting_sets(size)
    apart = np.broadcast_to(
        accepting[:, :, None] != accepting[:, None, :], (len(tables), 2**size, size, size)
    )
    t = np.arange(len(tables))[:, None, None, None]
    subset = np.arange(2**size)[None, :, None, None]
    for _ in range(n):
        followed = [
            apart[t, subset, tables[:, None, :, None, a], tables[:, None, None, :, a]] for a in range(2)
        ]
        apart = apart | followed[0] | followed[1]
    others = ~np.eye(n, dtype=np.bool_)
    only_real = ~accepting[:, n:].any(axis=1)
    return np.asarray(apart[:, :, :n, :n][:, :, others].all(axis=2) & only_real)
