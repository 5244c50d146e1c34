"""Palindromes w#w reversed, or without a mark: the second half is the first, backwards.

w is uniform among the words of its size over `symbols`. `marked: false` leaves
"#" out: nothing tells where the centre is. `stream: words` separates words by "|",
none ever cut; `word` is one word that fills the sequence. The size |w| is at
least 1, geometric with mean `mean_size` or uniform on 1..2 mean_size - 1; the
words of a stream are conditioned on its total length. The law depends on that
total, and a longer sequence does not start with the shorter one.

The law knows the total, hence the half of a word alone. Observers do not: to
the ideal one, `language`, the sequence is the beginning of an endless stream,
or of a word whose size has the same law; without a mark it averages over all
halves that agree with the word so far. For one long word set `mean_size` to the
size that is to be expected. `either` holds copies and palindromes for equally
probable and finds out. `backoff` counts k-grams of up to 5 symbols, `kt`
symbols. Where the word begun is none of the language, the first two say what
`kt` does up to the next separator.

Example: mean_size: 4, rendered without a separator

    prompt 'abaab#baaba|bbbbaa#aabbb'
    target 'b', w#w reversed with |w| = 5, 6
"""

import numpy as np

from harness.prompts import observers
from harness.prompts.later import later
from harness.prompts.observers.ngram import backoff
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.word_languages import MARK, doubled, with_mark
from harness.prompts.words import Sizes, Stream, Words, listed, with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "language"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    marked: bool = True,
    stream: Stream = "words",
    sizes: Sizes = "geometric",
    mean_size: float = 6.0,
    symbols: str | tuple[str, ...] = ("a", "b"),
) -> Sequence:
    """Draw the size of each word, then its first half."""
    letters = with_mark(alphabet_of(symbols), marked=marked)
    alphabet = with_separator(letters, stream)
    words = Words(doubled(len(letters), marked=marked, mirrored=True), stream, sizes, mean_size)
    drawn, drawn_sizes = words.draw(length, rng)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=words.law(drawn),
        observers=later(
            observe, drawn, alphabet, marked=marked, stream=stream, sizes=sizes, mean_size=mean_size
        ),
        ideal=IDEAL,
        concept=f"w{MARK if marked else ''}w reversed with |w| = {listed(drawn_sizes)}",
    )


def observe(
    symbols: Ints, alphabet: tuple[str, ...], *, marked: bool, stream: Stream, sizes: Sizes, mean_size: float
) -> dict[str, Floats]:
    """Predict from the first half, as a palindrome or as either, and from what symbols followed before."""
    m = len(alphabet)
    n_letters = m - (stream == "words")
    copy, mirror = (doubled(n_letters, marked=marked, mirrored=mirrored) for mirrored in (False, True))
    words = Words(mirror, stream, sizes, mean_size)
    return {
        "language": words.predict(symbols),
        "either": words.predict(symbols, mirror.law, copy.law),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }
