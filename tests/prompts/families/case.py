"""What the tests that hold for every family need to know of one: a file `cases/<family>.py` with a `CASE`."""

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path

from harness.types import Params


@dataclass(frozen=True)
class Case:
    """One family's settings, and where it differs from what most families do."""

    params: Sequence[Params]  # settings to try, defaults among them
    priors: Sequence[
        Sequence[Params]
    ]  # mixtures of settings under which the ideal observer must lose less than kt
    pinned: Sequence[
        tuple[Params, int, str]
    ]  # settings, Philox key, sha256 of `length` symbols, never to change
    refused: Sequence[tuple[Params, str]]  # settings that are refused, with what the message says
    certain: Sequence[Params] = ()  # settings that draw the same sequence whatever the stream
    shown: Params = field(default_factory=dict)  # of the docstring's example, drawn with key 5
    shown_length: int = 12  # its context length
    separator: str = ""
    template: str | None = None
    length: int = 60  # a length at which the family has sequences
    pinned_length: int = 200
    shorter: Sequence[int] = (0, 1, 2, 37)  # a longer sequence starts with the sequence of these lengths
    ends: bool = False  # whether the law may end: rows of NaN


@cache
def cases() -> Mapping[str, Case]:
    """Return the case of every family by its name."""
    folder = Path(__file__).parent / "cases"
    names = sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    return {name: import_module(f"tests.prompts.families.cases.{name}").CASE for name in names}
