"""Exact counts of words by big integers: conditionals as fractions, words by their rank, draws without rounding."""

from fractions import Fraction

import numpy as np

from harness.prompts.draws import integers_below
from harness.types import Bools, Ints

_LIMB = 32  # bits of one draw; 2**32 divides the 2**64 of a raw word, so that none is skipped


def counts(table: Ints, accepting: Bools, n: int) -> list[list[int]]:
    """Return the number of accepted words of length r from state q, for r = 0..n: [r][q]."""
    rows: list[list[int]] = table.tolist()
    every = [[int(a) for a in accepting]]
    for _ in range(n):
        last = every[-1]
        every.append([sum(last[successor] for successor in row) for row in rows])
    return every


def count(table: Ints, accepting: Bools, state: int, n: int) -> int:
    """Return the number of accepted words of length n from one state."""
    rows: list[list[int]] = table.tolist()
    last = [int(a) for a in accepting]
    for _ in range(n):
        last = [sum(last[successor] for successor in row) for row in rows]
    return last[state]


def conditional(table: Ints, accepting: Bools, state: int, left: int) -> tuple[Fraction, ...] | None:
    """Return the law of the next symbol in a state with `left` symbols to come, None where no word goes on."""
    if left < 1:
        return None
    after = [count(table, accepting, int(successor), left - 1) for successor in table[state]]
    every = sum(after)
    return tuple(Fraction(n, every) for n in after) if every else None


def word(table: Ints, of_length: list[list[int]], start: int, rank: int) -> Ints:
    """Return the accepted word of a rank, from 0, in lexicographic order.

    `of_length` is what `counts` returns; its last row tells the length.
    """
    rows: list[list[int]] = table.tolist()
    state = start
    symbols: list[int] = []
    for n_words in of_length[-2::-1]:
        symbol = 0
        while rank >= n_words[rows[state][symbol]]:
            rank -= n_words[rows[state][symbol]]
            symbol += 1
        symbols.append(symbol)
        state = rows[state][symbol]
    return np.array(symbols, np.int64)


def below(n: int, rng: np.random.Generator) -> int:
    """Return an integer uniform on 0..n-1, n of any size."""
    bits = (n - 1).bit_length()
    n_limbs = -(-bits // _LIMB)
    while True:
        drawn = 0
        for limb in integers_below(2**_LIMB, n_limbs, rng).tolist():
            drawn = drawn << _LIMB | limb
        drawn >>= n_limbs * _LIMB - bits
        if drawn < n:
            return drawn
