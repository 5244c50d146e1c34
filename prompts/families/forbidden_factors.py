"""Symbols among which some factors of k never stand: which, is to be found from context.

A strictly local language: a sequence is in it if none of its factors of `k`
symbols is forbidden. `factors` lists what is forbidden, e.g. [11]; left at null
each of the n_symbols**k factors (at most 9) is forbidden with probability
`p_forbidden`, over again where no language is left. `law: parry` is the law of
maximal entropy of endless sequences (Parry 1964), which sets are left out for
that have none or several; a longer sequence starts with the shorter one.
`law: uniform` gives every sequence of exactly this length the same probability,
for all sets that leave sequences of any length.

The ideal observer, `factors`, holds all sets for possible with the prior above
and knows the length if the law does: exact, since they are at most 512. A
language of fewer sequences gains on a larger one that fits as well.
`version_space` judges each context by itself: a factor not seen yet is allowed
or not, with the same prior, and allowed symbols are equally probable.
`ngram` counts factors of k symbols, `backoff` those up to 5, `kt` symbols.

Example: factors: [11], rendered without a separator

    prompt '1000010100010010'
    target '1', no 11
"""

import math
from functools import cache, lru_cache
from itertools import islice, product
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.automata import DFA, PFA, parry
from harness.prompts.automata.scaled import completions
from harness.prompts.draws import categorical
from harness.prompts.later import later
from harness.prompts.observers.contexts import followers
from harness.prompts.observers.ngram import backoff, ngram
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.symbols import joined
from harness.types import Floats, Ints, Sequence

IDEAL = "factors"
_MOST_FACTORS = 9
Law = Literal["parry", "uniform"]
Forbidden = tuple[bool, ...]  # by factor, in lexicographic order


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    k: int = 2,
    factors: tuple[str, ...] | None = None,
    p_forbidden: float = 0.25,
    law: Law = "parry",
    symbols: str | tuple[str, ...] = "binary",
) -> Sequence:
    """Draw what is forbidden, then the symbols."""
    alphabet = alphabet_of(symbols)
    m = len(alphabet)
    if k < 2 or k * math.log(m) > math.log(_MOST_FACTORS) + 1e-9:
        raise SpecError(
            f"family 'forbidden_factors': k={k!r} with {m} symbols must be at least 2 and have at most "
            f"{_MOST_FACTORS} factors ({m}**k)"
        )
    if not 0 < p_forbidden < 1:
        raise SpecError(
            f"family 'forbidden_factors': p_forbidden={p_forbidden!r} must be above 0 and below 1"
        )
    every = _possible(m, k, law)
    names = [joined(factor) for factor in product(alphabet, repeat=k)]
    if factors is None:
        forbidden = every[int(categorical(_prior(every, p_forbidden), 1, rng)[0])]
    else:
        forbidden = _named(factors, names, every, law)
    dfa = _automaton(m, k, forbidden)
    if law == "parry":
        source = PFA(dfa, _all_parry(m, k)[every.index(forbidden)])
        drawn = source.sample(length, rng)
        true_law = source.laws(drawn)
    else:
        drawn = dfa.sample(length, rng)
        true_law = dfa.laws(drawn)
    shown = [name for name, is_forbidden in zip(names, forbidden, strict=True) if is_forbidden]
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=true_law,
        observers=later(observe, drawn, alphabet, k=k, p_forbidden=p_forbidden, law=law),
        ideal=IDEAL,
        concept=f"no {', '.join(shown)}" if shown else "nothing forbidden",
    )


def observe(
    symbols: Ints, alphabet: tuple[str, ...], *, k: int, p_forbidden: float, law: Law
) -> dict[str, Floats]:
    """Predict from the posterior over what is forbidden, in all or context by context, and from counts."""
    m = len(alphabet)
    every = _possible(m, k, law)
    laws = (_parry_laws if law == "parry" else _uniform_laws)(symbols, m, k)
    return {
        "factors": _posterior(symbols, laws, _prior(every, p_forbidden)),
        "version_space": _version_space(symbols, m, k, p_forbidden),
        "ngram": ngram(symbols, m, k=k),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }


def _posterior(symbols: Ints, laws: Floats, prior: Floats) -> Floats:
    """Mix the laws of all sets, (n_sets, n + 1, m), each right as long as no symbol was impossible in it."""
    n = symbols.size
    with np.errstate(divide="ignore"):
        steps = np.log(laws[:, np.arange(n), symbols])
    log_p = np.cumsum(np.concatenate([np.log(prior)[:, None], steps], axis=1), axis=1)
    rows = np.einsum("ht,hta->ta", np.exp(log_p - log_p.max(axis=0)), laws)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _version_space(symbols: Ints, m: int, k: int, p_forbidden: float) -> Floats:
    """Predict each context's symbols as uniform on an unknown set, in which each is with 1 - p_forbidden."""
    seen = followers(symbols, m, order=k - 1)
    allowed = np.array(list(product([False, True], repeat=m))[1:])  # (n_sets, m)
    size = allowed.sum(axis=1)
    log_p = size * math.log(1 - p_forbidden) + (m - size) * math.log(p_forbidden)
    log_p = log_p - seen.sum(axis=1)[:, None] * np.log(size)
    fits = ~((seen > 0)[:, None] & ~allowed).any(axis=2)
    log_p = np.where(fits, log_p, -np.inf)
    weight = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    rows = (weight / size) @ allowed
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _parry_laws(symbols: Ints, m: int, k: int) -> Floats:
    return _all_parry(m, k)[:, _recent(symbols, m, k)]


