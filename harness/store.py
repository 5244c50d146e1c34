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

from harness.errors import StoreError
from harness.model_names import in_order
from harness.store_errors import store_errors
from harness.types import Failure, FailureKind, Reply


@dataclass(frozen=True, slots=True)
class Answer:
    """One request with what came of it, ready to be written."""

    digest: bytes
    model: str
    request: str
    outcome: Reply | Failure
    cost_usd: float | None  # of the answer, None where it cannot be known
    doubtful_usd: float = (
        0.0  # most that attempts without an answer, or an answer without a count, can have cost
    )


@dataclass(frozen=True, slots=True)
class Spending:
    """What one model's stored replies added up to; None where a number was not reported."""

    replies: int
    failures: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    served_models: tuple[str, ...]
    cached_tokens: int = 0  # of the prompt tokens
    hidden_tokens: int = 0  # of the completion tokens
    doubtful_usd: float = 0.0  # what may have been spent besides, at most


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """Requests handed to a provider together and not collected yet."""

    nonce: str  # our own name for it, told to the provider
    model: str
    id: str | None  # the provider's name for it; None if the process died before it was known
    bound_usd: float  # most that it can cost
    digests: tuple[bytes, ...]
    created: float  # Unix time, before it was handed in


class Store:
    """The stored replies of one run. Made by `open_store` (read) or `write_store` (write)."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._in_batches: set[bytes] | None = None

    def get_meta(self, key: str) -> str | None:
        """Return one fact about the run, None if it was never set."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Record one fact about the run."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def models(self) -> dict[str, str]:
        """Return the record (JSON) of every model, in order of name, checkpoints of a series in order of step."""
        records = dict(self._db.execute("SELECT name, record FROM models"))
        return {name: records[name] for name in sorted(records, key=in_order)}

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

    def add(self, answers: Sequence[Answer], *, left: StoredBatch | None = None) -> None:
        """Commit replies and failures together. Raises StoreFull; nothing half-written remains.

        Where the answers come from a batch, `left` is what remains open of it:
        without requests it is forgotten, in the same step.
        """
        now = time.time()
        replies = [_reply_row(a, a.outcome, now) for a in answers if isinstance(a.outcome, Reply)]
        failures = [
            (a.digest, a.model, a.request, a.outcome.kind, a.outcome.detail, a.outcome.attempts, now)
            for a in answers
            if isinstance(a.outcome, Failure)
        ]
        doubts = [(a.model, a.doubtful_usd, "no answer", now) for a in answers if a.doubtful_usd]
        with self._writing():
            self._db.executemany(f"INSERT OR IGNORE INTO replies VALUES ({','.join('?' * 14)})", replies)
            self._db.executemany(f"INSERT OR REPLACE INTO failures VALUES ({','.join('?' * 7)})", failures)
            self._db.executemany("DELETE FROM failures WHERE digest = ?", [(row[0],) for row in replies])
            self._db.executemany("INSERT INTO doubts VALUES (?, ?, ?, ?)", doubts)
            if left is not None:
                self._leave(left)

    def settled(self, digests: Iterable[bytes]) -> set[bytes]:
        """Return those requests that need not be asked: answered, failed for good, or in an open batch."""
        wanted = list(digests)
        found = {row[0] for row in self._select("SELECT digest FROM replies WHERE digest IN", wanted)}
        failed = self.failures(wanted)
        return found | self._batched().intersection(wanted) | {d for d, f in failed.items() if f.final}

    def replies(self, digests: Iterable[bytes]) -> dict[bytes, Reply]:
        """Return the stored replies to these requests, as they came."""
        columns = (
            "digest, packed, raw, prompt_tokens, completion_tokens, served_model, attempts, seconds, "
            "cached_tokens, hidden_tokens"
        )
        found = {}
        for row in self._select(f"SELECT {columns} FROM replies WHERE digest IN", list(digests)):
            digest, packed, raw, tokens_in, tokens_out, served, attempts, seconds, cached, hidden = row
            raw = zlib.decompress(raw) if packed else raw
            found[digest] = Reply(
                *(raw, tokens_in, tokens_out, served, attempts, seconds),
                cached_tokens=cached,
                hidden_tokens=hidden,
            )
        return found

    def failures(self, digests: Iterable[bytes]) -> dict[bytes, Failure]:
        """Return the recorded failures of these requests."""
        rows = self._select(
            "SELECT digest, kind, detail, attempts FROM failures WHERE digest IN", list(digests)
        )
        return {d: Failure(_kind(kind), detail, attempts) for d, kind, detail, attempts in rows}

    def cost(self, digests: Iterable[bytes]) -> float | None:
        """Return what the stored replies to these requests cost together, None if one cost is unknown."""
        costs = [
            row[0] for row in self._select("SELECT cost_usd FROM replies WHERE digest IN", list(digests))
        ]
        return None if None in costs else sum(costs)

    def plan_batch(self, batch: StoredBatch) -> None:
        """Record a batch before it is handed in, so that it is found again if the process dies meanwhile."""
        row = (batch.nonce, batch.model, batch.id, batch.bound_usd, b"".join(batch.digests), batch.created)
        self._in_batches = None
        with self._writing():
            self._db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)", row)

    def name_batch(self, nonce: str, batch_id: str) -> None:
        """Record the provider's name of a batch that was handed in."""
        with self._writing():
            self._db.execute("UPDATE batches SET id = ? WHERE nonce = ?", (batch_id, nonce))

    def drop_batch(self, nonce: str) -> None:
        """Forget a batch that was collected or came to nothing."""
        self._in_batches = None
        with self._writing():
            self._db.execute("DELETE FROM batches WHERE nonce = ?", (nonce,))

    def batches(self) -> list[StoredBatch]:
        """Return the batches that are not collected yet, oldest first."""
        rows = self._db.execute(
            "SELECT nonce, model, id, bound_usd, digests, created FROM batches ORDER BY created, nonce"
        )
        return [
            StoredBatch(
                *(nonce, model, id_, bound, tuple(all_[i : i + 32] for i in range(0, len(all_), 32))), created
            )
            for nonce, model, id_, bound, all_, created in rows
        ]

    def _leave(self, left: StoredBatch) -> None:
        self._in_batches = None
        if left.digests:
            row = (b"".join(left.digests), left.bound_usd, left.nonce)
            self._db.execute("UPDATE batches SET digests = ?, bound_usd = ? WHERE nonce = ?", row)
        else:
            self._db.execute("DELETE FROM batches WHERE nonce = ?", (left.nonce,))

    def _batched(self) -> set[bytes]:
        if self._in_batches is None:
            self._in_batches = {digest for batch in self.batches() for digest in batch.digests}
        return self._in_batches

    def spent_usd(self, model: str) -> float:
        """Return all that one model's calls cost or may have cost, in US dollars."""
        row = self._db.execute("SELECT sum(cost_usd) FROM replies WHERE model = ?", (model,)).fetchone()
        doubt = self._db.execute("SELECT sum(usd) FROM doubts WHERE model = ?", (model,)).fetchone()
        return (row[0] or 0.0) + (doubt[0] or 0.0)

    def add_doubt(self, model: str, usd: float, reason: str) -> None:
        """Record money that may have been spent without an answer to show for it."""
        with self._writing():
            self._db.execute("INSERT INTO doubts VALUES (?, ?, ?, ?)", (model, usd, reason, time.time()))

    def spending(self, model: str) -> Spending:
        """Return what one model's calls added up to."""
        count, tokens_in, tokens_out, cost, missing, cached, hidden = self._db.execute(
            "SELECT count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost_usd), "
            "sum(cost_usd IS NULL), sum(cached_tokens), sum(hidden_tokens) FROM replies WHERE model = ?",
            (model,),
        ).fetchone()
        doubt = self._db.execute("SELECT sum(usd) FROM doubts WHERE model = ?", (model,)).fetchone()[0]
        failed = self._db.execute("SELECT count(*) FROM failures WHERE model = ?", (model,)).fetchone()[0]
        served = self._db.execute(
            "SELECT DISTINCT served_model FROM replies WHERE model = ? AND served_model != '' ORDER BY 1",
            (model,),
        )
        spent = None if missing else cost
        ids = tuple(row[0] for row in served)
        return Spending(
            *(count, failed, tokens_in, tokens_out, spent, ids, cached or 0, hidden or 0, doubt or 0.0)
        )

    def close(self) -> None:
        """Close the file; a writer folds the journal into it first."""
        self._db.close()

    def _select(self, sql: str, digests: list[bytes]) -> Iterator[tuple]:  # type: ignore[type-arg]
        for i in range(0, len(digests), 500):
            part = digests[i : i + 500]
            yield from self._db.execute(f"{sql} ({','.join('?' * len(part))})", part)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with store_errors(self.path), self._db:
            yield


def _reply_row(answer: Answer, reply: Reply, now: float) -> tuple[object, ...]:
    packed = zlib.compress(reply.raw, 1)
    smaller = len(packed) < len(reply.raw)
    return (
        *(answer.digest, answer.model, answer.request, packed if smaller else reply.raw, smaller),
        *(reply.prompt_tokens, reply.completion_tokens, reply.served_model, reply.attempts, reply.seconds),
        *(answer.cost_usd, now, reply.cached_tokens, reply.hidden_tokens),
    )


def _kind(text: str) -> FailureKind:
    return text  # type: ignore[return-value]
