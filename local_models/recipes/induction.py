"""Random blocks that come again after random gaps: what induction heads are for, and it appears abruptly.

The block is random, so that what follows can be known only by finding the
earlier copy, and gaps vary, so that no fixed distance finds it.
"""

from collections.abc import Mapping
from string import ascii_lowercase

import numpy as np

from harness.local_models.recipe import BOS, Batch, Predict, Recipe
from harness.local_models.recipes import _laws as laws
from harness.local_models.training_loop import log_steps
from harness.types import Floats, Ints

SYMBOLS = ascii_lowercase
POSITIONS = 96
BLOCK, MAX_GAP = (8, 24), 8  # symbols, ends included
LAW = f"""\
Every sequence is BOS and {POSITIONS - 1} letters `a .. z`: a random block of {BLOCK[0]} to {BLOCK[1]} letters,
uniform and independent, repeated after gaps of 0 to {MAX_GAP} random letters; the length of the block is uniform
in each sequence and each gap uniform by itself. All letters count in the loss.
"""
COPIED = 16  # length of the block in what is measured
_GAPS = (5, 3, 7)  # random letters before each of its three copies
_MEASURED = 512  # sequences


def sample_batch(rng: np.random.Generator, batch: int) -> Batch:
    """Draw the sequences of one step."""
    drawn = laws.copies(rng, batch, POSITIONS - 1, n_symbols=len(SYMBOLS), lengths=BLOCK, max_gap=MAX_GAP)
    return Batch(tokens(drawn), np.ones(drawn.shape, dtype=np.bool_))


def tokens(sequences: Ints) -> Ints:
    """Return sequences, indices into SYMBOLS, as tokens, BOS first."""
    return np.hstack([np.full((len(sequences), 1), BOS), 2 + sequences])


def three_copies(rng: np.random.Generator, batch: int) -> tuple[Ints, Ints]:
    """Return sequences with three copies of a block of COPIED symbols, and where each copy starts."""
    block = rng.integers(len(SYMBOLS), size=(batch, COPIED))
    parts, starts, at = [], [], 0
    for gap in _GAPS:
        parts += [rng.integers(len(SYMBOLS), size=(batch, gap)), block]
        starts.append(at + gap)
        at += gap + COPIED
    return np.hstack(parts), np.array(starts)


def measure(predict: Predict, rng: np.random.Generator) -> Mapping[str, Floats]:
    """Return p(target) along each of three copies of a block, over the letters."""
    sequences, starts = three_copies(rng, _MEASURED)
    logp = predict(tokens(sequences)[:, :-1]).astype(np.float64)[..., 2:]
    logp -= np.logaddexp.reduce(logp, axis=-1, keepdims=True)
    p = np.exp(np.take_along_axis(logp, sequences[..., None], axis=-1))[..., 0].mean(axis=0)
    names = ("first", "second", "third")
    return {
        f"{name} copy: p(target)": p[start : start + COPIED]
        for name, start in zip(names, starts.tolist(), strict=True)
    }


RECIPE = Recipe(
    name="induction",
    law=LAW,
    symbols=SYMBOLS,
    sample_batch=sample_batch,
    measure=measure,
    positions=POSITIONS,
    layers=2,
    width=64,
    heads=4,
    steps=1500,
    checkpoints=log_steps(16, 1500, per_octave=4),
    columns=f"columns are the symbols of a block of {COPIED} that have come. Chance is 1/{len(SYMBOLS)}",
)
