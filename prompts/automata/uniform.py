"""The uniform law on the words of one length that an automaton accepts: draws and conditionals."""

from itertools import islice

import numpy as np

from harness.prompts.automata.scaled import completions, ratio
from harness.prompts.draws import uniforms
from harness.types import Bools, Floats, Ints

_CHUNK = 2**20  # entries of the tables that sampling makes at once


class UniformWords:
    """Numbers N_r(q) of accepted words of length r from state q, kept for the largest length asked so far."""

    def __init__(self, table: Ints, accepting: Bools) -> None:
        self._table = table
        self._kept = accepting[None].astype(np.float64), np.zeros((1, len(table)), np.int64)

    def any(self, n: int, state: int) -> bool:
        """Return whether a word of length n can be read from a state."""
        return bool(self._counts(n)[0][n, state])

    def sample(self, n: int, start: int, rng: np.random.Generator) -> Ints:
        """Return one of the words of length n from a state, of which there must be one."""
        x, e = self._counts(n)
        drawn = uniforms(n, rng)
        rows: list[list[int]] = self._table.tolist()
        state, word = start, []
        step = max(1, _CHUNK // self._table.size)
        for first in range(0, n, step):
            u = drawn[first : first + step]
            left = n - np.arange(first, first + u.size)  # symbols to come, the one to be drawn included
            ends = np.cumsum(
                ratio(
                    x[left - 1][:, self._table],
                    e[left - 1][:, self._table],
                    x[left, :, None],
                    e[left, :, None],
                ),
                axis=-1,
            )
            chosen = (ends <= u[:, None, None] * ends[..., -1:]).sum(
                axis=-1
            )  # of states with no word: unused
            for row in chosen.tolist():
                word.append(row[state])
                state = rows[state][word[-1]]
        return np.array(word, np.int64)

    def laws(self, states: Ints, left: Ints) -> Floats:
        """Return the law of the next symbol in each state with so many symbols to come.

        p(a | q, r) = N_{r-1}(table[q, a]) / N_r(q); shape (n, n_symbols), NaN
        where r = 0 or no word can be read.
        """
        law = np.full((states.size, self._table.shape[1]), np.nan)
        x, e = self._counts(int(left.max(initial=0)))
        at = np.flatnonzero(left > 0)
        q, r, after = states[at, None], left[at, None], self._table[states[at]]
        law[at] = ratio(x[r - 1, after], e[r - 1, after], x[r, q], e[r, q])
        return law

    def _counts(self, n: int) -> tuple[Floats, Ints]:
        """Return N_r(q) as x * 2**e, for r = 0..n at least: x and e of shape (> n, n_states)."""
        x, e = self._kept
        if len(x) <= n:
            more = list(islice(completions(self._table, x[-1], e[-1]), 1, n + 2 - len(x)))
            x = np.concatenate([x, [mantissa for mantissa, _ in more]])
            e = np.concatenate([e, [exponent for _, exponent in more]])
            self._kept = x, e
        return x, e
