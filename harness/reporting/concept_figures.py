"""Figures of the concept-space experiment: paths through concept space, capability and behaviour, learning times."""

import math

import numpy as np
from matplotlib.axes import Axes

from harness.reporting.concept_findings import CALLED, NAIVE, THRESHOLDS, TRAINED, ConceptFindings, mean_path
from harness.reporting.drawing import BROWN, FAINT, IDEAL, INK, MODEL, MUTED, PLACE, VIOLET, Frame, level_axis

_PANEL, _HIGH = 2.15, 2.0  # inches a panel, wide and high, without its labels
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.5, 2.1, 0.45, 0.3
_DOTS = (0, (1, 1.5))
_LINES = {
    NAIVE: (IDEAL, "-"),
    "latent": (MODEL, _DOTS),
    "latent tuned": (MODEL, "-"),
    "stronger": (VIOLET, "-"),
    "patched": (PLACE, (0, (4, 2))),
    "random": (MUTED, _DOTS),
    "wrong": (BROWN, _DOTS),
}
_TIMED = {NAIVE: (IDEAL, "o"), "latent tuned": (MODEL, "s"), "stronger": (VIOLET, "D")}


def panels_size(findings: ConceptFindings) -> tuple[float, float]:
    """Return the size in inches of a figure with a panel for each colour separation."""
    return _LEFT + _PANEL * len(findings.colours) + _RIGHT, _BOTTOM + _HIGH + _TOP


TIMES_SIZE = (7.0, 3.2)


def draw_paths(frame: Frame, findings: ConceptFindings) -> None:
    """Draw the path of each class through concept space, a line a seed, a dot a checkpoint, a ring at the turn."""
    for axes, colour in _panels(frame, findings):
        for found in findings.at(colour):
            for name in TRAINED:
                path = mean_path(found.run, name)
                axes.plot(*path[1:].T, color=FAINT, linewidth=0.7)
                axes.plot(*path[-1], "s", color=MUTED, ms=3)
            path = mean_path(found.run, NAIVE)
            axes.plot(*path[1:].T, ".-", color=IDEAL, linewidth=0.9, ms=3.5, alpha=0.85)
            axes.plot(*path[-1], "o", color=IDEAL, ms=5)
            if found.turn.verdict == "turn":
                axes.plot(*path[1 + found.turn.index], "o", mfc="none", color=INK, ms=8)
        axes.set_xlim(-0.04, 1.04)
        axes.set_xlabel("P(blue)")
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    left = _LEFT + _PANEL * len(findings.colours) + 0.02
    for k, (text, ink) in enumerate(
        [("small blue, held out", IDEAL), ("trained classes", MUTED), ("ring: its turn", INK)]
    ):
        frame.text(left, _BOTTOM + _HIGH - 0.2 - 0.2 * k, text, color=ink)
    frame.text(0.05, _BOTTOM + _HIGH + 0.12, "P(small)")


def draw_accuracy(frame: Frame, findings: ConceptFindings) -> None:
    """Draw joint accuracy on the held-out class against training step for each way of asking, thin for a seed."""
    for axes, colour in _panels(frame, findings):
        mine = findings.at(colour)
        step = mine[0].run.step.astype(np.float64)
        level_axis(axes, step[1:], log2=True)
        axes.set_xticks(ticks := [64, 256, 1024], [str(t) for t in ticks])
        for threshold in THRESHOLDS:
            axes.axhline(threshold, color=FAINT, linewidth=0.7)
        for way, (ink, dash) in _LINES.items():
            each = np.array([r.accuracy[way] for r in mine])
            if way in _TIMED:
                axes.plot(step[1:], each[:, 1:].T, color=ink, linewidth=0.5, alpha=0.5)
            axes.plot(step[1:], each.mean(axis=0)[1:], color=ink, linestyle=dash)
        axes.set_xlabel("training step (log scale)")
    left = _LEFT + _PANEL * len(findings.colours) + 0.02
    for k, (way, (ink, dash)) in enumerate(_LINES.items()):
        text = CALLED[way] + ("" if dash == "-" else " (dotted)" if dash == _DOTS else " (dashed)")
        frame.text(left, _BOTTOM + _HIGH - 0.15 - 0.2 * k, text, color=ink)
    frame.text(0.05, _BOTTOM + _HIGH + 0.12, "joint accuracy")


def draw_times(frame: Frame, findings: ConceptFindings) -> None:
    """Draw learning times against colour separation, a panel a threshold, a mark a seed; never is above the panel."""
    last = max(float(r.run.step[-1]) for r in findings.runs)
    low = int(math.log2(max(1.0, min(float(r.run.step[1]) for r in findings.runs))))
    ticks = [2.0**k for k in range(low, int(math.log2(last)) + 1)]
    for i, threshold in enumerate(THRESHOLDS):
        axes = frame.axes(0.65 + 2.3 * i, 0.45, 2.05, frame.height - 0.95)
        for k, (way, (ink, marker)) in enumerate(_TIMED.items()):
            _marks(axes, findings, [r.times[way, threshold] for r in findings.runs], k, ink, marker)
        if threshold == THRESHOLDS[0]:
            _marks(axes, findings, [r.trained_colour for r in findings.runs], len(_TIMED), MUTED, "^")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.set_xticks(findings.colours, [f"{c:g}" for c in findings.colours])
        axes.set_xlim(findings.colours[0] / 1.4, findings.colours[-1] * 1.4)
        axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set_ylim(2.0**low, last * 1.15)
        axes.tick_params(labelleft=i == 0)
        axes.set_xlabel("colour separation")
        axes.text(0, 1.1, f"accuracy above {threshold:g}", transform=axes.transAxes, color=INK)
        if i == 0:
            axes.set_ylabel("learning time (steps)")
    texts = [(CALLED[way], ink) for way, (ink, _) in _TIMED.items()] + [("colour, trained classes", MUTED)]
    for k, (text, ink) in enumerate(texts):
        frame.text(0.7 + 2.3 * len(THRESHOLDS), frame.height - 0.75 - 0.2 * k, text, color=ink)


def _marks(
    axes: Axes, findings: ConceptFindings, times: list[float | None], k: int, ink: str, marker: str
) -> None:
    """Place one series beside the others; a time that never came is an open mark at the top edge."""
    for found, time in zip(findings.runs, times, strict=True):
        x = found.run.colour * 2 ** ((k - 1.5) * 0.07)
        if time is None:
            axes.plot(
                [x],
                [1.02],
                marker,
                color=ink,
                mfc="none",
                ms=4.5,
                transform=axes.get_xaxis_transform(),
                clip_on=False,
            )
        else:
            axes.plot([x], [time], marker, color=ink, ms=4.5, alpha=0.8)


def _panels(frame: Frame, findings: ConceptFindings) -> list[tuple[Axes, float]]:
    """Return axes with P in [0, 1] upwards, one for each colour separation, which it is named by."""
    made = []
    for k, colour in enumerate(findings.colours):
        axes = frame.axes(_LEFT + k * _PANEL, _BOTTOM, _PANEL - 0.25, _HIGH)
        axes.set_ylim(-0.04, 1.04)
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.tick_params(labelleft=k == 0)
        axes.text(1, 1.06, f"colour separation {colour:g}", transform=axes.transAxes, ha="right", color=INK)
        made.append((axes, colour))
    return made


def standing_alone(svg: str) -> str:
    """Return an inline SVG as a file of its own: it names its namespace and brings its own paper."""
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return svg.replace("<svg", f'<svg {spaces} style="background: #fff"', 1)
