"""What the tests of controls share: a sequence with and without a control, and laws counted out."""

from collections.abc import Iterable

import numpy as np

from harness.prompts.controls import apply_control
from harness.registry import load_family
from harness.types import Floats, ParamValue, Sequence

RARE = 1e-6  # odds that a correct control fails a test of its law, were the seed drawn at random


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def controlled(
    text: str, length: int, key: int, family: str = "periodic", **params: ParamValue
) -> tuple[Sequence, Sequence]:
    """A sequence, and the same under a control."""
    found = load_family(family)
    sequence = found.sample(length, philox(key), **params)
    return sequence, apply_control(text, sequence, found, params, philox(key + 1000))


def counted_law(symbols: list[int], n_symbols: int, outcomes: Iterable[tuple[int, ...]]) -> Floats:
    """The law of each symbol given those before it if all outcomes are equally probable: (length, n_symbols)."""
    left = list(outcomes)
    law = np.zeros((len(symbols), n_symbols))
    for n, symbol in enumerate(symbols):
        for outcome in left:
            law[n, outcome[n]] += 1 / len(left)
        left = [outcome for outcome in left if outcome[n] == symbol]
    return law
