"""Words a^n b^n, or a^n b^kn: how many a there were decides how many b there must be.

The k of `ratio` is in 1..4. `stream: words` separates words by "|", none ever
cut; `word` is one word that fills the sequence. The size n is at least 1,
geometric with mean `mean_size` or uniform on 1..2 mean_size - 1; the words of a
stream are conditioned on its total length. The law depends on that total, and a
longer sequence does not start with the shorter one.

The law knows the total, hence the n of a word alone. Observers do not: to the
ideal one, `language`, the sequence is the beginning of an endless stream, or of
a word whose size has the same law; b follows t letters a with probability
P(n = t) / P(n >= t), and after the first b all is certain. For one long word
set `mean_size` to the size that is to be expected. `ratios` holds k = 1..4 for
equally probable and finds out. `blocks` knows that b follows a and the law of
both sizes, but not that one decides the other: what is gained on it needs
counting. `backoff` counts k-grams of up to 5 symbols, `kt` symbols. Where the
word begun is none of the language, the first three say what `kt` does up to the
next separator.

Example: mean_size: 2, rendered without a separator

    prompt 'aabb|aabb|ab|ab|ab|a'
    target 'b', a^n b^n with n = 2, 2, 1, 1, 1, 1
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.later import later
from harness.prompts.observers.ngram import backoff
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.word_languages import blocks, uncounted_blocks
from harness.prompts.words import Sizes, Stream, Words, listed, with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "language"
_RATIOS = (1, 2, 3, 4)


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    ratio: int = 1,
    stream: Stream = "words",
    sizes: Sizes = "geometric",
    mean_size: float = 4.0,
    symbols: str | tuple[str, ...] = ("a", "b"),
) -> Sequence:
    """Draw the sizes of the words one by one."""
    letters = alphabet_of(symbols)
    if len(letters) != 2:
        raise SpecError(f"family 'an_bn': symbols={symbols!r} has {len(letters)} symbols; it needs 2")
    if ratio not in _RATIOS:
        raise SpecError(f"family 'an_bn': ratio={ratio!r} must be one of {_RATIOS}")
    words = Words(blocks((1, ratio)), stream, sizes, mean_size)
    drawn, drawn_sizes = words.draw(length, rng)
    alphabet = with_separator(letters, stream)
    a, b = letters
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=words.law(drawn),
        observers=later(
            observe, drawn, alphabet, ratio=ratio, stream=stream, sizes=sizes, mean_size=mean_size
        ),
        ideal=IDEAL,
        concept=f"{a}^n {b}^{ratio if ratio > 1 else ''}n with n = {listed(drawn_sizes)}",
    )


def observe(
    symbols: Ints, alphabet: tuple[str, ...], *, ratio: int, stream: Stream, sizes: Sizes, mean_size: float
) -> dict[str, Floats]:
    """Predict from the word begun, with and without counting, and from what symbols followed before."""
    words = Words(blocks((1, ratio)), stream, sizes, mean_size)
    m = len(alphabet)
    return {
        "language": words.predict(symbols),
        "ratios": words.predict(symbols, *(blocks((1, k)).law for k in _RATIOS)),
        "blocks": words.predict(symbols, uncounted_blocks((1, ratio))),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }
