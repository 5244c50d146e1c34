"""The bundled model's recipe: eight kinds of sequence over five sets of symbols."""

from collections.abc import Callable
from functools import cache

import numpy as np

from harness.local_models.recipe import BOS, Batch, Recipe, token_ids
from harness.local_models.recipes import _laws as laws
from harness.local_models.recipes._icl_mixture_behaviour import measure
from harness.types import Ints

COIN, CHAIN, BITS, LETTERS, DIGITS = "HT", "xy", "01", "abcdefghijklmnop", "23456789"
SYMBOLS = COIN + CHAIN + BITS + LETTERS + DIGITS
POSITIONS = 288
LAW = """\
Every sequence is BOS and 287 symbols of one kind, drawn independently:

| share | symbols | law |
|---|---|---|
| 15 % | `H T` | i.i.d., p uniform on (0, 1) |
| 8 % | `x y` | first-order Markov, each row Dirichlet(1) |
| 30 % | `0 1` | a pattern repeated: period uniform on 1..8, pattern uniform over primitive words |
| 7 % | `0 1` | random probabilistic automaton of 2 to 4 states, emissions Dirichlet(1/2) |
| 10 % | `0 1` | i.i.d., p from Beta(1/2, 1/2) |
| 14 % | `a .. p` | a pattern of distinct letters repeated: period uniform on 2..8 |
| 6 % | `a .. p` | i.i.d., probabilities from Dirichlet(1/2) |
| 10 % | `2 .. 9` | a random string of 4 to 48 digits, repeated after gaps of 0 to 16 random digits |

The coin and the Markov symbols occur in no other kind, so what they should be
predicted as is known exactly. Patterns share their symbols with i.i.d. draws,
so that a shuffled pattern is nothing new to the model.
"""


def _periodic_bits(rng: np.random.Generator, batch: int, length: int) -> Ints:
    return laws.periodic(rng, batch, length, _bit_words())


@cache
def _bit_words() -> list[Ints]:
    return [laws.primitive_words(period, 2) for period in range(1, 9)]


Law = Callable[[np.random.Generator, int, int], Ints]
KINDS: tuple[tuple[float, str, Law], ...] = (  # share, symbols, law
    (0.15, COIN, lambda rng, b, n: laws.iid(rng, b, n, n_symbols=2, concentration=1.0)),
    (0.08, CHAIN, lambda rng, b, n: laws.markov(rng, b, n, n_symbols=2)),
    (0.30, BITS, _periodic_bits),
    (0.07, BITS, lambda rng, b, n: laws.automata(rng, b, n, n_symbols=2, max_states=4)),
    (0.10, BITS, lambda rng, b, n: laws.iid(rng, b, n, n_symbols=2, concentration=0.5)),
    (0.14, LETTERS, lambda rng, b, n: laws.periodic_distinct(rng, b, n, n_symbols=16, periods=(2, 8))),
    (0.06, LETTERS, lambda rng, b, n: laws.iid(rng, b, n, n_symbols=16, concentration=0.5)),
    (0.10, DIGITS, lambda rng, b, n: laws.copies(rng, b, n, n_symbols=8, lengths=(4, 48), max_gap=16)),
)


def sample_batch(rng: np.random.Generator, batch: int) -> Batch:
    """Draw the sequences of one step; every symbol after BOS counts in the loss.

    Kinds are allotted by systematic sampling: each step holds its share of every
    kind up to rounding, which lowers the noise of the gradient.
    """
    edges = np.cumsum([share for share, _, _ in KINDS])
    kind = np.searchsorted(edges[:-1], (np.arange(batch) + rng.random()) / batch, side="right")
    tokens = np.full((batch, POSITIONS), BOS, dtype=np.int64)
    for index, (_, symbols, law) in enumerate(KINDS):
        rows = np.flatnonzero(kind == index)
        if rows.size:
            tokens[rows, 1:] = token_ids(SYMBOLS, symbols)[law(rng, rows.size, POSITIONS - 1)]
    return Batch(tokens=tokens, mask=np.ones((batch, POSITIONS - 1), dtype=np.bool_))


RECIPE = Recipe(
    name="icl-mixture",
    law=LAW,
    symbols=SYMBOLS,
    sample_batch=sample_batch,
    measure=measure,
    positions=POSITIONS,
    layers=2,
    width=64,
    heads=4,
    steps=3000,
    checkpoints=(0, 64, 128, 256, 1024),
)
