"""The observer that holds symbols for random or for a repeated pattern of unknown period."""

import math

import numpy as np

from harness.errors import SpecError
from harness.prompts.pattern_counts import first_break, log_distinct, log_primitive
from harness.types import Floats, Ints


def period(
    symbols: Ints,
    n_symbols: int,
    *,
    max_period: int,
    prior_random: float,
    distinct: bool,
    primitive: bool = True,
) -> Floats:
    """Predict symbols that are either random or a repeated pattern of unknown period.

    Hypotheses: uniform i.i.d. symbols, with prior `prior_random`; and for each
    period k = 1..max_period, sharing the rest equally, a pattern uniform among
    U_k. That is all primitive words of length k (those that are no repetition
    of a shorter one), with `primitive` false all words of length k, or with
    `distinct` all words of k different symbols, where k ends at n_symbols.

    With N_k(x) the number of patterns in U_k whose repetition starts with x,
    P(x | k) = N_k(x) / N_k(empty) and p(a | x, k) = N_k(xa) / N_k(x). The law is
    the mean of p(a | x, k) under the posterior P(k | x), in the log domain since
    P(x | random) = n_symbols^-n. `pattern_counts` states N_k. Over all words
    P(x | k) is n_symbols^-min(n, k) if x has period k, else 0: 0101 then counts
    among the patterns of period 4, and its repetition for periods 2 and 4.
    """
    weight, laws = _hypotheses(symbols, n_symbols, max_period, prior_random, distinct, primitive)
    return np.asarray(np.einsum("kn,kna->na", weight, laws))


def period_posterior(
    symbols: Ints,
    n_symbols: int,
    *,
    max_period: int,
    prior_random: float,
    distinct: bool,
    primitive: bool = True,
) -> Floats:
    """Return what `period` believes after each prefix: shape (length + 1, periods + 1).

    Column k is P(period k | x), column 0 P(random | x); `periods` is max_period,
    with `distinct` at most n_symbols. Where column 0 falls below 1/2 a pattern
    is more likely than not.
    """
    weight, _ = _hypotheses(symbols, n_symbols, max_period, prior_random, distinct, primitive)
    return np.ascontiguousarray(weight.T)


def _hypotheses(
    symbols: Ints, n_symbols: int, max_period: int, prior_random: float, distinct: bool, primitive: bool
) -> tuple[Floats, Floats]:
    """Return P(k | x), (periods + 1, length + 1), and p(a | x, k), (.., n_symbols), k = 0 being random."""
    if not 0 < prior_random < 1:
        raise SpecError(f"observer period: prior_random={prior_random!r} must be above 0 and below 1")
    if max_period < 1:
        raise SpecError(f"observer period: max_period={max_period!r} must be at least 1")
    if distinct and not primitive:
        raise SpecError("observer period: distinct=True has primitive words only; leave primitive out")
    longest = min(max_period, n_symbols) if distinct else max_period
    log_weight = np.empty((longest + 1, symbols.size + 1))
    laws = np.full((longest + 1, symbols.size + 1, n_symbols), 1 / n_symbols)
    log_weight[0] = math.log(prior_random) - np.arange(symbols.size + 1) * math.log(n_symbols)
    count = log_distinct if distinct else log_primitive if primitive else _log_words
    for k in range(1, longest + 1):
        log_count, laws[k] = _repeat(count(symbols, n_symbols, k), symbols, k)
        log_weight[k] = math.log((1 - prior_random) / longest) + log_count - log_count[0]
    weight = np.exp(log_weight - log_weight.max(axis=0))
    return weight / weight.sum(axis=0), laws


def _log_words(symbols: Ints, n_symbols: int, k: int) -> Floats:
    """Count all words of length k, as `pattern_counts` does: N_k(xa) = m^(k - n - 1)."""
    n = np.arange(min(k, symbols.size + 1))
    return np.repeat(((k - n - 1) * math.log(n_symbols))[:, None], n_symbols, axis=1)


def _repeat(log_count: Floats, symbols: Ints, k: int) -> tuple[Floats, Floats]:
    """Extend log N_k(xa) of prefixes x shorter than k to log N_k(x) and p(a | x, k) of every prefix.

    From n = k on the pattern is known: one pattern fits, or none from the first
    symbol on that breaks the period. A law of weight 0 is left uniform.
    """
    size, n_symbols = symbols.size, log_count.shape[1]
    total = np.full(size + 1, -np.inf)
    law = np.full((size + 1, n_symbols), 1 / n_symbols)
    head = np.logaddexp.reduce(log_count, axis=1)
    total[: head.size] = head
    alive = np.flatnonzero(head > -np.inf)
    law[alive] = np.exp(log_count[alive] - head[alive, None])
    if size >= k:
        n = np.arange(k, first_break(symbols, k) + 1)
        total[n] = log_count[k - 1, symbols[k - 1]]
        law[n] = np.eye(n_symbols)[symbols[n - k]]
    return total, law
