"""Random draws made from raw bit-generator output only, so that a sequence survives numpy's versions.

Numpy keeps its bit generators' streams fixed but not what its distributions
make of them (NEP 19). Every function reads the stream in order and stops
exactly where it has enough: a longer draw starts with the shorter one.
"""

import math

import numpy as np
from numpy.typing import NDArray

from harness.errors import SpecError
from harness.types import Floats, Ints

_WORDS = 2**64  # raw outputs of a 64-bit generator are uniform on 0.._WORDS - 1


def uniforms(size: int, rng: np.random.Generator) -> Floats:
    """Return `size` numbers in [0, 1), multiples of 2**-53."""
    return np.asarray((_raw(size, rng) >> np.uint64(11)) * np.float64(2**-53), np.float64)


def integers_below(n: int, size: int, rng: np.random.Generator) -> Ints:
    """Return `size` integers uniform on 0..n-1, without bias: words that would cause one are skipped."""
    if not 1 <= n <= 2**63:
        raise SpecError(f"cannot draw integers below n={n!r}; n must be in 1..2**63")
    last = np.uint64(_WORDS - _WORDS % n - 1)
    kept = np.empty(0, np.uint64)
    while kept.size < size:
        words = _raw(size - kept.size, rng)
        kept = np.concatenate([kept, words[words <= last]])
    return (kept % np.uint64(n)).astype(np.int64)


def permutation(n: int, rng: np.random.Generator) -> Ints:
    """Return a uniform permutation of 0..n-1 (Fisher-Yates, Durstenfeld 1964)."""
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j = int(integers_below(i + 1, 1, rng)[0])
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def cumulative(weights: Floats) -> Floats:
    """Return cumulative sums along the last axis, scaled to end at exactly 1.

    With u in [0, 1), the number of entries <= u is a draw from the weights: one
    of weight 0 is never drawn.
    """
    if not (np.all(np.isfinite(weights)) and np.all(weights >= 0) and np.all(np.sum(weights, axis=-1) > 0)):
        raise SpecError(
            f"cannot draw with weights {weights.tolist()!r}; they must be >= 0 with a positive sum"
        )
    sums = np.cumsum(weights, axis=-1)
    return np.asarray(sums / sums[..., -1:])


def categorical(weights: Floats, size: int, rng: np.random.Generator) -> Ints:
    """Return `size` independent indices, index i with probability proportional to weights[i]."""
    return np.searchsorted(cumulative(weights), uniforms(size, rng), side="right").astype(np.int64)


def dirichlet(alpha: float, n: int, rng: np.random.Generator) -> Floats:
    """Return a probability vector of shape (n,) from the symmetric Dirichlet(alpha), alpha > 0.

    Alpha 1 takes the spacings of n - 1 sorted uniforms: no logarithm, hence the
    same bits on every platform. Other alphas normalise Gamma(alpha) variates
    through the platform's `math`, so that the last bit of p may differ.
    """
    if not (alpha > 0 and math.isfinite(alpha)):
        raise SpecError(f"cannot draw from Dirichlet(alpha={alpha!r}); alpha must be finite and > 0")
    if alpha == 1:
        return np.diff(np.sort(uniforms(n - 1, rng)), prepend=0.0, append=1.0)
    logs = np.array([_log_gamma_variate(alpha, rng) for _ in range(n)])
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _log_gamma_variate(alpha: float, rng: np.random.Generator) -> float:
    """Return the logarithm of one Gamma(alpha, 1) variate (Marsaglia & Tsang 2000).

    Below 1 it is a Gamma(alpha + 1) variate times u**(1 / alpha), which may be
    too small for a float: hence the logarithm.
    """
    if alpha < 1:
        return _log_gamma_variate(alpha + 1, rng) + math.log1p(-_uniform(rng)) / alpha
    d = alpha - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        x = _normal(rng)
        u = 1 - _uniform(rng)  # in (0, 1]: its logarithm exists
        if 1 + c * x <= 0:
            continue
        log_v = 3 * math.log1p(c * x)
        if math.log(u) < 0.5 * x * x + d - d * math.exp(log_v) + d * log_v:
            return math.log(d) + log_v


def _normal(rng: np.random.Generator) -> float:
    """Return one standard normal variate (Box & Muller 1958, the cosine half)."""
    radius = math.sqrt(-2 * math.log1p(-_uniform(rng)))
    return radius * math.cos(2 * math.pi * _uniform(rng))


def _uniform(rng: np.random.Generator) -> float:
    return float(uniforms(1, rng)[0])


def _raw(size: int, rng: np.random.Generator) -> NDArray[np.uint64]:
    if isinstance(rng.bit_generator, np.random.MT19937):
        raise SpecError("cannot draw from MT19937: its raw words have 32 bits; use Philox, PCG64 or SFC64")
    return np.asarray(rng.bit_generator.random_raw(size), np.uint64)
