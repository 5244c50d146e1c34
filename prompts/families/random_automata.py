"""Words of a random sparse automaton, which is to be found from context (after RegBench).

Automata as in Akyürek et al. 2024: their number of states is uniform on `states`
and that of the letters they use on `used`, each state has 1..`max_edges` edges
to other states, and every next letter is uniform on the edges (their defaults
are ours; what is equivalent or out of reach is merged or dropped). Every word
begins in the start state and any state may end it. Words stand between "|" and
none is ever cut: the number of letters is uniform on 1..2 mean_size - 1 (1..49
as theirs) and all are conditioned on the total length of the sequence, so that
a longer one does not start with the shorter one.

The automaton of a sequence is one of `library`, equally probable, which
`library_seed` draws: a longer library begins with the shorter one. The ideal
observer, `library`, knows it and finds out which; with a thousand automata ten
bits are all there is to be learned, less than a learner without a library needs.
For random automata without a library no closed form is known. What can be
reached without one is approximated by `ctw` (context trees of depth 4),
`witten_bell` and `backoff` (k-grams up to 5), none of which is ideal. `kt`
counts symbols. Where no automaton has a word, `library` takes its letters for
equally probable up to the next separator.

Example: mean_size: 6, rendered without a separator

    prompt 'didhdcj|d|pdkkkcck|ph|pd'
    target 'd', automaton 145 of 256 with 8 states
"""

from functools import lru_cache

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.automata import DFA, PFA, random_pfa
from harness.prompts.draws import integers_below
from harness.prompts.later import later
from harness.prompts.observers.ctw import ctw
from harness.prompts.observers.ngram import backoff, witten_bell
from harness.prompts.regular_words import regular
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.words import Words, with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "library"
_LETTERS = tuple("abcdefghijklmnopqr")
_LARGEST_LIBRARY = 4096
_MOST_STATES = 64
Range = tuple[int, int]


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    library: int = 256,
    library_seed: int = 0,
    states: tuple[int, int] = (4, 12),
    used: tuple[int, int] = (4, 18),
    max_edges: int = 3,
    mean_size: float = 25.0,
    symbols: str | tuple[str, ...] = _LETTERS,
) -> Sequence:
    """Draw which automaton it is and the sizes of the words, then the words in order."""
    letters = alphabet_of(symbols)
    alphabet = with_separator(letters, "words")
    _check(library, library_seed, states, used, max_edges, len(letters))
    every = _library(library, library_seed, states, used, max_edges, len(letters))
    number = int(integers_below(library, 1, rng)[0])
    pfa = every[number]
    words = _words(mean_size)
    lengths, sizes = words.draw(length, rng)
    drawn = np.where(lengths == 1, len(letters), lengths)
    for end, size in zip(np.cumsum(sizes + 1) - 1, sizes, strict=True):
        drawn[end - size : end] = pfa.sample(int(size), rng)
    next_letter = np.concatenate([pfa.laws(word) for word in _split(drawn, len(letters))])
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=_with_ends(words.law(lengths), next_letter),
        observers=later(
            observe,
            drawn,
            alphabet,
            library=library,
            library_seed=library_seed,
            states=states,
            used=used,
            max_edges=max_edges,
            mean_size=mean_size,
        ),
        ideal=IDEAL,
        concept=f"automaton {number} of {library} with {int(pfa.law.any(axis=1).sum())} states",
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    library: int,
    library_seed: int,
    states: Range,
    used: Range,
    max_edges: int,
    mean_size: float,
) -> dict[str, Floats]:
    """Predict from the posterior over the library, and from what symbols followed before."""
    m = len(alphabet)
    every = _library(library, library_seed, states, used, max_edges, m - 1)
    ends = _words(mean_size).predict((symbols == m - 1).astype(np.int64))
    return {
        "library": _with_ends(ends, _posterior(symbols, every)),
        "ctw": ctw(symbols, m, depth=4),
        "witten_bell": witten_bell(symbols, m, k=5),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }


