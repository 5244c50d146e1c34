"""Texts that a mock writes: one symbol after another, each drawn from its law given those before it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from harness.types import Floats, Prompt

Law = Callable[[Prompt, int], Floats]  # of the symbol after so many of a prompt's, shape (n_symbols,)


def write(law: Law, prompt: Prompt, given: int, uniforms: Sequence[float]) -> str:
    """Return a symbol for each number in [0, 1), written like those of the prompt behind its first `given`."""
    symbols = list(prompt.symbols[:given])
    for u in uniforms:
        # The first symbol stands where the next is to be: a curve that speaks of "the target" then means it.
        p = law(replace(prompt, symbols=(*symbols, 0)), len(symbols))
        symbols.append(min(int(np.searchsorted(np.cumsum(p), u, side="right")), len(p) - 1))
    return replace(prompt, symbols=tuple(symbols)).text(len(symbols))[len(prompt.text(given)) :]
