"""The dominant eigenvector of a non-negative matrix, with the same bits on every machine."""

import numpy as np

from harness.types import Floats

_SQUARINGS = 60  # the power 2**60 leaves nothing of an eigenvalue that a float can tell from the largest


def high_power(m: Floats) -> Floats:
    """Return (m + 1)**(2**60), scaled to a largest entry of 1, for m >= 0 whose largest eigenvalue is simple.

    That is the outer product of its right and left eigenvectors: each column is
    the right one, each row the left one. Adding 1 removes periods. Products are
    summed in a fixed order, which BLAS and LAPACK do not promise.
    """
    power = m + np.eye(len(m))
    for _ in range(_SQUARINGS):
        square = np.zeros_like(power)
        for i in range(len(m)):
            square += power[:, i, None] * power[i]
        power = square / square.max()
    return power


def growth(m: Floats) -> float:
    """Return the largest eigenvalue of an irreducible matrix m >= 0."""
    v = high_power(m).sum(axis=1)
    top = int(v.argmax())
    return float((m[top] * v).sum() / v[top])
