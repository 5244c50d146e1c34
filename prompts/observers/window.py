"""Observers that remember the recent past only, or only whether symbols alternate."""

import numpy as np

from harness.errors import SpecError
from harness.prompts.observers.counts import counts, prior_weight
from harness.types import Floats, Ints


def window_average(symbols: Ints, n_symbols: int, *, width: int, p: float = 0.5) -> Floats:
    """Predict as one who believes that frequencies even out soon (the gambler's fallacy), for two symbols.

    p(0 | prefix) = 2 p - (share of symbol 0 among the last `width` symbols),
    clipped to 0..1: the window average of Bigelow et al. 2024, who use widths 5
    and 10. `p` is the believed probability of symbol 0. Fewer symbols before
    make a shorter window; none make the law p. The window ends before the symbol
    that is predicted. What is clipped to 0 is held for impossible.
    """
    if n_symbols != 2:
        raise SpecError(f"observer window_average: n_symbols={n_symbols!r} must be 2")
    if width < 1:
        raise SpecError(f"observer window_average: width={width!r} must be at least 1")
    if not 0 <= p <= 1:
        raise SpecError(f"observer window_average: p={p!r} must be in 0..1")
    n = np.arange(symbols.size + 1)
    seen = counts(symbols, 2)[:, 0]
    in_window = seen - seen[np.maximum(n - width, 0)]
    share = np.where(n > 0, in_window / np.clip(n, 1, width), p)
    zero = np.clip(2 * p - share, 0, 1)
    return np.stack([zero, 1 - zero], axis=1)


def discounted(symbols: Ints, n_symbols: int, gamma: float, *, alpha: float = 1.0) -> Floats:
    """Predict from counts of which each symbol's share fades by gamma a step (Gupta et al. 2025).

    All counts begin at alpha > 0 and become gamma * count + 1[symbol] with each
    symbol; the law is the counts over their sum. Gamma in 0..1: 1 is `dirichlet`,
    0 repeats the last symbol. The prior fades too. (The authors' code holds
    counts at 1 or more, which this does not.)
    """
    if not 0 <= gamma <= 1:
        raise SpecError(f"observer discounted: gamma={gamma!r} must be in 0..1")
    faded = np.zeros((symbols.size + 1, n_symbols))
    faded[0] = prior_weight("discounted", alpha)
    faded[np.arange(1, symbols.size + 1), symbols] = 1
    shift, factor = 1, gamma
    while shift <= symbols.size and factor > 0:  # sums over the last 2, 4, 8, .. rows
        faded[shift:] += factor * faded[:-shift]
        shift, factor = 2 * shift, factor * factor
    return np.asarray(faded / faded.sum(axis=1, keepdims=True))


def alternation(symbols: Ints, n_symbols: int, *, a: float = 1.0, b: float = 1.0) -> Floats:
    """Predict symbols that differ from the one before with unknown probability, of prior Beta(a, b).

    P(next differs from the last) = (changes + a) / (n - 1 + a + b) after n >= 1
    symbols, shared equally by the other symbols; the first symbol is uniform.
    """
    a, b = prior_weight("alternation", a, name="a"), prior_weight("alternation", b, name="b")
    law = np.full((symbols.size + 1, n_symbols), 1 / n_symbols)
    if symbols.size:
        changes = np.concatenate([[0], np.cumsum(symbols[1:] != symbols[:-1])])
        differs = (changes + a) / (np.arange(symbols.size) + a + b)
        law[1:] = (differs / (n_symbols - 1))[:, None]
        law[np.arange(1, symbols.size + 1), symbols] = 1 - differs
    return law
