"""Symbol sequences with their oracle, and the prompts that write them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ParamValue = str | int | float | bool | tuple["ParamValue", ...] | None
Params = Mapping[str, ParamValue]
Form = Literal["completion", "chat", "prefill"]
"""How a model is spoken to: text to go on with, a user message to answer, or an answer begun for it to go on with."""


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One generated sequence and what ideal observers say of every prefix of it.

    Row n of `law` and of each observer is the distribution of symbol n (0-based)
    given the n symbols before it, so there is one row more than there are
    symbols. `law` is the true one, given the hidden concept; an observer knows
    the prefix only. Where a language ends (no continuation exists) the row of
    the law is NaN.
    """

    alphabet: tuple[str, ...]  # names of the symbols, e.g. ("0", "1")
    symbols: Ints  # (length,), indices into the alphabet
    law: Floats  # (length + 1, n_symbols)
    observers: Mapping[str, Floats]  # name -> (length + 1, n_symbols)
    ideal: str  # the observer that is Bayes-optimal under the family's own prior
    concept: str  # the hidden concept in words, e.g. "011 repeated"
    answers: Ints | None = (
        None  # (length,), of how many possible answers each symbol is one, 0 where it is none
    )
    before: str = ""  # text that stands before the symbols and is no part of the context length

    @property
    def target(self) -> Ints:
        """Symbol to be predicted after the first n symbols: shape (length,)."""
        return self.symbols

    @property
    def support(self) -> Bools:
        """Which symbols can come next: shape (length + 1, n_symbols), all False where the language ends."""
        return np.nan_to_num(self.law) > 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """One sequence written out, with the place of every symbol known.

    The text of a context of n symbols is `header`, then the surface of each of
    the first n symbols, each followed by `between`. What a model is asked to
    predict there is the surface of symbol n: `between` belongs to the context,
    so that a separator is never what is predicted. White space that tokenizers
    merge with the symbol after it leads the surface (", " is written as ","
    after a symbol and " " before the next).

    In form "prefill" the text is the beginning of the model's own answer, and
    `instruction` the user message it answers.

    A question about the sequence ends in a `footer` behind the symbols; what is
    predicted there is one of `surfaces`, the worded options, and the symbols of
    the context are written as `written`, with `between` only where two of them
    meet. No context is then the beginning of a longer one, so that no pass and
    no reply can score several.
    """

    header: str
    surfaces: tuple[str, ...]  # one per symbol of the alphabet, e.g. (" Heads", " Tails")
    between: str
    symbols: tuple[int, ...]  # indices into the alphabet, the target of the longest context included
    form: Form = "completion"
    instruction: str = ""  # only in form "prefill"
    footer: str = ""  # of a question about the symbols before it
    written: tuple[str, ...] = ()  # one per symbol of the alphabet, where the surfaces are options instead

    def text(self, context_length: int) -> str:
        """Return the prompt for the first `context_length` symbols."""
        names = self.written or self.surfaces
        shown = [names[s] for s in self.symbols[:context_length]]
        if self.footer:  # nothing is to follow the last symbol
            return self.header + self.between.join(shown) + self.footer
        return self.header + "".join(name + self.between for name in shown)

    def starts(self, context_length: int) -> list[int]:
        """Return the character offset in `text` of symbols 0..context_length, end inclusive.

        Before a footer the last of them is where the next symbol would stand.
        """
        names = self.written or self.surfaces
        offsets = [len(self.header)]
        for s in self.symbols[:context_length]:
            offsets.append(offsets[-1] + len(names[s]) + len(self.between))
        return offsets
