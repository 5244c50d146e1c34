"""The observer of symbol frequencies that learns as well which symbols of the alphabet occur at all."""

import math

import numpy as np

from harness.prompts.observers.counts import counts, kt, prior_weight
from harness.types import Floats, Ints


def unigrams(symbols: Ints, n_symbols: int) -> dict[str, Floats]:
    """Return `kt`, and of more than two symbols `unigram_sparse` too: which of two occur is known almost at once."""
    known = {"kt": kt(symbols, n_symbols)}
    return known if n_symbols == 2 else {**known, "unigram_sparse": unigram_sparse(symbols, n_symbols)}


def unigram_sparse(symbols: Ints, n_symbols: int, *, alpha: float = 0.5) -> Floats:
    """Predict i.i.d. symbols of unknown probabilities, some of which may be 0 (Friedman & Singer 1999).

    The number k of symbols that occur is uniform on 1..n_symbols, which ones
    uniform among all sets of that size, and their probabilities Dirichlet(alpha).
    After n symbols, d of them different, with counts N_a,

        p(a seen) = (N_a + alpha) / (n + d alpha) C,   p(a not seen) = (1 - C) / (n_symbols - d)
        C = sum over k >= d of P(k | x) (n + d alpha) / (n + k alpha)
        P(k | x) proportional to k! / (k - d)! Gamma(k alpha) / Gamma(k alpha + n)

    `kt` (alpha = 1/2) knows the set to be the whole alphabet; where few symbols
    of many are in use, this one finds out that the others do not come.
    """
    prior_weight("unigram_sparse", alpha)
    seen = counts(symbols, n_symbols)
    n = np.arange(symbols.size + 1)
    d = (seen > 0).sum(axis=1)
    size = np.arange(1, n_symbols + 1)[:, None]  # k; arrays (n_symbols, length + 1) from here
    log_factorial = np.cumsum(np.log(np.maximum(np.arange(n_symbols + 1), 1)))
    grown = np.cumsum(np.log(size * alpha + n[:-1]), axis=1)  # ln Gamma(k alpha + n) / Gamma(k alpha)
    log_gammas = np.concatenate([np.zeros((n_symbols, 1)), grown], axis=1)
    possible = size >= d
    log_sets = log_factorial[size] - log_factorial[np.maximum(size - d, 0)]
    log_weight = np.where(possible, log_sets - log_gammas, -np.inf)
    weight = np.exp(log_weight - log_weight.max(axis=0))
    weight /= weight.sum(axis=0)
    in_use = (weight * (n + d * alpha) / (n + size * alpha)).sum(axis=0)  # C
    old = (seen + alpha) / np.maximum(n + d * alpha, math.ulp(1.0))[:, None] * in_use[:, None]
    new = (1 - in_use) / np.maximum(n_symbols - d, 1)
    rows = np.where(seen > 0, old, new[:, None])
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))  # takes off rounding alone
