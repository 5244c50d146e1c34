"""Regular languages as `words` takes them: words uniform among those of their length that an automaton accepts."""

import math
from functools import cache, lru_cache
from itertools import islice

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata import DFA
from harness.prompts.automata.scaled import completions
from harness.prompts.word_places import KEPT, is_small, n_places, place_laws
from harness.prompts.words import Language, WordLaw
from harness.types import Floats, Ints

ANSWER = "="
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
    def law(letters: Ints, log_weights: Floats) -> Floats:
        places = n_places(letters.size)
        small = is_small(places * dfa.n_states * (dfa.n_symbols + 1), log_weights)
        laws = (_laws if small else _laws.__wrapped__)(dfa, step, extra, log_weights.tobytes(), places)
        return np.asarray(laws[np.arange(letters.size + 1), dfa.states(letters)])

    return law


@lru_cache(maxsize=KEPT)
def _laws(dfa: DFA, step: int, extra: int, weights: bytes, places: int) -> Floats:
    """Return the law in each of the first places and each state: (places, n_states, n_symbols + 1)."""
    log_weights = np.frombuffer(weights)
    sizes = np.flatnonzero(np.isfinite(log_weights))
    sizes = sizes[sizes > 0]
    n = step * sizes + extra
    likely = log_weights[sizes] > log_weights[sizes[n >= places]].max(initial=-np.inf) - _NEGLIGIBLE
    kept = likely | (n < places + 2 * dfa.n_states)  # any word begun can end within n_states letters
    sizes, n = sizes[kept], n[kept]
    log_n = _log_counts(dfa, int(n.max(initial=0)))
    log_f = log_weights[sizes] - log_n[n, dfa.start]  # of one word of each length
    log_found = np.full((places, 1), -np.inf)
    log_found[n[n < places], 0] = log_f[n < places]
    longer = n >= places
    goes_on = log_f[longer, None] + log_n[n[longer] - places]
    log_last = np.logaddexp.reduce(goes_on, axis=0, initial=-np.inf)
    return place_laws(dfa.table, dfa.accepting, log_found, log_last)[0]


def _log_counts(dfa: DFA, n: int) -> Floats:
    """Return log N_r(q) for r = 0..n at least: (> n, n_states)."""
    return _log_counts_upto(dfa, -(-(n + 1) // _COUNTED) * _COUNTED)


@lru_cache(maxsize=64)
def _log_counts_upto(dfa: DFA, reach: int) -> Floats:
    recursion = completions(dfa.table, dfa.accepting.astype(np.float64), np.zeros(dfa.n_states, np.int64))
    with np.errstate(divide="ignore"):
        return np.array([np.log(x) + e * math.log(2) for x, e in islice(recursion, reach)])