def _posterior(symbols: Ints, every: tuple[PFA, ...]) -> Floats:
    """Return the law of the next letter, should the word go on: (n + 1, n_letters)."""
    after, law, starts = _joined(every)
    n_letters = law.shape[1]
    rows = np.full((symbols.size + 1, n_letters), 1 / n_letters)
    ends = np.append(np.flatnonzero(symbols == n_letters), symbols.size)
    start, belief = starts, np.zeros(starts.size)  # of the automata that are still possible, fewer soon
    word, n_words = 0, 1
    while word < ends.size:
        begin = int(ends[word - 1]) + 1 if word else 0
        part = symbols[begin : ends[min(word + n_words, ends.size) - 1]]
        path = [start]
        for symbol in part.tolist():
            path.append(after[symbol][path[-1]] if symbol < n_letters else start)
        state = np.array(path)
        with np.errstate(divide="ignore"):
            steps = np.log(law[state[:-1], np.minimum(part, n_letters - 1)[:, None]])
        steps[part == n_letters] = 0
        log_p = np.cumsum(np.concatenate([belief[None], steps]), axis=0)
        top = log_p.max(axis=1)
        known = len(top) if top[-1] > -np.inf else int(np.isfinite(top).argmin())  # rows of some automaton
        weight = np.exp(log_p[:known] - top[:known, None])
        mixed = np.einsum("th,tha->ta", weight, law[state[:known]])
        rows[begin : begin + known] = mixed / weight.sum(axis=1, keepdims=True)
        if known < len(top):  # the rest of this word says nothing
            word = int(np.searchsorted(ends, begin + known - 1)) + 1
        else:
            word, n_words = word + n_words, 2 * n_words
        left = np.isfinite(log_p[known - 1])
        start, belief = start[left], log_p[known - 1, left] - top[known - 1]
    return rows


def _with_ends(ends: Floats, next_letter: Floats) -> Floats:
    """Return the law of letters and separator from that of going on or ending and that of the next letter."""
    rows = np.concatenate([np.nan_to_num(ends[:, :1]) * next_letter, ends[:, 1:]], axis=1)
    rows[np.isnan(ends).any(axis=1)] = np.nan
    return rows


def _split(symbols: Ints, separator: int) -> list[Ints]:
    """Return the words between separators."""
    return [part[part != separator] for part in np.split(symbols, np.flatnonzero(symbols == separator))]


def _words(mean_size: float) -> Words:
    """Return words over one letter: their sizes are those of any words."""
    return Words(
        regular(DFA(np.zeros((1, 1), np.int64), np.ones(1, np.bool_))), "words", "uniform", mean_size
    )


@lru_cache(maxsize=8)
def _library(
    size: int, seed: int, states: Range, used: Range, max_edges: int, n_letters: int
) -> tuple[PFA, ...]:
    rng = np.random.Generator(np.random.Philox(key=seed))
    return tuple(
        random_pfa(_between(states, rng), _between(used, rng), rng, n_symbols=n_letters, max_edges=max_edges)
        for _ in range(size)
    )


def _between(ends: Range, rng: np.random.Generator) -> int:
    return ends[0] + int(integers_below(ends[1] - ends[0] + 1, 1, rng)[0])


@lru_cache(maxsize=8)
def _joined(every: tuple[PFA, ...]) -> tuple[list[Ints], Floats, Ints]:
    """Return all automata as one: the state after each letter, the law in each state, and all starts."""
    first = np.cumsum([0, *(pfa.dfa.n_states for pfa in every)])[:-1]
    table = np.concatenate([pfa.dfa.table + at for pfa, at in zip(every, first, strict=True)])
    starts = first + np.array([pfa.dfa.start for pfa in every])
    return list(table.T.copy()), np.concatenate([pfa.law for pfa in every]), starts


def _check(
    library: int, library_seed: int, states: Range, used: Range, max_edges: int, n_letters: int
) -> None:
    where = "family 'random_automata'"
    if not 1 <= library <= _LARGEST_LIBRARY or library_seed < 0:
        raise SpecError(
            f"{where}: library={library!r} must be in 1..{_LARGEST_LIBRARY} and library_seed={library_seed!r} >= 0"
        )
    if not 1 <= max_edges < states[0] <= states[1] <= _MOST_STATES:
        raise SpecError(
            f"{where}: states={states!r} must be a lower and an upper bound above max_edges={max_edges!r} "
            f"(at least 1) and at most {_MOST_STATES}"
        )
    if not max_edges <= used[0] <= used[1] <= n_letters:
        raise SpecError(
            f"{where}: used={used!r} must be a lower and an upper bound in max_edges ({max_edges!r}).."
            f"{n_letters}, the number of symbols"
        )
