"""Mess3: three hidden states that seldom change, three symbols that name them with errors.

A state turns into each other one with probability `x`, 0 < x <= 1/2; a symbol
names the state arrived at with probability `a`, 0 <= a <= 1, and each of the
others with (1 - a)/2 (Marzen & Crutchfield 2017). Every past has a belief of
its own, whose geometry Shai et al. 2024 find in trained transformers. `symbols` are three.

At the defaults x = 0.05, a = 0.85 the entropy rate is 1.1447 bit, so that
context is worth 0.440 bit a symbol over log2(3). At the setting of the literature,
x = 0.15, a = 0.6, it is worth 0.014 bit: no use for prompts of less than
thousands of symbols.

The law is that of one who knows the process and the prefix, and so is the ideal
observer `filter`. `memory` knows the process and the last `memory` symbols, the
best that a k-gram can become. Who does not know the process has `ctw`, exact over
all context trees of at most `depth` symbols, of which this process is none, and
`kt`. Nothing is impossible with 0 < a < 1; else `filter` starts anew from the
stationary law.

Example: rendered without a separator

    prompt 'cbccccccaaca'
    target 'b', mess3 with x = 0.05, a = 0.85
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
    x: float = 0.05,
    a: float = 0.85,
    symbols: str | tuple[str, ...] = ("a", "b", "c"),
    memory: int = 1,
    depth: int = 4,
) -> Sequence:
    """Draw the first state from the stationary law, then one edge a symbol."""
    return sample_process(
        automata.mess3(x, a),
        length,
        rng,
        symbols=symbols,
        memory=memory,
        depth=depth,
        concept=f"mess3 with x = {x}, a = {a}",
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],  # noqa: ARG001 three symbols
    *,
    x: float,
    a: float,
    memory: int,
    depth: int,
) -> dict[str, Floats]:
    """Predict with the process known, with the past forgotten, and with neither known."""
    return observe_process(automata.mess3(x, a), symbols, memory=memory, depth=depth)
