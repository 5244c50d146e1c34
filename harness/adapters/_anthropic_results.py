"""What Anthropic says of message batches: how they stand, and their results, one JSON object a line. Pure."""

import json
from datetime import datetime

from pydantic import BaseModel, ValidationError

from harness.adapters._anthropic_reading import error_failure, spent
from harness.adapters._status import excerpt
from harness.types import Failure, Reply


class _Counts(BaseModel):
    processing: int
    succeeded: int
    errored: int
    canceled: int
    expired: int


class Batch(BaseModel):
    """One batch as the service describes it."""

    id: str
    processing_status: str  # "in_progress", "canceling" or "ended"
    request_counts: _Counts  # all "processing" until the whole batch has ended
    created_at: datetime
    results_url: str | None = None

    @property
    def ended(self) -> bool:
        """Whether every request has its outcome."""
        return self.processing_status == "ended"

    @property
    def done(self) -> int:
        """How many requests have their outcome."""
        counts = self.request_counts
        return counts.succeeded + counts.errored + counts.canceled + counts.expired

    @property
    def total(self) -> int:
        """How many requests there are."""
        return self.done + self.request_counts.processing


class Page(BaseModel):
    """A part of the list of batches, the newest first."""

    data: list[Batch]
    has_more: bool = False


class _Result(BaseModel):
    type: str
    message: dict[str, object] | None = None
    error: dict[str, object] | None = None


class _Line(BaseModel):
    custom_id: str
    result: _Result


def parse_batch(raw: bytes) -> Batch | Failure:
    """Return a batch, or why this is none."""
    try:
        return Batch.model_validate_json(raw)
    except ValidationError:
        return _malformed("no message batch", raw)


def parse_page(raw: bytes) -> Page | Failure:
    """Return a page of the list of batches, or why this is none."""
    try:
        return Page.model_validate_json(raw)
    except ValidationError:
        return _malformed("no list of message batches", raw)


def parse_results(raw: bytes) -> dict[str, Reply | Failure]:
    """Return the outcomes by the id of their request; a line that is damaged belongs to nobody."""
    found: dict[str, Reply | Failure] = {}
    for text in raw.splitlines():
        try:
            line = _Line.model_validate_json(text)
        except ValidationError:
            continue
        found[line.custom_id] = _outcome(line.result)
    return found


def _outcome(result: _Result) -> Reply | Failure:
    if result.type == "succeeded" and result.message is not None:
        raw = json.dumps(result.message, separators=(",", ":")).encode()
        found = spent(raw)
        return found if isinstance(found, Failure) else found.reply(raw)
    if result.type == "errored" and result.error is not None:
        return error_failure(json.dumps(result.error).encode())
    if result.type == "expired":
        return Failure("timeout", "the batch expired before this request was carried out")
    if result.type == "canceled":
        return Failure("server", "the batch was canceled before this request was carried out")
    return Failure("malformed", f"a batch result of type {result.type!r}", doubtful=1)


def _malformed(words: str, raw: bytes) -> Failure:
    return Failure("malformed", f"{words}: {excerpt(raw[:1024].decode('utf-8', 'replace'))!r}")
