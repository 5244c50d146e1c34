"""The parity of a hidden set of bits, written after each word of random bits.

An example is `n_bits` fair bits, "=", the parity of those in the set, and "|".
Each bit is in the set with probability 1/2, so that all 2**n_bits sets are
equally probable, the empty one too; the stream of examples has no end and may
stop anywhere. The words of even parity themselves, without a hidden set, are
`modular_counting` with modulus 2.

The ideal observer, `parity`, knows all but the set: the label of a word that is
a sum mod 2 of words seen before is the sum of their labels, and any other is
fair. Its accuracy on the label after m examples is 1/2 + E[2**(rank -
n_bits)]/2, with the rank of m random words: for 8 bits .530, .806 and .985
after 4, 8 and 12. Labels are the answers. `format` knows how examples look and
takes each label for fair. `ctw` weighs context trees of depth 5, `backoff`
counts k-grams up to 5, `kt` symbols, and `unigram_sparse` which are in use,
too. Where an example breaks the format, the first two say what `kt` does up to
the next "|"; one that no set explains is evidence for none.

Example: n_bits: 3, rendered without a separator

    prompt '001=1|111=0|110=1|000='
    target '0', parity of the bits 0, 2
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts.draws import integers_below
from harness.prompts.later import later
from harness.prompts.observers.ctw import ctw
from harness.prompts.observers.ngram import backoff
from harness.prompts.observers.sparse import unigrams
from harness.prompts.regular_words import ANSWER
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.words import with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "parity"
ANSWERS = "always"
_MOST_BITS = 64
_EQUALS, _END = 2, 3


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    n_bits: int = 8,
    symbols: str | tuple[str, ...] = "binary",
) -> Sequence:
    """Draw the set, then the bits of the examples in order."""
    bits = alphabet_of(symbols)
    if len(bits) != 2:
        raise SpecError(f"family 'parity': symbols={symbols!r} has {len(bits)} symbols; bits have 2")
    if not 1 <= n_bits <= _MOST_BITS:
        raise SpecError(f"family 'parity': n_bits={n_bits!r} must be in 1..{_MOST_BITS}")
    alphabet = with_separator(alphabet_of((*bits, ANSWER)), "words")
    chosen = integers_below(2, n_bits, rng)
    place = np.arange(length + 1) % (n_bits + 3)
    drawn = np.select([place == n_bits, place > n_bits], [_EQUALS, _END])
    free = np.flatnonzero(place[:length] < n_bits)
    drawn[free] = integers_below(2, free.size, rng)
    starts = np.flatnonzero(place == n_bits + 1)  # labels
    words = drawn[starts[:, None] - 1 - np.arange(n_bits, 0, -1)]
    drawn[starts] = words @ chosen % 2
    law = np.where(place[:, None] < n_bits, [0.5, 0.5, 0.0, 0.0], np.eye(4)[drawn])
    return Sequence(
        alphabet=alphabet,
        symbols=drawn[:length],
        law=law,
        observers=later(observe, drawn[:length], alphabet, n_bits=n_bits),
        ideal=IDEAL,
        concept=f"parity of the bits {', '.join(map(str, np.flatnonzero(chosen).tolist())) or 'of no place'}",
        answers=2 * (place[:length] == n_bits + 1),
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, n_bits: int) -> dict[str, Floats]:
    """Predict from what the examples so far say of the set, and from what symbols followed before."""
    m = len(alphabet)
    plain = unigrams(symbols, m)
    unknown = plain["kt"]
    places = _places(symbols, n_bits)
    known = np.where(places[:, None] < 0, unknown, _format(places, n_bits))
    ideal = known.copy()
    seen: dict[int, tuple[int, int]] = {}  # by highest bit: sums of words seen, and of their labels
    drawn = symbols.tolist()
    for t in np.flatnonzero(places == n_bits + 1).tolist():
        word = sum(bit << i for i, bit in enumerate(drawn[t - 1 - n_bits : t - 1]))
        label = 0
        while word.bit_length() in seen:
            part, its_label = seen[word.bit_length()]
            word, label = word ^ part, label ^ its_label
        if not word:
            ideal[t] = np.eye(m)[label]
        elif t < symbols.size and drawn[t] < _EQUALS:
            seen[word.bit_length()] = word, label ^ drawn[t]
    return {
        "parity": ideal,
        "format": known,
        "ctw": ctw(symbols, m, depth=5),
        "backoff": backoff(symbols, m, k=5),
        **plain,
    }


def _format(places: Ints, n_bits: int) -> Floats:
    """Return the law of each place of an example whose label is fair."""
    fixed = np.eye(4)[np.where(places == n_bits, _EQUALS, _END)]
    is_bit = (places < n_bits) | (places == n_bits + 1)
    return np.where(is_bit[:, None], [0.5, 0.5, 0.0, 0.0], fixed)


def _places(symbols: Ints, n_bits: int) -> Ints:
    """Return the place of each row in its example, from 0; -1 from where one breaks the format up to its end."""
    places, place = [0], 0
    for symbol in symbols.tolist():
        if symbol == _END:
            place = 0
        elif place >= 0 and (symbol == _EQUALS) is (place == n_bits) and place < n_bits + 2:
            place += 1
        else:
            place = -1
        places.append(place)
    return np.array(places, np.int64)
