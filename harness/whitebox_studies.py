"""A suite's tasks as white-box studies: the sequences that the behaviour is measured on, labelled by a concept."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.capability_spec import OtherConcept
from harness.conditions import Condition
from harness.errors import SpecError
from harness.expansion import expand
from harness.spec import SuiteSpec, Sweep, TaskSpec
from harness.types import Sequence
from harness.types.whitebox import WhiteBoxStudy, WhiteBoxTrial
from harness.whitebox_spec import WhiteBoxSpec

_LEAST = 4  # trials of a label: a decoder trained on fewer says nothing


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A study with what the suite asks of it."""

    spec: WhiteBoxSpec
    study: WhiteBoxStudy


def studies_of(suite: SuiteSpec, *, limit: int | None = None) -> list[Asked]:
    """Return one study for each task with a `whitebox:` section, generated anew from the suite.

    Raises SpecError for a concept that has one value only, or too few sequences of one.
    """
    found = []
    for i, task in enumerate(suite.tasks):
        if task.whitebox is None:
            continue
        conditions = expand(suite.model_copy(update={"tasks": [task]}), limit=limit)
        study = _study(suite, task, task.whitebox.concept, conditions, i)
        if task.whitebox.capability is not None:
            study = replace(study, other=_other(suite, task, task.whitebox.capability.wrong, i, limit))
        found.append(Asked(task.whitebox, study))
    return found


def _other(
    suite: SuiteSpec, task: TaskSpec, asked: OtherConcept, place: int, limit: int | None
) -> WhiteBoxStudy:
    """Return sequences of another concept, as many and as long as the task's and written as they are."""
    symbols = task.render.symbols if asked.family == task.family else None
    other = task.model_copy(
        update={
            "family": asked.family,
            "params": {**asked.params, asked.concept: Sweep(sweep=[*asked.values])},
            "controls": [],
            "readout": "next_symbol",
            "cognitive": None,
            "phases": None,
            "whitebox": None,
            "render": task.render.model_copy(update={"symbols": symbols}),
        }
    )
    conditions = expand(suite.model_copy(update={"tasks": [other]}), limit=limit)
    return _study(suite, other, asked.concept, conditions, place)


def _study(
    suite: SuiteSpec, task: TaskSpec, concept: str, conditions: list[Condition], place: int
) -> WhiteBoxStudy:
    shown = conditions if concept == "control" else [c for c in conditions if c.control is None]
    named = [trial for condition in shown for trial in _labelled(condition, concept)]
    labels = tuple(dict.fromkeys(label for label, *_ in named))
    for label in labels:
        n = sum(label == other for other, *_ in named)
        if n < _LEAST or len(labels) < 2:
            raise SpecError(
                f"suite {suite.name}, tasks[{place}]: whitebox concept {concept!r} has {len(labels)} value(s), "
                f"{label!r} with {n} sequences; at least two values with {_LEAST} sequences each can be told apart"
            )
    groups = {key: g for g, key in enumerate(dict.fromkeys(key for _, key, *_ in named))}
    trials = tuple(
        WhiteBoxTrial(
            sequence=f"{condition.digest[:8]}-{replicate}",
            condition=condition.id,
            label=labels.index(label),
            group=groups[key],
            prompt=condition.prompt(sequence, replicate),
            params=condition.params,
            drawn=sequence if task.whitebox is not None and task.whitebox.capability is not None else None,
        )
        for label, key, condition, replicate, sequence in named
    )
    lengths = tuple(sorted({n for c in shown for n in c.levels}))
    return WhiteBoxStudy(
        title=_title(task, shown[0]),
        concept=concept,
        labels=labels,
        context_lengths=lengths,
        trials=trials,
        seed=suite.seed,
        digest=_digest(concept, labels, lengths, suite.seed, trials),
    )


def _labelled(
    condition: Condition, concept: str
) -> Iterator[tuple[str, tuple[str, int], Condition, int, Sequence]]:
    """Yield label, key of what it shares symbols with, condition, replicate and sequence of each trial."""
    base = json.dumps([condition.family, sorted(condition.params.items())], default=list)
    for replicate in range(condition.sequences):
        sequence = condition.sequence(replicate)
        if concept == "control":
            label = condition.control or "as it is"
        elif concept == "sequence":
            label = sequence.concept
        else:
            label = str(condition.params[concept])
        yield label, (base, replicate), condition, replicate, sequence


def _title(task: TaskSpec, condition: Condition) -> str:
    """Return the task in words: its family and what it sets that is not swept."""
    fixed = {k: condition.params[k] for k in task.params if k not in condition.swept}
    return ", ".join([task.family, *(f"{k} {v}" for k, v in fixed.items())])


def _digest(
    concept: str,
    labels: tuple[str, ...],
    lengths: tuple[int, ...],
    seed: int,
    trials: tuple[WhiteBoxTrial, ...],
) -> str:
    hashed = hashlib.sha256(json.dumps([concept, labels, lengths, seed]).encode())
    for t in trials:
        text = t.prompt.instruction + t.prompt.text(len(t.prompt.symbols))
        hashed.update(json.dumps([t.sequence, t.label, t.group, text, t.prompt.surfaces]).encode())
    return hashed.hexdigest()
