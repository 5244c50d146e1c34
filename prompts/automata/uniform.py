"""The uniform law on the words of one length that an automaton accepts: draws and conditionals."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import chain, islice

import numpy as np

from harness.prompts.automata.scaled import completions, ratio
from harness.prompts.draws import uniforms
from harness.types import Bools, Floats, Ints

_CHUNK = 2**17  # entries of the tables that sampling makes at once, and of one that it keeps


class UniformWords:
    """Numbers N_r(q) of accepted words of length r from state q, kept for the largest length asked so far."""

    def __init__(self, table: Ints, accepting: Bools) -> None:
        self._table = table
        self._kept = accepting[None].astype(np.float64), np.zeros((1, len(table)), np.int64)
        self._kept_ends: list[list[list[float]]] = [[]]  # by length, state and symbol; nothing for length 0

    def any(self, n: int, state: int) -> bool:
        """Return whether a word of length n can be read from a state."""
        return bool(self._counts(n)[0][n, state])

    def sample(self, n: int, start: int, rng: np.random.Generator) -> Ints:
        """Return one of the words of length n from a state, of which there must be one."""
        rows: list[list[int]] = self._table.tolist()
        state, word = start, []
        for ends, u in zip(self._ends(n), uniforms(n, rng).tolist(), strict=True):
            word.append(bisect_right(ends[state], u * ends[state][-1]))
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

    def _ends(self, n: int) -> Iterable[list[list[float]]]:
        """Return the cumulative law of the next symbol in each state with n, n - 1, .. 1 symbols to come.

        What is small is kept.
        """
        if n * self._table.size > _CHUNK:
            step = max(1, _CHUNK // self._table.size)
            parts = (np.arange(left, max(left - step, 0), -1) for left in range(n, 0, -step))
            return chain.from_iterable(self._cumulative(left).tolist() for left in parts)
        kept = self._kept_ends
        if len(kept) <= n:
            kept = kept + self._cumulative(np.arange(len(kept), n + 1)).tolist()
            self._kept_ends = kept
        return kept[n:0:-1]

    def _cumulative(self, left: Ints) -> Floats:
        x, e = self._counts(int(left.max()))
        r, q, after = left[:, None, None], np.arange(len(self._table))[:, None], self._table
        return np.cumsum(ratio(x[r - 1, after], e[r - 1, after], x[r, q], e[r, q]), axis=-1)

    def _counts(self, n: int) -> tuple[Floats, Ints]:
        """Return N_r(q) as x * 2**e, for r = 0..n at least: x and e of shape (> n, n_states)."""
        x, e = self._kept
        if len(x) <= n:
            more = list(islice(completions(self._table, x[-1], e[-1]), 1, n + 2 - len(x)))
            x = np.concatenate([x, [mantissa for mantissa, _ in more]])
            e = np.concatenate([e, [exponent for _, exponent in more]])
            self._kept = x, e
        return x, e
