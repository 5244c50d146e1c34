"""Figures of a training series: the map of context length and training step, and the course over training."""

import numpy as np
from matplotlib.axes import Axes

from harness.reporting.drawing import (
    BROWN,
    FAILED,
    FAINT,
    IDEAL,
    MODEL,
    MUTED,
    PAPER,
    VIOLET,
    Frame,
    Size,
    heat_map,
    level_axis,
)
from harness.reporting.figures import BOTTOM, LEFT, RIGHT, TOP, Label, finish
from harness.types import Floats, Transition
from harness.types.training import CheckpointSeries

WIDE: Size = (7.4, 3.6)
COURSES = 5  # context lengths drawn over training
_COLUMNS = 48  # context lengths of a map
_SHADES = [MUTED, BROWN, VIOLET, FAILED, MODEL]  # from the shortest context length to the longest


def draw_map(frame: Frame, series: CheckpointSeries) -> None:
    """Draw mean p by context length (across) and training step (upwards), with the onsets along both."""
    axes = frame.axes(LEFT + 0.15, BOTTOM, frame.width - LEFT - 1.1, frame.height - BOTTOM - TOP)
    shown = _thinned(series.level, _COLUMNS)
    level = series.level[shown]
    image = heat_map(axes, series.mean[:, shown], "Blues")
    for row, found in enumerate(series.over_context):
        for at, low, high in _places(found):
            axes.plot([_across(level, low), _across(level, high)], [row, row], color=IDEAL, linewidth=1.2)
            axes.plot(_across(level, at), row, "o", color=IDEAL, markeredgecolor=PAPER, markersize=5)
    for appearance in series.over_training:
        column = _across(level, appearance.context_length)
        for at, low, high in _places(appearance.transition):
            ends = [_across(series.step, low), _across(series.step, high)]
            axes.plot([column, column], ends, color=VIOLET, linewidth=1.2)
            axes.plot(
                column, _across(series.step, at), "^", color=VIOLET, markeredgecolor=PAPER, markersize=5
            )
    _ticks(axes, level, series.step)
    side = frame.axes(frame.width - 0.75, BOTTOM, 0.12, frame.height - BOTTOM - TOP)
    bar = frame.figure.colorbar(image, cax=side)
    if bar.solids is not None:
        bar.solids.set_rasterized(False)  # the page shows no embedded images
    bar.set_label("p(target)")


def draw_courses(frame: Frame, series: CheckpointSeries) -> None:
    """Draw mean p against training step at some context lengths, with intervals and half-way points."""
    tall = frame.height - BOTTOM - TOP
    axes = frame.axes(LEFT, BOTTOM, frame.width - LEFT - RIGHT, tall)
    level_axis(axes, series.step, log2=True)
    axes.axhline(series.chance, color=FAINT, linewidth=0.8, dashes=(1, 2))
    labels: list[Label] = []
    for k, at in enumerate(courses(series)):
        found = series.over_training[at]
        column = int(np.searchsorted(series.level, found.context_length))
        colour = _SHADES[k - len(courses(series))]
        mean = series.mean[:, column]
        band = series.low[:, column], series.high[:, column]
        axes.fill_between(series.step, *band, color=colour, alpha=0.12, linewidth=0)
        axes.plot(series.step, mean, color=colour, marker="o", markersize=2.5, linewidth=1.2)
        for place, _, _ in _places(found.transition):
            axes.plot(
                [place],
                [1.0],
                "v",
                color=colour,
                markersize=5,
                transform=axes.get_xaxis_transform(),
                clip_on=False,
            )
        labels.append((f"n = {found.context_length:g}", float(mean[-1]), colour))
    finish(axes, labels, ylabel="p(target)", inches=tall)
    axes.set_xlabel("training step (log scale)")


def courses(series: CheckpointSeries) -> list[int]:
    """Return which of the followed context lengths are drawn over training, as indices."""
    return _thinned(np.arange(len(series.over_training), dtype=np.float64), COURSES).tolist()  # type: ignore[no-any-return]


def _places(found: Transition) -> list[tuple[float, float, float]]:
    """Return each change with its interval, the place itself where there is none."""
    if found.location is not None:
        at = found.location
        low, high = found.location_low, found.location_high
        return [(at, at if low is None else low, at if high is None else high)]
    return [(c.location, c.low, c.high) for c in found.changes]


def _across(cells: Floats, value: float) -> float:
    """Return where a value lies between the centres of cells, which are drawn equally far apart."""
    return float(np.interp(np.log2(value + 1), np.log2(cells + 1), np.arange(len(cells))))


def _thinned(values: Floats, most: int) -> np.ndarray:
    n = len(values)
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))


def _ticks(axes: Axes, level: Floats, step: Floats) -> None:
    columns, rows = _thinned(level, 10), _thinned(step, 10)
    axes.set_xticks(columns, [f"{level[i]:g}" for i in columns])
    axes.set_yticks(rows, [f"{step[i]:g}" for i in rows])
    axes.set_xlabel("context length (symbols; one column each, not to scale)")
    axes.set_ylabel("training step")
