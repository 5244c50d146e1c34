"""The figure of one analysed curve: what was measured, what was fitted, and what an ideal observer does."""

import numpy as np
from matplotlib.axes import Axes

from harness.reporting.drawing import (
    FAILED,
    FAINT,
    IDEAL,
    INK,
    MODEL,
    MUTED,
    PLACE,
    SIZE,
    Frame,
    level_axis,
    printable,
)
from harness.reporting.levels import failures_per_level, fitted, ideal_transition, mean_over_sequences
from harness.reporting.matches import draw_match
from harness.reporting.numbers import number, with_interval
from harness.reporting.placement import spread, strokes, thin
from harness.reporting.wording import p_label
from harness.types import CurveResult, Floats

WIDE = (7.4, 4.1)
NARROW = (5.5, 3.7)
"""Sizes in inches: of a curve, and of a control beside another."""

MARKED = 40  # levels up to which each one gets a marker

LEFT, RIGHT, BOTTOM, TOP, SLIM, GAP = 0.55, 1.45, 0.46, 0.3, 0.5, 0.14
"""Inches around and between the panels of a figure."""

_DASHES = [(4, 2), (1, 1.5), (4, 1.5, 1, 1.5), (7, 2), (2, 2)]

_LEADER = {"shrinkA": 1, "shrinkB": 0, "relpos": (0, 0.5)}  # from the left edge of a label to its line

Label = tuple[str, float, str]  # text, height on the y axis, colour


def draw_curve(frame: Frame, result: CurveResult) -> None:
    """Draw one curve into a frame: p above, raw p, captured mass and failures in a slim panel below."""
    across = frame.width - LEFT - RIGHT
    tall = frame.height - BOTTOM - SLIM - GAP - TOP
    upper = frame.axes(LEFT, BOTTOM + SLIM + GAP, across, tall)
    slim = frame.axes(LEFT, BOTTOM, across, SLIM)
    log2 = on_log_axis(result)
    for axes in (upper, slim):
        level_axis(axes, result.curve.level, log2=log2)
    _draw_place(upper, result)
    labels = _draw_references(upper, result, log2=log2) + _draw_model(upper, result, log2=log2)
    if result.match is not None:
        labels += draw_match(upper, result.match, log2=log2)
    _draw_heading(upper, result)
    finish(upper, labels, ylabel=p_label(result), inches=tall)
    upper.tick_params(labelbottom=False)
    _draw_slim(slim, result, log2=log2)
    slim.set_xlabel(f"context length (symbols{', log scale' if log2 else ''})")


def on_log_axis(result: CurveResult) -> bool:
    """Return whether a curve is drawn against a log axis: if analysed so, or if all changes come early.

    Early is the first eighth of the range, where a linear axis would show a change as a wall.
    """
    t, level = result.transition, result.curve.level
    if t.options.axis == "log2":
        return True
    ideal = ideal_transition(result)
    places = [c.location for c in t.changes]
    places += [u.location for u in (t, ideal) if u is not None and u.location is not None]
    return bool(places) and level.size > 16 and max(places) < level[0] + (level[-1] - level[0]) / 8


def ten_to_ninety(location: float, width: float, axis: str) -> tuple[float, float]:
    """Return the levels where 10 % and 90 % of a change is done, `width` apart around its location.

    A curve symmetric on the log2 axis has them at location / r and location * r,
    where r - 1 / r = width / location.
    """
    if axis == "log2" and location > 0:
        half = width / location / 2
        r = half + np.sqrt(half**2 + 1)
        return float(location / r), float(location * r)
    return location - width / 2, location + width / 2


def _draw_place(axes: Axes, result: CurveResult) -> None:
    """Shade the interval of the location, or of each of several changes, and bar the 10-90 % width."""
    t, first, last = result.transition, result.curve.level[0], result.curve.level[-1]
    places = [(c.location, c.low, c.high) for c in t.changes] if t.verdict == "multiple" else []
    if t.location is not None and not places:
        low = t.location if t.location_low is None else t.location_low
        high = t.location if t.location_high is None else t.location_high
        places = [(t.location, low, high)]
    for at, low, high in places:
        axes.axvspan(max(low, first), min(high, last), color=PLACE, alpha=0.14, linewidth=0)
        axes.axvline(at, color=PLACE, linewidth=1.0)
    if t.location is None or t.width is None or t.lower is None or t.upper is None or t.verdict == "multiple":
        return
    if not first <= t.location <= last:
        return
    start, end = np.clip(ten_to_ninety(t.location, t.width, t.options.axis), first, last)
    half = (t.lower + t.upper) / 2
    axes.plot([start, end], [half, half], color=PLACE, linewidth=2.2, solid_capstyle="butt", zorder=4)
    axes.plot([start, end], [half, half], color=PLACE, linestyle="none", marker="|", markersize=8, zorder=4)


