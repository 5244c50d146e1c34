"""Observers of word after word of a regular language that is one of several."""

import math
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import islice

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata import DFA, minimal_binary_dfas
from harness.prompts.automata.scaled import completions
from harness.prompts.words import WordLaw
from harness.types import Bools, Floats, Ints

_LENGTHS = 256  # tables are made for this many at a time
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

    def law(self, mean_size: float) -> WordLaw:
        """Return the law of the words of one sequence, each to be asked once and in order.

        The size of a word is geometric with mean `mean_size` >= 1, as in `words`,
        whatever weights are given; it counts the lengths of each language, as in
        `regular_words.regular`. Within a language all words of one length are
        equally probable, so that a small language that fits gains on a large one.
        A word that none has is evidence for none.
        """
        every = np.arange(len(self.table))
        belief, at_end = self.log_prior, np.full(every.size, -np.inf)

        def law(letters: Ints, log_weights: Floats) -> Floats:  # noqa: ARG001 they are those of every word
            nonlocal belief, at_end
            if np.isfinite(at_end).any():  # the word before this one has ended
                belief = at_end - at_end.max()
            reach = letters.size + 1 + math.ceil(_TAIL * mean_size * self.step)
            found, prefix = _weights(self, mean_size, -(-reach // _LENGTHS) * _LENGTHS)
            path = np.empty((letters.size + 1, every.size), np.int64)
            path[0] = self.start
            for t, letter in enumerate(letters.tolist()):
                path[t + 1] = self.table[every, path[t], letter]
            place = np.arange(path.shape[0])[:, None]
            goes_on = prefix[place[:, :, None] + 1, every[:, None], self.table[every, path]]
            ends = np.where(self.accepting[every, path], found[place, every], -np.inf)
            log_p = np.concatenate([goes_on, ends[:, :, None]], axis=2) + belief[:, None]
            at_end = log_p[-1, :, -1]
            top = log_p.max(axis=(1, 2), keepdims=True)
            rows = np.exp(log_p - np.where(np.isfinite(top), top, 0.0)).sum(axis=1)
            total = rows.sum(axis=1, keepdims=True)
            return np.asarray(np.divide(rows, total, out=np.zeros_like(rows), where=total > 0))

        return law


@cache
def small_languages() -> Languages:
    """Return the infinite languages over two letters of at most three states; 1, 2 and 3 are equally probable."""
    every = [d for d in minimal_binary_dfas(_MAX_STATES) if _infinite(d)]
    n_states = np.array([dfa.n_states for dfa in every])
    return Languages(every, 1 / np.bincount(n_states)[n_states])


def _infinite(dfa: DFA) -> bool:
    return any(n >= dfa.n_states for n in dfa.lengths(2 * dfa.n_states))


@lru_cache(maxsize=8)
def _weights(languages: Languages, mean_size: float, n_lengths: int) -> tuple[Floats, Floats]:
    """Return the log weights of one word of length n, and of all words from each state after n letters.

    Shapes (n_lengths, n_languages) and (n_lengths + 1, n_languages, n_states).
    """
    n_languages, size, _ = languages.table.shape
    first = size * np.arange(n_languages)
    joined = (languages.table + first[:, None, None]).reshape(n_languages * size, -1)
    final = languages.accepting.reshape(-1)
    recursion = completions(joined, final.astype(np.float64), np.zeros(final.size, np.int64))
    starts = first + languages.start
    with np.errstate(divide="ignore"):
        log_counts = [np.log(x[starts]) + e[starts] * math.log(2) for x, e in islice(recursion, n_lengths)]
    counts = np.array(log_counts)
    counts[0] = -np.inf  # no word is empty
    nth = np.maximum(np.cumsum(np.isfinite(counts), axis=0), 1)
    possible = np.isfinite(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.where(nth == 1, 0.0, (nth - 1) * np.log1p(-1 / mean_size)) - math.log(mean_size)
    found = np.where(possible, log_p - np.where(possible, counts, 0.0), -np.inf)
    prefix = np.full((n_lengths + 1, final.size), -np.inf)
    for n in range(n_lengths - 1, -1, -1):
        ends = np.where(final, np.repeat(found[n], size), -np.inf)
        prefix[n] = np.logaddexp(np.logaddexp.reduce(prefix[n + 1][joined], axis=1), ends)
    return found, prefix.reshape(n_lengths + 1, n_languages, size)
