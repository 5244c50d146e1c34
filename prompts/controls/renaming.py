"""Controls that give symbols other names: the structure stays, what the symbols or labels are does not.

The observers know the new names: they say of the sequence what they said of the
original, under the new names.
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts.controls.source import Source
from harness.prompts.draws import permutation
from harness.prompts.regular_words import ANSWER
from harness.prompts.symbols import joined
from harness.prompts.words import SEPARATOR
from harness.types import Bools, Floats, Ints, Sequence


def permute_symbols(source: Source, rng: np.random.Generator) -> Sequence:
    """Exchange the symbols by a uniform permutation of the alphabet, the same from the first to the last.

    Raises SpecError where text before the sequence may name some of them.
    """
    if source.sequence.before:
        raise SpecError(
            f"control permute_symbols: the text before sequences of family {source.family.name!r} names symbols, "
            "which must stay what they are"
        )
    return _renamed(source, permutation(source.n_symbols, rng), np.ones(source.symbols.size + 1, np.bool_))


def label_flip(source: Source, rng: np.random.Generator, *, at: int) -> Sequence:  # noqa: ARG001 nothing is drawn
    """Give each label the meaning of another from symbol `at` (0-based) on.

    Labels are what follows "=" in families that answer, whose alphabet ends with
    a separator: the symbols between "=" and the separator, or all before "=" if
    there are none. Each becomes the next one, the last the first: two are exchanged.
    In a family of two symbols that does not answer, the symbols themselves are
    exchanged. Raises SpecError for any other family.
    """
    alphabet, symbols = source.sequence.alphabet, source.symbols
    due = np.arange(symbols.size + 1) >= at
    labels = np.arange(source.n_symbols)
    if ANSWER in alphabet and alphabet[-1] == SEPARATOR:
        equals = alphabet.index(ANSWER)
        labels = labels[equals + 1 : -1] if equals < source.n_symbols - 2 else labels[:equals]
        asked = np.concatenate([[False], symbols == equals])
        strange = np.setdiff1d(symbols[asked[:-1]], labels)
        if strange.size:
            what = alphabet[int(strange[0])]
            raise SpecError(
                f"control label_flip: {what!r} follows {ANSWER!r} in family {source.family.name!r} and is no "
                f"label; labels are {joined(tuple(alphabet[i] for i in labels))}"
            )
        due &= asked
    elif source.n_symbols != 2:
        raise SpecError(
            f"control label_flip: family {source.family.name!r} has {source.n_symbols} symbols and no labels "
            f"(symbols after {ANSWER!r}); it needs labels, or two symbols; permute_symbols works for any"
        )
    becomes = np.arange(source.n_symbols)
    becomes[labels] = np.roll(labels, -1)
    return _renamed(source, becomes, due)


def _renamed(source: Source, becomes: Ints, rows: Bools) -> Sequence:
    """Return the sequence with symbol i called becomes[i] in the given rows (length + 1,)."""
    was = np.argsort(becomes)

    def rename(table: Floats) -> Floats:
        return np.where(rows[:, None], table[:, was], table)

    symbols = np.where(rows[:-1], becomes[source.symbols], source.symbols)
    observers = {name: rename(table) for name, table in source.sequence.observers.items()}
    return source.become(symbols, rename(source.sequence.law), observers, answers=source.sequence.answers)
