"""Information that is known exactly: of sequences of distinct entities, and of any states of equally likely inputs."""

from dataclasses import dataclass
from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError

States = NDArray[np.floating]
RESOLUTION = 1e-5  # of the root mean square of a state's entries: some ten times the rounding of float32
COARSE = 1e-3  # the same for what 16-bit floats tell apart (2^-11 and 2^-8 of an entry)


def arrangement_bits(n_entities: int, drawn: int) -> float:
    """Return the entropy of `drawn` entities in order, all different: log2 m! / (m - j)!, in bits.

    Raises WhiteBoxError unless 0 <= drawn <= n_entities.
    """
    if not 0 <= drawn <= n_entities:
        raise WhiteBoxError(f"{drawn} different entities cannot be drawn from {n_entities}")
    return (lgamma(n_entities + 1) - lgamma(n_entities - drawn + 1)) / log(2)


@dataclass(frozen=True, slots=True)
class PlugIn:
    """The mutual information of states that were all enumerated, told apart up to a resolution."""

    bits: float
    distinct: tuple[int, int]  # states told apart on each side
    n: int  # inputs


def plug_in(x: States, y: States, *, resolution: float = RESOLUTION) -> PlugIn:
    """Return I = H(x) + H(y) - H(x, y) of states x (n, width) and y (n, width) of n equally likely inputs.

    Exact for the rounded states: every number is rounded to `resolution` times
    the root mean square of its side. Rounding loses information, so this is a
    lower bound for the states themselves; log2 n is the upper bound, reached
    where no two inputs share a state. Meant for all inputs, each once: of a
    sample it says no more than that the sample was told apart.
    """
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
        raise WhiteBoxError(f"states {x.shape} and {y.shape} are no pairs: (n, width) is needed of both")
    if not resolution > 0:
        raise WhiteBoxError(f"resolution {resolution!r} is not above 0")
    a, b = _cells(x, resolution), _cells(y, resolution)
    both = np.unique(np.stack([a, b], axis=1), axis=0, return_inverse=True)[1].ravel()
    bits = _entropy(a) + _entropy(b) - _entropy(both)
    return PlugIn(max(bits, 0.0), (int(a.max()) + 1, int(b.max()) + 1), len(x))


def _cells(states: States, resolution: float) -> NDArray[np.int64]:
    """Return the number of the cell each state lies in."""
    size = float(np.sqrt(np.mean(states.astype(np.float64) ** 2))) or 1.0
    rounded = np.round(states.astype(np.float64) / (resolution * size)).astype(np.int64)
    rows = np.ascontiguousarray(rounded).view(np.dtype((np.void, rounded.dtype.itemsize * rounded.shape[1])))
    return np.asarray(np.unique(rows.ravel(), return_inverse=True)[1], dtype=np.int64).ravel()


def _entropy(cells: NDArray[np.int64]) -> float:
    p = np.bincount(cells) / len(cells)
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())
