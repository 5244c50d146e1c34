"""The white-box part of a run: what a suite asks of a local model's inside, measured once and kept in the store.

How a kind of measurement plugs in (its engine: see local_models/whitebox/study.py):

1. harness/whitebox_spec.py: a field of `WhiteBoxSpec`, None where it is not
   asked, whose value is a strict pydantic model of its own;
2. a module of the core, named in `_KINDS` below, with two functions:
   `jobs(asked, study, n_layers) -> list[Job]`, the measurements to make, each of
   seconds to a minute, in an order that does not change; and
   `find(asked, done, study, behaviour, options, judgments) -> record | str`, what
   a report shows of the jobs that were done, or a sentence why there is nothing.
   `find` works offline, without torch, and is called again at every replay;
3. the record: a frozen dataclass in harness/types/, put into
   `WhiteBoxResult.findings` under the name of the kind;
4. harness/reporting/whitebox.py: an entry of `_SHOWN` for that name.

`done` are the (job, arrays) pairs that the store holds, in the order of `jobs`;
`behaviour` maps a condition's id to its `CurveResult`, whose `SequenceCurve`
names its sequences as the trials do.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module

from harness.errors import ModelError
from harness.judgments import Judgments
from harness.model_records import ModelRecord
from harness.spec import SuiteSpec
from harness.store import Store
from harness.types import AnalysisOptions, CurveResult, Model
from harness.types.decodability import AcrossModels
from harness.types.whitebox import Job, OpenModel, WhiteBoxResult, WhiteBoxStudy
from harness.whitebox_spec import WhiteBoxSpec
from harness.whitebox_store import done_jobs
from harness.whitebox_studies import Asked, studies_of

_KINDS = {  # kind of measurement -> module of the core with `jobs` and `find`
    "decodability": "harness.decodability",
    "steering": "harness.steering",
    "geometry": "harness.geometry",
    "induction": "harness.induction",
    "emergence": "harness.emergence",
    "capability": "harness.capability",
}


def has_whitebox(suite: SuiteSpec) -> bool:
    """Return whether any task asks what is inside."""
    return any(task.whitebox is not None for task in suite.tasks)


def jobs_of(spec: WhiteBoxSpec, study: WhiteBoxStudy, n_layers: int) -> dict[str, list[Job]]:
    """Return every measurement that a section asks for, by kind. Raises SpecError for a layer the model lacks."""
    return {
        kind: import_module(_KINDS[kind]).jobs(asked, study, n_layers) for kind, asked in spec.kinds.items()
    }


def refuse_closed(models: Sequence[Model]) -> None:
    """Raise ModelError for a model whose activations cannot be reached."""
    for model in models:
        if not isinstance(model, OpenModel):
            raise ModelError(
                f"{model.name}: only what it answers can be seen, not its activations; white-box measurements need a "
                "model that runs here (-m local/NAME). icl run measures its behaviour alone"
            )


def layers_key(model: str) -> str:
    """Return the name under which a store remembers how many blocks a model has."""
    return f"layers {model}"


def whitebox_results(
    store: Store,
    suite: SuiteSpec,
    limit: int | None,
    records: Mapping[str, ModelRecord],
    curves: Sequence[CurveResult],
    options: AnalysisOptions,
    judgments: Judgments,
) -> tuple[WhiteBoxResult, ...]:
    """Return what was found inside each model that was looked into, from the store alone."""
    if not has_whitebox(suite):
        return ()
    asked = studies_of(suite, limit=limit)
    found = []
    for name, record in records.items():
        n_layers = store.get_meta(layers_key(name))
        if n_layers is None:  # a model that cannot be looked into, or one that was not yet
            continue
        behaviour = {curve.id: curve for curve in curves if curve.model == name}
        found += [
            _result(store, one, name, record.fingerprint, int(n_layers), behaviour, options, judgments)
            for one in asked
        ]
    return tuple(found)


def whitebox_across(found: Sequence[WhiteBoxResult], options: AnalysisOptions) -> tuple[AcrossModels, ...]:
    """Return what holds over the models of a run, task by task."""
    tasks: dict[tuple[str, str], list[WhiteBoxResult]] = {}
    for result in found:
        tasks.setdefault((result.title, result.concept), []).append(result)
    if not any("decodability" in result.findings for result in found):
        return ()
    from harness.decodability import across

    return tuple(row for members in tasks.values() for row in across(members, options))


def _result(
    store: Store,
    asked: Asked,
    model: str,
    fingerprint: str,
    n_layers: int,
    behaviour: Mapping[str, CurveResult],
    options: AnalysisOptions,
    judgments: Judgments,
) -> WhiteBoxResult:
    study, findings, missing = asked.study, {}, []
    for kind, jobs in jobs_of(asked.spec, study, n_layers).items():
        done = done_jobs(store, fingerprint, study, kind, jobs)
        if len(done) < len(jobs):
            missing.append(
                f"{kind}: {len(done)} of {len(jobs)} measurements are done; the same command goes on"
            )
        if not done:
            continue
        section = asked.spec.kinds[kind]
        found = import_module(_KINDS[kind]).find(section, done, study, behaviour, options, judgments)
        if isinstance(found, str):
            missing.append(f"{kind}: {found}")
        else:
            findings[kind] = found
    return WhiteBoxResult(
        model=model,
        title=study.title,
        concept=study.concept,
        labels=study.labels,
        n_layers=n_layers,
        n_trials=len(study.trials),
        conditions=tuple(dict.fromkeys(trial.condition for trial in study.trials)),
        findings=findings,
        missing=tuple(missing),
    )
