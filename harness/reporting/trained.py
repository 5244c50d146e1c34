"""What a report says of a training series: sentences, two figures and a table for each condition."""

from collections.abc import Sequence
from functools import partial

from harness.reporting.inside import Drawn, InsideBlock, Shown
from harness.reporting.numbers import number, plural, with_interval
from harness.reporting.phases import phase_blocks
from harness.reporting.trained_capability import capability_blocks
from harness.reporting.trained_decoding import decoded_blocks
from harness.reporting.trained_figures import WIDE, draw_courses, draw_map
from harness.reporting.wording import options_words, short_verdict
from harness.types import RunResult, Transition
from harness.types.training import Appearance, CheckpointSeries, SeedSpread

_FEW = 10  # checkpoints below which the report warns: two changes then have hardly a plateau between them
HEADS = ("context length", "verdict over training", "half-way at step", "width, steps", "p from, to")


def training_blocks(results: Sequence[RunResult]) -> list[InsideBlock]:
    """Return a block for each condition of each training series, in the order of the runs."""
    blocks: list[InsideBlock] = []
    for run in results:
        for series in run.series:
            seeds = [s for s in run.seeds if s.id == series.id and series.series in s.series]
            control = "" if series.control is None else f", control {series.control}"
            blocks.append(
                InsideBlock(
                    anchor=f"training-{len(blocks)}",
                    title=f"{series.title}{control}",
                    model=f"{series.series}@*",
                    facts=_facts(series),
                    shown=(_shown(series, run, seeds),),
                    missing=(),
                    lead="Training of",
                )
            )
    return [*blocks, *phase_blocks(results), *decoded_blocks(results), *capability_blocks(results)]


def _facts(series: CheckpointSeries) -> str:
    return (
        f"{len(series.step)} checkpoints, steps {series.step[0]:g} to {series.step[-1]:g}, each on the same sequences; "
        "over training, sequences are paired by their id and resampled whole."
    )


def _shown(series: CheckpointSeries, run: RunResult, seeds: Sequence[SeedSpread]) -> Shown:
    words = options_words(run.options)
    return Shown(
        title="Over context length and training step",
        sentences=(*_sentences(series), *map(seed_sentence, seeds)),
        figures=(
            Drawn(
                "map",
                partial(draw_map, series=series),
                WIDE,
                f"{series.series}@*, {series.title}: p(target) by context length and training step",
                "Mean p(target). Circles: where each checkpoint's curve over context length is half-way; triangles: "
                "where p at one context length is half-way over training; lines are intervals. Nothing is drawn where "
                f"no change was placed. Verdicts over training are made on log2 steps; {words}.",
            ),
            Drawn(
                "courses",
                partial(draw_courses, series=series),
                WIDE,
                f"{series.series}@*, {series.title}: p(target) over training",
                "Mean p(target) at some context lengths n with its interval; triangles at the top: half-way points; "
                "dotted: chance.",
            ),
        ),
        heads=HEADS,
        rows=tuple(_row(appearance) for appearance in series.over_training),
        cautions=_cautions(series),
    )


def _sentences(series: CheckpointSeries) -> list[str]:
    changed = [a for a in series.over_training if a.transition.p_none < 0.5]
    last = series.over_training[-1:] or ()
    words = [
        f"p(target) changes over training at {len(changed)} of {plural(len(series.over_training), 'context length')} "
        "that were followed."
    ]
    words += [f"At the longest, n = {a.context_length:g}: {_said(a.transition)}." for a in last]
    first = next((s for s, t in zip(series.step, series.over_context, strict=True) if t.p_none < 0.05), None)
    words.append(
        "At no checkpoint does p(target) change with the context length."
        if first is None
        else f"The first checkpoint whose p(target) changes with the context length is step {first:g}."
    )
    return words


def _said(found: Transition) -> str:
    place = f", half-way at step {_place(found)}" if _place(found) != "n/a" else ""
    wide = with_interval(found.width, found.width_low, found.width_high)
    return f"{short_verdict(found)}{place}" + (f", 10-90 % width {wide} steps" if wide != "n/a" else "")


def seed_sentence(spread: SeedSpread) -> str:
    """Return where seeds agree and differ about one behaviour."""
    placed = sum(at is not None for at in spread.location)
    text = (
        f"Over {plural(len(spread.series), 'seed')}, n = {spread.context_length:g}: placed in {placed}, geometric mean "
        f"at step {with_interval(spread.mean, spread.low, spread.high)}"
    )
    if spread.octaves is not None:
        text += f", s.d. between seeds {number(spread.octaves, 2)} octaves"
    widths = [wide for wide in spread.width if wide is not None]
    if len(widths) > 1:
        text += f"; 10-90 % widths {number(min(widths))} to {number(max(widths))} steps"
    return f"{text}."


def _row(appearance: Appearance) -> tuple[str, ...]:
    found = appearance.transition
    ends = (found.lower, found.upper)
    if found.direction == "decreasing":
        ends = ends[::-1]
    course = "n/a" if None in ends else f"{number(ends[0], 2)}, {number(ends[1], 2)}"
    return (
        f"{appearance.context_length:g}",
        short_verdict(found),
        _place(found),
        with_interval(found.width, found.width_low, found.width_high),
        course,
    )


def _place(found: Transition) -> str:
    if found.changes:
        return "; ".join(with_interval(c.location, c.low, c.high) for c in found.changes)
    return with_interval(found.location, found.location_low, found.location_high)


def _cautions(series: CheckpointSeries) -> tuple[str, ...]:
    """Return what the analyzer warned of over training, each with the context lengths it holds of."""
    warned: dict[str, list[str]] = {}
    for appearance in series.over_training:
        for warning in appearance.transition.warnings:
            warned.setdefault(warning, []).append(f"{appearance.context_length:g}")
    said = [f"Over training, n = {', '.join(at)}: {warning}." for warning, at in warned.items()]
    if len(series.step) < _FEW:
        said.append(
            f"{len(series.step)} checkpoints are few: nothing is known of the steps between two of them, so that "
            "changes that share an interval may be one, and a width is known no better than their distance."
        )
    return tuple(said)
