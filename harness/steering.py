"""Steering of a study: which measurements it takes, and what they say of the transition.

Bigelow et al. 2025: steering moves the log-odds of a concept as a changed prior
does, so that it shifts N*, the context length at which behaviour is half-way, by
a law. Layer and scale are chosen on the selection half of the sequences; shifts,
law and controls are those of the other half.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.analysis.laws import belief_law, held_out, steering_law
from harness.analysis.laws_steering import MIN_STRENGTHS
from harness.errors import CurveError, SpecError
from harness.judgments import Judgments
from harness.steering_shift import law_mean, mean_bounded, n_star, n_star_shift
from harness.steering_spec import Label, SteeringSpec
from harness.steering_sweep import VALID_MASS, Sweep
from harness.types import AnalysisOptions, CurveResult, HeldOut, SequenceCurve, SteeringLaw
from harness.types.steering import SteeredCell, SteeringControl, SteeringReading
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_VERSION = 1  # of what a job measures: another one measures anew
_CONTROLS = {"random": "random", "wrong": "wrong concept", "untrained": "untrained model"}
_LEAST = 10  # held-out sequences: a law with intervals needs as many


def jobs(asked: SteeringSpec, study: WhiteBoxStudy, n_layers: int) -> list[Job]:
    """Return five measurements a layer: the direction, three controls, and the self-patch. Raises SpecError."""
    layers = list(range(n_layers)) if asked.layers == "all" else list(asked.layers)
    if max(layers) >= n_layers:
        raise SpecError(
            f"whitebox steering: layer {max(layers)} is not in 0..{n_layers - 1}, the blocks of this model"
        )
    positive, negative = _label(study, asked.positive), _label(study, asked.negative)
    wrong = [_label(study, value) for value in asked.wrong] if asked.wrong else None
    if wrong is not None and set(wrong) == {positive, negative}:
        raise SpecError(
            f"whitebox steering: wrong {asked.wrong!r} is the concept itself; name two other values"
        )
    if asked.lengths != "before" and max(asked.lengths) > study.context_lengths[-1]:
        raise SpecError(
            f"whitebox steering: lengths {asked.lengths!r} go beyond {study.context_lengths[-1]}, the longest context"
        )
    kinds = ["concept", "random", *(["wrong"] if wrong else []), "untrained", "self_patch"]
    return [
        {
            "direction": kind,
            "layer": layer,
            "made_of": asked.made_of,
            "positive": positive,
            "negative": negative,
            "wrong": [*wrong] if wrong else None,
            "scales": [*asked.scales],
            "draws": asked.draws,
            "lengths": None if asked.lengths == "before" else [*asked.lengths],
            "version": _VERSION,
        }
        for layer in layers
        for kind in kinds
    ]


def find(
    asked: SteeringSpec,
    done: Sequence[tuple[Job, Arrays]],
    study: WhiteBoxStudy,
    behaviour: Mapping[str, CurveResult],
    options: AnalysisOptions,
    judgments: Judgments,
) -> SteeringReading | str:
    """Return what steering does at every layer and scale, the law at the chosen layer, and the controls."""
    del judgments
    table = {(str(job["direction"]), int(str(job["layer"]))): arrays for job, arrays in done}
    layers = sorted(layer for direction, layer in table if direction == "concept")
    if not layers:
        return "the direction itself was not yet measured at any layer"
    sweeps = {layer: Sweep(table["concept", layer], study, _label(study, asked.positive)) for layer in layers}
    first = sweeps[layers[0]]
    fewest = int(min(first.held.sum(), first.chosen_on.sum()))
    if fewest < _LEAST:
        return (
            f"{fewest} sequences of {study.concept} {asked.positive} in one half; at least {_LEAST} are needed: set "
            f"sequences to {2 * _LEAST} or more"
        )
    chosen, scale = _choice(sweeps)
    base, measured = first.base(), sweeps[chosen]
    law_curves = {0.0: base} | {
        s: c for k, (s, c) in enumerate(measured.curves().items()) if measured.valid(k, measured.held)
    }
    asymptotes = _asymptotes(first, options)
    law, ahead, no_law = _law(law_curves, asymptotes, options)
    patched = [float(a["difference"]) for (kind, _), a in table.items() if kind == "self_patch"]
    arrays = table["concept", chosen]
    return SteeringReading(
        concept=study.concept,
        positive=str(asked.positive),
        negative=str(asked.negative),
        wrong=(str(asked.wrong[0]), str(asked.wrong[1])) if asked.wrong else None,
        made_of=asked.made_of,
        direction_lengths=tuple(arrays["direction_lengths"].tolist()),
        before_change=tuple(arrays["before_change"].tolist()),
        chosen_layer=chosen,
        chosen_scale=scale,
        natural_scale={layer: float(table["concept", layer]["natural_scale"]) for layer in layers},
        cells=tuple(
            _cell(layer, sweeps[layer], k, asymptotes, layer == chosen, options)
            for layer in layers
            for k in range(len(sweeps[layer].scale))
        ),
        controls=_controls(table, study, _label(study, asked.positive), chosen, asymptotes),
        asymptotes=asymptotes,
        level=base.level,
        base_n_star=n_star(base, asymptotes),
        base=base,
        curves={0.0: base, **measured.curves()},
        law=law,
        law_means={} if law is None else {float(m): law_mean(law, base.level, m) for m in law_curves},
        held_out=ahead,
        no_law=no_law,
        self_patch=max(patched, default=float("nan")),
        off_behaviour=_off_behaviour(base, study, behaviour),
        chosen_on=int(measured.chosen_on.sum()),
        measured_on=int(measured.held.sum()),
        notes=_notes(asked, measured, scale),
    )


def _law(
    curves: Mapping[float, SequenceCurve], asymptotes: tuple[float, float] | None, options: AnalysisOptions
) -> tuple[SteeringLaw | None, tuple[HeldOut, ...], str]:
    """Return the law over strengths, what it predicts of those left out, and why there is none."""
    if asymptotes is None:
        return None, (), "the unsteered curve shows no rise, so there is no N* to shift"
    law: SteeringLaw | None = None
    try:
        law = steering_law(curves, asymptotes=asymptotes, options=options)
        if len(curves) <= MIN_STRENGTHS:
            return law, (), ""
        return law, tuple(held_out(curves, asymptotes=asymptotes, options=options)), ""
    except CurveError as error:
        return law, (), str(error)


def _choice(sweeps: Mapping[int, Sweep]) -> tuple[int, float]:
    """Return the layer and the scale above 0 that gain most on the selection half; natural scales are not tuned.

    Of those that keep the captured mass, and where none does of all.
    """
    cells = [
        (float(sweep.gains(k, sweep.chosen_on).mean()), layer, scale, sweep.valid(k, sweep.chosen_on))
        for layer, sweep in sweeps.items()
        for k, scale in enumerate(sweep.scale)
        if scale > 0 and (not sweep.natural[k] or all(sweep.natural))
    ]
    _, layer, scale, _ = max([cell for cell in cells if cell[3]] or cells)
    return layer, scale


def _cell(
    layer: int,
    sweep: Sweep,
    k: int,
    asymptotes: tuple[float, float] | None,
    at_chosen: bool,
    options: AnalysisOptions,
) -> SteeredCell:
    curve = sweep.curve(k)
    return SteeredCell(
        layer=layer,
        scale=sweep.scale[k],
        natural=sweep.natural[k],
        gain=mean_bounded(sweep.gains(k, sweep.held), options),
        chosen_by=float(sweep.gains(k, sweep.chosen_on).mean()),
        off_target=mean_bounded(sweep.gains(k, sweep.off, early=False), options),
        mass=sweep.mass_of(k, sweep.held),
        n_star=n_star(curve, asymptotes),
        shift=n_star_shift(sweep.base(), curve, asymptotes, options)
        if at_chosen or sweep.natural[k]
        else None,
    )


def _controls(
    table: Mapping[tuple[str, int], Arrays],
    study: WhiteBoxStudy,
    positive: int,
    layer: int,
    asymptotes: tuple[float, float] | None,
) -> tuple[SteeringControl, ...]:
    """Return the controls at one layer, one entry a scale; their trials are the held-out ones."""
    found = []
    for kind, name in _CONTROLS.items():
        if (kind, layer) not in table:
            continue
        arrays = table[kind, layer]
        sweep = Sweep(arrays, study, positive, early=table["concept", layer]["before_change"])
        for scale in sorted(set(sweep.scale)):
            draws = [k for k, s in enumerate(sweep.scale) if s == scale]
            found.append(
                SteeringControl(
                    name=name,
                    layer=layer,
                    scale=scale,
                    natural=sweep.natural[draws[0]],
                    gains=tuple(float(sweep.gains(k, sweep.held).mean()) for k in draws),
                    n_stars=tuple(n_star(sweep.curve(k), asymptotes) for k in draws),
                    mass=float(np.mean([sweep.mass_of(k, sweep.held) for k in draws])),
                )
            )
    return tuple(found)


def _asymptotes(sweep: Sweep, options: AnalysisOptions) -> tuple[float, float] | None:
    """Return the asymptotes of the unsteered curve of the selection half, for every curve of the held-out half.

    None where that half shows no rise: there is no N* to shift.
    """
    found = belief_law(sweep.base(sweep.chosen_on), asymptotes=None, options=options)
    rises = found.n_star is not None and found.slope.value > 0 and found.lower.value < found.upper.value
    return (found.lower.value, found.upper.value) if rises else None


def _off_behaviour(
    base: SequenceCurve, study: WhiteBoxStudy, behaviour: Mapping[str, CurveResult]
) -> float | None:
    """Return the largest difference of the unsteered curve from the stored behaviour of the same sequences."""
    condition = {trial.sequence: trial.condition for trial in study.trials}
    worst = []
    for name, p in zip(base.sequence_ids, base.p, strict=True):
        result = behaviour.get(condition[name])
        if (
            result is None
            or not isinstance(result.curve, SequenceCurve)
            or name not in result.curve.sequence_ids
        ):
            continue
        stored = result.curve
        _, mine, theirs = np.intersect1d(base.level, stored.level, return_indices=True)
        row = stored.p[stored.sequence_ids.index(name)]
        worst.append(float(np.nanmax(np.abs(p[mine] - row[theirs]))))
    return max(worst, default=None)


def _notes(asked: SteeringSpec, sweep: Sweep, scale: float) -> tuple[str, ...]:
    """Return what a reader must know of this sweep besides its numbers."""
    notes = []
    if asked.wrong is None:
        notes.append("no other concept was named, so the wrong-concept control is absent")
    gone = [s for k, s in enumerate(sweep.scale) if not sweep.valid(k, sweep.held)]
    if gone:
        listed = ", ".join(f"{s:+.3g}" for s in gone)
        notes.append(
            f"at scale {listed} the declared symbols keep less than {VALID_MASS:.0%} of their unsteered mass: "
            "left out of the law"
        )
    if scale in gone:
        notes.append(
            "no scale above 0 kept the captured mass on the selection half; the tuned one does not either"
        )
    if asked.made_of == "task_vector":
        notes.append("a task vector is patched into the last token of each context and has no scale")
    return tuple(notes)


def _label(study: WhiteBoxStudy, value: Label) -> int:
    """Return the index of a value of the concept. Raises SpecError with the values there are."""
    if str(value) not in study.labels:
        raise SpecError(
            f"whitebox steering: {value!r} is no value of {study.concept!r}; there are {', '.join(study.labels)}"
        )
    return study.labels.index(str(value))