def _draw_references(axes: Axes, result: CurveResult, *, log2: bool) -> list[Label]:
    """Draw the chance level and the observers, the ideal one (the first) stronger."""
    labels: list[Label] = [(f"chance {number(result.chance, 2)}", result.chance, MUTED)]
    axes.axhline(result.chance, color=FAINT, linewidth=1.0, dashes=(1, 2))
    for k, (name, curve) in enumerate(reversed(list(result.observers.items()))):
        ideal = k == len(result.observers) - 1
        mean = mean_over_sequences(curve)
        kept = thin(curve.level, mean, log2=log2)
        x, y = curve.level[kept], mean[kept]
        if ideal:
            axes.plot(x, y, color=IDEAL, dashes=(5, 2), zorder=3)
        else:
            axes.plot(x, y, color=MUTED, linewidth=0.8, alpha=0.8, dashes=_DASHES[k % len(_DASHES)])
        text = f"ideal: {name}" if ideal else name
        labels.append((printable(text, 20), _last(mean), IDEAL if ideal else MUTED))
    return labels


def _draw_model(axes: Axes, result: CurveResult, *, log2: bool) -> list[Label]:
    """Draw the mean with its band, the fit, and a rug where calls failed."""
    level = result.curve.level
    kept = thin(level, result.mean, result.low, result.high, log2=log2)
    x = level[kept]
    axes.fill_between(x, result.low[kept], result.high[kept], color=MODEL, alpha=0.2, linewidth=0)
    marker = "o" if len(level) <= MARKED else ""
    axes.plot(x, result.mean[kept], color=MODEL, marker=marker, markersize=3.2, linewidth=1.2, zorder=3.5)
    labels: list[Label] = [("model", _last(result.mean), MODEL)]
    fit = fitted(result)
    if fit is not None:
        kept = thin(level, fit, log2=log2)
        axes.plot(level[kept], fit[kept], color=INK, linewidth=1.0, zorder=3.8)
        labels.append(("fit", _last(fit), INK))
    failed = failures_per_level(result)
    if failed.any():
        at = level[failed > 0]
        axes.plot(*strokes(at, -0.03, 0.015), color=FAILED, linewidth=0.9)
    return labels


def _draw_heading(axes: Axes, result: CurveResult) -> None:
    """Write the locations above the axes: the model's at the left, the ideal observer's at the right."""
    t = result.transition
    if t.location is not None and t.verdict != "multiple":
        text = f"half-way {with_interval(t.location, t.location_low, t.location_high)}"
        axes.text(0, 1.06, text, transform=axes.transAxes, color=PLACE)
    elif t.verdict == "multiple":
        axes.text(0, 1.06, f"{len(t.changes)} changes", transform=axes.transAxes, color=PLACE)
    ideal = ideal_transition(result)
    if ideal is not None and ideal.location is not None:
        text = f"ideal observer {number(ideal.location)}"
        axes.text(1, 1.06, text, transform=axes.transAxes, color=IDEAL, ha="right")
    level = result.curve.level
    if ideal is not None and ideal.location is not None and level[0] <= ideal.location <= level[-1]:
        axes.plot(
            [ideal.location],
            [1.0],
            "v",
            color=IDEAL,
            markersize=5,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )


def _draw_slim(axes: Axes, result: CurveResult, *, log2: bool) -> None:
    level, labels = result.curve.level, list[Label]()
    failed = failures_per_level(result)
    tried = failed + np.nan_to_num(result.scored)
    if failed.any():
        share = np.divide(failed, tried, out=np.zeros_like(failed), where=tried > 0)
        axes.plot(*strokes(level[share > 0], 0, share[share > 0]), color=FAILED, linewidth=1.4)
        labels.append(("failed share", 0.0, FAILED))
    for values, text, colour, dashes in (
        (result.mass, "captured mass", MUTED, (None, None)),
        (result.raw, "raw p", MODEL, (3, 1.5)),
    ):
        if np.isfinite(values).any():
            kept = thin(level, values, log2=log2)
            axes.plot(level[kept], values[kept], color=colour, linewidth=1.0, dashes=dashes)
            labels.append((text, _last(values), colour))
    finish(axes, labels, ylabel="", inches=SLIM)
    axes.set_yticks([0, 1])


def finish(axes: Axes, labels: list[Label], *, ylabel: str, inches: float) -> None:
    """Set the y axis to [0, 1] and label the lines at the right edge, spread where they would overlap."""
    bottom, top = -0.03, 1.03
    axes.set_ylim(bottom, top)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    axes.set_ylabel(ylabel)
    gap = 1.25 * SIZE / 72 / inches * (top - bottom)
    labels = [label for label in labels if np.isfinite(label[1])]  # a line without points has no label
    heights = [y for _, y, _ in labels]
    for (text, y, colour), place in zip(labels, spread(heights, gap, 0.0, 1.0), strict=True):
        axes.annotate(
            text,
            xy=(1.0, y),
            xytext=(1.045, place),
            xycoords=axes.get_yaxis_transform(),
            textcoords=axes.get_yaxis_transform(),
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "alpha": 0.7, **_LEADER},
        )


def _last(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if finite.size else float("nan")
