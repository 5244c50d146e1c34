"""A run directory opened: for reading by any number of processes, for writing by one."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import StoreError, WrongRun
from harness.lock import hold_lock
from harness.store import Store
from harness.store_errors import store_errors
from harness.store_schema import STORE_VERSION, show_as_current, upgrade

_FILE = "run.sqlite"


def has_run(run_dir: Path) -> bool:
    """Return whether this directory holds a run."""
    return (run_dir / _FILE).is_file()


def open_store(run_dir: Path) -> Store:
    """Open a run for reading. Raises StoreError if there is none or it is from a newer version."""
    path = run_dir / _FILE
    if not has_run(run_dir):
        raise StoreError(
            f"{run_dir}: no run here ({_FILE} is missing); icl ls runs lists those below this folder"
        )
    with store_errors(path):
        store = Store(path, sqlite3.connect(f"file:{path}?mode=ro", uri=True))
        _check_version(store)
        show_as_current(store._db)
    return store


@contextmanager
def write_store(run_dir: Path, suite: str, suite_digest: str) -> Iterator[Store]:
    """Open a run for writing, made if new, held against other processes until left.

    Raises RunLocked, WrongRun (another suite), StoreFull (cannot be written).
    """
    path = run_dir / _FILE
    with store_errors(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
    with hold_lock(run_dir / "run.lock"):
        with store_errors(path):
            store = Store(path, sqlite3.connect(path))
            store._db.execute("PRAGMA journal_mode = WAL")
            # A reply that was paid for survives a power cut too; replies that come together share one flush.
            store._db.execute("PRAGMA synchronous = FULL")
        try:
            _check_version(store)
            with store_errors(path):
                upgrade(store._db)
            _check_suite(store, suite, suite_digest)
            yield store
        finally:
            store.close()


def _check_suite(store: Store, suite: str, digest: str) -> None:
    known = store.get_meta("suite_digest")
    if store.get_meta("version") != str(STORE_VERSION):
        store.set_meta("version", str(STORE_VERSION))
    if known is None:
        store.set_meta("suite_digest", digest)
    elif known != digest:
        raise WrongRun(
            f"{store.path.parent} holds a run of suite {store.get_meta('suite')!r} "
            f"(digest {known[:12]}), not of {suite!r} (digest {digest[:12]}); give another -o, or none"
        )


def _check_version(store: Store) -> None:
    has_meta = store._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    version = int((store.get_meta("version") if has_meta else None) or STORE_VERSION)
    if version > STORE_VERSION:
        raise StoreError(
            f"{store.path}: written by a newer icl-harness (store version {version}, this one reads up to "
            f"{STORE_VERSION}); upgrade to open it"
        )
