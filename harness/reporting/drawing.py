"""How a figure becomes bytes: one style, fonts that travel, the same bytes every time.

No pyplot and no lasting change to matplotlib's settings: they are set inside a
context, from the defaults, so that a reader's own matplotlibrc changes nothing.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.text import Text

from harness.types import Floats

if TYPE_CHECKING:
    from matplotlib.typing import RcStyleType

# Okabe & Ito (2008) blue, vermilion and bluish green, told apart by readers with any colour vision;
# the last three darkened to 4.5:1 against white, since they are used for text as well.
INK, MUTED, FAINT = "#1b1f24", "#5f6872", "#c9ced6"
MODEL, IDEAL, PLACE, FAILED = "#0072b2", "#c04a00", "#00785a", "#a3336b"
BROWN, VIOLET = "#8a5a00", "#7a3db8"  # of further models in one figure, and of exact match
PAPER = "#fffffe"  # not pure white, so that the dark scheme can tell it from other white

THEME = {
    INK: "--ink",
    MUTED: "--muted",
    FAINT: "--faint",
    MODEL: "--model",
    IDEAL: "--ideal",
    PLACE: "--place",
    FAILED: "--failed",
    BROWN: "--brown",
    VIOLET: "--violet",
    PAPER: "--paper",
}
"""Colours that the HTML page re-declares for a dark screen."""

Align = Literal["left", "center", "right"]

SIZE = 8.5  # points, of all text but titles

_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # shipped with matplotlib: the same widths everywhere
    "font.size": SIZE,
    "axes.labelsize": SIZE,
    "xtick.labelsize": SIZE - 0.5,
    "ytick.labelsize": SIZE - 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "butt",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.parse_math": False,  # a "$" in a title is a dollar
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of a figure that one drawing may fill; all lengths in inches from its lower left corner."""

    figure: Figure
    left: float
    bottom: float
    width: float
    height: float

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Add axes at a place within the frame."""
        w, h = self.figure.get_size_inches()
        return self.figure.add_axes(
            ((self.left + left) / w, (self.bottom + bottom) / h, width / w, height / h)
        )

    def text(self, left: float, bottom: float, text: str, *, align: Align = "left", color: str = INK) -> Text:
        """Write text with its base line at a place within the frame."""
        w, h = self.figure.get_size_inches()
        return self.figure.text(
            (self.left + left) / w, (self.bottom + bottom) / h, text, ha=align, color=color
        )


Draw = Callable[[Frame], None]
Size = tuple[float, float]  # inches


@contextmanager
def style(salt: str = "icl-harness") -> Iterator[None]:
    """Set matplotlib's defaults and this module's style for the time of one figure."""
    settings: RcStyleType = ["default", _STYLE, {"svg.hashsalt": salt}]
    with matplotlib.style.context(settings):
        yield


def svg(draw: Draw, size: Size, *, salt: str, title: str, description: str) -> str:
    """Return a figure as an inline SVG element for an HTML page.

    `size` is in inches; `salt`, distinct for each figure of a page, keeps ids
    apart. Colours become CSS variables with the printed colour as fallback.
    """
    with style(salt):
        figure = Figure(figsize=size)
        draw(Frame(figure, 0, 0, *size))
        buffer = io.StringIO()
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _inline(buffer.getvalue(), salt, title, description)


def pdf(pages: Sequence[tuple[Size, Draw]]) -> bytes:
    """Return figures as the pages of one PDF, without dates."""
    buffer = io.BytesIO()
    metadata = {"CreationDate": None, "Creator": "icl-harness", "Producer": None}
    with style(), PdfPages(buffer, metadata=metadata) as file:
        for size, draw in pages:
            figure = Figure(figsize=size)
            draw(Frame(figure, 0, 0, *size))
            file.savefig(figure)
    return buffer.getvalue()


def printable(text: str, most: int = 200) -> str:
    """Return text that the figure font can draw: what it lacks becomes U+FFFD, white space a space."""
    clean = "".join(c if ord(c) in _glyphs() else "\ufffd" for c in " ".join(text.split()))
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def level_axis(axes: Axes, level: Floats, *, log2: bool) -> None:
    """Scale and limit an x axis for context lengths; on a log2 axis a level of 0 sits left of 1."""
    low, high = float(level[0]), float(level[-1])
    if log2 and high > 1:
        axes.set_xscale("symlog", base=2, linthresh=1.0, linscale=0.7)
        top = int(np.floor(np.log2(high)))
        powers = [2.0**k for k in range(0, top + 1, 1 + top // 9)]
        ticks = [t for t in ([0.0] if low == 0 else []) + powers if low <= t <= high]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set_xlim(low - 0.15 if low < 1 else low / 1.06, high * 1.06)
    else:
        pad = 0.015 * (high - low) or 0.5
        axes.set_xlim(low - pad, high + pad)
        axes.locator_params(axis="x", nbins=9, integer=True)


def heat_map(axes: Axes, table: Floats, colours: str | Colormap) -> QuadMesh:
    """Draw a table of values in 0..1, row i and column j centred on (j, i), as shapes: the page admits no image."""
    rows, columns = (np.arange(n + 1) - 0.5 for n in table.shape)
    return axes.pcolormesh(columns, rows, table, cmap=colours, vmin=0, vmax=1)


@cache
def _glyphs() -> frozenset[int]:
    path = font_manager.findfont("DejaVu Sans")
    return frozenset(font_manager.get_font(path).get_charmap())


def _inline(text: str, salt: str, title: str, description: str) -> str:
    body = text[text.index("<svg") :]
    view = re.search(r'viewBox="([^"]*)"', body)
    assert view is not None  # matplotlib always writes one
    body = body[body.index(">") + 1 :]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"\s*<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # names of groups repeat from figure to figure
    body = body.replace("xlink:href", "href")
    body = re.sub(r"(\.\d\d)\d+", r"\1", body)  # a hundredth of a point cannot be seen
    body = re.sub(r'(?<= d=")[^"]{300,}', _short_path, body)
    body = body.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")  # Verdana is as wide
    body = re.sub(r"\n\s*", "\n", body)
    for colour, variable in THEME.items():
        body = body.replace(colour, f"var({variable},{colour})")
    width, height = (float(part) for part in view[1].split()[2:])
    head = (
        f'<svg viewBox="{view[1]}" width="{width / 0.75:.0f}" height="{height / 0.75:.0f}" role="img" '
        f'aria-labelledby="{salt}-t {salt}-d">\n<title id="{salt}-t">{_escape(title)}</title>\n'
        f'<desc id="{salt}-d">{_escape(description)}</desc>'
    )
    return head + body.rstrip()


def _short_path(match: re.Match[str]) -> str:
    """Return a long path with its points to a tenth of a point and without idle white space."""
    tenths = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), match[0])
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", tenths)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
