"""Observers of a Markov chain that may be one of a known library: retrieval, and retrieval against inference.

A library has shape (n_chains, n_symbols, n_symbols), row i of a chain being the
law of the symbol after i; all entries are > 0. The first symbol is uniform.
Competition Dynamics (Park et al. 2025) tells four algorithms apart: retrieval
from bigrams and from unigrams, here, and inference from bigrams and from
unigrams, which are `markov` of order 1 and `dirichlet`.
"""

import math

import numpy as np

from harness.errors import SpecError
from harness.prompts.observers.markov import markov
from harness.types import Floats, Ints


def bigram_retrieval(symbols: Ints, library: Floats) -> Floats:
    """Predict one of the library's chains, all equally likely at first, from the pairs of symbols seen."""
    _check("bigram_retrieval", library)
    log_weight = _pair_log_likelihood(symbols, library)
    return _mean_row(symbols, library, log_weight)


def unigram_retrieval(symbols: Ints, library: Floats) -> Floats:
    """Predict as if symbols were i.i.d. from the stationary law of one of the library's chains.

    All chains are equally likely at first; the law is the mean of the stationary
    laws under the posterior.
    """
    _check("unigram_retrieval", library)
    stationary = stationary_laws(library)
    log_weight = np.zeros((symbols.size + 1, len(library)))
    log_weight[1:] = np.cumsum(np.log(stationary)[:, symbols].T, axis=0)
    return np.asarray(_normalised(log_weight) @ stationary)


def library_or_new(symbols: Ints, library: Floats, *, novel: float, alpha: float) -> Floats:
    """Predict a chain that is new with probability `novel`, otherwise one of the library's, equally likely.

    The rows of a new chain have prior Dirichlet(alpha): its law is `markov` of
    order 1. Novel 0 is `bigram_retrieval`, novel 1 is `markov`.
    """
    _check("library_or_new", library)
    if not 0 <= novel <= 1:
        raise SpecError(f"observer library_or_new: novel={novel!r} must be in 0..1")
    m = library.shape[1]
    inferred = markov(symbols, m, order=1, alpha=alpha)
    if novel == 1:
        return inferred
    log_pairs = _pair_log_likelihood(symbols, library)
    retrieved = _mean_row(symbols, library, log_pairs)
    if novel == 0:
        return retrieved
    log_new = np.zeros(symbols.size + 1)
    log_new[1:] = np.cumsum(np.log(inferred[np.arange(symbols.size), symbols]))
    log_known = np.logaddexp.reduce(log_pairs, axis=1) - math.log(len(library))
    log_known[1:] -= math.log(m)  # the first symbol, which `log_new` has too
    log_odds = log_new - log_known + math.log(novel) - math.log1p(-novel)
    believed = (0.5 + 0.5 * np.tanh(0.5 * log_odds))[:, None]
    return np.asarray(believed * inferred + (1 - believed) * retrieved)


def stationary_laws(library: Floats) -> Floats:
    """Return the stationary law of each chain, (n_chains, n_symbols).

    By state reduction (Grassmann, Taksar & Heyman 1985), which subtracts nothing
    and so stays exact for chains that hardly ever leave a symbol.
    """
    left = library.copy()
    m = left.shape[1]
    law = np.zeros(left.shape[:2])
    for i in range(m - 1, 0, -1):  # take symbol i out: its visits become part of the other rows
        left[:, :i, i] /= left[:, i, :i].sum(axis=1, keepdims=True)
        left[:, :i, :i] += left[:, :i, i, None] * left[:, i, None, :i]
    law[:, 0] = 1
    for i in range(1, m):
        law[:, i] = np.einsum("kj,kj->k", law[:, :i], left[:, :i, i])
    return np.asarray(law / law.sum(axis=1, keepdims=True))


def _pair_log_likelihood(symbols: Ints, library: Floats) -> Floats:
    """Return the logarithm of the product of T[x_(t-1), x_t] over a prefix: (length + 1, n_chains)."""
    total = np.zeros((symbols.size + 1, len(library)))
    total[2:] = np.cumsum(np.log(library[:, symbols[:-1], symbols[1:]]).T, axis=0)
    return total


def _mean_row(symbols: Ints, library: Floats, log_weight: Floats) -> Floats:
    """Return the mean of the chains' rows after the last symbol, with the weights of each prefix."""
    weight = _normalised(log_weight)
    m = library.shape[1]
    law = np.full((symbols.size + 1, m), 1 / m)
    for last in range(m):
        after = np.flatnonzero(symbols == last) + 1
        law[after] = weight[after] @ library[:, last]
    return law


def _normalised(log_weight: Floats) -> Floats:
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _check(observer: str, library: Floats) -> None:
    if not (library.ndim == 3 and len(library) and np.all(library > 0)):
        raise SpecError(
            f"observer {observer}: a library of shape {library.shape} must be one or more chains, "
            "(n_chains, n_symbols, n_symbols), with all entries above 0"
        )
