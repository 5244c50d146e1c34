"""Examples of a hidden bitwise operation: two words of bits, then what the operation makes of them.

The operation is AND, NAND, OR, NOR, XOR or XNOR, each equally probable, or the
one that `operation` names; all bits of the words are fair. An example is the
two words of `n_bits` bits, "=", the result and "|". With `form: letters`, for
n_bits 1, it is one of the letters a, b, c, d, which stand for the words 00, 01,
10 and 11, and the result. The stream has no end and may stop anywhere. The task
is that of Han et al. 2024 (arXiv 2412.12276), who write five bits.

The ideal observer, `operation`, holds all six for equally probable and counts
those that agree with the results so far. At n_bits 1 it gives the right bit
.500, .722, .840, .899 and .933 on average after 0 to 4 examples. Results are
the answers. `format` knows how examples look and takes each bit of a result for
fair. `ctw` weighs context trees of depth 5, `backoff` counts k-grams up to 5,
`kt` symbols, and `unigram_sparse` which are in use, too. Where an example
breaks the format, the first two say what `kt` does up to the next "|"; a result
that no operation left explains is evidence for none.

Example: n_bits: 2, rendered without a separator

    prompt '0100=11|1111=00|1100=11|0011=1'
    target '1', NAND
"""

from collections.abc import Mapping
from typing import Literal

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

IDEAL = "operation"
ANSWERS = "always"
OPERATIONS: Mapping[str, tuple[int, int, int, int]] = {  # results of 00, 01, 10, 11
    "AND": (0, 0, 0, 1),
    "NAND": (1, 1, 1, 0),
    "OR": (0, 1, 1, 1),
    "NOR": (1, 0, 0, 0),
    "XOR": (0, 1, 1, 0),
    "XNOR": (1, 0, 0, 1),
}
Form = Literal["bits", "letters"]
_TABLES = np.array(list(OPERATIONS.values()))
_LETTERS = ("a", "b", "c", "d")
_MOST_BITS = 64
_EQUALS, _END = 2, 3


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    n_bits: int = 1,
    operation: Literal["any", "AND", "NAND", "OR", "NOR", "XOR", "XNOR"] = "any",
    form: Form = "bits",
    symbols: str | tuple[str, ...] = "binary",
) -> Sequence:
    """Draw the operation, then the words of the examples in order."""
    alphabet = _alphabet(n_bits, form, symbols)
    names = list(OPERATIONS)
    which = int(integers_below(6, 1, rng)[0]) if operation == "any" else names.index(operation)
    draw = _letters if form == "letters" else _bits
    drawn, law = draw(length, rng, _TABLES[which], n_bits)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn[:length],
        law=law,
        observers=later(observe, drawn[:length], alphabet, n_bits=n_bits, form=form),
        ideal=IDEAL,
        concept=names[which],
        answers=2 * _is_result(np.arange(length), n_bits, form),
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, n_bits: int, form: Form) -> dict[str, Floats]:
    """Predict from the operations left, from the format, and from what symbols followed before."""
    m = len(alphabet)
    plain = unigrams(symbols, m)
    known, pairs = (_read_letters if form == "letters" else _read_bits)(symbols, n_bits)
    known = np.where(np.isnan(known), plain["kt"], known)
    ideal = known.copy()
    first = m - 2 if form == "letters" else 0  # of the two bits
    left = np.ones(len(_TABLES), np.bool_)
    for t in np.flatnonzero(pairs >= 0).tolist():
        results = _TABLES[:, pairs[t]]
        p = results[left].mean()
        ideal[t, first : first + 2] = 1 - p, p
        if t < symbols.size and first <= symbols[t] < first + 2:
            agrees = left & (results == symbols[t] - first)
            left = agrees if agrees.any() else left
    return {
        "operation": ideal,
        "format": known,
        "ctw": ctw(symbols, m, depth=5),
        "backoff": backoff(symbols, m, k=5),
        **plain,
    }


