"""Ideal observers: the exact next-symbol law of a Bayesian who has seen the prefix and nothing else.

Each takes symbol indices of shape (length,) and returns (length + 1, n_symbols):
row n is the law of symbol n given the n symbols before it.
"""

import math

import numpy as np

from harness.errors import SpecError
from harness.prompts.pattern_counts import first_break, log_distinct, log_primitive
from harness.types import Floats, Ints


def dirichlet(symbols: Ints, n_symbols: int, alpha: float | Floats) -> Floats:
    """Predict i.i.d. symbols of unknown probabilities with prior Dirichlet(alpha).

    p(a | n symbols) = (count_a + alpha_a) / (n + sum of alpha). `alpha` > 0 is
    one number for all symbols or shape (n_symbols,).
    """
    prior = np.broadcast_to(np.asarray(alpha, np.float64), (n_symbols,))
    if not (np.all(prior > 0) and np.all(np.isfinite(prior))):
        raise SpecError(f"observer dirichlet: alpha={alpha!r} must be finite and > 0")
    seen = counts(symbols, n_symbols) + prior
    return np.asarray(seen / seen.sum(axis=1, keepdims=True))


def kt(symbols: Ints, n_symbols: int) -> Floats:
    """Predict i.i.d. symbols by the Krichevsky-Trofimov rule, alpha = 1/2 (Krichevsky & Trofimov 1981)."""
    return dirichlet(symbols, n_symbols, 0.5)


def beta_posterior(symbols: Ints, *, a: float = 1.0, b: float = 1.0) -> Floats:
    """Predict coin flips of unknown bias: prior Beta(a, b) on the probability of symbol 0."""
    return dirichlet(symbols, 2, np.array([a, b]))


def markov(symbols: Ints, n_symbols: int, *, order: int, alpha: float) -> Floats:
    """Predict a Markov chain of known order whose rows have prior Dirichlet(alpha).

    p(a | context c) = (count_ca + alpha) / (count_c + n_symbols * alpha); the
    first `order` symbols, which have no context, are uniform.
    """
    if order < 0 or not (alpha > 0 and math.isfinite(alpha)):
        raise SpecError(f"observer markov: order={order!r} must be >= 0 and alpha={alpha!r} finite and > 0")
    law = np.full((symbols.size + 1, n_symbols), 1 / n_symbols)
    seen: dict[tuple[int, ...], list[float]] = {}
    drawn = symbols.tolist()
    for n in range(order, len(drawn) + 1):
        row = seen.setdefault(tuple(drawn[n - order : n]), [alpha] * n_symbols)
        law[n] = row
        if n < len(drawn):
            row[drawn[n]] += 1
    return np.asarray(law / law.sum(axis=1, keepdims=True))


def period(symbols: Ints, n_symbols: int, *, max_period: int, prior_random: float, distinct: bool) -> Floats:
    """Predict symbols that are either random or a repeated pattern of unknown period.

    Hypotheses: uniform i.i.d. symbols, with prior `prior_random`; and for each
    period k = 1..max_period, sharing the rest equally, a pattern uniform among
    U_k. That is all primitive words of length k (those that are no repetition
    of a shorter one), or with `distinct` all words of k different symbols,
    where k ends at n_symbols.

    With N_k(x) the number of patterns in U_k whose repetition starts with x,
    P(x | k) = N_k(x) / N_k(empty) and p(a | x, k) = N_k(xa) / N_k(x). The law is
    the mean of p(a | x, k) under the posterior P(k | x), in the log domain since
    P(x | random) = n_symbols^-n. `pattern_counts` states N_k.
    """
    if not 0 < prior_random < 1:
        raise SpecError(f"observer period: prior_random={prior_random!r} must be above 0 and below 1")
    if max_period < 1:
        raise SpecError(f"observer period: max_period={max_period!r} must be at least 1")
    longest = min(max_period, n_symbols) if distinct else max_period
    log_weight = np.empty((longest + 1, symbols.size + 1))  # of hypothesis k, 0 being random
    laws = np.full((longest + 1, symbols.size + 1, n_symbols), 1 / n_symbols)
    log_weight[0] = math.log(prior_random) - np.arange(symbols.size + 1) * math.log(n_symbols)
    count = log_distinct if distinct else log_primitive
    for k in range(1, longest + 1):
        log_count, laws[k] = _repeat(count(symbols, n_symbols, k), symbols, k)
        log_weight[k] = math.log((1 - prior_random) / longest) + log_count - log_count[0]
    weight = np.exp(log_weight - log_weight.max(axis=0))
    return np.asarray(np.einsum("kn,kna->na", weight / weight.sum(axis=0), laws))


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


def counts(symbols: Ints, n_symbols: int) -> Floats:
    """Return how often each symbol occurs among the first n: shape (length + 1, n_symbols)."""
    seen = np.zeros((symbols.size + 1, n_symbols))
    seen[np.arange(1, symbols.size + 1), symbols] = 1
    return np.cumsum(seen, axis=0)
