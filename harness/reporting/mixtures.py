"""The figure of a mixture of observers: the weight of each against context length."""

import numpy as np
from matplotlib.axes import Axes

from harness.reporting.drawing import (
    BROWN,
    FAILED,
    IDEAL,
    INK,
    MODEL,
    MUTED,
    PLACE,
    VIOLET,
    Frame,
    level_axis,
    printable,
)
from harness.reporting.figures import BOTTOM, GAP, LEFT, RIGHT, SLIM, TOP, Label, finish
from harness.reporting.numbers import with_interval
from harness.types import Bools, Floats, ObserverMixture

MIXTURE = (7.4, 3.3)
"""Size in inches."""

_COLOURS = [IDEAL, VIOLET, BROWN, FAILED, INK, MUTED]  # the ideal observer comes first
_ROOM = 1.15  # of the panel of divergences, as a multiple of the largest


def draw_mixture(frame: Frame, mixture: ObserverMixture) -> None:
    """Draw weights above and the divergence of the mixture from the model below."""
    across = frame.width - LEFT - RIGHT
    tall = frame.height - BOTTOM - SLIM - GAP - TOP
    upper = frame.axes(LEFT, BOTTOM + SLIM + GAP, across, tall)
    slim = frame.axes(LEFT, BOTTOM, across, SLIM)
    level = np.array(mixture.context_lengths, dtype=np.float64)
    log2 = _early(mixture)
    for axes in (upper, slim):
        level_axis(axes, level, log2=log2)
    _draw_switch(upper, mixture)
    finish(upper, _draw_weights(upper, level, mixture), ylabel="weight", inches=tall)
    upper.tick_params(labelbottom=False)
    _draw_divergence(slim, level, np.array(mixture.divergence))
    slim.set_xlabel(f"context length (symbols{', log scale' if log2 else ''})")


def _early(mixture: ObserverMixture) -> bool:
    """Whether the lead passes in the first eighth of the range, where a linear axis would show a wall."""
    first, last = mixture.context_lengths[0], mixture.context_lengths[-1]
    return mixture.switch is not None and mixture.switch.location < first + (last - first) / 8


def _draw_switch(axes: Axes, mixture: ObserverMixture) -> None:
    switch = mixture.switch
    if switch is None:
        return
    axes.axvspan(switch.low, switch.high, color=PLACE, alpha=0.14, linewidth=0)
    axes.axvline(switch.location, color=PLACE, linewidth=1.0)
    at = with_interval(switch.location, switch.low, switch.high)
    text = f"{printable(switch.before, 20)} leads up to {at}, then {printable(switch.after, 20)}"
    axes.text(0, 1.06, text, transform=axes.transAxes, color=PLACE)


def _draw_weights(axes: Axes, level: Floats, mixture: ObserverMixture) -> list[Label]:
    weights, low, high = (np.array(table) for table in (mixture.weights, mixture.low, mixture.high))
    determined = np.array(mixture.determined)
    labels: list[Label] = []
    for k, name in enumerate(mixture.observers):
        colour, known = _COLOURS[k % len(_COLOURS)], determined[:, k]
        axes.fill_between(level, low[:, k], high[:, k], where=known, color=colour, alpha=0.15, linewidth=0)
        axes.plot(level, weights[:, k], color=colour, linewidth=0.8, dashes=(1, 2))
        axes.plot(level, _only(weights[:, k], known), color=colour, marker="o", markersize=2.2)
        text = f"ideal: {name}" if k == 0 else name
        labels.append((printable(text, 20), float(weights[-1, k]), colour))
    return labels


def _only(values: Floats, known: Bools) -> Floats:
    """Return values with a gap wherever they are not known."""
    return np.where(known, values, np.nan)


def _draw_divergence(axes: Axes, level: Floats, bits: Floats) -> None:
    top = float(bits.max()) or 1.0
    axes.fill_between(level, 0, bits, color=MODEL, alpha=0.2, linewidth=0)
    axes.plot(level, bits, color=MODEL, linewidth=1.0)
    axes.set_ylim(0, _ROOM * top)
    axes.set_yticks([0, top], ["0", f"{top:.1g}"])
    axes.annotate(
        "KL to mixture (bits)",
        xy=(1.045, 0.4),
        xycoords="axes fraction",
        color=MODEL,
        va="center",
        annotation_clip=False,
    )
