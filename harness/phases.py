"""Phases of training: which of a family's observers each checkpoint of a series predicts like."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import rel_entr

from harness.analysis.axis import make_axis
from harness.analysis.nearest import closeness, crossings, nearest
from harness.checkpoint_series import followed
from harness.conditions import MIN_LEVELS, Condition
from harness.judgments import Judgments
from harness.phases_spec import UNIFORM, contenders
from harness.plan import Item, ModelPlan
from harness.predictions import Predictions, predictions_of
from harness.registry import load_reader
from harness.store import Store
from harness.types import AnalysisOptions, Floats, Ints, SequenceCurve
from harness.types.phases import Passage, PhaseMap
from harness.types.training import CheckpointSeries

_BIT = float(np.log(2))  # nats
_LEAST = 2.0**-64  # a probability of the model below this counts as this: a divergence is at most 64 bits
_SAME = 1e-6  # difference of two laws that is none: observers are worked out in double precision
_COLUMNS = 33  # context lengths of a map: as many as can be seen


def phase_maps(
    store: Store,
    plans: Mapping[str, ModelPlan],
    series: Sequence[CheckpointSeries],
    options: AnalysisOptions,
    judgments: Judgments,
) -> tuple[PhaseMap, ...]:
    """Return the phases of every series whose laws of the next symbol were measured.

    Without those whose observers all predict the same: there is nothing to tell apart.
    """
    found: list[PhaseMap | None] = []
    for one in series:
        items = [_item(plans[f"{one.series}@{step:.0f}"], one.id) for step in one.step]
        if all(item.condition.readout == "next_symbol" and item.way != "samples" for _, item in items):
            found.append(_phase_map(store, one, items, options, judgments))
    return tuple(one for one in found if one is not None)


def _item(plan: ModelPlan, condition_id: str) -> tuple[ModelPlan, Item]:
    return plan, next(item for item in plan.items if item.condition.id == condition_id)


def _phase_map(
    store: Store,
    one: CheckpointSeries,
    items: Sequence[tuple[ModelPlan, Item]],
    options: AnalysisOptions,
    judgments: Judgments,
) -> PhaseMap | None:
    condition = items[-1][1].condition
    level = followed(one.level, _COLUMNS)
    tables: list[Floats] = []
    seen: Predictions | None = None
    for plan, item in items:
        first = seen is None
        seen = predictions_of(plan, item, store, load_reader(plan.model), like=seen)
        at = np.searchsorted(seen.context_lengths, level)
        if first:
            names, bank = _bank(seen, condition)
            if len(names) < 2:
                return None
        tables.append(divergences(seen.law[:, at], bank[:, :, at]))
    return phase_map(one, condition, names, level, np.stack(tables, axis=1), options, judgments)


def _bank(seen: Predictions, condition: Condition) -> tuple[tuple[str, ...], Floats]:
    """Return the contenders and their laws (n_contenders, n_sequences, n_lengths, n_symbols), each law once."""
    uniform = np.full_like(seen.law, 1 / len(seen.alphabet))
    laws = {**seen.observers, UNIFORM: uniform}
    names: list[str] = []
    kept: list[Floats] = []
    for name in contenders(condition.phases, seen.observers):
        apart = [np.nanmax(np.abs(law - laws[name])) for law in kept]
        alike = next((k for k, most in enumerate(apart) if most <= _SAME), None)
        if alike is None:
            names.append(name)
            kept.append(laws[name])
        else:
            names[alike] += f" = {name}"
    return tuple(names), np.stack(kept)


def divergences(law: Floats, bank: Floats) -> Floats:
    """Return KL(observer, model) in bits, (n_sequences, n_levels, n_observers).

    `law` (n_sequences, n_levels, n_symbols) is the model's, `bank` the
    observers', theirs the first axis. NaN where a law is not known.
    """
    each = rel_entr(bank, np.maximum(law, _LEAST)).sum(axis=-1) / _BIT
    return np.asarray(np.moveaxis(np.maximum(each, 0), 0, -1))  # a rounded sum may be just below 0


def phase_map(
    one: CheckpointSeries,
    condition: Condition,
    observers: tuple[str, ...],
    level: Floats,
    divergence: Floats,
    options: AnalysisOptions,
    judgments: Judgments,
) -> PhaseMap:
    """Return the map of `divergence` (n_sequences, n_steps, n_levels, n_observers), passages included."""
    n, steps, levels, k = divergence.shape
    found = nearest(
        divergence.reshape(n, steps * levels, k), confidence=options.confidence, seed=options.seed
    )
    measured = np.sum(~np.isnan(divergence), axis=0)
    mean = np.nansum(divergence, axis=0) / np.where(measured, measured, np.nan)
    shape = (steps, levels)
    passages = [
        passage
        for at in np.searchsorted(level, followed(level))
        for passage in _passages(
            one,
            observers,
            float(level[at]),
            divergence[:, :, at],
            found.leader.reshape(shape)[:, at],
            options,
            judgments,
        )
    ]
    return PhaseMap(
        series=one.series,
        id=one.id,
        title=one.title,
        family=condition.family,
        params=dict(condition.params),
        control=one.control,
        observers=observers,
        sequences=n,
        step=one.step,
        level=level,
        divergence=mean,
        nearest=found.nearest.reshape(shape),
        rival=found.rival.reshape(shape),
        margin=found.margin.reshape(shape),
        low=found.low.reshape(shape),
        high=found.high.reshape(shape),
        decided=found.decided.reshape(shape),
        passages=tuple(passages),
    )


def _passages(
    one: CheckpointSeries,
    observers: tuple[str, ...],
    n: float,
    divergence: Floats,
    leader: Ints,
    options: AnalysisOptions,
    judgments: Judgments,
) -> list[Passage]:
    """Return where the lead passes at one context length, of divergences (n_sequences, n_steps, n_observers)."""
    on_steps = replace(options, axis="log2")
    axis = make_axis(one.step, "log2")
    ids = tuple(map(str, range(len(divergence))))
    found = []
    for crossing in crossings(divergence, leader, axis.x, confidence=options.confidence, seed=options.seed):
        before, after = observers[crossing.before], observers[crossing.after]
        led = slice(crossing.start, crossing.stop + 1)
        share = closeness(divergence[:, led, crossing.before], divergence[:, led, crossing.after])
        name = f"{one.series}@* {one.id} at context length {n:g}: closeness to {after}, not {before}"
        curve = SequenceCurve(name, one.step[led], share, ids)
        found.append(
            Passage(
                context_length=n,
                before=before,
                after=after,
                last_before=float(one.step[crossing.last]),
                first_after=float(one.step[crossing.first]),
                location=axis.to_level(crossing.location),
                low=axis.to_level(crossing.low),
                high=axis.to_level(crossing.high),
                transition=judgments.transition(curve, on_steps) if len(curve.level) >= MIN_LEVELS else None,
            )
        )
    return found
