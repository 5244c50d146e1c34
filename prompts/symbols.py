"""Named symbol sets: what the symbols of a sequence are called before they are rendered."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.errors import SpecError, UnknownName, suggestion

SYMBOL_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "binary": tuple("01"),
        "coin": tuple("HT"),
        "digits": tuple("23456789"),  # without 0 and 1, which are the binary set
        "letters": tuple("abcdefghijklmnop"),
        "pair": tuple("xy"),
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


def joined(names: tuple[str, ...]) -> str:
    """Return symbols written one after the other, with blanks where a symbol is longer than a character."""
    return ("" if all(len(name) == 1 for name in names) else " ").join(names)
