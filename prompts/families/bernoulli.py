"""Independent flips of a coin whose bias is to be learned from context.

`p` is the probability of the first symbol of the set; "uniform" draws it anew
for each sequence from Beta(1, 1). The true law is (p, 1 - p) at every length.

Observers do not know p, whether it is fixed or drawn: the ideal one, `beta`,
has the uniform prior of p: uniform. For a fixed p it is what an observer
without knowledge of this coin should say, and the law itself is what one with
that knowledge would. `kt` has the prior Beta(1/2, 1/2). With p: 0.5 nothing can
be learned that was not true at the start: the one setting where no transition
is the right answer.

Example: p: uniform, rendered with separator ", " and template "Flips: {sequence}"

    prompt 'Flips: H, H, H, H, H, T, T, T, H, H, T, H,'
    target ' H', p(H) = 0.73
"""

from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts.draws import categorical, uniforms
from harness.prompts.later import later
from harness.prompts.observers import beta_posterior, kt
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Floats, Ints, Sequence

IDEAL = "beta"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    p: float | Literal["uniform"] = "uniform",
    symbols: str | tuple[str, ...] = "coin",
) -> Sequence:
    """Draw the bias, then the flips."""
    alphabet = alphabet_of(symbols)
    if len(alphabet) != 2:
        raise SpecError(f"family 'bernoulli': symbols={symbols!r} has {len(alphabet)} symbols; a coin has 2")
    if p != "uniform" and not 0 <= p <= 1:
        raise SpecError(f"family 'bernoulli': p={p!r} must be in 0..1 or 'uniform'")
    bias = float(uniforms(1, rng)[0]) if p == "uniform" else float(p)
    weights = np.array([bias, 1 - bias])
    drawn = categorical(weights, length, rng)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=np.tile(weights, (length + 1, 1)),
        observers=later(observe, drawn, alphabet),
        ideal=IDEAL,
        concept=f"p({alphabet[0]}) = {bias:.2f}",
    )


def observe(symbols: Ints, alphabet: tuple[str, ...]) -> dict[str, Floats]:
    """Predict from the counts of both symbols."""
    return {"beta": beta_posterior(symbols), "kt": kt(symbols, len(alphabet))}
