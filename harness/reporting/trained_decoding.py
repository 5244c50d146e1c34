"""Decodability through training: what a decoder reads at each checkpoint of a series, beside the behaviour."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from harness.analysis.association import association
from harness.reporting.decodable import PROBES
from harness.reporting.decodable_figures import COLOURS, SHORT
from harness.reporting.drawing import MODEL, Frame, Size, level_axis
from harness.reporting.figures import BOTTOM, LEFT, RIGHT, TOP, Label, finish
from harness.reporting.inside import Drawn, InsideBlock, Shown
from harness.reporting.numbers import number, with_interval
from harness.types import Floats, RunResult
from harness.types.decodability import Decodability
from harness.types.whitebox import WhiteBoxResult

HEADS = ("training step", "decoder", "layer", "accuracy, held out", "shuffled labels", "p(target)")
_SIZE: Size = (7.4, 3.4)
_LEAST = 3  # checkpoints


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One decoder over the checkpoints of a series, at one context length, on the held-out sequences."""

    probe: str
    context_length: float
    step: Floats  # (n_steps,)
    layer: tuple[int, ...]  # chosen anew at each checkpoint, on the selection half
    accuracy: Floats  # (n_steps, 3): mean, low, high
    chance: Floats  # (n_steps,), shuffled labels
    behaviour: Floats  # (n_steps, 3): p(target) of the same sequences, NaN where only counts exist


def decoded_blocks(results: Sequence[RunResult]) -> list[InsideBlock]:
    """Return a block for each task and series that was decoded at three checkpoints or more."""
    groups: dict[tuple[str, str, str], dict[int, WhiteBoxResult]] = {}
    for run in results:
        series = {one.series for one in run.series}
        for result in run.whitebox:
            name, _, step = result.model.rpartition("@")
            if name in series and "decodability" in result.findings:
                groups.setdefault((run.name, name, result.title), {})[int(step)] = result
    blocks: list[InsideBlock] = []
    for (_, name, title), by_step in groups.items():
        if len(by_step) < _LEAST:
            continue
        shown = _shown(f"{name}@*", title, dict(sorted(by_step.items())))
        concept = next(iter(by_step.values())).concept
        facts = f"Concept: {concept}. The layer is chosen anew at each checkpoint, on the selection half."
        blocks.append(
            InsideBlock(f"decoded-{len(blocks)}", title, f"{name}@*", facts, (shown,), (), "Training of")
        )
    return blocks


def courses(by_step: dict[int, WhiteBoxResult]) -> list[Course]:
    """Return each decoder over training, at the longest context length that every checkpoint was decoded at."""
    records = {step: _record(result) for step, result in by_step.items()}
    lengths = [set(found.context_lengths.tolist()) for found in records.values()]
    shared = set.intersection(*lengths)
    if not shared:
        return []
    n = max(shared)
    found = []
    for probe in dict.fromkeys(reading.probe for record in records.values() for reading in record.probes):
        rows = []
        for step, record in records.items():
            reading = next((r for r in record.probes if r.probe == probe), None)
            at = int(np.searchsorted(record.context_lengths, n))
            if reading is not None:
                band = (reading.mean[at], reading.low[at], reading.high[at])
                chance = reading.chance[reading.chosen, at]
                rows.append((step, record.layers[reading.chosen], band, chance, _behaviour(record, n)))
        found.append(
            Course(
                probe=probe,
                context_length=n,
                step=np.array([row[0] for row in rows], dtype=np.float64),
                layer=tuple(row[1] for row in rows),
                accuracy=np.array([row[2] for row in rows]),
                chance=np.array([row[3] for row in rows]),
                behaviour=np.array([row[4] for row in rows]),
            )
        )
    return found


def _record(result: WhiteBoxResult) -> Decodability:
    found = result.findings["decodability"]
    assert isinstance(found, Decodability)
    return found


def _behaviour(record: Decodability, n: float) -> tuple[float, float, float]:
    shown = record.behaviour
    if shown is None or n not in shown.level or record.behaviour_mean is None:
        return float("nan"), float("nan"), float("nan")
    assert record.behaviour_low is not None
    assert record.behaviour_high is not None
    at = int(np.searchsorted(shown.level, n))
    return record.behaviour_mean[at], record.behaviour_low[at], record.behaviour_high[at]


def _shown(name: str, title: str, by_step: dict[int, WhiteBoxResult]) -> Shown:
    found = courses(by_step)
    rows = [
        (
            f"{course.step[i]:g}",
            SHORT[course.probe],
            str(course.layer[i]),
            with_interval(*course.accuracy[i]),
            number(course.chance[i], 2),
            with_interval(*course.behaviour[i]),
        )
        for course in found
        for i in range(len(course.step))
    ]
    drawing = Drawn(
        "decoded",
        partial(draw_decoded, found=found),
        _SIZE,
        f"{name}, {title}: decodability over training",
        "Accuracy of the decoders at their chosen layers (dotted: shuffled labels) and p(target), both on held-out "
        "sequences, with 95 % intervals over sequences.",
    )
    return Shown(
        title="Decodability through training",
        sentences=tuple(map(_sentence, found)) or ("No context length was decoded at every checkpoint.",),
        figures=(drawing,) if found else (),
        heads=HEADS,
        rows=tuple(rows),
        cautions=("That a state can be read does not say that behaviour uses it; steering asks that.",),
    )


def _sentence(course: Course) -> str:
    first, last = course.accuracy[0], course.accuracy[-1]
    words = (
        f"{PROBES[course.probe].capitalize()}, after {course.context_length:g} symbols: accuracy "
        f"{with_interval(*first)} at step {course.step[0]:g}, {with_interval(*last)} at step {course.step[-1]:g}"
    )
    known = ~np.isnan(course.behaviour[:, 0])
    if known.sum() < _LEAST:
        return f"{words}."
    rank = association(course.accuracy[known, 0], course.behaviour[known, 0])
    if np.isnan(rank):
        return f"{words}; it or p(target) is constant over checkpoints."
    return (
        f"{words}; over {known.sum()} checkpoints its rank correlation with p(target) is {number(rank, 2)}."
    )


def draw_decoded(frame: Frame, found: Sequence[Course]) -> None:
    """Draw accuracy and p(target) against the training step."""
    tall = frame.height - BOTTOM - TOP
    axes = frame.axes(LEFT, BOTTOM, frame.width - LEFT - RIGHT, tall)
    level_axis(axes, found[0].step, log2=True)
    labels: list[Label] = []
    bands = [(c.step, c.accuracy, COLOURS[c.probe], SHORT[c.probe]) for c in found]
    bands.append((found[0].step, found[0].behaviour, MODEL, "p(target)"))
    for step, band, colour, name in bands:
        axes.fill_between(step, band[:, 1], band[:, 2], color=colour, alpha=0.15, linewidth=0)
        axes.plot(step, band[:, 0], color=colour, marker="o", markersize=3, linewidth=1.2)
        if not np.isnan(band[-1, 0]):
            labels.append((name, float(band[-1, 0]), colour))
    for course in found:
        axes.plot(course.step, course.chance, color=COLOURS[course.probe], linewidth=0.9, dashes=(1, 2))
    finish(axes, labels, ylabel="p(target), share read", inches=tall)
    axes.set_xlabel("training step (log scale)")
