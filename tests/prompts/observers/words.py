"""Words as observers take them, and what an observer says of a whole one."""

from collections.abc import Callable
from fractions import Fraction
from math import prod

import numpy as np

from harness.types import Floats, Ints

Word = tuple[int, ...]


def ints(word: Word | str) -> Ints:
    return np.array([int(s) for s in word], np.int64)


def along(word: Word | str, law: Floats) -> float:
    """The probability that an observer gives a whole word."""
    symbols = ints(word)
    return float(np.prod(law[np.arange(symbols.size), symbols]))


def rising(x: Fraction, n: int) -> Fraction:
    return prod((x + i for i in range(n)), start=Fraction(1))


def multinomial_evidence(counts: list[int], alpha: Fraction) -> Fraction:
    """P(word with these counts) under i.i.d. symbols of prior Dirichlet(alpha)."""
    return prod((rising(alpha, n) for n in counts), start=Fraction(1)) / rising(
        len(counts) * alpha, sum(counts)
    )


def assert_ratio_of_evidences(law: Floats, word: Word, evidence: Callable[[Word], Fraction]) -> None:
    """Row n must be P(x_1 .. x_n a) / P(x_1 .. x_n)."""
    m = law.shape[1]
    for n in range(len(word) + 1):
        before = evidence(word[:n])
        expected = [float(evidence((*word[:n], a)) / before) for a in range(m)]
        np.testing.assert_allclose(law[n], expected, rtol=1e-12)
