"""The observer that wonders whether a pattern it knows is being repeated, and what noise makes of a pattern."""

import math

import numpy as np

from harness.errors import SpecError
from harness.types import Floats, Ints


def known_pattern(
    symbols: Ints, n_symbols: int, *, pattern: Ints, noise: float, prior_random: float
) -> Floats:
    """Predict symbols that are either uniform i.i.d. or a known pattern repeated from its first symbol on.

    Each symbol of the repetition is another one with probability `noise`, each
    other equally; below (m - 1) / m with m symbols, where it is i.i.d. too. The
    odds of the pattern grow by m (1 - noise) with each symbol that fits and by
    m noise / (m - 1) with each that does not. Two symbols without noise: from the
    prior odds by 2 a symbol, hence P(pattern | n symbols) = 1 / (1 + 2^(n* - n))
    with n* = log2(prior odds of random).
    """
    if not 0 < prior_random < 1:
        raise SpecError(f"observer known_pattern: prior_random={prior_random!r} must be above 0 and below 1")
    if not pattern.size or np.any((pattern < 0) | (pattern >= n_symbols)):
        raise SpecError(
            f"observer known_pattern: pattern={pattern.tolist()!r} must be symbols 0..{n_symbols - 1}"
        )
    law = noisy(pattern[np.arange(symbols.size + 1) % pattern.size], n_symbols, noise)
    log_odds = np.full(symbols.size + 1, math.log1p(-prior_random) - math.log(prior_random))
    with np.errstate(divide="ignore"):
        log_odds[1:] += np.cumsum(np.log(n_symbols * law[np.arange(symbols.size), symbols]))
    believed = 0.5 + 0.5 * np.tanh(0.5 * log_odds)
    return believed[:, None] * law + ((1 - believed) / n_symbols)[:, None]


def noisy(expected: Ints, n_symbols: int, noise: float) -> Floats:
    """Return the law of symbols that are other than expected with probability `noise`: (length, n_symbols)."""
    highest = (n_symbols - 1) / n_symbols
    if not 0 <= noise < highest:
        raise SpecError(
            f"noise={noise!r} with {n_symbols} symbols must be at least 0 and below {highest:.4g}, "
            "where a symbol says nothing of the pattern"
        )
    law = np.full((expected.size, n_symbols), noise / (n_symbols - 1))
    law[np.arange(expected.size), expected] = 1 - noise
    return law
