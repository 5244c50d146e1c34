"""White-box measurements made: every job of a run that the store does not hold yet, each committed when it ends."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.runner import Tally
from harness.store import Store
from harness.types import Model
from harness.types.whitebox import Job, OpenModel, WhiteBoxStudy
from harness.whitebox import jobs_of, layers_key
from harness.whitebox_store import add_measurement, missing_jobs
from harness.whitebox_studies import Asked


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """One measurement to be made."""

    model: OpenModel
    name: str
    fingerprint: str
    study: WhiteBoxStudy
    kind: str
    job: Job


async def look_inside(
    models: Sequence[Model], asked: Sequence[Asked], store: Store, tally: Tally, tick: Callable[[], None]
) -> None:
    """Make what is missing, model by model; stops between two measurements when the tally says so.

    Models that cannot be opened are left out. `tally.measured` counts.
    """
    work = [one for model in models for one in _missing(model, asked, store)]
    tally.measurements = len(work)
    for one in work:
        if tally.stopped is not None:
            return
        began = time.monotonic()
        arrays = await asyncio.to_thread(one.model.look_inside, one.kind, one.study, one.job)
        add_measurement(
            *(store, one.name, one.fingerprint, one.study, one.kind, one.job),
            arrays=arrays,
            seconds=time.monotonic() - began,
        )
        tally.measured += 1
        tick()


def _missing(model: Model, asked: Sequence[Asked], store: Store) -> list[_Work]:
    """Return what was not measured of a model; nothing for one that cannot be looked into."""
    if not asked or not isinstance(model, OpenModel):
        return []
    if store.get_meta(layers_key(model.name)) != str(model.n_layers):
        store.set_meta(layers_key(model.name), str(model.n_layers))
    at = model.name, model.fingerprint
    return [
        _Work(model, *at, one.study, kind, job)
        for one in asked
        for kind, jobs in jobs_of(one.spec, one.study, model.n_layers).items()
        for job in missing_jobs(store, at[1], one.study, kind, jobs)
    ]
