"""Sites: which activations of a forward pass are meant, by layer, side of the block and token position."""

from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from typing import Literal

from harness.errors import WhiteBoxError

Where = Literal["input", "output", "heads"]
"""`input` and `output`: the residual stream before and after a block. `heads`: what its attention heads
gave, side by side, before they are projected back into the stream."""

Positions = str | tuple[int, ...]
"""`"all"` tokens, the `"last"` one, the name of a span, or absolute token indices (negative: from the row's end)."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the model: layers are 0-based, `Site(3)` is the residual stream after the fourth block."""

    layer: int
    where: Where = "output"
    positions: Positions = "all"

    def __post_init__(self) -> None:
        if self.where not in ("input", "output", "heads"):
            raise WhiteBoxError(f"where={self.where!r} is no site; it is input, output or heads")


@dataclass(frozen=True, slots=True, eq=False)
class TokenRows:
    """Token rows of a batch or of a whole data set, with named spans of positions in each."""

    ids: tuple[tuple[int, ...], ...]
    spans: Mapping[str, tuple[tuple[int, ...], ...]] = field(
        default_factory=dict
    )  # name -> per row, token indices

    def __post_init__(self) -> None:
        empty = [i for i, row in enumerate(self.ids) if not row]
        if empty:
            raise WhiteBoxError(f"row {empty[0]} has no token: every row needs at least one")
        for name, per_row in self.spans.items():
            if name in ("all", "last"):
                raise WhiteBoxError(f"a span may not be called {name!r}, which means something already")
            if len(per_row) != len(self.ids):
                raise WhiteBoxError(
                    f"span {name!r} is given for {len(per_row)} rows where there are {len(self.ids)}"
                )

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, rows: Seq[int]) -> "TokenRows":
        """Return these rows alone."""
        spans = {name: tuple(per_row[r] for r in rows) for name, per_row in self.spans.items()}
        return TokenRows(tuple(self.ids[r] for r in rows), spans)


def positions_of(
    positions: Positions, lengths: Seq[int], spans: Mapping[str, Seq[tuple[int, ...]]]
) -> list[tuple[int, ...]]:
    """Return the absolute token indices meant in each row, rows being `lengths` tokens long.

    Raises WhiteBoxError for a span nobody named and for an index outside its row.
    """
    if positions == "all":
        return [tuple(range(n)) for n in lengths]
    if positions == "last":
        return [(n - 1,) for n in lengths]
    if isinstance(positions, str):
        if positions not in spans:
            raise WhiteBoxError(f"no span {positions!r} in these rows; there are all, last{_listed(spans)}")
        wanted = list(spans[positions])
    else:
        wanted = [positions] * len(lengths)
    return [
        tuple(_inside(p, n, row) for p in places)
        for row, (places, n) in enumerate(zip(wanted, lengths, strict=True))
    ]


def _inside(position: int, length: int, row: int) -> int:
    if not -length <= position < length:
        raise WhiteBoxError(f"position {position} is outside row {row}, which has {length} tokens")
    return position % length


def _listed(spans: Mapping[str, Seq[tuple[int, ...]]]) -> str:
    return "".join(f", {name}" for name in sorted(spans))
