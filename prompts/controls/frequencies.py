"""Controls that keep which symbols are in use and how often, and nothing of their order."""

import numpy as np

from harness.prompts.controls.source import Source
from harness.prompts.draws import categorical, permutation
from harness.prompts.later import later
from harness.prompts.observers import counts
from harness.types import Sequence


def shuffle(source: Source, rng: np.random.Generator) -> Sequence:
    """Permute all symbols, the last target included.

    The law is that of an urn drawn empty, so that its last row is NaN.
    """
    shuffled = source.symbols[permutation(source.symbols.size, rng)]
    seen = counts(shuffled, source.n_symbols)
    left = seen[-1] - seen
    with np.errstate(invalid="ignore"):
        law = np.asarray(left / left.sum(axis=1, keepdims=True))
    return source.become(shuffled, law, later(source.observe, shuffled))


def matched_random(source: Source, rng: np.random.Generator) -> Sequence:
    """Draw i.i.d. symbols with the sequence's own frequencies; those of no symbols are NaN."""
    symbols, m = source.symbols, source.n_symbols
    if not symbols.size:
        return source.become(symbols, np.full((1, m), np.nan), source.observe(symbols))
    frequency = np.bincount(symbols, minlength=m) / symbols.size
    drawn = categorical(frequency, symbols.size, rng)
    return source.become(drawn, np.tile(frequency, (symbols.size + 1, 1)), later(source.observe, drawn))
