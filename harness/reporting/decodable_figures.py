"""Figures of concept decodability: beside the behaviour on one axis, and by layer and context length."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from harness.reporting.drawing import BROWN, INK, MODEL, VIOLET, Frame, Size, level_axis
from harness.reporting.figures import BOTTOM, LEFT, RIGHT, TOP, Label, finish
from harness.types import Floats
from harness.types.decodability import Decodability, ProbeReading

TOGETHER: Size = (7.4, 3.6)
MAPS: Size = (7.4, 2.6)
COLOURS = {"knn": VIOLET, "logistic": BROWN}
SHORT = {"knn": "neighbours", "logistic": "logistic"}


def draw_together(frame: Frame, found: Decodability) -> None:
    """Draw the mean hit rate of each decoder at its chosen layer and p(target), of the held-out sequences."""
    tall = frame.height - BOTTOM - TOP
    axes = frame.axes(LEFT, BOTTOM, frame.width - LEFT - RIGHT, tall)
    level = found.context_lengths
    last = level[-1] if found.behaviour is None else max(level[-1], found.behaviour.level[-1])
    first = level[0] if found.behaviour is None else min(level[0], found.behaviour.level[0])
    level_axis(axes, np.array([first, last]), log2=True)
    labels: list[Label] = []
    for reading in found.probes:
        colour = COLOURS[reading.probe]
        chance = reading.chance[reading.chosen]
        axes.plot(level, chance, color=colour, linewidth=0.9, dashes=(1, 2), alpha=0.8)
        _band(axes, level, (reading.mean, reading.low, reading.high), colour)
        text = f"{SHORT[reading.probe]}, layer {found.layers[reading.chosen]}"
        labels.append((text, float(reading.mean[-1]), colour))
        labels.append(("shuffled labels", float(chance[-1]), colour))
    shown = found.behaviour
    if shown is not None and found.behaviour_mean is not None:
        assert found.behaviour_low is not None
        assert found.behaviour_high is not None
        _band(axes, shown.level, (found.behaviour_mean, found.behaviour_low, found.behaviour_high), MODEL)
        labels.append(("p(target)", float(found.behaviour_mean[-1]), MODEL))
    if found.choice is not None:
        hits = np.nanmean(found.choice.p, axis=0)
        axes.plot(found.choice.level, hits, color=MODEL, linewidth=0.8, dashes=(4, 2))
        labels.append(("p above one half", float(hits[-1]), MODEL))
    for reading in found.probes:
        _halves(axes, reading)
    finish(axes, labels, ylabel="p(target), share read", inches=tall)
    axes.set_xlabel("context length (symbols, log scale)")


def draw_maps(frame: Frame, found: Decodability) -> None:
    """Draw accuracy by layer (upwards) and context length, a panel a decoder, each cell with its number."""
    n = len(found.probes)
    across = (frame.width - LEFT - 0.15) / n
    for k, reading in enumerate(found.probes):
        axes = frame.axes(LEFT + k * across, BOTTOM, across - 0.2, frame.height - BOTTOM - TOP)
        _map(axes, found, reading, labelled=k == 0)


def _map(axes: Axes, found: Decodability, reading: ProbeReading, *, labelled: bool) -> None:
    level, table = found.context_lengths, reading.accuracy
    colours = "Purples" if reading.probe == "knn" else "YlOrBr"
    axes.pcolormesh(table, cmap=colours, vmin=0, vmax=1)  # drawn as shapes: the page admits no image
    for i, j in np.ndindex(*table.shape):
        axes.text(
            j + 0.5, i + 0.5, f"{table[i, j]:.2f}".lstrip("0"), ha="center", va="center", fontsize=6.5,
            color="#ffffff" if table[i, j] > 0.65 else "#1b1f25",
        )  # fmt: skip
        if reading.p_value[i, j] < 0.05:
            axes.plot(
                [j + 0.5], [i + 0.17], "o", ms=1.8, color="#ffffff" if table[i, j] > 0.65 else "#1b1f25"
            )
    frame = Rectangle((0, reading.chosen), len(level), 1, fill=False, edgecolor=INK, linewidth=1.2)
    axes.add_patch(frame).set_clip_on(False)
    axes.set_xticks(np.arange(len(level)) + 0.5, [f"{n:.0f}" for n in level], fontsize=6.5)
    axes.set_yticks(
        np.arange(len(found.layers)) + 0.5, [str(layer) for layer in found.layers] if labelled else []
    )
    axes.set_xlabel("context length (symbols)")
    if labelled:
        axes.set_ylabel("layer")
    axes.set_title(SHORT[reading.probe], fontsize=8.5, color=COLOURS[reading.probe], loc="left")


def _band(axes: Axes, level: Floats, band: tuple[Floats, Floats, Floats], colour: str) -> None:
    mean, low, high = band
    axes.fill_between(level, low, high, color=colour, alpha=0.15, linewidth=0)
    marker = "o" if len(level) <= 40 else ""
    axes.plot(level, mean, color=colour, marker=marker, markersize=3, linewidth=1.2)


def _halves(axes: Axes, reading: ProbeReading) -> None:
    """Mark the half-way points that the lag is the difference of, at the top."""
    lag = reading.lags[reading.chosen]
    if lag is None:
        return
    for at, colour in ((lag.observer_half, COLOURS[reading.probe]), (lag.model_half, MODEL)):
        if at is not None:
            axes.plot(
                [at],
                [1.0],
                "v",
                color=colour,
                markersize=5,
                transform=axes.get_xaxis_transform(),
                clip_on=False,
            )
