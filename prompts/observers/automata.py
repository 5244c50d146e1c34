"""Observers that know a language, hold every small automaton for possible, or know a hidden Markov process."""

from functools import lru_cache
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata import DFA, Process, minimal_binary_dfas, parry
from harness.prompts.automata.enumeration import accepting_sets
from harness.prompts.automata.scaled import NOTHING, completions, total
from harness.types import Floats, Ints

Prior = Literal["states", "languages"]


def language(symbols: Ints, dfa: DFA) -> Floats:
    """Predict a word that is uniform among the words of its length in a known language.

    Rows are uniform after a prefix that begins no such word, in the last row,
    where every word ends, and throughout where no word has this length.
    """
    n = symbols.size
    law = dfa.laws(symbols) if dfa.has_words(n) else np.full((n + 1, dfa.n_symbols), np.nan)
    return np.where(np.isnan(law), 1 / dfa.n_symbols, law)


def dfa_posterior(symbols: Ints, *, max_states: int, prior: Prior) -> Floats:
    """Predict a word of an unknown regular language over two symbols, uniform among its words of that length.

    Hypotheses are all languages whose minimal complete automaton has at most
    `max_states` states, 1..4, and that have a word of length n, the number of
    symbols. Prior "states" shares equally among the numbers of states and then
    among the languages of each; "languages" gives every language the same. With
    q the state of h after the prefix u and N_r(q) the number of its completions
    of length r, P(u | h) = N_{n-|u|}(q) / N_n(start): a small language that
    fits gains on a large one (the size principle). The law is the ratio of the
    sums of prior * P(ua | h) and of prior * P(u | h) over h. Every word has its
    law, since the language of all words is a hypothesis. The last row, where
    words end, is uniform.

    The sum over all sets of accepting states of one table is linear in what
    the states weigh at the end, so that the work is one recursion over 5,477
    tables for the 57,068 languages of 4 states.
    """
    n = symbols.size
    _check(symbols, prior)
    table, starts = _all_tables(max_states)
    path = [starts]
    for symbol in symbols.tolist():
        path.append(table[path[-1], symbol])
    law = np.full((n + 1, 2), 0.5)
    for t, (x, e) in zip(
        range(n - 1, -1, -1), completions(table, *_end_weights(max_states, n, prior)), strict=False
    ):
        after = table[path[t]].T
        weight, exponent = total(x.take(after), e.take(after))
        weight = np.ldexp(weight, exponent - exponent.max())
        law[t] = weight / weight.sum()
    return law


def stream_posterior(symbols: Ints, *, max_states: int, prior: Prior) -> Floats:
    """Predict an endless stream of an unknown prefix-closed language over two symbols, drawn from its Parry law.

    Hypotheses are the languages of endless words whose minimal complete
    automaton, rejecting state included, has at most `max_states` states, 1..4,
    and one law of maximal entropy (`automata.parry`): 1, 2, 22 and 408 of
    exactly 1, 2, 3 and 4. Prior as in `dfa_posterior`. No length is known, so
    that a longer sequence begins with the predictions of the shorter; every
    sequence has its law, since all words are a hypothesis.
    """
    _check(symbols, prior)
    table, laws, n_states = _streams(max_states)
    weight = np.log(_shares(n_states, np.ones(n_states.size), prior))
    every = np.arange(n_states.size)
    state = np.zeros(n_states.size, np.int64)
    law = np.empty((symbols.size + 1, 2))
    for t, symbol in enumerate([*symbols.tolist(), 0]):
        next_law = laws[every, state]
        law[t] = np.exp(weight - weight.max()) @ next_law
        with np.errstate(divide="ignore"):
            weight = weight + np.log(next_law[:, symbol])
        state = table[every, state, symbol]
    return np.asarray(law / law.sum(axis=1, keepdims=True))


