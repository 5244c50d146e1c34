"""How many patterns of a given period fit a prefix: what the period observer's posterior is made of.

N_k(x) is the number of patterns of length k, of one kind, whose endless
repetition starts with x; m is the number of symbols. Both counts take symbol
indices of shape (length,) and return log N_k(xa) for the prefixes x of n < k
symbols and each next symbol a: shape (min(k, length + 1), m).
"""

import math

import numpy as np

from harness.types import Floats, Ints


def log_primitive(symbols: Ints, n_symbols: int, k: int) -> Floats:
    """Count the primitive words of length k: those that are no repetition of a shorter word.

    Every word of length k repeats exactly one primitive word, whose length
    divides k. Hence, by Moebius inversion (Lothaire 1983, section 1.3),
    N_k(x) = sum over d | k of mu(k / d) A_d(x), where A_d counts all words of
    length d whose repetition starts with x: m^(d - |x|) if |x| <= d, otherwise 1
    if x has period d, else 0.
    """
    m = float(n_symbols)
    n = np.arange(min(k, symbols.size + 1))
    scaled = np.zeros((n.size, n_symbols))  # N_k(xa) / m^(k - n - 1), in [0, 1]: no overflow
    for d in range(1, k + 1):
        sign = _moebius(k // d) if k % d == 0 else 0
        if sign == 0:
            continue
        scaled[:d] += sign * m ** (d - k)
        seen = n[(n >= d) & (n <= first_break(symbols, d))]
        scaled[seen, symbols[seen - d]] += sign * m ** (seen + 1 - k)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(scaled) + ((k - n - 1) * math.log(m))[:, None])


def log_distinct(symbols: Ints, n_symbols: int, k: int) -> Floats:
    """Count the words of k <= m different symbols.

    N_k(xa) = (m - n - 1)! / (m - k)! if the symbols of xa all differ, else 0.
    """
    n = np.arange(min(k, symbols.size + 1))
    one_hot = np.eye(n_symbols)[symbols[: n.size - 1]]
    seen = np.concatenate([np.zeros((1, n_symbols)), np.cumsum(one_hot, axis=0)])
    log_words = np.array([math.lgamma(n_symbols - i) - math.lgamma(n_symbols - k + 1) for i in n])
    possible = (seen == 0) & (seen.max(axis=1, keepdims=True) <= 1)
    return np.where(possible, log_words[:, None], -np.inf)


def first_break(symbols: Ints, k: int) -> int:
    """Return the first index i with symbols[i] != symbols[i - k], or the length.

    The first n symbols have period k exactly if n is at most this.
    """
    broken = np.flatnonzero(symbols[k:] != symbols[: max(symbols.size - k, 0)])
    return int(broken[0]) + k if broken.size else symbols.size


def _moebius(n: int) -> int:
    """Return the Moebius function: 0 if a square above 1 divides n, else (-1)^(number of prime factors)."""
    sign = 1
    for prime in range(2, n + 1):
        if n % prime == 0:
            n //= prime
            if n % prime == 0:
                return 0
            sign = -sign
    return sign
