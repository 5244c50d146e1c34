"""Non-negative numbers of any size as x * 2**e, and the recursion that counts the completions of an automaton.

Counts of words grow like lambda**n and the counts of two states may differ by
as much, so that neither one float nor one scale for a vector of them holds.
Only additions and powers of two are used: the same bits on every machine.
"""

import math
from collections.abc import Iterator

import numpy as np

from harness.types import Floats, Ints

NOTHING = -(2**40)  # the exponent of zero, below that of any count
_ROOM = 1000  # bits of a float's exponent to be used before exponents are kept apart (it has 1023)


def total(x: Floats, e: Ints) -> tuple[Floats, Ints]:
    """Sum numbers x * 2**e along the last axis: mantissas in [1/2, 1) or 0, and exponents."""
    top = e.max(axis=-1)
    mantissa, shift = np.frexp(np.ldexp(x, e - top[..., None]).sum(axis=-1))
    return mantissa, np.where(mantissa > 0, top + shift, NOTHING)


def ratio(x: Floats, e: Ints, y: Floats, f: Ints) -> Floats:
    """Return (x * 2**e) / (y * 2**f), NaN where the divisor is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(y > 0, np.ldexp(x / y, e - f), np.nan)


def completions(table: Ints, final: Floats, exponent: Ints) -> Iterator[tuple[Floats, Ints]]:
    """Yield, for r = 0, 1, 2, ..., the weight N_r(q) = x[q] * 2**e[q] of all words of length r from state q.

    A word weighs what the state weighs that it leads to: `final` * 2**`exponent`,
    shape (n_states,). With weights 1 and 0 these are numbers of words. `table`
    (n_states, n_symbols) says which state follows. N_r(q) is the sum of
    N_{r-1}(table[q, a]) over a, exact while it has at most 53 bits.
    """
    x, e = final, exponent
    yield x, e
    n_safe = int(_ROOM / max(math.log2(table.shape[1]), 1.0))  # steps that add at most _ROOM bits
    while True:
        x, shift = np.frexp(x)
        e = np.where(x > 0, e + shift, NOTHING)
        positive = e[x > 0]
        if positive.size and positive.max() - positive.min() < _ROOM:  # one scale for all: four times faster
            top = positive.max()
            x, e = np.ldexp(x, e - top), np.full_like(e, top)
            for _ in range(n_safe):
                x = np.add.reduce(x.take(table), axis=1)
                yield x, e
        else:
            x, e = total(x.take(table), e.take(table))
            yield x, e
