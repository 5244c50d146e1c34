"""Named hidden Markov processes of computational mechanics."""

from functools import cache

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata.process import Process


@cache
def golden_mean() -> Process:
    """Return the process without two 0s in a row: after 1 both symbols are equally likely. Entropy rate 2/3 bit."""
    return _process(2, 2, {(1, 0, 0): 0.5, (0, 0, 1): 0.5, (1, 1, 0): 1.0})


@cache
def even_process() -> Process:
    """Return the process whose runs of 1s are even (Weiss 1973); no finite memory predicts it. Entropy rate 2/3 bit."""
    return _process(2, 2, {(0, 0, 0): 0.5, (1, 0, 1): 0.5, (1, 1, 0): 1.0})


@cache
def mess3(x: float, a: float) -> Process:
    """Return the process of three states and symbols with a belief for every past (Marzen & Crutchfield 2017).

    A state turns into each other one with probability x, 0 < x <= 1/2; a
    symbol names the state arrived at with probability a and each other state
    with (1 - a)/2, 0 <= a <= 1.
    """
    if not (0 < x <= 0.5 and 0 <= a <= 1):
        raise SpecError(f"mess3(x={x!r}, a={a!r}): x must be above 0 and at most 0.5, a in 0..1")
    stay_or_turn = np.where(np.eye(3) == 1, 1 - 2 * x, x)
    named = np.where(np.eye(3) == 1, a, (1 - a) / 2)
    return Process(stay_or_turn[None] * named[:, None, :])


@cache
def rrxor() -> Process:
    """Return two random bits and then their exclusive or, the phase not given. Entropy rate 2/3 bit."""
    edges = {(a, 0, 1 + a): 0.5 for a in (0, 1)}
    edges |= {(b, 1 + a, 3 + (a ^ b)): 0.5 for a in (0, 1) for b in (0, 1)}
    edges |= {(c, 3 + c, 0): 1.0 for c in (0, 1)}
    return _process(2, 5, edges)


@cache
def z1r() -> Process:
    """Return 0, then 1, then a random bit, the phase not given. Entropy rate 1/3 bit."""
    return _process(2, 3, {(0, 0, 1): 1.0, (1, 1, 2): 1.0, (0, 2, 0): 0.5, (1, 2, 0): 0.5})


@cache
def simple_nonunifilar() -> Process:
    """Return the simple nonunifilar source: two states emit 1, the second alone 0 as well (Crutchfield 1994)."""
    return _process(2, 2, {(1, 0, 0): 0.5, (1, 0, 1): 0.5, (1, 1, 1): 0.5, (0, 1, 0): 0.5})


def _process(n_symbols: int, n_states: int, edges: dict[tuple[int, int, int], float]) -> Process:
    """Return the process with these probabilities of (symbol, from, to)."""
    T = np.zeros((n_symbols, n_states, n_states))
    for edge, p in edges.items():
        T[edge] = p
    return Process(T)
