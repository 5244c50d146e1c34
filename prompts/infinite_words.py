"""Words without end, or without end but for their period, that a rule makes and chance does not.

Each function returns symbol indices: the first `length` of a word that never
repeats itself, or one whole period of one that does.
"""

from itertools import chain, count

import numpy as np

from harness.errors import SpecError
from harness.types import Ints

_TAPS = {  # lags whose bits are added, of one primitive polynomial for each order: the tests see every state
    2: (1, 2),
    3: (2, 3),
    4: (3, 4),
    5: (3, 5),
    6: (5, 6),
    7: (6, 7),
    8: (4, 5, 6, 8),
    9: (5, 9),
    10: (7, 10),
    11: (9, 11),
    12: (6, 8, 11, 12),
}


def thue_morse(length: int, n_symbols: int = 2) -> Ints:
    """Return sums of the digits of 0, 1, 2, .. in base n_symbols, modulo n_symbols: 0110100110010110 for 2."""
    index = np.arange(length)
    total = np.zeros(length, np.int64)
    while index.any():
        total += index % n_symbols
        index //= n_symbols
    return total % n_symbols


def fibonacci(length: int) -> Ints:
    """Return the fixed point of 0 -> 01, 1 -> 0: 0100101001001. No word has fewer factors without a period."""
    before, word = [0], [0, 1]
    while len(word) < length:
        before, word = word, word + before
    return np.array(word[:length], np.int64)


def kolakoski(length: int) -> Ints:
    """Return the word whose run lengths, less 1, are itself (Kolakoski 1965): 0 1 1 0 0 1 0 1 1 for 122112122."""
    word = [0, 1, 1]
    run = 2  # the next run to be written
    while len(word) < length:
        word += [run % 2] * (word[run] + 1)
        run += 1
    return np.array(word[:length], np.int64)


def champernowne(length: int, n_symbols: int = 2) -> Ints:
    """Return the digits of 1, 2, 3, .. in base n_symbols, one number after the other: 1 10 11 100 for 2."""
    digits = chain.from_iterable(_digits(number, n_symbols) for number in count(1))
    return np.fromiter(digits, np.int64, length)


def de_bruijn(order: int, n_symbols: int = 2) -> Ints:
    """Return the cycle of n_symbols^order symbols that holds every word of `order` symbols once.

    The least in lexicographic order: Lyndon words of a length that divides
    `order`, one after the other (Fredricksen & Maiorana 1978).
    """
    if order < 1:
        raise SpecError(f"no de Bruijn word of order={order!r}; it must be at least 1")
    cycle: list[int] = []
    word = [-1]
    while word:
        word[-1] += 1
        if order % len(word) == 0:
            cycle += word
        word = [word[i % len(word)] for i in range(order)]
        while word and word[-1] == n_symbols - 1:
            word.pop()
    return np.array(cycle, np.int64)


def lfsr(order: int) -> Ints:
    """Return the cycle of 2^order - 1 bits that a shift register of maximal period makes, order 2..12.

    Each bit is the sum modulo 2 of those at the lags of a primitive polynomial;
    the first `order` bits are 0 but for the last.
    """
    if order not in _TAPS:
        raise SpecError(f"no shift register of order={order!r}; it must be in {min(_TAPS)}..{max(_TAPS)}")
    bits = [0] * (order - 1) + [1]
    while len(bits) < 2**order - 1:
        bits.append(sum(bits[-lag] for lag in _TAPS[order]) % 2)
    return np.array(bits, np.int64)


def _digits(number: int, base: int) -> list[int]:
    digits: list[int] = []
    while number:
        digits.append(number % base)
        number //= base
    return digits[::-1]
