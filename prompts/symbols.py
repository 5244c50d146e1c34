"""Named symbol sets: what the symbols of a sequence are called before they are rendered.

In no set does a symbol begin another, so that any separator tells them apart.
In a set of words or nonce words each begins with another letter.

With a blank before it, each colour, word and nonce word is an entry of the
vocabularies of GPT-2 and of two Mistral tokenizers (7B v0.1 and Tekken 240718),
looked up on 2026-11-21. "Tails" is in none of the three and "Heads" in GPT-2's
alone: what is one token is seen with `icl doctor`, not taken for granted.

Nonce words are syllables that are no common English word: short enough to be
one token, therefore parts of words too. The two sets share no word, so that
one can be a control of the other.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from harness.errors import SpecError, UnknownName, suggestion
from harness.types import Ints

SYMBOL_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "binary": tuple("01"),
        "coin": tuple("HT"),
        "digits": tuple("23456789"),  # without 0 and 1, which are the binary set
        "letters": tuple("abcdefghijklmnop"),
        "pair": tuple("xy"),
        "flips": ("Heads", "Tails"),
        "colours": ("red", "blue", "green", "black", "white", "pink", "gold", "brown"),
        "words": ("door", "river", "stone", "table", "glass", "cloud", "bread", "wheel", "leaf", "key"),
        "nonce": ("bol", "dag", "fif", "gir", "ker", "lum", "nep", "sav"),
        "nonce_2": ("bom", "dup", "fol", "gol", "lig", "mog", "rab", "vot"),
    }
)


def alphabet(symbols: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the symbols of a named set, or the given ones if they are two or more, distinct and not empty.

    Raises UnknownName for a name that is no set, SpecError for symbols that cannot be told apart.
    """
    if isinstance(symbols, str):
        if symbols not in SYMBOL_SETS:
            raise UnknownName(
                f"no symbol set {symbols!r}{suggestion(symbols, SYMBOL_SETS)}; a list of your own works too"
            )
        return SYMBOL_SETS[symbols]
    if len(symbols) < 2 or "" in symbols or len(set(symbols)) < len(symbols):
        raise SpecError(f"symbols {symbols!r} must be two or more, all distinct and none empty")
    return symbols


def indices(pattern: str | tuple[str, ...], names: tuple[str, ...], where: str) -> Ints:
    """Return the indices of the symbols that a pattern names, "011" or a list: shape (length,), at least 1.

    Raises SpecError, beginning with `where`, for a pattern that is empty or names another symbol.
    """
    if not pattern or any(name not in names for name in pattern):
        raise SpecError(
            f"{where}: pattern={pattern!r} must be one or more symbols of the set "
            f"({', '.join(names)}); a list where a symbol is longer than one character"
        )
    return np.array([names.index(name) for name in pattern], np.int64)


def joined(names: tuple[str, ...]) -> str:
    """Return symbols written one after the other, with blanks where a symbol is longer than a character."""
    return ("" if all(len(name) == 1 for name in names) else " ").join(names)
