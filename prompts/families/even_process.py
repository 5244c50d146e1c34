"""The even process: runs of 1 between 0s are of even length, which no finite memory can tell.

Two hidden states (Weiss 1973): in the one a fair coin chooses 0, which stays
there, or 1, which leads to the other; from there 1 leads back. `symbols`, two
of them, are in the order 0, 1. The sequence is stationary: 0 has probability
1/3, and the first run of 1s may have begun before it. The entropy rate is 2/3
bit a symbol.

The law is that of one who knows the process and the prefix, and so is the ideal
observer `filter`. It is sure of the state from the first 0 on. `memory` knows
the process and the last `memory` symbols, the best that a k-gram can become: it
is lost in any longer run of 1s. Who does not know the process has `ctw`, exact
over all context trees of at most `depth` symbols, of which this process is none,
and `kt`. Where an odd run ends in 0, `filter` starts anew from the stationary law.

Example: rendered without a separator

    prompt '100011110011'
    target '0', the even process
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
    memory: int = 4,
    depth: int = 8,
) -> Sequence:
    """Draw the first state from the stationary law, then one edge a symbol."""
    return sample_process(
        automata.even_process(),
        length,
        rng,
        symbols=symbols,
        memory=memory,
        depth=depth,
        concept="the even process",
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, memory: int, depth: int) -> dict[str, Floats]:  # noqa: ARG001 two symbols
    """Predict with the process known, with the past forgotten, and with neither known."""
    return observe_process(automata.even_process(), symbols, memory=memory, depth=depth)
