"""Figures of steering: curves by scale with the law drawn, and N* and gain against scale with the controls."""

import numpy as np
from matplotlib.axes import Axes

from harness.reporting.drawing import (
    BROWN,
    FAINT,
    IDEAL,
    INK,
    MODEL,
    MUTED,
    PLACE,
    VIOLET,
    Frame,
    Size,
    level_axis,
)
from harness.reporting.figures import BOTTOM, LEFT, RIGHT, TOP, Label, finish
from harness.types.steering import SteeringReading

CURVES: Size = (7.4, 3.8)
STARS: Size = (7.4, 3.3)
_MOST = 7  # scales that get a curve and a label of their own: the tuned one, the ends, the natural ones first
_WIDE = 0.62  # inches to the left of a panel of the second figure


def draw_curves(frame: Frame, found: SteeringReading) -> None:
    """Draw the mean curve of each scale at the chosen layer, and the joint law dashed over it."""
    tall = frame.height - BOTTOM - TOP
    axes = frame.axes(LEFT, BOTTOM, frame.width - LEFT - RIGHT, tall)
    shown = found.level <= _risen(found)
    level_axis(axes, found.level[shown], log2=True)
    most = max(abs(scale) for scale in found.curves)
    labels: list[Label] = []
    for scale in _drawn(found):
        curve = found.curves[scale]
        colour = INK if scale == 0 else MODEL if scale > 0 else IDEAL
        alpha = 1.0 if scale == 0 else 0.35 + 0.65 * abs(scale) / most
        mean = np.nanmean(curve.p, axis=0)[shown]
        axes.plot(found.level[shown], mean, color=colour, alpha=alpha, linewidth=1.6 if scale == 0 else 1.2)
        if scale in found.law_means:
            axes.plot(
                found.level[shown],
                found.law_means[scale][shown],
                color=colour,
                alpha=alpha,
                linewidth=0.9,
                dashes=(4, 2),
            )
        tuned = ", tuned" if scale == found.chosen_scale else ""
        natural = abs(scale) == found.natural_scale[found.chosen_layer]
        words = "no steering" if scale == 0 else f"{scale:+.2f}{', natural' if natural else tuned}"
        labels.append((words, float(mean[-1]), colour))
    if found.asymptotes is not None:
        half, across = sum(found.asymptotes) / 2, axes.get_yaxis_transform()
        axes.axhline(half, color=FAINT, linewidth=0.8, zorder=0)
        axes.text(1.0, half, "half-way ", transform=across, ha="right", va="bottom", color=MUTED)
    finish(axes, labels, ylabel="p(target)", inches=tall)
    axes.set_xlabel("context length (symbols, log scale)")


def draw_stars(frame: Frame, found: SteeringReading) -> None:
    """Draw N* against scale with the law and its held-out predictions, and the gain with the controls."""
    across, tall = frame.width / 2 - _WIDE - 0.1, frame.height - BOTTOM - TOP - 0.2
    left = frame.axes(_WIDE, BOTTOM, across, tall)
    right = frame.axes(frame.width / 2 + _WIDE, BOTTOM, across, tall)
    _stars(left, found)
    _gains(right, found)
    natural = found.natural_scale[found.chosen_layer]
    for axes in (left, right):
        axes.set_xlabel("scale (of the mean residual norm)")
        axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
        axes.plot([natural], [0], "^", color=INK, ms=5, transform=axes.get_xaxis_transform(), clip_on=False)


def _stars(axes: Axes, found: SteeringReading) -> None:
    controls = [
        (c.scale, n) for c in found.controls if c.name == "random" for n in c.n_stars if n is not None
    ]
    if controls:
        axes.plot(*zip(*controls, strict=True), ".", color=MUTED, alpha=0.5, ms=4, label="random directions")
    wrong = [(c.scale, c.n_stars[0]) for c in found.controls if c.name == "wrong concept" and c.n_stars[0]]
    if wrong:
        axes.plot(*zip(*wrong, strict=True), "x", color=BROWN, ms=4.5, label="wrong concept")
    if found.law is not None:
        stars = [n.value for n in found.law.n_star]
        axes.plot(found.law.strength, stars, color=PLACE, linewidth=1.0, label="law")
    for h in found.held_out:
        for value, mark, colour, shift, name in (
            (h.predicted, "D", PLACE, 0.008, "predicted, left out"),
            (h.measured, "o", VIOLET, -0.008, "measured"),
        ):
            if value is None:
                continue
            span = max(found.curves) - min(found.curves)
            x = h.strength + shift * span
            first = h is found.held_out[0]
            axes.plot([x, x], [value.low, value.high], color=colour, linewidth=0.9)
            axes.plot(
                [x], [value.value], mark, color=colour, ms=4, mfc="none" if mark == "D" else colour,
                label=name if first else None,
            )  # fmt: skip
    axes.set_ylabel("N* (symbols)")
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, 0), top + 0.3 * (top - bottom))
    _legend(axes)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            fontsize=7, frameon=False, ncols=2, loc="upper center", handletextpad=0.4, columnspacing=1.0
        )
    else:  # no curve has an N*
        axes.text(0.5, 0.5, "no N*", transform=axes.transAxes, ha="center", color=MUTED)


def _gains(axes: Axes, found: SteeringReading) -> None:
    for name, mark, colour in (
        ("random", ".", MUTED),
        ("untrained model", "+", FAINT),
        ("wrong concept", "x", BROWN),
    ):
        points = [(c.scale, g) for c in found.controls if c.name == name for g in c.gains]
        if points:
            axes.plot(
                *zip(*points, strict=True), mark, color=colour, ms=4.5, alpha=0.5 if name == "random" else 1.0,
                label="random directions" if name == "random" else name,
            )  # fmt: skip
    cells = sorted((c for c in found.cells if c.layer == found.chosen_layer), key=lambda c: c.scale)
    for c in cells:
        axes.plot([c.scale] * 2, [c.gain.low, c.gain.high], color=VIOLET, linewidth=0.9)
    axes.plot(
        [c.scale for c in cells],
        [c.gain.value for c in cells],
        "o-",
        color=VIOLET,
        ms=4,
        lw=0.9,
        label="concept",
    )
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.set_ylabel("gain in p(target) before the change")
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + 0.3 * (top - bottom))
    _legend(axes)


def _risen(found: SteeringReading) -> float:
    """Return twice the context length by which the unsteered curve has risen nine tenths of the way for good."""
    if found.asymptotes is None:
        return float(found.level[-1])
    lower, upper = found.asymptotes
    below = np.nanmean(found.base.p, axis=0) < lower + 0.9 * (upper - lower)
    return 2 * float(found.level[below].max(initial=found.level[-1] / 2 if not below.any() else 1.0))


def _drawn(found: SteeringReading) -> list[float]:
    """Return the scales drawn, ascending: few enough to be told apart."""
    natural = found.natural_scale[found.chosen_layer]
    scales = sorted(found.curves)
    wanted = [0.0, found.chosen_scale, natural, scales[0], scales[-1], -natural, *scales]
    kept = list(dict.fromkeys(s for s in wanted if s in found.curves))[:_MOST]
    return sorted(kept)