def hmm_filter(symbols: Ints, process: Process) -> Floats:
    """Predict a known hidden Markov process from the stationary law on: b' is b T[a], normalised.

    Where a symbol has probability 0, the belief starts again from the
    stationary law, which then takes that symbol into account if it can.
    """
    law = np.empty((symbols.size + 1, process.n_symbols))
    belief = start = process.stationary
    for t, symbol in enumerate(symbols.tolist()):
        after = belief @ process.T
        law[t] = after.sum(axis=1)
        if not law[t, symbol]:
            after = start @ process.T
        weight = after[symbol].sum()
        belief = after[symbol] / weight if weight else start
    law[symbols.size] = (belief @ process.T).sum(axis=1)
    return np.asarray(law / law.sum(axis=1, keepdims=True))


def _check(symbols: Ints, prior: Prior) -> None:
    if symbols.size and not 0 <= symbols.min() <= symbols.max() <= 1:
        raise SpecError(f"automaton posterior: symbols {symbols.min()}..{symbols.max()} must be 0 and 1")
    if prior not in ("states", "languages"):
        raise SpecError(f"automaton posterior: prior={prior!r} must be 'states' or 'languages'")


def _shares(n_states: Ints, n_languages: Ints | Floats, prior: Prior) -> Floats:
    """Return the prior of one language of each entry, of which there are `n_languages` with so many states."""
    group = n_states if prior == "states" else np.zeros_like(n_states)
    in_group = np.bincount(group, n_languages)
    return 1 / np.maximum(in_group[group], 1) / np.count_nonzero(in_group)


@lru_cache(maxsize=4)
def _streams(max_states: int) -> tuple[Ints, Floats, Ints]:
    """Return tables and Parry laws (n, max_states, 2) of the streams of `stream_posterior`, and their sizes (n,)."""
    tables, laws, sizes = [], [], []
    for dfa in minimal_binary_dfas(max_states):
        if not dfa.accepting[dfa.start] or dfa.accepting[dfa.table[~dfa.accepting]].any():
            continue  # not prefix-closed: a word is rejected that begins one that is not
        try:
            _, law = parry(dfa)
        except SpecError:  # finite, or of several laws
            continue
        padding = [(0, max_states - dfa.n_states), (0, 0)]
        tables.append(np.pad(dfa.table, padding))
        laws.append(np.pad(np.nan_to_num(law), padding))
        sizes.append(dfa.n_states)
    return np.array(tables), np.array(laws), np.array(sizes)


@lru_cache(maxsize=4)
def _all_tables(max_states: int) -> tuple[Ints, Ints]:
    """Return all tables as one automaton (n_tables * max_states, 2), and the start in each."""
    tables = minimal_binary_dfas(max_states).tables
    starts = np.arange(len(tables)) * max_states
    return (tables + starts[:, None, None]).reshape(-1, 2), starts


@lru_cache(maxsize=32)
def _end_weights(max_states: int, n: int, prior: Prior) -> tuple[Floats, Ints]:
    """Return, for every state f of every table, the sum of prior(h) / N_n(start of h) over the h in which f accepts."""
    every = minimal_binary_dfas(max_states)
    n_words, exponent = _words_by_subset(max_states, n)
    possible = every.minimal & (n_words > 0)
    share = _shares(every.n_states, possible.sum(axis=1), prior)
    weight = np.where(possible, share[:, None] / np.where(possible, n_words, 1.0), 0.0)
    accepts = accepting_sets(max_states).T  # (max_states, n_subsets)
    final, final_exponent = total(
        np.where(accepts, weight[:, None], 0.0),
        np.where(accepts & possible[:, None], -exponent[:, None], NOTHING),
    )
    return final.reshape(-1), final_exponent.reshape(-1)


def _words_by_subset(max_states: int, n: int) -> tuple[Floats, Ints]:
    """Return how many words of length n lead from the start into each set of states: (n_tables, 2**max_states)."""
    table, starts = _all_tables(max_states)
    ends = np.arange(max_states)
    target = (np.arange(len(table)) % max_states == ends[:, None]).astype(np.float64).reshape(-1)
    # one copy for each state that may be the end
    copies = (table + ends[:, None, None] * len(table)).reshape(-1, 2)
    recursion = completions(copies, target, np.zeros(target.size, np.int64))
    for _ in range(n + 1):
        x, e = next(recursion)
    from_start = (starts[:, None] + ends * len(table))[:, None]
    accepts = accepting_sets(max_states)
    return total(np.where(accepts, x[from_start], 0.0), np.where(accepts, e[from_start], NOTHING))
