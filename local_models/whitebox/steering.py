"""Behaviour under steering: p(target) at every context length of every sequence, by layer, scale and direction.

A direction is estimated on the selection half of the trials, at context lengths
before behaviour changes, and added at every token of the others. The controls
are measured by the same code: random directions of equal length, the direction
of another concept, a model whose weights were never trained, and a patch of each
state with itself.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.alignment import Aligner, Row
from harness.local_models.loading import LoadedModel
from harness.local_models.scoring import RowJob
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.directions import (
    Direction,
    States,
    mean_difference,
    principal_difference,
    random_direction,
    task_vector,
)
from harness.local_models.whitebox.interventions import Add, Intervention, Patch
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.local_models.whitebox.steering_job import Asked, read
from harness.local_models.whitebox.steering_passes import swept
from harness.local_models.whitebox.study import token_rows
from harness.types import Floats, Ints, Request
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_SELF_PATCHED = 4  # sequences of the self-patch


def sweep(directions: Mapping[int, Direction], scales: Seq[float]) -> Iterator[Add]:
    """Yield the addition of each layer's direction at each scale, a fraction of the mean residual norm."""
    for layer in sorted(directions):
        for scale in scales:
            yield directions[layer].add(scale)


def measure(loaded: LoadedModel, study: WhiteBoxStudy, job: Job) -> Arrays:
    """Measure behaviour without and with each intervention of one job.

    Gives `trial` (n,), indices of the trials that were measured; `base` and
    `base_mass` (n, n_levels), raw p(target) and the mass of all declared
    symbols; `p` and `mass` (n_interventions, n, n_levels), the same under each
    intervention; its `scale` as a fraction of the mean residual norm, whether
    that is the `natural` one (the raw vector, alpha = 1 or -1), and its `draw`;
    `residual_norm`, `natural_scale`, the `direction_lengths` that the direction
    was read at, and `before_change`, see there. The direction "self_patch" gives
    `difference` alone, the largest change of log p. Raises WhiteBoxError.
    """
    asked = read(job)
    box = WhiteBox(loaded.model, loaded.tokenizer)
    if asked.direction == "self_patch":
        return {"difference": np.array(self_patch_difference(box, loaded, study, asked.layer))}
    before = before_change(box, loaded, study, asked.positive)
    lengths = asked.lengths or before
    if asked.direction == "untrained":
        loaded = untrained(loaded, study.seed)
        box = WhiteBox(loaded.model, loaded.tokenizer)
    labels = (asked.positive, asked.negative)
    direction = direction_of(box, loaded, study, asked, labels, lengths)
    natural = direction.natural_scale if asked.made_of != "task_vector" else 1.0
    vectors = [direction]
    if asked.direction == "wrong":
        if asked.wrong is None:
            raise WhiteBoxError(f"{study.title}: no other concept was named for the wrong direction")
        other = direction_of(box, loaded, study, asked, asked.wrong, lengths)
        vectors = [replace(direction, unit=other.unit, made_of=f"another concept: {other.made_of}")]
    if asked.direction == "random":
        seeds = [[study.seed % 2**63, asked.layer, k] for k in range(asked.draws)]
        vectors = [random_direction(direction, np.random.default_rng(seed)) for seed in seeds]
    trials = _measured_on(study, asked)
    scales = _scales(asked, natural)
    scored = _behaviour(box, loaded, study, trials, asked, vectors, [scale for scale, _ in scales])
    return {
        "trial": trials,
        "scale": np.array([scale for _ in vectors for scale, _ in scales]),
        "natural": np.array([is_natural for _ in vectors for _, is_natural in scales]),
        "draw": np.repeat(np.arange(len(vectors)), len(scales)),
        "residual_norm": np.array(direction.residual_norm),
        "natural_scale": np.array(natural),
        "direction_lengths": np.array(lengths, dtype=np.int64),
        "before_change": np.array(before, dtype=np.int64),
        **scored,
    }


