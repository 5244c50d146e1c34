"""White-box measurements in a run's store: named arrays under the digest of model, trials and job."""

import hashlib
import io
import json
import time
from collections.abc import Sequence
from zipfile import BadZipFile

import numpy as np

from harness.errors import StoreError
from harness.store import Store
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy


def job_digest(fingerprint: str, study: WhiteBoxStudy, kind: str, job: Job) -> bytes:
    """Return the sha256 of everything that decides a measurement."""
    key = [fingerprint, study.digest, kind, job]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).digest()


def missing_jobs(
    store: Store, fingerprint: str, study: WhiteBoxStudy, kind: str, jobs: Sequence[Job]
) -> list[Job]:
    """Return the jobs that were not done yet, in order."""
    there = {row[0] for row in store._db.execute("SELECT digest FROM measurements WHERE kind = ?", (kind,))}
    return [job for job in jobs if job_digest(fingerprint, study, kind, job) not in there]


def add_measurement(
    store: Store,
    model: str,
    fingerprint: str,
    study: WhiteBoxStudy,
    kind: str,
    job: Job,
    *,
    arrays: Arrays,
    seconds: float,
) -> None:
    """Commit one measurement. Raises StoreFull; nothing half-written remains."""
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    digest = job_digest(fingerprint, study, kind, job)
    row = (digest, model, study.digest, kind, json.dumps(job, sort_keys=True), packed.getvalue())
    with store._writing():
        store._db.execute(
            "INSERT OR REPLACE INTO measurements VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, seconds, time.time()),
        )


def done_jobs(
    store: Store, fingerprint: str, study: WhiteBoxStudy, kind: str, jobs: Sequence[Job]
) -> list[tuple[Job, Arrays]]:
    """Return the jobs that were done, in order, with what they gave. Raises StoreError for a damaged row."""
    done: list[tuple[Job, Arrays]] = []
    for job in jobs:
        digest = job_digest(fingerprint, study, kind, job)
        row = store._db.execute("SELECT arrays FROM measurements WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            continue
        try:
            with np.load(io.BytesIO(row[0]), allow_pickle=False) as file:
                done.append((job, {name: file[name] for name in file.files}))
        except (ValueError, OSError, EOFError, BadZipFile) as error:
            raise StoreError(
                f"{store.path}: a stored measurement of kind {kind!r} is damaged ({error})"
            ) from error
    return done
