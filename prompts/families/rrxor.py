"""Two random bits and then their exclusive or, without a mark where a triple begins.

Five hidden states and two `symbols`, in the order 0, 1. The sequence is
stationary: its first symbol has any of the three places in a triple. The entropy
rate is 2/3 bit a symbol, but which symbol is the certain one shows slowly: the
mean loss of the ideal observer is still 0.697 bit after 13 symbols.

The law is that of one who knows the process and the prefix, hence not the phase
but what the prefix says of it; the ideal observer `filter` is the same. `memory`
knows the process and the last `memory` symbols, the best that a k-gram can
become. Who does not know the process has `ctw`, exact over all context trees of
at most `depth` symbols, of which this process is none, and `kt`. Where symbols
come that fit no phase, `filter` starts anew from the stationary law.

Example: rendered without a separator

    prompt '000011010110'
    target '1', two random bits and their exclusive or
"""

import numpy as np

from harness.prompts import automata
from harness.prompts.hidden_markov import observe_process, sample_process
from harness.types import Floats, Ints, Sequence

IDEAL = "filter"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    symbols: str | tuple[str, ...] = "binary",
    memory: int = 6,
    depth: int = 8,
) -> Sequence:
    """Draw the first state from the stationary law, then one edge a symbol."""
    return sample_process(
        automata.rrxor(),
        length,
        rng,
        symbols=symbols,
        memory=memory,
        depth=depth,
        concept="two random bits and their exclusive or",
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, memory: int, depth: int) -> dict[str, Floats]:  # noqa: ARG001 two symbols
    """Predict with the process known, with the past forgotten, and with neither known."""
    return observe_process(automata.rrxor(), symbols, memory=memory, depth=depth)
