"""The trials of a study as a checkpoint is asked them: prompts, repeated prompts, laws, and contrasts of states."""

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.alignment import Aligner, Row
from harness.local_models.loading import LoadedModel
from harness.local_models.scoring import RowJob
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.directions import Direction, States
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.types import Bools, Floats, Ints, Request
from harness.types.whitebox import Job, WhiteBoxStudy, WhiteBoxTrial


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Prompts that end in the token whose successor is asked for, each with the tokens of its declared symbols."""

    jobs: tuple[RowJob, ...]

    @property
    def rows(self) -> TokenRows:
        """Their tokens."""
        return TokenRows(tuple(job.row.tokens for job in self.jobs))


@dataclass(frozen=True, slots=True, eq=False)
class CapabilityTrials:
    """What is asked of every checkpoint."""

    naive: Asked
    strong: dict[int, Asked]  # how often the evidence is repeated -> the same trials
    law: Floats  # (n_trials, n_symbols), what the evidence implies
    towards: Ints  # (n_trials,), 1 or -1: the class of each
    selection: Bools  # (n_trials,), whether layer and scale are chosen on it
    seen: tuple[TokenRows, TokenRows]  # of the positive and of the negative class, none of them a trial
    wrong: tuple[TokenRows, TokenRows]  # of another concept
    other: Asked  # the same prompts of another concept, on which the intervention should do nothing


def trials_of(loaded: LoadedModel, study: WhiteBoxStudy, job: Job) -> CapabilityTrials:
    """Return the trials of a job. Raises WhiteBoxError, TokenizationError, ContextTooLong."""
    n, question = int(str(job["context_length"])), int(str(job["question"]))
    trials = [study.trials[t] for t in numbers(job, "trials")]
    assert study.other is not None, "every study that asks for capability has another concept"
    aligner = Aligner(loaded.tokenizer, loaded.max_tokens)

    def asked(which: Seq[WhiteBoxTrial], repetitions: int = 1) -> Asked:
        return _asked(aligner, study.title, which, n, question, repetitions)

    sides = [[t for t in study.other.trials if t.label == label] for label in (0, 1)]
    wrong = [asked(side) for side in sides]
    seen = [
        asked([study.trials[t] for t in numbers(job, name)]) for name in ("seen_positive", "seen_negative")
    ]
    return CapabilityTrials(
        naive=asked(trials),
        strong={k: asked(trials, k) for k in numbers(job, "repetitions")},
        law=np.stack([trial.implied(n, str(job["law"])) for trial in trials]),
        towards=np.array(numbers(job, "towards"), dtype=np.int64),
        selection=np.array(numbers(job, "selection"), dtype=np.bool_),
        seen=(seen[0].rows, seen[1].rows),
        wrong=(wrong[0].rows, wrong[1].rows),
        other=asked([*sides[0], *sides[1]]),
    )


def numbers(job: Job, name: str) -> list[int]:
    """Return a list of whole numbers that a job holds."""
    listed = job[name]
    assert isinstance(listed, list)
    return [int(str(value)) for value in listed]


def contrast(box: WhiteBox, sides: tuple[TokenRows, TokenRows], layer: int) -> Direction:
    """Return the difference of mean last-token states of two classes after a block, last tokens alike.

    Means are compared among prompts that end in the same token and then averaged,
    each token with the weight n+ n- / (n+ + n-): what the last token alone tells
    is no part of the direction. Raises WhiteBoxError where no token ends prompts
    of both classes.
    """
    states = [last_states(box, rows, layer) for rows in sides]
    ends = [np.array([row[-1] for row in rows.ids]) for rows in sides]
    shared = np.intersect1d(ends[0], ends[1])
    if not len(shared):
        raise WhiteBoxError(
            "prompts of the two classes end in no common token, so that a direction between them would be that of "
            "their last token: draw more sequences, or see classes that are less extreme"
        )
    counts = np.array([[(end == token).sum() for end in ends] for token in shared], dtype=np.float64)
    weight = counts.prod(axis=1) / counts.sum(axis=1)
    steps = [states[0][ends[0] == t].mean(0) - states[1][ends[1] == t].mean(0) for t in shared]
    vector = np.average(np.array(steps, dtype=np.float64), axis=0, weights=weight)
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise WhiteBoxError(
            f"the two classes have the same mean at layer {layer}: no direction lies between them"
        )
    norm = float(np.linalg.norm(np.concatenate(states).astype(np.float64), axis=1).mean())
    return Direction(
        layer, (vector / length).astype(np.float32), length, norm, "mean difference, last tokens alike"
    )


def last_states(box: WhiteBox, rows: TokenRows, layer: int) -> States:
    """Return the stream after a block at the last token: (n_rows, width)."""
    return np.ascontiguousarray(box.captured(rows, [Site(layer, "output", "last")])[:, 0, 0])


def _asked(
    aligner: Aligner, title: str, trials: Seq[WhiteBoxTrial], n: int, question: int, repetitions: int
) -> Asked:
    jobs = []
    for trial in trials:
        context = trial.prompt.symbols[:n]
        evidence, asks = context[: n - question], context[n - question :]
        prompt = replace(trial.prompt, symbols=evidence * repetitions + asks)
        aligned = aligner.align(Request("prefixes", prompt, (len(prompt.symbols),)))
        ((row,), last) = aligned.rows, aligned.rows[0].positions[0]
        ends = Row(row.tokens[: last + 1], (last,), row.context_lengths)
        jobs.append(RowJob(ends, aligned.symbol_ids))
    if len({len(job.symbol_ids) for job in jobs}) > 1:
        raise WhiteBoxError(
            f"{title}: prompts of sets of symbols of different sizes are no trials of one concept"
        )
    return Asked(tuple(jobs))
