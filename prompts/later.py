"""Tables that are worked out when somebody looks: asking a model needs a sequence's symbols and not its observers."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import ParamSpec

from harness.types import Floats

P = ParamSpec("P")
Tables = Mapping[str, Floats]


class Later(Tables):
    """The tables that a call gives, made at the first look and kept."""

    def __init__(self, make: Callable[[], Tables]) -> None:
        self._make = make

    @cached_property
    def _tables(self) -> Tables:
        return self._make()

    def __getitem__(self, name: str) -> Floats:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


def later(observe: Callable[P, Tables], *args: P.args, **kwargs: P.kwargs) -> Tables:
    """Return what `observe` says of these arguments, asked only when it is looked at."""
    return Later(lambda: observe(*args, **kwargs))
