"""Observers of word after word of a regular language that is one of several."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata import DFA, minimal_binary_dfas
from harness.prompts.automata.scaled import completions
from harness.prompts.observers.counts import kt
from harness.prompts.word_places import one_place_less, place_laws
from harness.types import Bools, Floats, Ints

_PLACES = 64  # tables are made for so many, or 2, 4, .. times as many: few serve all sequences
_TAIL = 36  # mean sizes that a word may still get: exp(-36) is below 2**-51
_MAX_STATES = 3  # 57,068 languages of four states would take a gigabyte


class Languages:
    """Infinite regular languages over one alphabet that are held for possible, with their prior.

    Compared by identity, so that what is computed for one is kept.
    """

    def __init__(self, dfas: Iterable[DFA], prior: Floats | None = None) -> None:
        every = list(dfas)
        if len({dfa.n_symbols for dfa in every}) != 1:
            raise SpecError("languages to choose among must be one or more over one alphabet")
        size = max(dfa.n_states for dfa in every)
        self.table: Ints = np.zeros((len(every), size, every[0].n_symbols), np.int64)
        self.accepting: Bools = np.zeros((len(every), size), np.bool_)
        for i, dfa in enumerate(every):
            self.table[i, : dfa.n_states] = dfa.table
            self.accepting[i, : dfa.n_states] = dfa.accepting
        self.start: Ints = np.array([dfa.start for dfa in every])
        gaps = [np.diff([0, *dfa.lengths(4 * dfa.n_states)]).max() for dfa in every]
        self.step = int(max(gaps))  # a word of size N has at most N * step letters
        self.log_prior: Floats = np.zeros(len(every)) if prior is None else np.log(prior)

    def predict(self, symbols: Ints, mean_size: float) -> Floats:
        """Predict an endless stream of words of one of the languages, the separator the last of its symbols.

        The size of a word is geometric with mean `mean_size` >= 1, as in `words`;
        it counts the lengths of each language, as in `regular_words.regular`.
        Within a language all words of one length are equally probable, so that a
        small language that fits gains on a large one. A word that none has is
        evidence for none; from where none begins so, the law is that of `kt` up to
        the next separator. Shape (n + 1, n_letters + 1).
        """
        n, separator = symbols.size, self.table.shape[2]
        ends = np.append(np.flatnonzero(symbols == separator), n)
        longest = int(np.diff(ends, prepend=-1).max()) - 1
        places = _by_place(self, mean_size, max(_PLACES, 1 << longest.bit_length()))
        rows = np.empty((n + 1, separator + 1))
        held = np.flatnonzero(np.isfinite(self.log_prior))  # those still possible, fewer soon
        belief = self.log_prior[held]
        first, start = 0, 0
        while first < ends.size:
            some = ends[first : 2 * first + 1] - start  # 1, 1, 2, 4, .. words
            stop = int(some[-1])
            rows[start : start + stop + 1], belief = _some_words(
                symbols[start : start + stop], some, places, held, belief
            )
            held, belief = held[np.isfinite(belief)], belief[np.isfinite(belief)]
            first, start = first + some.size, start + stop + 1
        total = rows.sum(axis=1, keepdims=True)
        return np.where(total > 0, rows / np.where(total > 0, total, 1.0), kt(symbols, separator + 1))


@cache
def small_languages() -> Languages:
    """Return the infinite languages over two letters of at most three states; 1, 2 and 3 are equally probable."""
    every = [d for d in minimal_binary_dfas(_MAX_STATES) if _infinite(d)]
    n_states = np.array([dfa.n_states for dfa in every])
    return Languages(every, 1 / np.bincount(n_states)[n_states])


def _infinite(dfa: DFA) -> bool:
    return any(n >= dfa.n_states for n in dfa.lengths(2 * dfa.n_states))


@dataclass(frozen=True, slots=True)
class _Places:
    """What languages say of the beginnings of one word; the states of all are numbered on: i * n_states + state."""

    start: Ints  # (n_languages,)
    after: Ints  # (n_letters, n_languages * n_states), the state that follows
    log_begun: Floats  # (n_places, n_languages * n_states), of one beginning that leads to a state
    laws: Floats  # (n_places, n_languages * n_states, n_letters + 1), of what follows it


def _some_words(
    symbols: Ints, ends: Ints, places: _Places, held: Ints, belief: Floats
) -> tuple[Floats, Floats]:
    """Return the weight of each symbol along words that end in rows `ends`, and the log belief after them.

    `belief` is that in the languages `held` before.
    """
    start, after = places.start[held], list(places.after)
    path = [start]
    for symbol in symbols.tolist():
        path.append(after[symbol][path[-1]] if symbol < len(after) else start)
    state = np.array(path)
    lengths = np.diff(ends, prepend=-1)  # in rows
    word = np.repeat(np.arange(ends.size), lengths)
    place = np.arange(state.shape[0]) - (ends - lengths + 1)[word]
    log_begun, laws = places.log_begun[place[:, None], state], places.laws[place[:, None], state]
    with np.errstate(divide="ignore"):
        log_ended = log_begun[ends] + np.log(laws[ends, :, -1])
    before = np.empty_like(log_ended)
    for w, gain in enumerate(log_ended):
        before[w] = belief
        given = belief + gain
        top = given.max()
        belief = given - top if top > -np.inf else belief
    log_p = log_begun + before[word]
    top = log_p.max(axis=1, keepdims=True)
    weight = np.exp(log_p - np.where(np.isfinite(top), top, 0.0))
    return np.einsum("th,tha->ta", weight, laws), belief


@lru_cache(maxsize=12)  # three observers of one setting, each for words of four lengths
def _by_place(languages: Languages, mean_size: float, n_places: int) -> _Places:
    n_languages, size, _ = languages.table.shape
    first = size * np.arange(n_languages)
    joined = (languages.table + first[:, None, None]).reshape(n_languages * size, -1)
    start = first + languages.start
    accepting = languages.accepting.reshape(-1)
    n_lengths = n_places + math.ceil(_TAIL * mean_size * languages.step)
    recursion = completions(joined, accepting.astype(np.float64), np.zeros(accepting.size, np.int64))
    with np.errstate(divide="ignore"):
        log_counts = [np.log(x[start]) + e[start] * math.log(2) for x, e in islice(recursion, n_lengths)]
    counts = np.array(log_counts)
    counts[0] = -np.inf  # no word is empty
    possible = np.isfinite(counts)
    nth = np.maximum(np.cumsum(possible, axis=0), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_size = np.where(nth == 1, 0.0, (nth - 1) * np.log1p(-1 / mean_size)) - math.log(mean_size)
    found = np.where(possible, log_size - np.where(possible, counts, 0.0), -np.inf)  # of one word of a length
    log_last = np.full(accepting.size, -np.inf)
    for n in range(n_lengths - 1, n_places - 1, -1):
        log_last = one_place_less(log_last, joined, np.where(accepting, np.repeat(found[n], size), -np.inf))
    laws, log_begun = place_laws(joined, accepting, np.repeat(found[:n_places], size, axis=1), log_last)
    return _Places(start, joined.T.copy(), log_begun, laws)
