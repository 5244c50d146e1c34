"""A known pattern repeated, or random symbols: which of the two is to be found from context.

`pattern` names symbols of the set, "011" or a list; its repetition begins with
its first symbol. Each symbol is another one with probability `noise`, each
other equally. `source` says what is drawn: the pattern; "random", uniform
symbols; or "prior", random symbols with probability `prior_random` and
otherwise the pattern.

The ideal observer, `known_pattern`, knows the pattern and the noise and that
symbols are random with prior `prior_random`. Without noise the log odds of the
pattern grow by ln 2 a symbol of two, for whatever pattern: its probability is
logistic in context length, which is how fast a curve can rise at all. `kt` knows
symbol frequencies only, and `induction_copy` looks for the longest match: what
can be told without knowing the pattern.

Example: pattern: "011", rendered with separator ", "

    prompt ' 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1,'
    target ' 0', 011 repeated
"""

from typing import Literal

import numpy as np

from harness.prompts import observers
from harness.prompts.draws import categorical, integers_below, uniforms
from harness.prompts.later import later
from harness.prompts.observers.known_patterns import known_pattern, noisy
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.symbols import indices as indices_of
from harness.prompts.symbols import joined
from harness.types import Floats, Ints, Sequence

IDEAL = "known_pattern"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    pattern: str | tuple[str, ...] = "011",
    source: Literal["pattern", "random", "prior"] = "pattern",
    noise: float = 0.0,
    prior_random: float = 0.5,
    symbols: str | tuple[str, ...] = "binary",
) -> Sequence:
    """Draw whether the symbols are random, then the symbols."""
    alphabet = alphabet_of(symbols)
    m = len(alphabet)
    indices = indices_of(pattern, alphabet, "family 'known_concept'")
    expected = indices[np.arange(length + 1) % indices.size]
    law = noisy(expected, m, noise)
    is_random = source == "random" or (source == "prior" and float(uniforms(1, rng)[0]) < prior_random)
    if is_random:
        law = np.full((length + 1, m), 1 / m)
        drawn = integers_below(m, length, rng)
    else:
        shift = noisy(np.zeros(1, np.int64), m, noise)[0]  # of one symbol from the pattern's
        drawn = (expected[:length] + categorical(shift, length, rng)) % m
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=law,
        observers=later(observe, drawn, alphabet, pattern=pattern, noise=noise, prior_random=prior_random),
        ideal=IDEAL,
        concept="random symbols" if is_random else f"{joined(tuple(alphabet[s] for s in indices))} repeated",
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    pattern: str | tuple[str, ...],
    noise: float,
    prior_random: float,
) -> dict[str, Floats]:
    """Predict from how well the pattern fits, from the longest match, and from symbol counts."""
    m = len(alphabet)
    indices = indices_of(pattern, alphabet, "family 'known_concept'")
    return {
        "known_pattern": known_pattern(symbols, m, pattern=indices, noise=noise, prior_random=prior_random),
        "induction_copy": observers.induction_copy(symbols, m),
        "kt": observers.kt(symbols, m),
    }
