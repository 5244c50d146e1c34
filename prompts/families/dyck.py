"""Balanced words of brackets: what closes must be of the type that was opened last.

`k` types of brackets: "()", "[]", "{}", "<>", or `symbols`, those that open and
then, in the same order, those that close. `stream: words` separates words by
"|", none ever cut; `word` is one word that fills the sequence, uniform among
the Catalan(n/2) k^(n/2) of its length n. The size of a word, its number of
pairs, is at least 1, geometric with mean `mean_size` or uniform on
1..2 mean_size - 1; the words of a stream are conditioned on its total length.
The law depends on that total, and a longer sequence does not start with the
shorter one.

At height h, with r letters of the word to come, a bracket opens with probability
(r - h)(h + 2) / (2 r (h + 1)), shared by the k types; the type that closes is
certain. The law knows the total; observers do not. To the ideal one,
`language`, the sequence is the beginning of an endless stream, or of a word
whose size has the same law, and it averages over the size. For one long word
set `mean_size` to the size that is to be expected. With k > 1, `height` knows as
much but not which type is open: what is gained on it is memory of the stack.
`backoff` counts k-grams of up to 5 symbols, `kt` symbols. Where the word begun
is none of the language, the first two say what `kt` does up to the next
separator.

Example: mean_size: 4, rendered without a separator

    prompt '[](([]()))|()([]()(()[])'
    target ')', balanced words over 2 types of brackets, pairs: 5, 7
"""

import numpy as np

from harness.prompts import observers
from harness.prompts.brackets import bracket_names, brackets, untyped_brackets
from harness.prompts.later import later
from harness.prompts.observers.ngram import backoff
from harness.prompts.words import Sizes, Stream, Words, listed, with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "language"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    k: int = 2,
    stream: Stream = "words",
    sizes: Sizes = "geometric",
    mean_size: float = 6.0,
    symbols: tuple[str, ...] | None = None,
) -> Sequence:
    """Draw the size of each word, then its types of brackets, then its shape."""
    alphabet = with_separator(bracket_names(k, symbols), stream)
    words = Words(brackets(k), stream, sizes, mean_size)
    drawn, drawn_sizes = words.draw(length, rng)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=words.law(drawn),
        observers=later(observe, drawn, alphabet, k=k, stream=stream, sizes=sizes, mean_size=mean_size),
        ideal=IDEAL,
        concept=f"balanced words over {k} types of brackets, pairs: {listed(drawn_sizes)}",
    )


def observe(
    symbols: Ints, alphabet: tuple[str, ...], *, k: int, stream: Stream, sizes: Sizes, mean_size: float
) -> dict[str, Floats]:
    """Predict from what is open, from how deep it is, and from what symbols followed before."""
    words = Words(brackets(k), stream, sizes, mean_size)
    m = len(alphabet)
    height = {"height": words.predict(symbols, untyped_brackets(k))} if k > 1 else {}
    return {
        "language": words.predict(symbols),
        **height,
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }
