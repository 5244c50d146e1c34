"""Random automata: uniform among the languages of one size, and sparse probabilistic ones."""

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata.dfa import DFA, Word
from harness.prompts.draws import cumulative, integers_below, permutation, uniforms
from harness.types import Floats, Ints

_MOST_STATES = 10  # with two symbols, one table in eight is minimal at ten states


@dataclass(frozen=True, slots=True, eq=False)
class PFA:
    """A probabilistic automaton whose state follows from the symbols: an endless stream that a DFA tracks."""

    dfa: DFA  # says which state follows
    law: Floats  # (n_states, n_symbols), the law of the next symbol in each state; 0 throughout in states never reached

    _ends: list[list[float]] = field(init=False, repr=False)  # of the law, cumulative

    def __post_init__(self) -> None:
        ends = cumulative(np.where(self.law.any(axis=1, keepdims=True), self.law, 1.0))
        object.__setattr__(self, "_ends", ends.tolist())

    def sample(self, n: int, rng: np.random.Generator) -> Ints:
        """Return n symbols from the start. One uniform number each: a longer draw starts with the shorter."""
        rows: list[list[int]] = self.dfa.table.tolist()
        state, word = self.dfa.start, []
        for u in uniforms(n, rng).tolist():
            word.append(bisect_right(self._ends[state], u))
            state = rows[state][word[-1]]
        return np.array(word, np.int64)

    def laws(self, word: Word) -> Floats:
        """Return the law of each symbol given those before it: (len(word) + 1, n_symbols), NaN once impossible."""
        rows = self.law[self.dfa.states(word)]
        return np.where(rows.any(axis=1, keepdims=True), rows, np.nan)


def random_dfa(n_states: int, n_symbols: int, rng: np.random.Generator) -> DFA:
    """Return a minimal automaton uniform among all languages that need exactly n_states states.

    A uniform table with uniform accepting states is drawn until it is minimal:
    each language has (n_states - 1)! of them. n_states in 1..10, n_symbols >= 2.
    """
    if not 1 <= n_states <= _MOST_STATES or n_symbols < 2:
        raise SpecError(
            f"random_dfa(n_states={n_states!r}, n_symbols={n_symbols!r}): 1..{_MOST_STATES} states, at least 2 symbols"
        )
    while True:
        table = integers_below(n_states, n_states * n_symbols, rng).reshape(n_states, n_symbols)
        dfa = DFA(table, integers_below(2, n_states, rng) == 1).minimise()
        if dfa.n_states == n_states:
            return dfa


def random_pfa(
    n_states: int, n_used: int, rng: np.random.Generator, *, n_symbols: int = 18, max_edges: int = 3
) -> PFA:
    """Return a sparse random automaton in the manner of Akyürek et al. 2024 (RegBench), minimal and trimmed.

    `n_used` of the `n_symbols` symbols are chosen. Each of the `n_states`
    states gets 1..max_edges edges, their number uniform, to different states
    other than itself, on different symbols among the used; the next symbol is
    uniform on the edges of the state. What cannot be reached is dropped and
    equivalent states are merged, so that fewer states may remain. Their
    automata have 4..12 states and 4..18 symbols, and 1..3 edges: the top of
    the range in their code is exclusive.
    """
    if not (1 <= max_edges <= n_used <= n_symbols and max_edges < n_states):
        raise SpecError(
            f"random_pfa: max_edges={max_edges!r} must be in 1..n_used={n_used!r} and below n_states={n_states!r}, "
            f"n_used at most n_symbols={n_symbols!r}"
        )
    used = np.sort(permutation(n_symbols, rng)[:n_used])
    table: list[list[int | None]] = [[None] * n_symbols for _ in range(n_states)]
    for state, row in enumerate(table):
        n_edges = 1 + int(integers_below(max_edges, 1, rng)[0])
        others = np.delete(np.arange(n_states), state)
        targets = others[permutation(n_states - 1, rng)[:n_edges]]
        for symbol, target in zip(
            used[permutation(n_used, rng)[:n_edges]].tolist(), targets.tolist(), strict=True
        ):
            row[symbol] = target
    dfa = DFA.from_table(table, range(n_states)).minimise()
    allowed = dfa.accepting[dfa.table] & dfa.accepting[:, None]
    return PFA(dfa, allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1))
