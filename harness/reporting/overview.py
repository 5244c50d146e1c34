"""Figures of many curves: small multiples of a family, and onsets against a swept parameter."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from harness.reporting.drawing import (
    BROWN,
    FAILED,
    FAINT,
    IDEAL,
    INK,
    MODEL,
    MUTED,
    PLACE,
    SIZE,
    VIOLET,
    Frame,
    level_axis,
    printable,
)
from harness.reporting.figures import on_log_axis
from harness.reporting.levels import Place, half_way, ideal_half_way, ideal_observer, mean_over_sequences
from harness.reporting.placement import thin
from harness.reporting.sections import Section, Sweep
from harness.reporting.wording import short_verdict
from harness.types import Floats

COLUMNS = 4
_CELL = (1.66, 1.45)  # inches a panel
ONSET = (6.6, 3.4)
_MODELS = [MODEL, BROWN, VIOLET, PLACE, FAILED, MUTED]
_MARKERS = ["o", "s", "D", "^", "v", "P"]


def overview_size(n: int) -> tuple[float, float]:
    """Return the size in inches of a figure of n small panels."""
    columns = min(COLUMNS, n)
    return 0.3 + _CELL[0] * columns, 0.3 + _CELL[1] * math.ceil(n / COLUMNS)


def draw_overview(frame: Frame, group: Sequence[Section]) -> None:
    """Draw one small panel a curve: the model, its ideal observer dashed, its controls thin and grey."""
    rows = math.ceil(len(group) / COLUMNS)
    log2 = any(on_log_axis(s.main.result) for s in group)
    for k, section in enumerate(group):
        row, column = divmod(k, COLUMNS)
        left, bottom = 0.3 + column * _CELL[0], frame.height - (row + 1) * _CELL[1] + 0.14
        axes = frame.axes(left, bottom, _CELL[0] - 0.25, _CELL[1] - 0.52)
        _panel(axes, section, log2=log2)
        axes.tick_params(labelbottom=row == rows - 1 or k + COLUMNS >= len(group), labelleft=column == 0)
    label = f"context length (symbols{', log scale' if log2 else ''})"
    frame.text(0.3 + (_CELL[0] * min(COLUMNS, len(group)) - 0.25) / 2, 0.06, label, align="center")


def onset_note(sweep: Sweep) -> str:
    """Return a description of an onset figure for a caption."""
    what = f"{sweep.family} ({sweep.kept})" if sweep.kept else sweep.family
    return (
        f"Where the transition of each curve of {what} lies as {sweep.parameter} is swept: half-way "
        "points with their intervals (filled: models), and those of the ideal observer (open). Without an "
        "interval: read from the mean curve of several changes or of an undetermined verdict. "
        "A cross at the top edge marks a curve without a half-way point."
    )


def draw_onset(frame: Frame, sweep: Sweep) -> None:
    """Draw location with its interval against the swept parameter, for each model and the ideal observer."""
    axes = frame.axes(0.55, 0.5, frame.width - 2.5, frame.height - 0.7)
    models = list(dict.fromkeys(r.model for r in sweep.results))
    shift = 0.012 * (sweep.values[-1] - sweep.values[0])
    x_of = {repr(v): float(v) for v in sweep.values}
    labels = []
    for m, model in enumerate(models):
        colour, marker = _MODELS[m % len(_MODELS)], _MARKERS[m % len(_MARKERS)]
        mine = [r for r in sweep.results if r.model == model]
        x = [x_of[repr(r.params.get(sweep.parameter))] + (m - (len(models) - 1) / 2) * shift for r in mine]
        _located(axes, x, [half_way(r) for r in mine], colour, marker, filled=True)
        labels.append((_tail(model, 21), colour, marker, True))
    ideal = {repr(r.params.get(sweep.parameter)): ideal_half_way(r) for r in sweep.results if r.observers}
    if ideal:
        _located(axes, [x_of[key] for key in ideal], list(ideal.values()), IDEAL, "o", filled=False)
        labels.append(("ideal observer", IDEAL, "o", False))
    for k, (text, colour, marker, filled) in enumerate(labels):
        y = 0.98 - 0.085 * k
        face = colour if filled else "none"
        axes.plot([1.04], [y], marker, color=colour, mfc=face, ms=5, transform=axes.transAxes, clip_on=False)
        axes.text(1.07, y, text, transform=axes.transAxes, color=colour, va="center")
    ticks = [x_of[repr(v)] for v in sweep.values]
    axes.set_xticks(ticks, [printable(str(v), 14) for v in sweep.values])
    axes.set_xlabel(printable(sweep.parameter, 60))
    axes.set_ylabel("half-way point (symbols)")
    axes.set_ylim(bottom=0)


def _panel(axes: Axes, section: Section, *, log2: bool) -> None:
    result = section.main.result
    level_axis(axes, result.curve.level, log2=log2)
    axes.locator_params(axis="x", nbins=4) if not log2 else _fewer_ticks(axes)
    axes.axhline(result.chance, color=FAINT, linewidth=0.8, dashes=(1, 2))
    for control in section.controls:
        _line(axes, control.result.curve.level, control.result.mean, color=MUTED, linewidth=0.6, log2=log2)
    ideal = ideal_observer(result)
    if ideal is not None:
        mean = mean_over_sequences(ideal[1])
        _line(axes, ideal[1].level, mean, color=IDEAL, linewidth=1.0, log2=log2).set_dashes((4, 2))
    _line(axes, result.curve.level, result.mean, color=MODEL, linewidth=1.3, log2=log2)
    if result.transition.location is not None:
        axes.axvline(result.transition.location, color=PLACE, linewidth=0.8)
    for change in result.transition.changes:
        axes.axvline(change.location, color=PLACE, linewidth=0.8)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.5, 1], ["0", "", "1"])
    axes.text(
        0,
        1.2,
        printable(result.title.removeprefix(f"{result.family}, "), 23),
        transform=axes.transAxes,
        color=INK,
    )
    axes.text(
        0, 1.05, short_verdict(result.transition), transform=axes.transAxes, color=PLACE, fontsize=SIZE - 1
    )


def _line(axes: Axes, x: Floats, y: Floats, *, color: str, linewidth: float, log2: bool) -> Line2D:
    kept = thin(x, y, log2=log2, most=120)
    return axes.plot(x[kept], y[kept], color=color, linewidth=linewidth)[0]


def _fewer_ticks(axes: Axes) -> None:
    ticks = axes.get_xticks()
    kept = ticks[:: max(1, math.ceil(len(ticks) / 5))]
    axes.set_xticks(kept, [f"{t:g}" for t in kept])
    axes.minorticks_off()


def _located(
    axes: Axes, x: Sequence[float], places: Sequence[Place | None], colour: str, marker: str, *, filled: bool
) -> None:
    for at, place in zip(x, places, strict=True):
        if place is None:
            axes.plot(
                [at], [0.985], "x", color=colour, ms=5, transform=axes.get_xaxis_transform(), clip_on=False
            )
            continue
        axes.plot([at, at], place.interval, color=colour, linewidth=1.1)
        axes.plot([at], [place.value], marker, color=colour, mfc=colour if filled else "none", ms=5)
    line = sorted((at, place.value) for at, place in zip(x, places, strict=True) if place is not None)
    if len(line) > 1:
        axes.plot([p[0] for p in line], [p[1] for p in line], color=colour, linewidth=0.7, alpha=0.6)


def _tail(text: str, most: int) -> str:
    """Return the end of a long name, which tells models apart better than its beginning."""
    shown = printable(text)
    return shown if len(shown) <= most else "…" + shown[1 - most :]
