"""Concept decodability of a study: which measurements it takes, and what they say beside the behaviour.

Han et al. 2024 (section 4) compare how well a concept is read from a layer with
how well the task is done. Here both are curves over context length on the same
sequences, so that their half-rise points can be subtracted. A decoder is right or wrong
where p(target) is a probability, which on the same evidence rises more slowly:
the lag is therefore stated a second time, of behaviour that is scored right or
wrong as well, and a lead counts where both agree. The layer is chosen on one
half of the sequences and everything is reported on the other.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.analysis import mean_band
from harness.analysis.association import association_interval
from harness.conditions import MIN_LEVELS
from harness.errors import SpecError
from harness.judgments import Judgments
from harness.types import AnalysisOptions, Bools, CurveResult, Delay, Floats, SequenceCurve
from harness.types.decodability import AcrossModels, Association, Decodability, ProbeReading
from harness.types.whitebox import Arrays, Job, WhiteBoxResult, WhiteBoxStudy
from harness.whitebox_spec import DecodabilitySpec

_VERSION = 1  # of what a job measures: another one measures anew


def jobs(asked: DecodabilitySpec, study: WhiteBoxStudy, n_layers: int) -> list[Job]:
    """Return one measurement a context length, of all layers and decoders. Raises SpecError."""
    layers = list(range(-1, n_layers)) if asked.layers == "all" else list(asked.layers)
    if max(layers) >= n_layers:
        raise SpecError(
            f"whitebox decodability: layer {max(layers)} is not in -1..{n_layers - 1}, the blocks of this model "
            "(-1: before the first); layers: all takes every one"
        )
    given = study.context_lengths if asked.context_lengths is None else asked.context_lengths
    wanted = sorted(set(given))
    beyond = [n for n in wanted if n > study.context_lengths[-1]]
    if beyond or len(wanted) < MIN_LEVELS:
        raise SpecError(
            f"whitebox decodability: context_lengths {list(given)!r} must be at least {MIN_LEVELS}, none above "
            f"{study.context_lengths[-1]}, the longest of the task"
        )
    return [
        {
            "context_length": n,
            "layers": [*layers],
            "probes": [*asked.probes],
            "k": asked.k,
            "shuffles": asked.shuffles,
            "version": _VERSION,
        }
        for n in wanted
    ]


def find(
    asked: DecodabilitySpec,
    done: Sequence[tuple[Job, Arrays]],
    study: WhiteBoxStudy,
    behaviour: Mapping[str, CurveResult],
    options: AnalysisOptions,
    judgments: Judgments,
) -> Decodability | str:
    """Return decodability by layer and context length, its transitions and its lag to behaviour."""
    first = f"{asked.probes[0]}_hits"
    read = [(_length(job), arrays) for job, arrays in done if first in arrays]
    left_out = tuple(_length(job) for job, arrays in done if first not in arrays)
    if len(read) < MIN_LEVELS:
        return (
            f"contexts differ enough to leave one out at {len(read)} context lengths, at least {MIN_LEVELS} are "
            "needed: use more sequences or a smaller k"
        )
    level = np.array([n for n, _ in read], dtype=np.float64)
    layers = tuple(int(str(layer)) for layer in _listed(done[0][0], "layers"))
    units = _Units(study, behaviour)
    shown = units.behaviour(~units.selection)
    choice = None if shown is None else _choices(shown)
    tables = {probe: np.stack([a[f"{probe}_hits"] for _, a in read], axis=2) for probe in asked.probes}
    columns = {
        (probe, what): np.stack([a[f"{probe}_{what}"] for _, a in read], axis=1)
        for probe in asked.probes
        for what in ("chance", "chance_high", "p_value")
    }
    probes = tuple(
        _reading(
            probe,
            tables[probe].astype(np.float64),
            level,
            layers,
            units,
            shown,
            choice,
            {what: table for (name, what), table in columns.items() if name == probe},
            options,
            judgments,
        )
        for probe in asked.probes
    )
    band = None if shown is None else mean_band(shown, options.confidence)
    return Decodability(
        layers=layers,
        context_lengths=level,
        left_out=left_out,
        probes=probes,
        chosen_on=int(units.selection.sum()),
        held_out=int((~units.selection).sum()),
        behaviour=shown,
        choice=choice,
        behaviour_transition=None if shown is None else judgments.transition(shown, options),
        behaviour_mean=None if band is None else band[0],
        behaviour_low=None if band is None else band[1],
        behaviour_high=None if band is None else band[2],
    )


def across(found: Sequence[WhiteBoxResult], options: AnalysisOptions) -> tuple[AcrossModels, ...]:
    """Return how decodability and behaviour of one task go together over models, a row a decoder; empty for one."""
    results = {
        r.model: d
        for r in found
        if isinstance(d := r.findings.get("decodability"), Decodability) and d.behaviour is not None
    }
    if len(results) < 2:
        return ()
    shared = set.intersection(*({p.probe for p in d.probes} for d in results.values()))
    rows = []
    for probe in sorted(shared):
        pairs = [_same_cells(d, probe) for d in results.values()]
        read, done = (np.concatenate([pair[k] for pair in pairs], axis=1) for k in (0, 1))
        rows.append(
            AcrossModels(
                title=found[0].title,
                concept=found[0].concept,
                probe=probe,
                models=tuple(results),
                association=_association(read, done, options),
                mean_decodability=tuple(float(np.nanmean(pair[0])) for pair in pairs),
                mean_behaviour=tuple(float(np.nanmean(pair[1])) for pair in pairs),
            )
        )
    return tuple(rows)


class _Units:
    """What decodability and behaviour are paired by: a sequence, with those that share its group.

    Under `concept: control` the behaviour is that of the sequence without a
    control, and its decodability the mean over it and its controls: a decoder
    that leans to one label gains nothing. Else every sequence stands for itself.
    """

    def __init__(self, study: WhiteBoxStudy, behaviour: Mapping[str, CurveResult]) -> None:
        self._curves = {
            name: r.curve
            for name, r in behaviour.items()
            if isinstance(r.curve, SequenceCurve) and r.control is None
        }
        control = study.concept == "control"
        shown = [t for t in study.trials if not control or study.labels[t.label] == study.labels[0]]
        self.ids = tuple(t.sequence for t in shown)
        self.conditions = tuple(t.condition for t in shown)
        members = study.group if control else np.arange(len(study.trials))
        place = {t.sequence: i for i, t in enumerate(study.trials)}
        own = np.array([members[place[t.sequence]] for t in shown])
        share = (own[:, None] == members[None, :]).astype(np.float64)
        self._share = share / share.sum(axis=1, keepdims=True)  # (n_units, n_trials)
        self.selection: Bools = study.selection[[place[t.sequence] for t in shown]]

    def hits(self, table: Floats) -> Floats:
        """Return hits (n_trials, n_lengths) as those of the units."""
        return np.asarray(self._share @ table)

    def behaviour(self, keep: Bools) -> SequenceCurve | None:
        """Return p(target) of some units at the context lengths that all of their curves have."""
        rows: list[tuple[str, SequenceCurve, int]] = []
        for name, condition, wanted in zip(self.ids, self.conditions, keep, strict=True):
            curve = self._curves.get(condition)
            if not wanted:
                continue
            if curve is None or name not in curve.sequence_ids:
                return None
            rows.append((name, curve, curve.sequence_ids.index(name)))
        level = rows[0][1].level
        for _, curve, _ in rows:
            level = np.intersect1d(level, curve.level)
        if len(level) < MIN_LEVELS:
            return None
        p = np.stack([curve.p[i, np.isin(curve.level, level)] for _, curve, i in rows])
        return SequenceCurve("behaviour", level, p, tuple(name for name, *_ in rows))


def _reading(
    probe: str,
    hits: Floats,
    level: Floats,
    layers: tuple[int, ...],
    units: _Units,
    behaviour: SequenceCurve | None,
    choice: SequenceCurve | None,
    columns: Mapping[str, Floats],
    options: AnalysisOptions,
    judgments: Judgments,
) -> ProbeReading:
    """Judge each layer on the held-out half: hits are (n_layers, n_trials, n_lengths)."""
    of_units = np.stack([units.hits(table) for table in hits])
    chosen = int(np.argmax(of_units[:, units.selection].mean(axis=(1, 2))))
    held = ~units.selection
    ids = tuple(name for name, wanted in zip(units.ids, held, strict=True) if wanted)
    curves = tuple(
        SequenceCurve(f"{probe}, layer {layer}", level, table[held], ids)
        for layer, table in zip(layers, of_units, strict=True)
    )
    mean, low, high = mean_band(curves[chosen], options.confidence)
    return ProbeReading(
        probe=probe,
        accuracy=hits.mean(axis=1),
        chance=columns["chance"],
        chance_high=columns["chance_high"],
        p_value=columns["p_value"],
        chosen=chosen,
        curves=curves,
        transitions=tuple(judgments.transition(curve, options) for curve in curves),
        lags=tuple(_lag(behaviour, curve, options, judgments) for curve in curves),
        choice_lags=tuple(_lag(choice, curve, options, judgments) for curve in curves),
        associations=tuple(
            Association(None, None, None, 0)
            if behaviour is None
            else _association(*_at_shared_levels(curve, behaviour), options)
            for curve in curves
        ),
        mean=mean,
        low=low,
        high=high,
    )


def _lag(
    behaviour: SequenceCurve | None, curve: SequenceCurve, options: AnalysisOptions, judgments: Judgments
) -> Delay | None:
    return None if behaviour is None else judgments.delay(behaviour, curve, options)


def _choices(behaviour: SequenceCurve) -> SequenceCurve:
    """Return behaviour as right or wrong: 1 where p(target) is above one half, 0.5 where it is just that."""
    p = np.where(np.isnan(behaviour.p), np.nan, (np.sign(behaviour.p - 0.5) + 1) / 2)
    return SequenceCurve("choice", behaviour.level, p, behaviour.sequence_ids)


def _same_cells(found: Decodability, probe: str) -> tuple[Floats, Floats]:
    """Return hits of the chosen layer and p(target), (n_sequences, n_lengths) each, at shared context lengths."""
    reading = next(p for p in found.probes if p.probe == probe)
    assert found.behaviour is not None
    return _at_shared_levels(reading.curves[reading.chosen], found.behaviour)


def _at_shared_levels(curve: SequenceCurve, behaviour: SequenceCurve) -> tuple[Floats, Floats]:
    _, mine, theirs = np.intersect1d(curve.level, behaviour.level, return_indices=True)
    return curve.p[:, mine], behaviour.p[:, theirs]


def _association(read: Floats, done: Floats, options: AnalysisOptions) -> Association:
    cells: int = read.shape[1]
    found = None if cells < MIN_LEVELS else association_interval(read, done, options=options)
    if found is None:
        return Association(None, None, None, cells)
    value, low, high = found
    known = not np.isnan(low)
    return Association(value, float(low) if known else None, float(high) if known else None, cells)


def _length(job: Job) -> int:
    return int(str(job["context_length"]))


def _listed(job: Job, name: str) -> list[object]:
    value = job[name]
    assert isinstance(value, list)
    return list(value)
