"""A Markov chain whose transition probabilities are to be learned from context.

Each row, the law of the next symbol after one context of `order` symbols, is
drawn for each sequence from the symmetric Dirichlet(alpha); the first `order`
symbols are uniform. Order 0 is an i.i.d. source of unknown symbol frequencies.

The ideal observer, `markov`, knows order and alpha and learns the rows; `kt`
knows symbol frequencies only.

Example: order: 1, rendered without a separator

    prompt 'xxxxyyyxxyxx'
    target 'y', x -> x 0.73, y 0.27; y -> x 0.59, y 0.41
"""

import itertools
import math
from bisect import bisect_right

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import cumulative, dirichlet, uniforms
from harness.prompts.later import later
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.symbols import joined
from harness.types import Floats, Ints, Sequence

IDEAL = "markov"
_MOST_CONTEXTS = 4096  # all rows are drawn before the first symbol
_SHOWN_CONTEXTS = 4


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    order: int = 1,
    symbols: str | tuple[str, ...] = "pair",
    alpha: float = 1.0,
) -> Sequence:
    """Draw the rows, then walk."""
    alphabet = alphabet_of(symbols)
    m = len(alphabet)
    if order < 0 or order * math.log2(m) > math.log2(_MOST_CONTEXTS):
        raise SpecError(
            f"family 'markov': order={order!r} with {m} symbols must be >= 0 and have at most "
            f"{_MOST_CONTEXTS} contexts ({m}**order)"
        )
    if not (alpha > 0 and math.isfinite(alpha)):
        raise SpecError(f"family 'markov': alpha={alpha!r} must be finite and > 0")
    rows = np.array([dirichlet(alpha, m, rng) for _ in range(m**order)])
    drawn, law = _walk(length, rng, rows, order)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=law,
        observers=later(observe, drawn, alphabet, order=order, alpha=alpha),
        ideal=IDEAL,
        concept=_in_words(rows, order, alphabet),
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, order: int, alpha: float) -> dict[str, Floats]:
    """Predict from the counts after each context, and from symbol counts."""
    m = len(alphabet)
    return {"markov": observers.markov(symbols, m, order=order, alpha=alpha), "kt": observers.kt(symbols, m)}


def _walk(length: int, rng: np.random.Generator, rows: Floats, order: int) -> tuple[Ints, Floats]:
    """Return `length` symbols and their law. The index of a context reads its symbols as base-m digits."""
    n_contexts, m = rows.shape
    start = np.full(m, 1 / m)
    thresholds, start_thresholds = cumulative(rows).tolist(), cumulative(start).tolist()
    drawn = np.empty(length, np.int64)
    contexts = np.empty(length + 1, np.int64)
    context = 0
    for n, u in enumerate(uniforms(length, rng).tolist()):
        contexts[n] = context
        drawn[n] = bisect_right(thresholds[context] if n >= order else start_thresholds, u)
        context = (context * m + int(drawn[n])) % n_contexts
    contexts[length] = context
    law = rows[contexts]
    law[:order] = start
    return drawn, law


def _in_words(rows: Floats, order: int, alphabet: tuple[str, ...]) -> str:
    """Return e.g. "x -> x .31, y .69; y -> ..." for the first few contexts."""
    contexts = list(itertools.islice(itertools.product(alphabet, repeat=order), _SHOWN_CONTEXTS))
    shown = [
        f"{joined(context) or 'anything'} -> "
        + ", ".join(f"{a} {p:.2f}" for a, p in zip(alphabet, row, strict=True))
        for context, row in zip(contexts, rows, strict=False)
    ]
    more = len(rows) - len(shown)
    return "; ".join(shown) + (f"; and {more} more contexts" if more else "")
