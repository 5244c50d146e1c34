"""Symbols drawn from an urn without replacement: fixed counts in random order.

The exchangeable control: `counts` says how many of each symbol are in the urn,
and every order of them is equally likely. Nothing can be learned from order. The
true law is (count - drawn so far) / (symbols left), which ends when the urn is
empty: a sequence is as long as the urn at most, and the row after its last
symbol is NaN. Fill the urn with as many symbols as the longest context and one
more.

The ideal observer, `urn`, knows the counts and hence the law; the whole of
context only tells it what is left. `laplace` knows that there is an urn and
holds all counts of that sum for equally likely: its law is (drawn so far + 1) /
(n + m), the uniform Dirichlet prior, whatever the size of the urn. `urn` is
`kt` once the urn is empty or a symbol came that was used up.

Example: counts: [10, 4], rendered with separator ", "

    prompt ' H, H, T, H, H, H, T, H, H, H, H, H,'
    target ' T', 10 H and 4 T in random order
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import integers_below
from harness.prompts.later import later
from harness.prompts.observers.fallback import unless_refuted
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Floats, Ints, Sequence

IDEAL = "urn"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    counts: tuple[int, ...] = (512, 512),
    symbols: str | tuple[str, ...] = "coin",
) -> Sequence:
    """Draw from the urn, one symbol after the other."""
    alphabet = alphabet_of(symbols)
    _check(counts, alphabet)
    if length > sum(counts):
        raise SpecError(
            f"family 'urn': length={length!r} is more than the {sum(counts)} symbols of counts={counts!r}; "
            "fill the urn with as many as the longest context and one more"
        )
    drawn = _draw(length, counts, rng)
    left = np.array(counts) - observers.counts(drawn, len(alphabet))
    with np.errstate(invalid="ignore"):
        law = np.asarray(left / left.sum(axis=1, keepdims=True))
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=law,
        observers=later(observe, drawn, alphabet, counts=counts),
        ideal=IDEAL,
        concept=" and ".join(f"{n} {a}" for n, a in zip(counts, alphabet, strict=True)) + " in random order",
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, counts: tuple[int, ...]) -> dict[str, Floats]:
    """Predict from what is left, and from what was drawn."""
    m = len(alphabet)
    _check(counts, alphabet)
    left = np.maximum(np.array(counts) - observers.counts(symbols, m), 0)
    with np.errstate(invalid="ignore"):
        law = left / left.sum(axis=1, keepdims=True)
    kt = observers.kt(symbols, m)
    return {
        "urn": unless_refuted(law, symbols, kt),
        "laplace": observers.dirichlet(symbols, m, 1.0),
        "kt": kt,
    }


def _draw(length: int, counts: tuple[int, ...], rng: np.random.Generator) -> Ints:
    """Take one of the symbols left at a time, each equally likely (Durstenfeld's shuffle, read forwards)."""
    left = np.repeat(np.arange(len(counts)), counts).tolist()
    drawn = np.empty(length, np.int64)
    for n in range(length):
        i = int(integers_below(len(left), 1, rng)[0])
        drawn[n] = left[i]
        left[i] = left[-1]
        left.pop()
    return drawn


def _check(counts: tuple[int, ...], alphabet: tuple[str, ...]) -> None:
    if len(counts) != len(alphabet) or min(counts) < 0 or sum(counts) == 0:
        raise SpecError(
            f"family 'urn': counts={counts!r} must be {len(alphabet)} integers >= 0, one for each of "
            f"{', '.join(alphabet)}, not all 0"
        )
