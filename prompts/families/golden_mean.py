"""The golden mean process: after 1 a fair coin, after 0 always 1, so that no two 0s stand together.

Two hidden states; the last symbol tells which, and `symbols`, two of them, are
in the order 0, 1. The sequence is stationary: the first symbol is 1 with
probability 2/3. The entropy rate is 2/3 bit a symbol.

The law is that of one who knows the process and the prefix, and so is the ideal
observer `filter`: nothing is to be learned but what comes next. `memory` knows
the process and the last `memory` symbols (one suffices; none leaves the known frequencies). Who does not know
the process has `ctw`, exact over all context trees of at most `depth` symbols,
of which this process is one, and `kt`. Where two 0s do come, `filter` starts
anew from the stationary law.

Example: rendered without a separator

    prompt '101011110110'
    target '1', the golden mean process
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
    memory: int = 0,
    depth: int = 8,
) -> Sequence:
    """Draw the first state from the stationary law, then one edge a symbol."""
    return sample_process(
        automata.golden_mean(),
        length,
        rng,
        symbols=symbols,
        memory=memory,
        depth=depth,
        concept="the golden mean process",
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, memory: int, depth: int) -> dict[str, Floats]:  # noqa: ARG001 two symbols
    """Predict with the process known, with the past forgotten, and with neither known."""
    return observe_process(automata.golden_mean(), symbols, memory=memory, depth=depth)
