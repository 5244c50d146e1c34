"""What Google says of batches of generateContent: how they stand, and their results. Pure."""

import json
from collections.abc import Sequence as Seq
from datetime import datetime

from pydantic import Field, ValidationError

from harness.adapters._google_reading import Camel, Error, error_failure, spent
from harness.adapters._status import excerpt
from harness.types import BatchState, Failure, Reply

_ENDED = ("SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")


class _Stats(Camel):
    # 64-bit numbers come as text, and not at all where they are 0.
    request_count: int = 0
    pending_request_count: int = 0


class _Item(Camel):
    response: dict[str, object] | None = None
    error: Error | None = None
    metadata: dict[str, str] | None = None


class _Items(Camel):
    inlined_responses: list[_Item] = Field(default_factory=list)


class _Output(Camel):
    inlined_responses: _Items | None = None


class _Metadata(Camel):
    display_name: str = ""
    state: str = ""
    create_time: datetime | None = None
    batch_stats: _Stats | None = None
    output: _Output | None = None


class Batch(Camel):
    """One batch as the service describes it: an operation."""

    name: str  # "batches/..."
    metadata: _Metadata
    response: _Output | None = None  # where older servers put the output
    error: Error | None = None

    @property
    def word(self) -> str:
        """Its state without the prefix."""
        return self.metadata.state.rpartition("STATE_")[2]

    @property
    def ended(self) -> bool:
        """Whether nothing more is going to happen; a state that nobody documented counts as going on."""
        return self.word in _ENDED

    def state(self, total: int) -> BatchState:
        """Return how far it has got; `total` is used where the service does not count."""
        stats = self.metadata.batch_stats or _Stats()
        counted = stats.request_count or total
        return BatchState(self.word, max(0, stats.request_count - stats.pending_request_count), counted)

    def outcomes(self, ids: Seq[str]) -> dict[str, Reply | Failure]:
        """Return what became of each of these requests once the batch has ended.

        A result bears the key of its request. Where the service leaves the keys
        out, as users have seen, its documentation says that results come in the
        order of the requests, which is believed if there are as many.
        """
        output = self.metadata.output or self.response
        items = output.inlined_responses.inlined_responses if output and output.inlined_responses else []
        keys = [(item.metadata or {}).get("key") for item in items]
        if not any(keys) and len(items) == len(ids):
            keys = list(ids)
        found = {key: _outcome(item) for key, item in zip(keys, items, strict=True) if key}
        unmade = self._unmade()
        return {key: found.get(key, unmade) for key in ids}

    def _unmade(self) -> Failure:
        if self.word == "EXPIRED":
            return Failure("timeout", "the batch expired before this request was carried out")
        if self.word == "CANCELLED":
            return Failure("server", "the batch was cancelled before this request was carried out")
        if self.word == "FAILED":
            why = excerpt(self.error.message) if self.error else "no reason given"
            return Failure("server", f"the batch failed: {why}")
        return Failure("truncated", "the batch ended without a result for this request", doubtful=1)


class Page(Camel):
    """A part of the list of batches."""

    operations: list[Batch] = Field(default_factory=list)
    next_page_token: str = ""


def parse_batch(raw: bytes) -> Batch | Failure:
    """Return a batch, or why this is none."""
    try:
        return Batch.model_validate_json(raw)
    except ValidationError:
        return _malformed("no batch", raw)


def parse_page(raw: bytes) -> Page | Failure:
    """Return a page of the list of batches, or why this is none."""
    try:
        return Page.model_validate_json(raw)
    except ValidationError:
        return _malformed("no list of batches", raw)


def _outcome(item: _Item) -> Reply | Failure:
    if item.response is None:
        error = item.error or Error(code=500, message="neither a response nor an error")
        return error_failure(error, json.dumps({"error": {"message": error.message}}).encode())
    raw = json.dumps(item.response, separators=(",", ":")).encode()
    found = spent(raw)
    return found if isinstance(found, Failure) else found.reply(raw)


def _malformed(words: str, raw: bytes) -> Failure:
    return Failure("malformed", f"{words}: {excerpt(raw[:1024].decode('utf-8', 'replace'))!r}")
