"""Figures of hidden capability: the ways of asking at one checkpoint, and agreement and gap over training."""

from collections.abc import Sequence

import numpy as np

from harness.analysis.learning import mean_interval
from harness.reporting.capability_table import Way, ways
from harness.reporting.drawing import (
    BROWN,
    FAINT,
    INK,
    MODEL,
    MUTED,
    PLACE,
    SIZE,
    VIOLET,
    Frame,
    Size,
    level_axis,
)
from harness.reporting.figures import BOTTOM, LEFT, RIGHT, TOP, Label, finish
from harness.types.capability import Capability, CapabilityCourse

ONE: Size = (7.4, 2.4)
COURSE: Size = (7.4, 4.9)
_COLOURS = {"naive": MODEL, "over-prompting": BROWN, "alpha = 1": PLACE, "tuned": VIOLET}
_DASHES = {"random, tuned": (4, 2), "wrong concept": (1, 2)}
_NAMES = 1.5  # inches for the names of the ways
_GAP = 1.25  # inches, the lower panel
_BETWEEN = 0.34


def draw_ways(frame: Frame, found: Capability) -> None:
    """Draw the mean agreement of each way of asking with its interval, random directions one by one."""
    axes = frame.axes(_NAMES, BOTTOM, frame.width - _NAMES - 0.3, frame.height - BOTTOM - 0.1)
    shown = ways(found.reading)
    for y, way in enumerate(reversed(shown)):
        colour = _COLOURS.get(way.name, MUTED)
        low, high = mean_interval(way.trials)
        axes.plot([low, high], [y, y], color=colour, linewidth=1.4)
        axes.plot(way.trials.mean(), y, "o", color=colour, markersize=4.5)
        for draw in way.draws:
            axes.plot(draw, y, "|", color=FAINT, markersize=7, zorder=0)
    axes.axvline(found.threshold, color=FAINT, linewidth=0.8, dashes=(1, 2))
    axes.set_yticks(range(len(shown)), [way.name for way in reversed(shown)])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlabel("agreement with the implied law")


def draw_course(frame: Frame, course: CapabilityCourse) -> None:
    """Draw mean agreement against training step for each way of asking, and the gaps below, with intervals."""
    wide, low_edge = frame.width - LEFT - RIGHT, BOTTOM + _GAP + _BETWEEN
    tall = frame.height - low_edge - TOP
    axes = frame.axes(LEFT, low_edge, wide, tall)
    level_axis(axes, course.step, log2=True)
    axes.tick_params(labelbottom=False)
    axes.axhline(course.threshold, color=FAINT, linewidth=0.8, dashes=(1, 2))
    labels: list[Label] = []
    for name, row in _by_name(course).items():
        means = [float(way.trials.mean()) for way in row]
        if name in _COLOURS:
            bands = np.array([mean_interval(way.trials) for way in row])
            axes.fill_between(course.step, *bands.T, color=_COLOURS[name], alpha=0.15, linewidth=0)
            axes.plot(course.step, means, color=_COLOURS[name], marker="o", markersize=3, linewidth=1.2)
        else:
            axes.plot(course.step, means, color=MUTED, linewidth=0.9, dashes=_DASHES[name])
        labels.append((name, means[-1], _COLOURS.get(name, MUTED)))
    for at, colour, size in ((course.capability, VIOLET, 9), (course.behaviour, MODEL, 5)):
        if at is not None:
            top = axes.get_xaxis_transform()
            axes.plot([at], [1.02], "v", color=colour, markersize=size, transform=top, clip_on=False)
    finish(axes, labels, ylabel="agreement", inches=tall)
    below = frame.axes(LEFT, BOTTOM, wide, _GAP)
    level_axis(below, course.step, log2=True)
    below.axhline(0, color=FAINT, linewidth=0.8)
    for name, gaps in (
        ("over-prompting", [g.over for g in course.gaps]),
        ("alpha = 1", [g.natural for g in course.gaps]),
        ("tuned", [g.latent for g in course.gaps]),
    ):
        colour = _COLOURS[name]
        below.fill_between(
            course.step, [g.low for g in gaps], [g.high for g in gaps], color=colour, alpha=0.15, linewidth=0
        )
        below.plot(
            course.step, [g.value for g in gaps], color=colour, marker="o", markersize=3, linewidth=1.2
        )
    shown = [(s, g.latent.value) for s, g in zip(course.step, course.gaps, strict=True) if g.shown]
    for step, value in shown:
        below.plot([step], [value], "o", color=INK, markersize=7, fillstyle="none")
    below.locator_params(axis="y", nbins=5)
    below.yaxis.set_major_formatter("{x:g}")
    below.set_title("gap: less naive prompting", fontsize=SIZE, color=INK, loc="left", pad=3)
    below.set_xlabel("training step (log scale)")


def _by_name(course: CapabilityCourse) -> dict[str, Sequence[Way]]:
    """Return the ways that are drawn, each over the checkpoints."""
    found = [{way.name: way for way in ways(reading)} for reading in course.readings]
    return {
        name: [ways_of[name] for ways_of in found] for name in (*_COLOURS, "random, tuned", "wrong concept")
    }
