"""Observers of symbol frequencies: what i.i.d. symbols of unknown probabilities lead one to expect."""

import math

import numpy as np

from harness.errors import SpecError
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


def counts(symbols: Ints, n_symbols: int) -> Floats:
    """Return how often each symbol occurs among the first n: shape (length + 1, n_symbols)."""
    seen = np.zeros((symbols.size + 1, n_symbols))
    seen[np.arange(1, symbols.size + 1), symbols] = 1
    return np.cumsum(seen, axis=0)


def prior_weight(observer: str, value: float, *, name: str = "alpha") -> float:
    """Return a parameter of a prior. Raises SpecError unless it is finite and > 0."""
    if not (value > 0 and math.isfinite(value)):
        raise SpecError(f"observer {observer}: {name}={value!r} must be finite and > 0")
    return value
