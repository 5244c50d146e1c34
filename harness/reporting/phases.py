"""What a report says of phases of training: which observer is nearest where, and where the lead passes."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from harness.reporting.inside import Drawn, InsideBlock, Shown
from harness.reporting.numbers import number, plural, with_interval
from harness.reporting.phases_figures import WIDE, Column, draw_over, draw_phases, named
from harness.reporting.wording import short_verdict
from harness.types import RunResult
from harness.types.phases import Passage, PhaseMap

HEADS = (
    "context length",
    "lead passes from, to",
    "at step",
    "analyzer, over all of training",
    "half-way at step",
)
OVER_HEADS = ("series", "lead in the order of training", "at the last step", "bits to the model")
_CELLS = (
    "Divergence is KL(observer, model), in bits a symbol. A cell is decided where the 95 % interval, over resampled "
    "sequences, of the difference between the nearest observer and every other is above 0; cells are judged one by one."
)


def phase_blocks(results: Sequence[RunResult]) -> list[InsideBlock]:
    """Return a block for each map of phases, then one for each parameter that maps were made at several values of."""
    found = [one for run in results for one in run.phases]
    blocks = [phase_block(f"phases-{k}", one) for k, one in enumerate(found)]
    for parameter, groups in over_parameters(found).items():
        for columns in groups:
            blocks.append(_over_block(f"phases-{len(blocks)}", parameter, columns))
    return blocks


def over_parameters(found: Sequence[PhaseMap]) -> dict[str, list[list[Column]]]:
    """Return maps that differ in one number alone, two values at least, at the longest context length all have."""
    groups: dict[tuple[str, str], list[PhaseMap]] = {}
    for one in found:
        for name, value in one.params.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                others = sorted((k, repr(v)) for k, v in one.params.items() if k != name)
                groups.setdefault((name, repr((one.family, one.control, others))), []).append(one)
    over: dict[str, list[list[Column]]] = {}
    for (name, _), members in groups.items():
        shared = set.intersection(*(set(one.level.tolist()) for one in members))
        series = [one.series for one in members]
        # one series under several settings is a sweep of the task, not of what was learned
        if len({one.params[name] for one in members}) < 2 or len(set(series)) < len(series) or not shared:
            continue
        columns = [
            Column(float(value), one, int(np.searchsorted(one.level, max(shared))))
            for one in members
            if isinstance(value := one.params[name], int | float)
        ]
        over.setdefault(name, []).append(sorted(columns, key=lambda c: (c.value, c.found.series)))
    return over


def phase_block(anchor: str, found: PhaseMap) -> InsideBlock:
    """Return what is said of one series in one condition: its map, and a table of where the lead passes."""
    shown = Shown(
        title="Which observer the model predicts like",
        sentences=(_decided(found), course(found, len(found.level) - 1)),
        figures=(
            Drawn(
                "phases",
                partial(draw_phases, found=found),
                WIDE,
                f"{found.series}@*, {_title(found)}: nearest observer by context length and training step",
                f"The observer nearest to the model. {_CELLS}",
            ),
        ),
        heads=HEADS if found.passages else (),
        rows=tuple(map(_row, found.passages)),
        cautions=(
            "The lead passes where the mean divergences of the two cross; the interval is over resampled "
            "sequences and takes in the checkpoints on either side. The "
            "analyzer judges d(before) / (d(before) + d(after)) of each sequence over log2 steps, along the stretch in "
            "which no third observer leads.",
            "The nearest observer is not the model: how far it is from it is in the table of phases (CSV).",
        ),
    )
    facts = (
        f"{plural(len(found.step), 'checkpoint')} on the same {plural(found.sequences, 'sequence')}, compared with "
        f"{', '.join(found.observers)}."
    )
    return InsideBlock(anchor, _title(found), f"{found.series}@*", facts, (shown,), (), "Training of")


def _title(found: PhaseMap) -> str:
    return found.title if found.control is None else f"{found.title}, control {found.control}"


def _decided(found: PhaseMap) -> str:
    measured = found.nearest >= 0
    total = int(measured.sum())
    parts = []
    for k, name in enumerate(found.observers):
        n = int((found.decided & (found.nearest == k)).sum())
        if n:
            parts.append(f"{name} {n}")
    left = total - int(found.decided.sum())
    return f"Of {total} cells {', '.join([*parts, f'undecided {left}'])}."


def course(found: PhaseMap, place: int) -> str:
    """Return who leads over training at one context length, and how far the nearest is from the last checkpoint."""
    n = found.level[place]
    nearest = int(found.nearest[-1, place])
    if nearest < 0:
        return f"At n = {n:g} the last checkpoint was not measured."
    bits = number(found.divergence[-1, place, nearest], 3)
    sure = "" if found.decided[-1, place] else " (undecided)"
    return (
        f"At n = {n:g}: {leads(found, place)}. At the last step the nearest is {found.observers[nearest]}{sure}, "
        f"{bits} bits from the model."
    )


def leads(found: PhaseMap, place: int) -> str:
    """Return the leaders over training in words, e.g. "uniform, from step 75 [72, 80] unigram"."""
    leaders = np.where(found.decided, found.nearest, -1)[:, place]
    if not (leaders >= 0).any():
        return "no checkpoint is decided"
    words: str = found.observers[leaders[leaders >= 0][0]]
    at = [p for p in found.passages if p.context_length == found.level[place]]
    for p in at:
        words += f", from step {with_interval(p.location, p.low, p.high)} {p.after}"
    return words


def _row(passage: Passage) -> tuple[str, ...]:
    found = passage.transition
    place = with_interval(passage.location, passage.low, passage.high)
    if found is None:
        return f"{passage.context_length:g}", f"{passage.before}, {passage.after}", place, "n/a", "n/a"
    half = with_interval(found.location, found.location_low, found.location_high)
    if found.changes:
        half = "; ".join(with_interval(c.location, c.low, c.high) for c in found.changes)
    return (
        f"{passage.context_length:g}",
        f"{passage.before}, {passage.after}",
        place,
        short_verdict(found),
        half,
    )


def _over_block(anchor: str, parameter: str, columns: Sequence[Column]) -> InsideBlock:
    first = columns[0]
    n = first.found.level[first.place]
    series = ", ".join(dict.fromkeys(f"{c.found.series}@*" for c in columns))
    held = ", ".join(f"{k}={v}" for k, v in first.found.params.items() if k != parameter)
    rows = []
    for column in columns:
        found, at = column.found, column.place
        nearest = int(found.nearest[-1, at])
        sure = "" if found.decided[-1, at] else " (undecided)"
        rows.append(
            (
                f"{column.value:g}: {found.series}",
                leads(found, at),
                "n/a" if nearest < 0 else f"{found.observers[nearest]}{sure}",
                "n/a" if nearest < 0 else number(found.divergence[-1, at, nearest], 3),
            )
        )
    values = len({column.value for column in columns})
    shown = Shown(
        title=f"Over {parameter} and training step",
        sentences=(
            f"{plural(len(columns), 'series', 'series')} at {values} values of {parameter}, n = {n:g}.",
        ),
        figures=(
            Drawn(
                "over",
                partial(draw_over, columns=columns, parameter=parameter),
                WIDE,
                f"{first.found.family}, n = {n:g}: nearest observer by {parameter} and training step",
                f"The observer nearest to the model after {n:g} symbols. {_CELLS}",
            ),
        ),
        heads=OVER_HEADS,
        rows=tuple(rows),
    )
    control = "" if first.found.control is None else f", control {first.found.control}"
    words = [w for w in first.found.title.split(", ")[1:] if not w.startswith(f"{parameter} ")]
    title = ", ".join([f"{first.found.family} over {parameter}", *words]) + control
    return InsideBlock(
        anchor,
        title,
        series,
        f"{held}. Compared with {', '.join(named(columns))}.",
        (shown,),
        (),
        "Training of",
    )
