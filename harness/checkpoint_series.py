"""The checkpoints of a training series as an axis: every condition over context length and over training step.

Models `NAME@STEP` of one NAME are a series, from three of them on. Series whose
names differ in numbers alone (`runs/seed0`, `runs/seed1`) are seeds of each other.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.analysis import mean_band
from harness.analysis.learning import mean_interval
from harness.conditions import MIN_LEVELS
from harness.judgments import Judgments
from harness.model_names import step_of
from harness.types import AnalysisOptions, CountCurve, Curve, CurveResult, Floats, SequenceCurve, Transition
from harness.types.training import Appearance, CheckpointSeries, SeedSpread

_MOST = 9  # context lengths followed over training: as many as a table and a map can show
_ENOUGH = 3  # seeds for an interval of their mean


def series_of(
    curves: Sequence[CurveResult], options: AnalysisOptions, judgments: Judgments
) -> tuple[CheckpointSeries, ...]:
    """Return every condition that three or more checkpoints of a series have a curve of."""
    groups: dict[tuple[str, str], dict[int, CurveResult]] = {}
    for result in curves:
        named = step_of(result.model)
        if named is not None:
            groups.setdefault((named[0], result.id), {})[named[1]] = result
    found = (
        _series(name, dict(sorted(group.items())), options, judgments)
        for (name, _), group in groups.items()
        if len(group) >= MIN_LEVELS
    )
    return tuple(one for one in found if one is not None)


def without_inner(
    curves: Sequence[CurveResult], series: Sequence[CheckpointSeries]
) -> tuple[CurveResult, ...]:
    """Return the curves without those of a series' earlier checkpoints.

    What those show of each other is the series; compared in pairs they would be
    hundreds of comparisons that nobody asked for.
    """
    inner = {f"{one.series}@{step:.0f}" for one in series for step in one.step[:-1]}
    return tuple(result for result in curves if result.model not in inner)


def seed_spreads(series: Sequence[CheckpointSeries], options: AnalysisOptions) -> tuple[SeedSpread, ...]:
    """Return where each behaviour comes over the series that are seeds of each other."""
    groups: dict[tuple[str, str, float], list[tuple[CheckpointSeries, Transition]]] = {}
    for one in series:
        for appearance in one.over_training:
            key = (re.sub(r"\d+", "#", one.series), one.id, appearance.context_length)
            groups.setdefault(key, []).append((one, appearance.transition))
    found = (_spread(key[2], group, options) for key, group in groups.items() if len(group) > 1)
    return tuple(one for one in found if one is not None)


def _series(
    name: str, by_step: dict[int, CurveResult], options: AnalysisOptions, judgments: Judgments
) -> CheckpointSeries | None:
    results = list(by_step.values())
    level = results[0].curve.level
    for result in results[1:]:
        level = np.intersect1d(level, result.curve.level)
    if not len(level):
        return None
    last = results[-1]
    cells = [_cells(result, level) for result in results]
    ideal = last.observers[last.baseline]
    step = np.array(list(by_step), dtype=np.float64)
    on_steps = replace(options, axis="log2")
    appearances = []
    for n in followed(level):
        curve = _over_training(f"{name}@* {last.id} at context length {n:g}", step, results, n)
        if curve is not None:
            appearances.append(Appearance(float(n), judgments.transition(curve, on_steps)))
    return CheckpointSeries(
        series=name,
        id=last.id,
        title=last.title,
        control=last.control,
        chance=last.chance,
        step=step,
        level=level,
        mean=np.stack([c[0] for c in cells]),
        low=np.stack([c[1] for c in cells]),
        high=np.stack([c[2] for c in cells]),
        ideal=mean_band(ideal)[0][np.searchsorted(ideal.level, level)],
        over_context=tuple(result.transition for result in results),
        over_training=tuple(appearances),
    )


def _cells(result: CurveResult, level: Floats) -> tuple[Floats, Floats, Floats]:
    at = np.searchsorted(result.curve.level, level)
    return result.mean[at], result.low[at], result.high[at]


def followed(level: Floats, most: int = _MOST) -> Floats:
    """Return the context lengths whose course over training is judged: the last, and others at even octaves."""
    if len(level) <= most:
        return level
    places = np.linspace(np.log2(level[0] + 1), np.log2(level[-1] + 1), most)
    nearest = np.abs(np.log2(level + 1)[None, :] - places[:, None]).argmin(axis=1)
    return np.asarray(level[np.unique(nearest)])


def _over_training(name: str, step: Floats, results: Sequence[CurveResult], n: float) -> Curve | None:
    """Return p at one context length over training, rows the sequences that all checkpoints were measured on."""
    curves = [result.curve for result in results]
    at = [int(np.searchsorted(curve.level, n)) for curve in curves]
    counted = [curve for curve in curves if isinstance(curve, CountCurve)]
    if len(counted) == len(curves):
        successes = np.array([curve.successes[i] for curve, i in zip(counted, at, strict=True)])
        trials = np.array([curve.trials[i] for curve, i in zip(counted, at, strict=True)])
        return CountCurve(name, step, successes, trials)
    rows = [curve for curve in curves if isinstance(curve, SequenceCurve)]
    if len(rows) < len(curves):  # some were drawn and some read exactly: not one kind of evidence
        return None
    shared = set.intersection(*(set(curve.sequence_ids) for curve in rows))
    ids = tuple(i for i in rows[0].sequence_ids if i in shared)
    columns = []
    for curve, i in zip(rows, at, strict=True):
        place = {name: row for row, name in enumerate(curve.sequence_ids)}
        columns.append(curve.p[[place[name] for name in ids], i])
    return SequenceCurve(name, step, np.stack(columns, axis=1), ids) if ids else None


def _spread(
    n: float, group: Sequence[tuple[CheckpointSeries, Transition]], options: AnalysisOptions
) -> SeedSpread | None:
    first = group[0][0]
    location = tuple(found.location for _, found in group)
    octaves = np.log2([at for at in location if at is not None and at > 0])
    if not len(octaves):
        return None
    low, high = (
        mean_interval(octaves, confidence=options.confidence) if len(octaves) >= _ENOUGH else (None, None)
    )
    return SeedSpread(
        id=first.id,
        title=first.title,
        control=first.control,
        context_length=n,
        series=tuple(one.series for one, _ in group),
        location=location,
        width=tuple(found.width for _, found in group),
        last=min(float(one.step[-1]) for one, _ in group),
        mean=float(2 ** octaves.mean()),
        low=None if low is None else float(2**low),
        high=None if high is None else float(2**high),
        octaves=float(octaves.std(ddof=1)) if len(octaves) > 1 else None,
    )
