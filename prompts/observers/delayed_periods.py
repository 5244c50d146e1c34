"""The observer that expects a repeated pattern of unknown period to begin at an unknown moment."""

import math

import numpy as np

from harness.errors import SpecError
from harness.types import Floats, Ints


def delayed_period(symbols: Ints, n_symbols: int, *, max_period: int, hazard: float) -> Floats:
    """Predict uniform symbols that give way, once and for all, to a repeated pattern.

    The pattern begins before each symbol with probability `hazard`, so that
    P(tau symbols before it) = hazard (1 - hazard)^tau; its period k is uniform on
    1..max_period and the pattern uniform among all words of k symbols. Hence

        P(x | tau, k) m^n = m^max(n - tau - k, 0) if x[tau:] has period k, else 0.

    Let s be the first tau that no broken period excludes: one after the last i
    with x[i] != x[i - k], less k, or 0. The sum over tau = s..n - k is geometric,
    and each of them predicts x[n - k]; a pattern of which not all symbols were
    seen predicts a uniform symbol, as no pattern does. Exact; time grows with
    length times max_period.
    """
    if max_period < 1:
        raise SpecError(f"observer delayed_period: max_period={max_period!r} must be at least 1")
    if not 0 < hazard < 1:
        raise SpecError(f"observer delayed_period: hazard={hazard!r} must be above 0 and below 1")
    size = symbols.size
    n = np.arange(size + 1)
    stay, log_m = math.log1p(-hazard), math.log(n_symbols)
    log_bound = np.full((max_period + 1, size + 1), -np.inf)  # of patterns that predict x[n - k], by k
    log_free = np.empty((max_period + 1, size + 1))  # of those that predict nothing, by k
    log_free[0] = n * stay  # row 0: the pattern has not begun
    for k in range(1, max_period + 1):
        begun = np.minimum(n, k - 1)  # tau = n - begun..n - 1
        with np.errstate(divide="ignore"):
            log_free[k] = (n - begun) * stay + np.log(-np.expm1(begun * stay)) - math.log(max_period)
        if size < k:
            continue
        rows = n[k:]
        earliest = _earliest(symbols, k)
        per_symbol = stay - log_m  # what one symbol more of delay costs
        n_delays = rows - k - earliest + 1
        log_sum = np.log(-np.expm1(n_delays * per_symbol)) - math.log(-math.expm1(per_symbol))
        log_bound[k, k:] = (
            math.log(hazard / max_period) + (rows - k) * log_m + earliest * per_symbol + log_sum
        )
    top = np.maximum(log_bound.max(axis=0), log_free.max(axis=0))
    law = np.repeat((np.exp(log_free - top).sum(axis=0) / n_symbols)[:, None], n_symbols, axis=1)
    for k in range(1, min(max_period, size) + 1):
        law[n[k:], symbols[n[k:] - k]] += np.exp(log_bound[k, k:] - top[k:])
    return np.asarray(law / law.sum(axis=1, keepdims=True))


def _earliest(symbols: Ints, k: int) -> Ints:
    """Return, for n = k..length, the least tau such that the symbols tau..n - 1 have period k."""
    after_break = np.where(symbols[k:] != symbols[:-k], np.arange(1, symbols.size - k + 1), 0)
    return np.concatenate([[0], np.maximum.accumulate(after_break)]).astype(np.int64)
