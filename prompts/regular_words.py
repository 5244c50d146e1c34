"""Regular languages as `words` takes them: words uniform among those of their length that an automaton accepts."""

import math
from collections.abc import Callable
from functools import cache
from itertools import islice

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata import DFA
from harness.prompts.automata.scaled import completions
from harness.prompts.words import Language, WordLaw
from harness.types import Floats, Ints

ANSWER = "="
_CHUNK = 2**20  # entries of the table that a law makes at once
_NEGLIGIBLE = 60  # exp(-60) is below 2**-86
_COUNTED = 1024  # lengths counted at a time


@cache
def regular(dfa: DFA) -> Language:
    """Return a regular language whose lengths are equally spaced; size N is the N-th shortest of them, 0 left out.

    The law at a prefix u that leads to state q sums over lengths n:
    p(a | u) is proportional to the sum of W(n) N_{n-|u|-1}(q_a) / N_n(start),
    with W(n) the weight of that size and N_r(q) the accepted words of length r from q.
    Raises SpecError where the lengths are not equally spaced or end.
    """
    lengths = [n for n in dfa.lengths(4 * dfa.n_states + 4) if n]
    steps = set(np.diff(lengths).tolist())
    if len(steps) != 1:
        raise SpecError(f"a language of lengths {lengths[:8]} has no equally spaced lengths without end")
    (step,) = steps
    extra = lengths[0] - step

    def draw(size: int, rng: np.random.Generator) -> Ints:
        return dfa.sample(step * size + extra, rng)

    return Language(dfa.n_symbols, step, extra, draw, _word_law(dfa, step, extra))


def answered(table: Ints, outputs: Ints, n_outputs: int) -> DFA:
    """Return the automaton of the words w=o: w any word but the empty one, o the output of the state it leads to.

    `table` (n_states, n_letters) starts in state 0; `outputs` (n_states,) are
    below `n_outputs`. The symbols are the letters, then "=", then the outputs.
    """
    n_states, n_letters = table.shape
    first, end = 1 + n_states, 1 + n_states + n_outputs  # states: begun nothing, read w, know o, done
    rows: list[list[int | None]] = [
        [*(1 + table[0]).tolist(), None, *[None] * n_outputs],
        *([*(1 + row).tolist(), first + int(o), *[None] * n_outputs] for row, o in zip(table, outputs, strict=True)),
        *([*[None] * (n_letters + 1), *[end if o == p else None for p in range(n_outputs)]] for o in range(n_outputs)),
        [None] * (n_letters + 1 + n_outputs),
    ]  # fmt: skip
    return DFA.from_table(rows, [end])


def _word_law(dfa: DFA, step: int, extra: int) -> WordLaw:
    log_counts = _counter(dfa)

    def law(letters: Ints, log_weights: Floats) -> Floats:
        sizes = np.flatnonzero(np.isfinite(log_weights))
        sizes = sizes[sizes > 0]
        n = step * sizes + extra
        likely = log_weights[sizes] > log_weights[sizes][n >= letters.size].max(initial=-np.inf) - _NEGLIGIBLE
        kept = likely | (
            n < letters.size + 2 * dfa.n_states
        )  # any word begun can end within n_states letters
        sizes, n = sizes[kept], n[kept]
        path = dfa.states(letters)
        rows = np.zeros((path.size, dfa.n_symbols + 1))
        if not n.size:
            return rows
        log_n = log_counts(int(n[-1]))
        found = log_weights[sizes] - log_n[n, dfa.start]  # of one word of each length
        after = dfa.table[path]
        width = max(1, _CHUNK // (n.size * dfa.n_symbols))
        for start in range(0, path.size, width):
            t = np.arange(start, min(start + width, path.size))
            left = n - t[:, None] - 1
            goes_on = log_n[np.maximum(left, 0)[:, :, None], after[t][:, None]]
            weight = np.where(left[:, :, None] >= 0, found[:, None] + goes_on, -np.inf)
            ends = np.where((left == -1) & dfa.accepting[path[t], None], found, -np.inf)
            top = np.maximum(weight.max(axis=(1, 2)), ends.max(axis=1))
            top = np.where(np.isfinite(top), top, 0.0)
            rows[t, :-1] = np.exp(weight - top[:, None, None]).sum(axis=1)
            rows[t, -1] = np.exp(ends - top[:, None]).sum(axis=1)
        total = rows.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(rows, total, out=np.zeros_like(rows), where=total > 0))

    return law


def _counter(dfa: DFA) -> Callable[[int], Floats]:
    """Return what gives log N_r(q) for r = 0..n at least, (> n, n_states), and keeps what it has counted."""

    @cache
    def upto(reach: int) -> Floats:
        final = dfa.accepting.astype(np.float64)
        recursion = completions(dfa.table, final, np.zeros(dfa.n_states, np.int64))
        with np.errstate(divide="ignore"):
            return np.array([np.log(x) + e * math.log(2) for x, e in islice(recursion, reach)])

    return lambda n: upto(-(-(n + 1) // _COUNTED) * _COUNTED)
