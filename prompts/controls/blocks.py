"""Blocks of neighbouring symbols in random order: what is near stays, what is far is lost."""

import numpy as np

from harness.prompts.controls.source import Source
from harness.prompts.draws import permutation
from harness.prompts.later import later
from harness.prompts.observers import backoff
from harness.types import Floats, Ints, Sequence


def block_shuffle(source: Source, rng: np.random.Generator, *, width: int) -> Sequence:
    """Permute the blocks of `width` symbols, counted from the first; what is left over at the end stays there.

    The law is that of an urn of these blocks drawn empty: while a block is read,
    each block left that begins like it is equally probable. The last row is NaN.
    Observer `backoff<width>` counts k-grams up to the width.
    """
    n_whole = source.symbols.size // width
    blocks = source.symbols[: n_whole * width].reshape(n_whole, width)
    blocks = blocks[permutation(n_whole, rng)]
    rest = source.symbols[n_whole * width :]
    shuffled = np.concatenate([blocks.reshape(-1), rest])
    law = np.full((shuffled.size + 1, source.n_symbols), np.nan)
    law[: n_whole * width] = _urn_of_blocks(blocks, source.n_symbols)
    law[n_whole * width : -1] = np.eye(source.n_symbols)[rest]
    rows = backoff(shuffled, source.n_symbols, k=width)
    return source.become(shuffled, law, later(lambda: {**source.observe(shuffled), f"backoff{width}": rows}))


def _urn_of_blocks(blocks: Ints, n_symbols: int) -> Floats:
    """Return the law of every symbol of blocks (n_blocks, width) that are drawn without replacement in this order."""
    n_blocks, width = blocks.shape
    law = np.empty((n_blocks, width, n_symbols))
    place = np.arange(width)
    for i, block in enumerate(blocks):
        left = blocks[i:]
        alike = np.ones(left.shape, np.bool_)  # up to here as the block that is read
        np.logical_and.accumulate(left[:, :-1] == block[:-1], axis=1, out=alike[:, 1:])
        codes = (place * n_symbols + left)[alike]
        next_counts = np.bincount(codes, minlength=width * n_symbols).reshape(width, n_symbols)
        law[i] = next_counts / next_counts.sum(axis=1, keepdims=True)
    return law.reshape(n_blocks * width, n_symbols)
