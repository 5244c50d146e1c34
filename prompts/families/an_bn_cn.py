"""Words a^n b^n c^n: one number decides the sizes of all three blocks.

`stream: words` separates words by "|", none ever cut; `word` is one word that
fills the sequence. The size n is at least 1, geometric with mean `mean_size` or
uniform on 1..2 mean_size - 1; the words of a stream are conditioned on its
total length. The law depends on that total, and a longer sequence does not
start with the shorter one.

The law knows the total, hence the n of a word alone. Observers do not: to the
ideal one, `language`, the sequence is the beginning of an endless stream, or of
a word whose size has the same law; b follows t letters a with probability
P(n = t) / P(n >= t), and after the first b all is certain. For one long word
set `mean_size` to the size that is to be expected. `blocks` knows the order of
the blocks and the law of their sizes, but not that all three are the same.
`backoff` counts k-grams of up to 5 symbols, `kt` symbols. Where the word begun
is none of the language, the first two say what `kt` does up to the next
separator.

Example: mean_size: 2, rendered without a separator

    prompt 'aaabbbccc|aabbcc|aabbc'
    target 'c', a^n b^n c^n with n = 3, 2, 2
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
_BLOCKS = (1, 1, 1)


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    stream: Stream = "words",
    sizes: Sizes = "geometric",
    mean_size: float = 4.0,
    symbols: str | tuple[str, ...] = ("a", "b", "c"),
) -> Sequence:
    """Draw the sizes of the words one by one."""
    letters = alphabet_of(symbols)
    if len(letters) != 3:
        raise SpecError(f"family 'an_bn_cn': symbols={symbols!r} has {len(letters)} symbols; it needs 3")
    words = Words(blocks(_BLOCKS), stream, sizes, mean_size)
    drawn, drawn_sizes = words.draw(length, rng)
    alphabet = with_separator(letters, stream)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=words.law(drawn),
        observers=later(observe, drawn, alphabet, stream=stream, sizes=sizes, mean_size=mean_size),
        ideal=IDEAL,
        concept=f"{' '.join(f'{letter}^n' for letter in letters)} with n = {listed(drawn_sizes)}",
    )


def observe(
    symbols: Ints, alphabet: tuple[str, ...], *, stream: Stream, sizes: Sizes, mean_size: float
) -> dict[str, Floats]:
    """Predict from the word begun, with and without counting, and from what symbols followed before."""
    words = Words(blocks(_BLOCKS), stream, sizes, mean_size)
    m = len(alphabet)
    return {
        "language": words.predict(symbols),
        "blocks": words.predict(symbols, uncounted_blocks(_BLOCKS)),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }
