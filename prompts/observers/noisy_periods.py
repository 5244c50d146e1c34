"""The observer that holds symbols for random or for a pattern of unknown period repeated with noise."""

import math

import numpy as np

from harness.errors import SpecError
from harness.prompts.observers.contexts import one_hot
from harness.prompts.observers.known_patterns import noisy
from harness.types import Floats, Ints


def noisy_period(
    symbols: Ints, n_symbols: int, *, max_period: int, noise: float, prior_random: float
) -> Floats:
    """Predict symbols that are either random or a pattern of unknown period, each symbol of it noisy.

    Hypotheses: uniform i.i.d. symbols, with prior `prior_random`; and for each
    period k = 1..max_period, sharing the rest equally, a pattern uniform among
    all words of k symbols, repetitions of shorter words too. Each symbol is
    other than the pattern's with probability `noise`, each other equally.

    The k places of a pattern are independent of each other: with n_ja the number
    of times symbol a was seen at place j, it is a with a probability
    proportional to ((1 - noise) (m - 1) / noise)^n_ja. Exact.
    """
    if not 0 < prior_random < 1:
        raise SpecError(f"observer noisy_period: prior_random={prior_random!r} must be above 0 and below 1")
    if max_period < 1:
        raise SpecError(f"observer noisy_period: max_period={max_period!r} must be at least 1")
    if noise == 0:
        raise SpecError("observer noisy_period: noise=0 is the observer period; noise must be above 0")
    hits = noisy(np.arange(n_symbols), n_symbols, noise)
    at = np.arange(symbols.size)
    log_weight = np.zeros((max_period + 1, symbols.size + 1))
    laws = np.full((max_period + 1, symbols.size + 1, n_symbols), 1 / n_symbols)
    log_weight[0] = math.log(prior_random)
    log_weight[1:] = math.log((1 - prior_random) / max_period)
    for k in range(1, max_period + 1):
        believed = np.exp(_seen_at_place(symbols, n_symbols, k) * math.log(hits[0, 0] / hits[0, 1]))
        laws[k] = (believed / believed.sum(axis=1, keepdims=True)) @ hits
    log_weight[:, 1:] += np.cumsum(np.log(laws[:, at, symbols]), axis=1)
    weight = np.exp(log_weight - log_weight.max(axis=0))
    return np.asarray(np.einsum("kn,kna->na", weight / weight.sum(axis=0), laws))


def _seen_at_place(symbols: Ints, n_symbols: int, k: int) -> Floats:
    """Count each symbol at the rows n - k, n - 2k, ..: (length + 1, n_symbols), less that of the most frequent."""
    n_rows = symbols.size + 1
    hot = np.zeros((-(-n_rows // k) * k, n_symbols))
    hot[:n_rows] = one_hot(symbols[None], n_symbols)[0]
    cycles = hot.reshape(-1, k, n_symbols)
    seen = (np.cumsum(cycles, axis=0) - cycles).reshape(-1, n_symbols)[:n_rows]
    return np.asarray(seen - seen.max(axis=1, keepdims=True))
