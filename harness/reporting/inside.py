"""What one kind of measurement says, before any format shows it: sentences, figures, a table, cautions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.reporting.drawing import Draw, Size


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure with its caption, drawn when a format needs it."""

    name: str  # unique within the section, safe in a file name
    draw: "Draw"
    size: "Size"
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What one kind of measurement says of one model in one task."""

    title: str
    sentences: tuple[str, ...]
    figures: tuple[Drawn, ...] = ()
    heads: tuple[str, ...] = ()  # of the table; the first column is text
    rows: tuple[tuple[str, ...], ...] = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InsideBlock:
    """One model in one task, with everything that was found."""

    anchor: str
    title: str
    model: str
    facts: str
    shown: tuple[Shown, ...]
    missing: tuple[str, ...]
    lead: str = "Inside"  # before the model's name where a page has no heading for all blocks