def untrained(loaded: LoadedModel, seed: int) -> LoadedModel:
    """Return the same architecture with weights drawn anew, as training would begin."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**63)
        model = type(loaded.model)(loaded.model.config)
    model = model.to(device=loaded.device, dtype=loaded.model.dtype).eval()
    return replace(loaded, model=model, fingerprint=f"{loaded.fingerprint}, weights drawn anew from {seed}")


def direction_of(
    box: WhiteBox,
    loaded: LoadedModel,
    study: WhiteBoxStudy,
    asked: Asked,
    labels: tuple[int, int],
    lengths: Seq[int],
) -> Direction:
    """Return the direction from the second label to the first, from the selection trials at some context lengths."""
    rows = token_rows(loaded, study, lengths)
    chosen = [np.flatnonzero(study.selection & (study.label == label)) for label in labels]
    for label, found in zip(labels, chosen, strict=True):
        if not found.size:
            raise WhiteBoxError(
                f"{study.title}: no selection trial of {study.concept} = {study.labels[label]}; draw more sequences"
            )
    states = [_states(box, rows.part(found.tolist()), asked.layer) for found in chosen]
    if (
        asked.made_of == "principal"
    ):  # one pair of sequences, averaged over context lengths, is one difference
        n = min(len(s) for s in states)
        return principal_difference(asked.layer, *[s.mean(axis=1)[:n] for s in states])
    flat = [s.reshape(-1, s.shape[-1]) for s in states]
    if asked.made_of == "task_vector":
        return task_vector(asked.layer, flat[0])
    if asked.made_of != "mean_difference":
        raise WhiteBoxError(
            f"made_of={asked.made_of!r} is no direction; it is mean_difference, principal or task_vector"
        )
    return mean_difference(asked.layer, flat[0], flat[1])


def before_change(box: WhiteBox, loaded: LoadedModel, study: WhiteBoxStudy, label: int) -> tuple[int, ...]:
    """Return the context lengths of at least 1 before the mean curve of a label is half-way to its highest point.

    Of the selection trials; the shortest alone where the curve begins half-way.
    """
    trials = np.flatnonzero(study.selection & (study.label == label))
    if not trials.size:
        raise WhiteBoxError(
            f"{study.title}: no selection trial of {study.concept} = {study.labels[label]}; draw more sequences"
        )
    base, _ = swept(box, _jobs(loaded, study, trials.tolist()), [])
    p, mass = _targets(base, study, trials)
    mean, levels = np.nanmean(p / mass, axis=0), np.array(study.context_lengths)
    change = levels[int(np.argmax(mean >= (np.nanmin(mean) + np.nanmax(mean)) / 2))]
    positive = levels[levels >= 1]
    return tuple(positive[positive < change].tolist()) or (int(positive[0]),)


def self_patch_difference(box: WhiteBox, loaded: LoadedModel, study: WhiteBoxStudy, layer: int) -> float:
    """Return the largest change of log p when every state at a layer is replaced by itself, in whole passes."""
    worst = 0.0
    for job in _jobs(loaded, study, range(min(_SELF_PATCHED, len(study.trials)))):
        own = box.captured(TokenRows((job.row.tokens,)), [Site(layer)])[:, 0]
        base, patched = swept(box, [job], [Patch(Site(layer), own)], whole=True)
        worst = max(worst, float(np.nanmax(np.abs(patched[0] - base))))
    return worst


def _states(box: WhiteBox, rows: TokenRows, layer: int) -> States:
    return np.ascontiguousarray(box.captured(rows, [Site(layer, "output", "contexts")])[:, 0])


def _measured_on(study: WhiteBoxStudy, asked: Asked) -> Ints:
    """Return the trials of both labels, or for a control those of the positive label that choices were not made on."""
    label = study.label
    if asked.direction == "concept":
        return np.flatnonzero((label == asked.positive) | (label == asked.negative))
    return np.flatnonzero((label == asked.positive) & ~study.selection)


def _scales(asked: Asked, natural: float) -> list[tuple[float, bool]]:
    """Return the scales in ascending order, and which of them are natural."""
    if asked.made_of == "task_vector":  # a patch has no scale
        return [(1.0, True)]
    found = {float(s): False for s in asked.scales if s} | {natural: True, -natural: True}
    return sorted(found.items())


def _behaviour(
    box: WhiteBox,
    loaded: LoadedModel,
    study: WhiteBoxStudy,
    trials: Ints,
    asked: Asked,
    vectors: Seq[Direction],
    scales: Seq[float],
) -> dict[str, NDArray[np.floating]]:
    """Return raw p(target) and captured mass of some trials, without and with each intervention."""
    jobs = _jobs(loaded, study, trials.tolist())
    patched = asked.made_of == "task_vector"
    edits: list[Intervention] = (
        [Patch(Site(asked.layer, "output", "last"), (d.unit * d.length).astype(np.float32)) for d in vectors]
        if patched
        else [edit for d in vectors for edit in sweep({asked.layer: d}, scales)]
    )
    base, changed = swept(box, _one_context_each(jobs) if patched else jobs, edits)
    shape = (len(jobs), len(study.context_lengths), -1)
    p, mass = _targets(base.reshape(shape), study, trials)
    found = [_targets(table.reshape(shape), study, trials) for table in changed]
    return {
        "base": p,
        "base_mass": mass,
        "p": np.stack([f[0] for f in found]).astype(np.float32),  # many draws are stored
        "mass": np.stack([f[1] for f in found]).astype(np.float32),
    }


def _jobs(loaded: LoadedModel, study: WhiteBoxStudy, trials: Seq[int]) -> list[RowJob]:
    """Return one row a trial, read at every context length of the study, as black-box mode reads it."""
    aligner = Aligner(loaded.tokenizer, loaded.max_tokens)
    jobs = []
    for trial in trials:
        aligned = aligner.align(Request("prefixes", study.trials[trial].prompt, study.context_lengths))
        if len(aligned.rows) > 1:
            raise WhiteBoxError(
                f"{study.title}: each context is a row of its own in this form; steering sweeps read completions"
            )
        jobs.append(RowJob(aligned.rows[0], aligned.symbol_ids))
    return jobs


def _one_context_each(jobs: Seq[RowJob]) -> list[RowJob]:
    """Return a row for every context, so that the last token of each can be patched without the others."""
    return [
        RowJob(Row(job.row.tokens[: p + 1], (p,), (n,)), job.symbol_ids)
        for job in jobs
        for p, n in zip(job.row.positions, job.row.context_lengths, strict=True)
    ]


def _targets(log_p: Floats, study: WhiteBoxStudy, trials: Ints) -> tuple[Floats, Floats]:
    """Return raw p(target) and the mass of the declared symbols: (n, n_levels, n_symbols) -> (n, n_levels) each."""
    symbols = [study.trials[t].prompt.symbols for t in trials]
    target = np.array([[s[n] for n in study.context_lengths] for s in symbols])
    p = np.exp(log_p)
    return np.take_along_axis(p, target[:, :, None], axis=2)[:, :, 0], p.sum(axis=2)
