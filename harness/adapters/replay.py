"""A stored run as a model: `replay/RUN_DIR` answers as the model of that run did, from its replies alone.

Nothing is sent anywhere and nothing costs. A request that the run does not hold
is a failure, never a guess. Where a run has several models,
`replay/RUN_DIR?model=provider/name` says which.
"""

import json
from collections.abc import Sequence as Seq
from pathlib import Path

from harness.errors import ModelError, SpecError, suggestion
from harness.model_records import ModelRecord, read_record
from harness.registry import load_reader
from harness.requests import request_digest
from harness.store import Store
from harness.store_files import open_store
from harness.types import Capabilities, Failure, Form, Model, Reply, Request, Response


def open_model(name: str) -> Model:
    """Return the model of a stored run. Raises StoreError, or SpecError for a model it does not hold."""
    path, _, query = name.partition("?")
    key, _, wanted = query.partition("=")
    if query and key != "model":
        raise SpecError(
            f"model 'replay/{name}': {key!r} is no option; write replay/RUN_DIR?model=provider/name"
        )
    store = open_store(Path(path))
    records = store.models()
    if not records:
        raise ModelError(f"replay/{name}: no model was asked anything in that run")
    if wanted and wanted not in records:
        raise SpecError(f"replay/{name}: that run has no model {wanted!r}{suggestion(wanted, records)}")
    if not wanted and len(records) > 1:
        raise SpecError(
            f"replay/{name}: that run has {len(records)} models; write replay/{path}?model=NAME with one of "
            f"{', '.join(records)}"
        )
    original = wanted or next(iter(records))
    return ReplayModel(name, store, original, read_record(records[original]))


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says, by the reader of the provider that gave it; pure."""
    head, _, body = raw.partition(b"\n")
    return load_reader(json.loads(head)["model"])(request, body)


class ReplayModel:
    """The model of a stored run, as far as its replies go."""

    batch_size = 64  # one look-up for many
    attempts = 1

    def __init__(self, name: str, store: Store, original: str, record: ModelRecord) -> None:
        self.name = f"replay/{name}"
        self._store, self._original, self._record = store, original, record

    @property
    def fingerprint(self) -> str:
        """The model that answered, and what it was."""
        return f"{self._original} {self._record.fingerprint}"

    @property
    def settings(self) -> dict[str, str]:
        """What the run recorded of the model."""
        return {"replayed": self._original, **self._record.settings}

    async def probe(self, surfaces: Seq[str], between: str, form: Form = "completion") -> Capabilities:
        """Return what the run established; nothing is asked."""
        del surfaces, between, form
        return self._record.capabilities

    def check(self, request: Request) -> None:
        """Accept everything: what the run does not hold fails by itself."""

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002
        """Return None: no tokenizer is opened."""
        return None

    async def send(self, requests: Seq[Request]) -> list[Reply | Failure]:
        """Answer each request as the run did, in order."""
        digests = [request_digest(self._original, self._record.fingerprint, r) for r in requests]
        replies, failures = self._store.replies(digests), self._store.failures(digests)
        return [self._answer(d, replies, failures) for d in digests]

    async def close(self) -> None:
        """Close the run."""
        self._store.close()

    def _answer(
        self, digest: bytes, replies: dict[bytes, Reply], failures: dict[bytes, Failure]
    ) -> Reply | Failure:
        if digest not in replies:
            detail = "the replayed run holds no answer to this request; was its suite or seed another?"
            return failures.get(digest, Failure("request", detail))
        reply = replies[digest]
        head = json.dumps({"model": self._original}).encode()
        return Reply(
            head + b"\n" + reply.raw, reply.prompt_tokens, reply.completion_tokens, reply.served_model, 1, 0.0
        )
