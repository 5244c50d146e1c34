"""The observer that holds two symbols for the output of a shift register with unknown taps."""

import numpy as np

from harness.errors import SpecError
from harness.types import Floats, Ints


def linear_recurrence(symbols: Ints, *, order: int) -> Floats:
    """Predict bits with x_n = c_1 x_(n-1) + .. + c_order x_(n-order) mod 2, all 2^order taps c equally likely.

    The first `order` bits are uniform. After them x_n is known if the `order`
    bits before it are a sum of such windows seen earlier, and is otherwise 0 or
    1 for equally many of the taps that remain: Bayesian averaging is Gaussian
    elimination over GF(2). At most `order` bits are unknown after the first
    `order`; for a register of maximal period none from 2 * order on (Massey
    1969). Where no taps fit the symbols the law is uniform.
    """
    if order < 1:
        raise SpecError(f"observer linear_recurrence: order={order!r} must be at least 1")
    law = np.full((symbols.size + 1, 2), 0.5)
    bits = symbols.tolist()
    equations: dict[int, tuple[int, int]] = {}  # by highest bit: a sum of windows, and of what followed them
    window = 0  # bit i - 1 holds x_(n-i)
    for bit in bits[:order]:
        window = window << 1 | bit
    for n in range(order, symbols.size + 1):
        left, value = window, 0
        while left and (known := equations.get(left.bit_length())):
            left, value = left ^ known[0], value ^ known[1]
        if not left:
            law[n] = (1 - value, value)
        if n == symbols.size:
            break
        if left:
            equations[left.bit_length()] = (left, value ^ bits[n])
        elif bits[n] != value:
            break
        window = (window << 1 | bits[n]) & (1 << order) - 1
    return law
