"""What a training recipe is: a model shape, a schedule and a law to draw batches from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.types import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Sequences of one training step, first token (BOS) included."""

    tokens: Ints  # (batch, positions)
    mask: Bools  # (batch, positions - 1): whether predicting token i + 1 counts in the loss


Predict = Callable[[Ints], NDArray[np.float32]]
"""From tokens (batch, positions) to next-token log-probabilities (batch, positions, vocabulary)."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """Everything that determines a trained checkpoint besides the seed.

    `symbols` are the characters the model reads, one token each; token 0 is BOS
    and token 1 stands for every other character. `positions` counts BOS.
    `measure` returns what the trained model was seen to do, for its card: behaviours
    and their values at each context length (or what `columns` says), at least one.
    """

    name: str
    law: str  # the data in words, Markdown, for the model card
    symbols: str
    sample_batch: Callable[[np.random.Generator, int], Batch]
    measure: Callable[[Predict, np.random.Generator], Mapping[str, Floats]]
    positions: int
    layers: int
    width: int
    heads: int
    steps: int
    checkpoints: tuple[int, ...]  # steps after which weights are kept, besides the last
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    warmup: int = 50  # steps of linear warm-up, then a cosine to zero
    columns: str = (  # what `measure` returns a value for, in the words of the card
        "columns are context lengths. Probabilities are renormalised over the symbols of the kind"
    )

    @property
    def model(self) -> str:
        """The model in words."""
        return (
            f"A Llama of {self.layers} layers, width {self.width} and {self.heads} heads that reads one character "
            "as one token"
        )

    @property
    def limit(self) -> str:
        """The most it accepts, in words."""
        return f"{self.positions} tokens, BOS included"

    @property
    def loss_unit(self) -> str:
        """What the loss is."""
        return "Cross-entropy in nats per symbol"

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens: BOS, unknown and the symbols."""
        return 2 + len(self.symbols)


BOS = 0
UNKNOWN = 1


def token_ids(recipe_symbols: str, surfaces: str) -> Ints:
    """Return the token of each character of `surfaces` under the tokenizer of a recipe."""
    return np.array([2 + recipe_symbols.index(c) for c in surfaces], dtype=np.int64)
