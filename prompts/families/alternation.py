"""Symbols that differ from the one before with a probability to be learned.

With two symbols it is the alternation-biased coin. `a` is the probability that a
symbol is not the one before it; "uniform" draws it anew for each sequence from
Beta(1, 1). The first symbol is uniform, and one that differs is uniform among the
others: all symbols are equally frequent in the long run and only their order
tells a. With two symbols 1/2 is a fair coin; with m it is (m - 1) / m.

The ideal observer, `alternation`, knows all but a, of which it has the uniform
prior. `markov` learns the probabilities after each symbol by themselves, and
`kt` symbol frequencies only, of which there is nothing to be learned.

Example: a: uniform, rendered with separator ", "

    prompt ' H, T, H, T, H, H, H, H, T, H, H, T,'
    target ' H', differs from the last with p = 0.73
"""

from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import integers_below, uniforms
from harness.prompts.later import later
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Floats, Ints, Sequence

IDEAL = "alternation"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    a: float | Literal["uniform"] = "uniform",
    symbols: str | tuple[str, ...] = "coin",
) -> Sequence:
    """Draw the probability, then the symbols."""
    alphabet = alphabet_of(symbols)
    if a != "uniform" and not 0 <= a <= 1:
        raise SpecError(f"family 'alternation': a={a!r} must be in 0..1 or 'uniform'")
    differs = float(uniforms(1, rng)[0]) if a == "uniform" else float(a)
    drawn = _walk(length, rng, differs, len(alphabet))
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=_law(drawn, differs, len(alphabet)),
        observers=later(observe, drawn, alphabet),
        ideal=IDEAL,
        concept=f"differs from the last with p = {differs:.2f}",
    )


def observe(symbols: Ints, alphabet: tuple[str, ...]) -> dict[str, Floats]:
    """Predict from how often symbols differed, from pairs of symbols, and from symbol counts."""
    m = len(alphabet)
    return {
        "alternation": observers.alternation(symbols, m),
        "markov": observers.markov(symbols, m, order=1, alpha=0.5),
        "kt": observers.kt(symbols, m),
    }


def _walk(length: int, rng: np.random.Generator, differs: float, m: int) -> Ints:
    """Draw the first symbol, then how far each lies behind the last, counted round the alphabet."""
    first = integers_below(m, 1, rng)
    u = uniforms(max(length - 1, 0), rng)
    with np.errstate(all="ignore"):  # a of 0: no symbol differs
        other = 1 + np.minimum(np.floor(u * (m - 1) / differs), m - 2)  # u below `differs` is uniform there
    steps = np.where(u < differs, other, 0).astype(np.int64)
    return np.cumsum(np.concatenate([first, steps]))[:length] % m


def _law(drawn: Ints, differs: float, m: int) -> Floats:
    law = np.full((drawn.size + 1, m), 1 / m)
    law[1:] = differs / (m - 1)
    law[np.arange(1, drawn.size + 1), drawn] = 1 - differs
    return law
