"""Figures of the geometry of states: energy beside behaviour, and points in the plane of their components."""

import numpy as np
from matplotlib.axes import Axes

from harness.reporting.drawing import FAINT, IDEAL, INK, MODEL, MUTED, SIZE, VIOLET, Frame, Size, level_axis
from harness.reporting.figures import BOTTOM, LEFT, RIGHT, TOP, Label, finish
from harness.types.geometry import Geometry, Picture

ENERGY: Size = (7.4, 3.6)
PICTURES: Size = (7.4, 3.4)
_SHOWN = 24  # points that are named in a picture


def draw_energy(frame: Frame, found: Geometry) -> None:
    """Draw the energy of every layer by context length, the chosen one with its band, and p(target)."""
    tall = frame.height - BOTTOM - TOP
    axes = frame.axes(LEFT, BOTTOM, frame.width - LEFT - RIGHT, tall)
    level, k = found.context_lengths, found.chosen
    level_axis(axes, np.array([level[0], level[-1]]), log2=True)
    for i, row in enumerate(found.energy):
        if i != k:
            axes.plot(level, row, color=FAINT, linewidth=0.9)
    axes.plot(level, np.ones_like(level), color=MUTED, linewidth=0.9, dashes=(1, 2))
    axes.plot(level, found.least, color=IDEAL, linewidth=0.9, dashes=(4, 2))
    axes.fill_between(level, found.low[k], found.high[k], color=VIOLET, alpha=0.15, linewidth=0)
    axes.plot(level, found.energy[k], color=VIOLET, marker="o", markersize=3, linewidth=1.2)
    labels: list[Label] = [
        (f"energy, layer {found.layers[k]}", _last(found.energy[k]), VIOLET),
        ("no graph: 1", 1.0, MUTED),
        ("least possible", _last(found.least), IDEAL),
    ]
    if found.behaviour is not None:
        p = found.behaviour.p.mean(axis=0)
        axes.plot(found.behaviour.level, p, color=MODEL, marker="o", markersize=3, linewidth=1.2)
        labels.append(("p(target)", float(p[-1]), MODEL))
    finish(
        axes, [label for label in labels if np.isfinite(label[1])], ylabel="energy, p(target)", inches=tall
    )
    top = float(np.nanmax(found.energy, initial=1.0))
    axes.set_ylim(0, 1.08 * max(top, 1.0))
    axes.set_xlabel("context length (symbols, log scale)")


def draw_pictures(frame: Frame, found: Geometry) -> None:
    """Draw the nodes of one sequence with their edges, and the means of the concept's values."""
    shown = [("symbols of the first sequence", found.walk), ("values of the concept", found.classes)]
    pictures = [(title, picture) for title, picture in shown if picture is not None]
    across = (frame.width - LEFT) / len(pictures)
    for i, (title, picture) in enumerate(pictures):
        axes = frame.axes(LEFT + i * across, BOTTOM, across - 0.45, frame.height - BOTTOM - TOP)
        _points(axes, picture)
        axes.set_title(title, fontsize=SIZE, color=INK, loc="left")


def _points(axes: Axes, picture: Picture) -> None:
    xy = picture.coordinates
    for a, b in picture.edges:
        axes.plot(xy[[a, b], 0], xy[[a, b], 1], color=FAINT, linewidth=0.9, zorder=1)
    axes.plot(xy[:, 0], xy[:, 1], "o", color=VIOLET, markersize=4, zorder=2)
    for name, (x, y) in list(zip(picture.names, xy, strict=True))[:_SHOWN]:
        axes.annotate(name, (x, y), xytext=(4, 3), textcoords="offset points", fontsize=SIZE - 1.5)
    axes.margins(0.15)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"first two components: {100 * picture.explained:.0f} % of the variance")


def _last(values: np.ndarray) -> float:
    kept = values[np.isfinite(values)]
    return float(kept[-1]) if len(kept) else float("nan")
