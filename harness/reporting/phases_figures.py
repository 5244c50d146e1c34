"""Phase diagrams: the nearest observer by context length and training step, and by a parameter and training step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from harness.reporting.drawing import (
    BROWN,
    FAILED,
    FAINT,
    IDEAL,
    INK,
    MODEL,
    MUTED,
    PAPER,
    PLACE,
    VIOLET,
    Frame,
    Size,
    heat_map,
    printable,
)
from harness.reporting.figures import BOTTOM, LEFT, TOP
from harness.types import Floats, Ints
from harness.types.phases import PhaseMap

WIDE: Size = (7.4, 3.8)
UNDECIDED = "undecided"
_COLOURS = [MODEL, IDEAL, PLACE, VIOLET, BROWN, FAILED, INK, MUTED]
_KEY = 2.0  # inches at the right for the names
_LINE = 0.22  # inches between two names
_TICKS = 10


@dataclass(frozen=True, slots=True)
class Column:
    """One training series in a diagram over a parameter."""

    value: float  # of the parameter
    found: PhaseMap
    place: int  # index of the context length


def draw_phases(frame: Frame, found: PhaseMap) -> None:
    """Draw the nearest observer by context length (across) and training step (upwards); undecided cells are grey."""
    axes = _axes(frame)
    _draw_cells(axes, _leaders(found), len(found.observers))
    columns, rows = _thinned(len(found.level)), _thinned(len(found.step))
    axes.set_xticks(columns, [f"{found.level[i]:g}" for i in columns])
    axes.set_yticks(rows, [f"{found.step[i]:g}" for i in rows])
    axes.set_xlabel("context length (symbols; one column each, not to scale)")
    axes.set_ylabel("training step")
    _key(frame, found.observers)


def draw_over(frame: Frame, columns: Sequence[Column], parameter: str) -> None:
    """Draw the nearest observer by parameter (across, a column a series) and training step, at one context length."""
    step = np.unique(np.concatenate([column.found.step for column in columns]))
    names = named(columns)
    table = np.full((len(step), len(columns)), _BLANK)
    for k, column in enumerate(columns):
        leaders = _leaders(column.found)[:, column.place]
        index = np.array([names.index(name) for name in column.found.observers])
        rows = np.searchsorted(step, column.found.step)
        table[rows, k] = np.where(leaders >= 0, index[leaders], leaders)
    axes = _axes(frame)
    _draw_cells(axes, table, len(names))
    values = [column.value for column in columns]
    for value in dict.fromkeys(values):
        first, n = values.index(value), values.count(value)
        axes.axvline(first - 0.5, color=PAPER, linewidth=2.5)
        axes.text(
            first + (n - 1) / 2,
            -0.03,
            f"{value:g}",
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="top",
            color=INK,
        )
    axes.set_xticks([])
    rows = _thinned(len(step))
    axes.set_yticks(rows, [f"{step[i]:g}" for i in rows])
    axes.set_xlabel(f"{printable(parameter, 40)} (one column a series)", labelpad=16)
    axes.set_ylabel("training step")
    _key(frame, names)


def named(columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the observers of all series, each once."""
    return tuple(dict.fromkeys(name for column in columns for name in column.found.observers))


_BLANK = -2  # a cell where nothing was measured; -1 is undecided


def _leaders(found: PhaseMap) -> Ints:
    measured = found.nearest >= 0
    return np.where(found.decided, found.nearest, np.where(measured, -1, _BLANK))


def _draw_cells(axes: Axes, leader: Ints, n: int) -> None:
    colours = ListedColormap([FAINT, *(_COLOURS[k % len(_COLOURS)] for k in range(n))])
    shown: Floats = np.where(leader == _BLANK, np.nan, (leader + 1.5) / (n + 1))
    heat_map(axes, shown, colours)


def _axes(frame: Frame) -> Axes:
    return frame.axes(LEFT + 0.15, BOTTOM, frame.width - LEFT - _KEY - 0.3, frame.height - BOTTOM - TOP)


def _key(frame: Frame, names: Sequence[str]) -> None:
    """Write the names of the colours at the right, the last on top as phases come in training from below."""
    left, top = frame.width - _KEY, frame.height - TOP - 0.12
    w, h = frame.figure.get_size_inches()
    shown = [*((name, _COLOURS[k % len(_COLOURS)]) for k, name in enumerate(names)), (UNDECIDED, FAINT)]
    for k, (name, colour) in enumerate(shown):
        y = top - k * _LINE
        corner = ((frame.left + left) / w, (frame.bottom + y - 0.02) / h)
        frame.figure.add_artist(
            Rectangle(corner, 0.12 / w, 0.12 / h, transform=frame.figure.transFigure, color=colour)
        )
        frame.text(left + 0.18, y, printable(name, 30))


def _thinned(n: int) -> Ints:
    return np.unique(np.linspace(0, n - 1, min(n, _TICKS)).round().astype(np.int64))
