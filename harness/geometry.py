"""Geometry of a study: which measurements it takes, and what they say of the graph and the concept.

Park et al. 2025 set the Dirichlet energy of node means beside the behaviour: a
graph shows in the states about where it shows in what the model predicts. The
layer is chosen on one half of the sequences and reported on the other.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from harness.analysis.association import association_interval
from harness.conditions import MIN_LEVELS
from harness.errors import SpecError
from harness.geometry_spec import GeometrySpec
from harness.judgments import Judgments
from harness.types import AnalysisOptions, Bools, CurveResult, Floats, Ints, SequenceCurve
from harness.types.decodability import Association
from harness.types.geometry import Geometry, Picture
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_VERSION = 1  # of what a job measures: another one measures anew
_LEAST = 3  # nodes that a graph needs to be told


def jobs(asked: GeometrySpec, study: WhiteBoxStudy, n_layers: int) -> list[Job]:
    """Return one measurement a context length, of all layers. Raises SpecError."""
    layers = list(range(-1, n_layers)) if asked.layers == "all" else list(asked.layers)
    if max(layers) >= n_layers:
        raise SpecError(
            f"whitebox geometry: layer {max(layers)} is not in -1..{n_layers - 1}, the blocks of this model "
            "(-1: before the first); layers: all takes every one"
        )
    own = [n for n in study.context_lengths if n >= _LEAST]
    lengths = sorted(set(own if asked.context_lengths is None else asked.context_lengths))
    if not lengths or lengths[-1] > study.context_lengths[-1]:
        raise SpecError(
            f"whitebox geometry: context_lengths {lengths!r} must be one or more, none above "
            f"{study.context_lengths[-1]}, the longest of the task"
        )
    corners = None if asked.parallelogram is None else [_label(study, value) for value in asked.parallelogram]
    return [
        {
            "context_length": n,
            "window": asked.window,
            "layers": [*layers],
            "shuffles": asked.shuffles,
            "parallelogram": None if corners is None else [*corners],
            "version": _VERSION,
        }
        for n in lengths
    ]


def find(
    asked: GeometrySpec,
    done: Sequence[tuple[Job, Arrays]],
    study: WhiteBoxStudy,
    behaviour: Mapping[str, CurveResult],
    options: AnalysisOptions,
    judgments: Judgments,
) -> Geometry | str:
    """Return energies by layer and context length beside the behaviour, and pictures at the longest context."""
    del judgments
    lengths = np.array([int(str(job["context_length"])) for job, _ in done], dtype=np.int64)
    arrays = [a for _, a in done]
    listed = done[0][0]["layers"]
    assert isinstance(listed, list)
    layers = tuple(int(str(layer)) for layer in listed)
    energy = np.stack([a["energy"] for a in arrays], axis=2)  # (n_layers, n_trials, n_lengths)
    held = ~study.selection
    chosen = _chosen(energy[:, study.selection], layers)
    mean, half = _mean(energy[:, held])
    shown = _behaviour(study, behaviour, lengths, held)
    last = arrays[-1]
    edges = last.get("node_edges")
    names = study.trials[0].prompt.surfaces
    walk = None
    if "node_coordinates" in last and edges is not None:
        walk = Picture(
            tuple(names[k].strip() for k in last["node_symbols"]),
            last["node_coordinates"][chosen],
            edges,
            float(last["explained"][chosen, 0]),
        )
    corners = () if asked.parallelogram is None else tuple(str(value) for value in asked.parallelogram)
    return Geometry(
        layers=layers,
        context_lengths=lengths.astype(np.float64),
        window=asked.window,
        energy=mean,
        low=mean - half,
        high=mean + half,
        null_low=np.stack([a["null_low"] for a in arrays], axis=1),
        p_value=np.stack([a["p_value"] for a in arrays], axis=1),
        least=np.array([_nanmean(a["least"][held]) for a in arrays]),
        nodes=np.array([_nanmean(a["nodes"][held]) for a in arrays]),
        edges=np.array([_nanmean(a["edges"][held]) for a in arrays]),
        told=np.isfinite(energy[0, held]).sum(axis=0),
        explained=np.stack([[_nanmean(row[held]) for row in a["explained"]] for a in arrays], axis=1),
        chosen=chosen,
        chosen_on=int(study.selection.sum()),
        behaviour=shown,
        association=_association(energy[chosen, held], shown, lengths, options),
        walk=walk,
        classes=Picture(
            study.labels,
            last["class_coordinates"][chosen],
            np.empty((0, 2), np.int64),
            float(last["class_explained"][chosen]),
        ),
        class_explained=np.stack([a["class_explained"] for a in arrays], axis=1),
        corners=corners,
        parallelogram=np.stack([a["parallelogram"] for a in arrays], axis=1) if corners else None,
    )


def _label(study: WhiteBoxStudy, value: object) -> int:
    if str(value) not in study.labels:
        raise SpecError(
            f"whitebox geometry: parallelogram names {value!r}, which is no value of {study.concept}; there are "
            f"{', '.join(study.labels)}"
        )
    return study.labels.index(str(value))


def _chosen(energy: Floats, layers: tuple[int, ...]) -> int:
    """Return the row of the lowest mean energy; the last layer where no graph can be told."""
    if not np.isfinite(energy).any():
        return len(layers) - 1
    return int(np.argmin(np.nanmean(energy, axis=(1, 2))))


def _mean(energy: Floats) -> tuple[Floats, Floats]:
    """Return the mean over sequences and the half-width of its 95 % interval: (n_layers, n_lengths) each."""
    n = np.isfinite(energy).sum(axis=1)
    total = np.nansum(energy, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, total / n, np.nan)
        squares = np.nansum((energy - mean[:, None]) ** 2, axis=1)
        spread = np.sqrt(squares / (n - 1) / n)
    return mean, np.where(n > 1, stats.t.ppf(0.975, np.maximum(n - 1, 1)) * spread, np.nan)


def _nanmean(values: Floats) -> float:
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def _behaviour(
    study: WhiteBoxStudy, behaviour: Mapping[str, CurveResult], lengths: Ints, held: Bools
) -> SequenceCurve | None:
    """Return p(target) of the held-out sequences at the context lengths that all have; None where one has none."""
    rows: list[tuple[str, SequenceCurve]] = []
    level = lengths.astype(np.float64)
    for trial, wanted in zip(study.trials, held, strict=True):
        found = behaviour.get(trial.condition)
        curve = None if found is None else found.curve
        if not wanted:
            continue
        if not isinstance(curve, SequenceCurve) or trial.sequence not in curve.sequence_ids:
            return None
        rows.append((trial.sequence, curve))
        level = np.intersect1d(level, curve.level)
    if not rows or not len(level):
        return None
    p = np.stack([c.p[c.sequence_ids.index(name), np.isin(c.level, level)] for name, c in rows])
    ids = tuple(
        f"{trial.condition} {trial.sequence}" for trial, k in zip(study.trials, held, strict=True) if k
    )
    return SequenceCurve("behaviour", level, p, ids)


def _association(
    energy: Floats, shown: SequenceCurve | None, lengths: Ints, options: AnalysisOptions
) -> Association:
    """Return the rank correlation of energy (n_sequences, n_lengths) and p(target) over context lengths."""
    if shown is None:
        return Association(None, None, None, 0)
    told = np.isfinite(energy).all(axis=0) & np.isin(lengths, shown.level)
    n = int(told.sum())
    mine, theirs = energy[:, told], shown.p[:, np.isin(shown.level, lengths[told])]
    found = association_interval(mine, theirs, options=options) if n >= MIN_LEVELS else None
    if found is None:
        return Association(None, None, None, n)
    value, low, high = found
    known = not np.isnan(low)
    return Association(value, low if known else None, high if known else None, n)
