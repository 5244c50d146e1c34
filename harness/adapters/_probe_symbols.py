"""The short prompt that a server is probed with: every symbol in it, in a fixed irregular order."""

import hashlib

from harness.errors import SpecError
from harness.types import Form, Prompt

_SHORTEST = 24  # symbols, so that echoed tokens cannot be mistaken for generated ones
_LONGEST = 96


def probe_prompt(surfaces: tuple[str, ...], between: str, form: Form) -> Prompt:
    """Return a prompt of 24 to 96 symbols: each surface once in order, the first once more, then hashed picks.

    At the start of a text some tokenizers take another token, so the first is seen elsewhere too.
    """
    if not surfaces:
        raise SpecError("a model is probed with the symbols of a suite; none were given")
    length = min(_LONGEST, max(_SHORTEST, 2 * len(surfaces)))
    picks = [hashlib.sha256(str(i).encode()).digest()[0] % len(surfaces) for i in range(length)]
    symbols = [*range(min(len(surfaces), _LONGEST - 1)), 0, *picks][:length]
    return Prompt("", surfaces, between, tuple(symbols), form)
