"""The run directory: journal, cache and resume in one SQLite file (WAL).

A reply is committed before anything is made of it, under the digest of its
request, so the same command never pays for it twice. One process writes at a
time; any number may read.
"""

import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RunLocked, StoreError, StoreFull, WrongRun
from harness.lock import hold_lock
from harness.types import Failure, FailureKind, Reply

STORE_VERSION = 1
_FILE = "run.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS models (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conditions (digest TEXT PRIMARY KEY, symbols TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (
    digest BLOB PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, raw BLOB NOT NULL, packed INTEGER NOT NULL,
    prompt_tokens INTEGER, completion_tokens INTEGER, served_model TEXT NOT NULL,
    attempts INTEGER NOT NULL, seconds REAL NOT NULL, cost_usd REAL, created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (
    digest BLOB PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
    attempts INTEGER NOT NULL, created REAL NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request with what came of it, ready to be written."""

    digest: bytes
    model: str
    request: str
    outcome: Reply | Failure
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What one model's stored replies added up to; None where a number was not reported."""

    replies: int
    failures: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    served_models: tuple[str, ...]


class Store:
    """The stored replies of one run. Made by `open_store` (read) or `write_store` (write)."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection

    def get_meta(self, key: str) -> str | None:
        """Return one fact about the run, None if it was never set."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Record one fact about the run."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def models(self) -> dict[str, str]:
        """Return the record (JSON) of every model, in order of name."""
        return dict(self._db.execute("SELECT name, record FROM models ORDER BY name"))

    def set_model(self, name: str, record: str) -> None:
        """Record how a model is used in this run."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO models VALUES (?, ?)", (name, record))

    def check_symbols(self, condition: str, symbols_digest: str) -> None:
        """Raise StoreError if this condition was measured on other sequences than are generated now."""
        row = self._db.execute("SELECT symbols FROM conditions WHERE digest = ?", (condition,)).fetchone()
        if row is not None and row[0] != symbols_digest:
            raise StoreError(
                f"{self.path}: the sequences of condition {condition[:12]} are not those of this run: its family "
                "was changed since; analyse it with the version that measured it, or run into a new directory"
            )

    def set_symbols(self, condition: str, symbols_digest: str) -> None:
        """Record the digest of the first sequence of a condition, checking an earlier one."""
        self.check_symbols(condition, symbols_digest)
        with self._writing():
            self._db.execute("INSERT OR IGNORE INTO conditions VALUES (?, ?)", (condition, symbols_digest))

    def add(self, answers: Sequence[Answer]) -> None:
        """Commit replies and failures together. Raises StoreFull; nothing half-written remains."""
        now = time.time()
        replies = [_reply_row(a, a.outcome, now) for a in answers if isinstance(a.outcome, Reply)]
        failures = [
            (a.digest, a.model, a.request, a.outcome.kind, a.outcome.detail, a.outcome.attempts, now)
            for a in answers
            if isinstance(a.outcome, Failure)
        ]
        with self._writing():
            self._db.executemany(f"INSERT OR IGNORE INTO replies VALUES ({','.join('?' * 12)})", replies)
            self._db.executemany(f"INSERT OR REPLACE INTO failures VALUES ({','.join('?' * 7)})", failures)
            self._db.executemany("DELETE FROM failures WHERE digest = ?", [(row[0],) for row in replies])

    def settled(self, digests: Iterable[bytes]) -> set[bytes]:
        """Return those requests that need not be asked: answered, or failed for good."""
        wanted = list(digests)
        found = {row[0] for row in self._select("SELECT digest FROM replies WHERE digest IN", wanted)}
        failed = self.failures(wanted)
        return found | {d for d, failure in failed.items() if not failure.transient}

    def raws(self, digests: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the stored replies of these requests, as they came."""
        rows = self._select("SELECT digest, raw, packed FROM replies WHERE digest IN", list(digests))
        return {d: zlib.decompress(raw) if packed else raw for d, raw, packed in rows}

    def failures(self, digests: Iterable[bytes]) -> dict[bytes, Failure]:
        """Return the recorded failures of these requests."""
        rows = self._select(
            "SELECT digest, kind, detail, attempts FROM failures WHERE digest IN", list(digests)
        )
        return {d: Failure(_kind(kind), detail, attempts) for d, kind, detail, attempts in rows}

    def spending(self, model: str) -> Spending:
        """Return what one model's calls added up to."""
        count, tokens_in, tokens_out, cost, missing = self._db.execute(
            "SELECT count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost_usd), "
            "sum(cost_usd IS NULL) FROM replies WHERE model = ?",
            (model,),
        ).fetchone()
        failed = self._db.execute("SELECT count(*) FROM failures WHERE model = ?", (model,)).fetchone()[0]
        served = self._db.execute(
            "SELECT DISTINCT served_model FROM replies WHERE model = ? AND served_model != '' ORDER BY 1",
            (model,),
        )
        spent = None if missing else cost
        return Spending(count, failed, tokens_in, tokens_out, spent, tuple(row[0] for row in served))

    def close(self) -> None:
        """Close the file; a writer folds the journal into it first."""
        self._db.close()

    def _select(self, sql: str, digests: list[bytes]) -> Iterator[tuple]:  # type: ignore[type-arg]
        for i in range(0, len(digests), 500):
            part = digests[i : i + 500]
            yield from self._db.execute(f"{sql} ({','.join('?' * len(part))})", part)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with _store_errors(self.path), self._db:
            yield


def open_store(run_dir: Path) -> Store:
    """Open a run for reading. Raises StoreError if there is none or it is from a newer version."""
    path = run_dir / _FILE
    if not path.is_file():
        raise StoreError(
            f"{run_dir}: no run here ({_FILE} is missing); icl ls runs lists those below this folder"
        )
    with _store_errors(path):
        store = Store(path, sqlite3.connect(f"file:{path}?mode=ro", uri=True))
        _check_version(store)
    return store


@contextmanager
def write_store(run_dir: Path, suite: str, suite_digest: str) -> Iterator[Store]:
    """Open a run for writing, made if new, held against other processes until left.

    Raises RunLocked, WrongRun (another suite), StoreFull (cannot be written).
    """
    path = run_dir / _FILE
    with _store_errors(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
    with hold_lock(run_dir / "run.lock"):
        with _store_errors(path):
            store = Store(path, sqlite3.connect(path))
            store._db.execute("PRAGMA journal_mode = WAL")
            store._db.execute("PRAGMA synchronous = NORMAL")
            store._db.executescript(_SCHEMA)
        try:
            _check_version(store)
            _check_suite(store, suite, suite_digest)
            yield store
        finally:
            store.close()


def _check_suite(store: Store, suite: str, digest: str) -> None:
    known = store.get_meta("suite_digest")
    if known is None:
        store.set_meta("version", str(STORE_VERSION))
        store.set_meta("suite_digest", digest)
    elif known != digest:
        raise WrongRun(
            f"{store.path.parent} holds a run of suite {store.get_meta('suite')!r} "
            f"(digest {known[:12]}), not of {suite!r} (digest {digest[:12]}); give another -o, or none"
        )


def _check_version(store: Store) -> None:
    version = int(store.get_meta("version") or STORE_VERSION)
    if version > STORE_VERSION:
        raise StoreError(
            f"{store.path}: written by a newer icl-harness (store version {version}, this one reads up to "
            f"{STORE_VERSION}); upgrade to open it"
        )


def _reply_row(answer: Answer, reply: Reply, now: float) -> tuple[object, ...]:
    packed = zlib.compress(reply.raw, 1)
    smaller = len(packed) < len(reply.raw)
    return (
        *(answer.digest, answer.model, answer.request, packed if smaller else reply.raw, smaller),
        *(reply.prompt_tokens, reply.completion_tokens, reply.served_model, reply.attempts, reply.seconds),
        *(answer.cost_usd, now),
    )


def _kind(text: str) -> FailureKind:
    return text  # type: ignore[return-value]


@contextmanager
def _store_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into our own errors."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text:
            raise RunLocked(
                f"{path}: another process is writing to this run; wait for it or stop it"
            ) from error
        if any(w in text for w in ("full", "readonly", "unable to open", "disk I/O")):
            raise StoreFull(
                f"{path}: cannot be written ({text}); all replies committed so far are kept; free space or make "
                "the directory writable, and run the same command again"
            ) from error
        raise StoreError(f"{path}: {text}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: not a run of icl-harness, or damaged ({error})") from error
    except OSError as error:
        raise StoreFull(
            f"{path}: cannot be written ({error}); give another -o or make it writable"
        ) from error
