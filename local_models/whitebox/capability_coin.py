"""The coin as a concept: trials of a coin biased either way, for `read_capability`.

Evidence is 24 flips of a coin of bias 0.6 to 0.8 (or 0.2 to 0.4); the law it
implies is Laplace's rule of succession, ideal where biases are uniform. The
direction is made of coins of bias 0.9 and 0.1, which no trial has. Half of the
prompts of every class end with heads, so that the last flip tells nothing.
Wrong concept: two bits that alternate against one that repeats.
"""

from typing import TYPE_CHECKING

import numpy as np

from harness.local_models.whitebox.capability import CapabilityTrials
from harness.local_models.whitebox.sites import TokenRows
from harness.types import Ints

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

FLIPS = 24
REPEATS = (2, 4)
_TRIALS = ((0.6, 0.8), (0.2, 0.4))  # biases of the two classes
_SEEN = ((0.9, 0.9), (0.1, 0.1))


def coin_trials(
    tokenizer: "PreTrainedTokenizerFast",
    rng: np.random.Generator,
    *,
    n: int = 120,
    flips: str = "HT",
    bits: str = "01",
) -> CapabilityTrials:
    """Return `n` trials, a multiple of 8, half of each class; `flips` and `bits` are one token a character."""
    tokens, other = (tuple(tokenizer.convert_tokens_to_ids(list(names))) for names in (flips, bits))
    heads = np.concatenate([_flips(rng, n // 2, bias) for bias in _TRIALS])
    p = (heads.sum(axis=1) + 1) / (FLIPS + 2)

    def rows(symbols: Ints, names: tuple[int, ...]) -> TokenRows:
        return TokenRows(
            tuple((tokenizer.bos_token_id, *(names[s] for s in row)) for row in symbols.tolist())
        )

    start = rng.integers(2, size=(n // 2, 1))
    alternating = (start + np.arange(FLIPS)) % 2
    constant = np.repeat(start, FLIPS, axis=1)
    seen = [rows(1 - _flips(rng, n // 2, bias), tokens) for bias in _SEEN]
    return CapabilityTrials(
        symbols=tokens,
        naive=rows(1 - heads, tokens),
        strong={k: rows(np.tile(1 - heads, (1, k)), tokens) for k in REPEATS},
        law=np.stack([p, 1 - p], axis=1),
        towards=np.repeat([1, -1], n // 2),
        selection=np.arange(n) % 4 < 2,
        seen=(seen[0], seen[1]),
        wrong=(rows(alternating, other), rows(constant, other)),
        other=rows(np.concatenate([alternating, constant]), other),
        other_symbols=other,
    )


def _flips(rng: np.random.Generator, n: int, bias: tuple[float, float]) -> Ints:
    """Return flips (n, FLIPS), 1 for heads, each coin's bias uniform; the last flip is heads in half of them."""
    p = rng.uniform(*bias, size=(n, 1))
    heads = (rng.random((n, FLIPS)) < p).astype(np.int64)
    heads[:, -1] = np.arange(n) % 2
    return heads