def _uniform_laws(symbols: Ints, m: int, k: int) -> Floats:
    """Return N_{n-t-1}(state after a) / N_{n-t}(state) of every set; the last row, where all ends, is uniform."""
    n = symbols.size
    tables, log_n = _all_counts(m, k, n)
    state = _recent(symbols, m, k)[:n]
    left = n - np.arange(n)
    after = tables[:, state]  # (n_sets, n, m)
    every = np.arange(len(tables))[:, None]
    here = log_n[left, every, state]
    here = np.where(np.isfinite(here), here, 0.0)  # impossible in this set: 0 in all that follows
    laws = np.full((len(tables), n + 1, m), 1 / m)
    laws[:, :n] = np.exp(log_n[(left - 1)[:, None], every[:, :, None], after] - here[:, :, None])
    return laws


def _recent(symbols: Ints, m: int, k: int) -> Ints:
    """Return the state before each symbol and at the end: (n + 1,)."""
    return _automaton(m, k, (False,) * m**k).states(symbols)


@cache
def _automaton(m: int, k: int, forbidden: Forbidden) -> DFA:
    """Return the automaton whose states are the words shorter than k, by length, then what is forbidden."""
    states = [word for size in range(k) for word in product(range(m), repeat=size)]
    number = {word: i for i, word in enumerate(states)}
    banned = {
        word for word, is_banned in zip(product(range(m), repeat=k), forbidden, strict=True) if is_banned
    }
    rejecting = len(states)
    table = [
        [rejecting if (*word, a) in banned else number[(*word, a)[-(k - 1) :]] for a in range(m)]
        for word in states
    ]
    return DFA.from_table([*table, [rejecting] * m], range(rejecting))


@cache
def _possible(m: int, k: int, law: Law) -> tuple[Forbidden, ...]:
    """Return the sets that leave a language which has this law."""
    return tuple(f for f in product([False, True], repeat=m**k) if _has_law(_automaton(m, k, f), law))


def _has_law(dfa: DFA, law: Law) -> bool:
    if law == "uniform":
        return dfa.has_words(dfa.n_states)
    try:
        parry(dfa)
    except SpecError:
        return False
    return True


@cache
def _all_parry(m: int, k: int) -> Floats:
    """Return the Parry law of every possible set in every state: (n_sets, n_states, m), 0 where it never leads."""
    return np.array([np.nan_to_num(parry(_automaton(m, k, f))[1]) for f in _possible(m, k, "parry")])


@lru_cache(maxsize=1)
def _all_counts(m: int, k: int, n: int) -> tuple[Ints, Floats]:
    """Return the table of every possible set and its log numbers of words of each length: (n + 1, n_sets, n_states)."""
    tables = np.array([_automaton(m, k, f).table for f in _possible(m, k, "uniform")])
    n_sets, size, _ = tables.shape
    joined_tables = (tables + size * np.arange(n_sets)[:, None, None]).reshape(-1, m)
    final = np.tile(np.arange(size) < size - 1, n_sets).astype(np.float64)
    recursion = completions(joined_tables, final, np.zeros(final.size, np.int64))
    with np.errstate(divide="ignore"):
        log_n = np.array([np.log(x) + e * math.log(2) for x, e in islice(recursion, n + 1)])
    return tables, log_n.reshape(n + 1, n_sets, size)


def _prior(every: tuple[Forbidden, ...], p_forbidden: float) -> Floats:
    n_forbidden = np.array(every).sum(axis=1)
    weight = p_forbidden**n_forbidden * (1 - p_forbidden) ** (len(every[0]) - n_forbidden)
    return np.asarray(weight / weight.sum())


def _named(factors: tuple[str, ...], names: list[str], every: tuple[Forbidden, ...], law: Law) -> Forbidden:
    strange = [factor for factor in factors if factor not in names]
    if strange:
        raise SpecError(
            f"family 'forbidden_factors': factors={factors!r} has {strange[0]!r}; "
            f"each must be one of {', '.join(names)}"
        )
    forbidden = tuple(name in factors for name in names)
    if forbidden not in every:
        raise SpecError(
            f"family 'forbidden_factors': without {', '.join(factors)} there is no law {law!r}: "
            + ("sequences end, or several parts grow equally fast" if law == "parry" else "sequences end")
        )
    return forbidden