def _alphabet(n_bits: int, form: Form, symbols: str | tuple[str, ...]) -> tuple[str, ...]:
    where = "family 'bitwise'"
    bits = alphabet_of(symbols)
    if len(bits) != 2:
        raise SpecError(f"{where}: symbols={symbols!r} has {len(bits)} symbols; bits have 2")
    if not 1 <= n_bits <= _MOST_BITS:
        raise SpecError(f"{where}: n_bits={n_bits!r} must be in 1..{_MOST_BITS}")
    if form == "bits":
        return with_separator(alphabet_of((*bits, ANSWER)), "words")
    if n_bits != 1:
        raise SpecError(f"{where}: form='letters' names pairs of single bits; n_bits={n_bits!r} must be 1")
    return alphabet_of((*_LETTERS, *bits))


def _is_result(places: Ints, n_bits: int, form: Form) -> Ints:
    """Return 1 where a symbol of an unbroken stream is a bit of a result, else 0."""
    if form == "letters":
        return places % 2
    place = places % (3 * n_bits + 2)
    return np.asarray((place > 2 * n_bits) & (place <= 3 * n_bits), np.int64)


def _letters(length: int, rng: np.random.Generator, table: Ints, n_bits: int) -> tuple[Ints, Floats]:
    """Draw length + 1 symbols (the last means nothing where it is free) and their law, a letter an example."""
    del n_bits
    drawn = np.zeros(length + 1, np.int64)
    drawn[:length:2] = integers_below(4, (length + 1) // 2, rng)
    drawn[1::2] = 4 + table[drawn[:-1:2]]
    free = np.repeat([[0.25, 0.0]], [4, 2], axis=1)
    return drawn, np.where(np.arange(length + 1)[:, None] % 2 == 0, free, np.eye(6)[drawn])


def _bits(length: int, rng: np.random.Generator, table: Ints, n_bits: int) -> tuple[Ints, Floats]:
    """Draw length + 1 symbols (the last means nothing where it is free) and their law, words written out."""
    place = np.arange(length + 1) % (3 * n_bits + 2)
    drawn = np.select([place == 2 * n_bits, place > 3 * n_bits], [_EQUALS, _END])
    free = np.flatnonzero(place[:length] < 2 * n_bits)
    drawn[free] = integers_below(2, free.size, rng)
    result = np.flatnonzero((place > 2 * n_bits) & (place <= 3 * n_bits))
    drawn[result] = table[2 * drawn[result - 2 * n_bits - 1] + drawn[result - n_bits - 1]]
    law = np.where(place[:, None] < 2 * n_bits, [0.5, 0.5, 0.0, 0.0], np.eye(4)[drawn])
    return drawn, law


def _read_letters(symbols: Ints, n_bits: int) -> tuple[Floats, Ints]:
    """Return `format` and the pair of bits that each row's result is of, -1 where it is none: a letter an example."""
    del n_bits
    pairs = np.concatenate([[-1], np.where(symbols < 4, symbols, -1)])
    is_result = (pairs >= 0)[:, None]
    format_law = np.where(is_result, [0, 0, 0, 0, 0.5, 0.5], [0.25, 0.25, 0.25, 0.25, 0, 0])
    return format_law, pairs


def _read_bits(symbols: Ints, n_bits: int) -> tuple[Floats, Ints]:
    """Return `format`, NaN where it is broken, and the pair of bits of each row as `_read_letters` does."""
    places = _places(symbols, n_bits)
    fixed = np.eye(4)[np.where(places == 2 * n_bits, _EQUALS, _END)]
    is_result = (places > 2 * n_bits) & (places <= 3 * n_bits)
    is_bit = (places < 2 * n_bits) | is_result
    format_law = np.where(is_bit[:, None], [0.5, 0.5, 0.0, 0.0], fixed)
    format_law[places < 0] = np.nan
    pairs = np.full(places.size, -1)
    at = np.flatnonzero(is_result)
    pairs[at] = 2 * symbols[at - 2 * n_bits - 1] + symbols[at - n_bits - 1]
    return format_law, pairs


def _places(symbols: Ints, n_bits: int) -> Ints:
    """Return the place of each row in its example, from 0; -1 from where one breaks the format up to its end."""
    places, place = [0], 0
    fixed = {2 * n_bits: _EQUALS, 3 * n_bits + 1: _END}
    for symbol in symbols.tolist():
        expected = fixed.get(place, -1)
        fits = symbol == expected if expected >= 0 else symbol < _EQUALS
        place = 0 if symbol == _END else place + 1 if place >= 0 and fits else -1
        places.append(place)
    return np.array(places, np.int64)
