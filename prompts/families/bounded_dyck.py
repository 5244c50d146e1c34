"""Balanced words of brackets that nest no deeper than a bound: the regular control of `dyck`.

Symbols, streams and sizes are those of `dyck`, words uniform among those of
their size with at most `depth` brackets open at a time: finite memory is
enough. `k` types of brackets: "()", "[]", "{}", "<>", or `symbols`, those that
open and then, in the same order, those that close. `stream: words` separates
words by "|", none ever cut; `word` is one word that fills the sequence. The
size of a word, its number of pairs, is at least 1, geometric with mean
`mean_size` or uniform on 1..2 mean_size - 1; the words of a stream are
conditioned on its total length. The law depends on that total, and a longer
sequence does not start with the shorter one.

The law knows the total; observers do not. To the ideal one, `language`, the
sequence is the beginning of an endless stream, or of a word whose size has the
same law, and it averages over the size. For one long word set `mean_size` to
the size that is to be expected. `depths` holds the bounds 1..`depth` and no
bound for equally probable and finds out. `backoff` counts k-grams of up to 5
symbols, `kt` symbols. Where the word begun is none of the language, the first
two say what `kt` does up to the next separator.

Example: depth: 2, mean_size: 4, rendered without a separator

    prompt '[](())[()]|()([]()()())['
    target ']', balanced words over 2 types of brackets at most 2 deep, pairs: 5, 7
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.brackets import bracket_names, brackets
from harness.prompts.later import later
from harness.prompts.observers.ngram import backoff
from harness.prompts.words import Sizes, Stream, Words, listed, with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "language"
_DEEPEST = 32  # `depths` asks one observer for each bound


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    k: int = 2,
    depth: int = 3,
    stream: Stream = "words",
    sizes: Sizes = "geometric",
    mean_size: float = 6.0,
    symbols: tuple[str, ...] | None = None,
) -> Sequence:
    """Draw the size of each word, then its types of brackets, then its shape."""
    alphabet = with_separator(bracket_names(k, symbols), stream)
    if not 1 <= depth <= _DEEPEST:
        raise SpecError(f"family 'bounded_dyck': depth={depth!r} must be in 1..{_DEEPEST}")
    words = Words(brackets(k, depth), stream, sizes, mean_size)
    drawn, drawn_sizes = words.draw(length, rng)
    shown = f"balanced words over {k} types of brackets at most {depth} deep, pairs: {listed(drawn_sizes)}"
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=words.law(drawn),
        observers=later(
            observe, drawn, alphabet, k=k, depth=depth, stream=stream, sizes=sizes, mean_size=mean_size
        ),
        ideal=IDEAL,
        concept=shown,
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    k: int,
    depth: int,
    stream: Stream,
    sizes: Sizes,
    mean_size: float,
) -> dict[str, Floats]:
    """Predict from what is open, with the bound known or not, and from what symbols followed before."""
    words = Words(brackets(k, depth), stream, sizes, mean_size)
    m = len(alphabet)
    bounds = [*range(1, depth + 1), None]
    return {
        "language": words.predict(symbols),
        "depths": words.predict(symbols, *(brackets(k, bound).law for bound in bounds)),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }
