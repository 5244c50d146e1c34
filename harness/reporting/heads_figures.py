"""Figures of induction heads: the scores of every head, and what is left of a repeated block without them."""

import numpy as np
from matplotlib.axes import Axes

from harness.reporting.drawing import FAINT, INK, MODEL, MUTED, SIZE, Frame, Size, heat_map
from harness.reporting.figures import BOTTOM, LEFT, RIGHT, TOP, Label, finish
from harness.types import Floats
from harness.types.induction import Induction

MAPS: Size = (7.4, 2.8)
ABLATION: Size = (7.4, 3.4)
_NUMBERED = 12  # heads of a layer up to which each cell has its number


def draw_scores(frame: Frame, found: Induction) -> None:
    """Draw prefix matching, what of it is due to the symbols, and copying, by layer (upwards) and head."""
    panels = (
        ("prefix matching", found.repeated),
        ("due to the symbols", found.reordered - found.control),
        ("the same nearby", np.nanmax(found.around, axis=0)),
        ("copying", found.copying),
    )
    across = (frame.width - LEFT) / len(panels)
    for k, (title, table) in enumerate(panels):
        axes = frame.axes(LEFT + k * across, BOTTOM, across - 0.2, frame.height - BOTTOM - TOP)
        _map(axes, table, [str(layer) for layer in found.layers] if k == 0 else [])
        axes.set_title(title, fontsize=SIZE, color=INK, loc="left")
        axes.set_xlabel("head")
        if k == 0:
            axes.set_ylabel("layer")


def draw_ablation(frame: Frame, found: Induction) -> None:
    """Draw mean p(target) along the last copy by heads ablated: by score, and in random orders."""
    tall = frame.height - BOTTOM - TOP
    axes = frame.axes(LEFT, BOTTOM, frame.width - LEFT - RIGHT, tall)
    counts = found.counts
    for row in found.random:
        axes.plot(counts, row, color=FAINT, linewidth=0.9)
    random = found.random.mean(axis=0)
    axes.plot(counts, random, color=MUTED, linewidth=1.2, marker="o", markersize=3)
    low, high = found.ranked - 1.96 * found.ranked_error, found.ranked + 1.96 * found.ranked_error
    axes.fill_between(counts, low, high, color=MODEL, alpha=0.15, linewidth=0)
    axes.plot(counts, found.ranked, color=MODEL, linewidth=1.2, marker="o", markersize=3)
    chance = 1 / found.n_symbols
    axes.axhline(chance, color=MUTED, linewidth=0.9, dashes=(1, 2))
    labels: list[Label] = [
        ("by score", float(found.ranked[-1]), MODEL),
        ("in random order", float(random[-1]), MUTED),
        ("chance", chance, MUTED),
    ]
    finish(axes, labels, ylabel="p(target), last copy", inches=tall)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0, counts[-1])
    axes.set_xlabel("heads ablated")


def _map(axes: Axes, table: Floats, names: list[str]) -> None:
    heat_map(axes, table, "Purples")
    if table.shape[1] <= _NUMBERED:
        for i, j in np.ndindex(*table.shape):
            if np.isfinite(table[i, j]):
                colour = "#ffffff" if table[i, j] > 0.65 else "#1b1f25"
                axes.text(j, i, f"{table[i, j]:.2f}", ha="center", va="center", fontsize=6.5, color=colour)
    every = max(1, len(names) // 8)
    axes.set_yticks(range(0, len(names), every), names[::every])
    axes.set_xticks(range(0, table.shape[1], max(1, table.shape[1] // 8)))
