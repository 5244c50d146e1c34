"""How a provider says a batch stands: its JSON, in the words of OpenAI, Mistral or Together."""

from datetime import datetime
from typing import NamedTuple

from pydantic import AliasChoices, BaseModel, Field, TypeAdapter, ValidationError

from harness.adapters._batch_service import NONCE
from harness.adapters._status import excerpt, failure_of_code
from harness.types import BatchState, Failure

_RUNNING = frozenset(
    {
        *("validating", "in_progress", "finalizing", "cancelling"),  # OpenAI; Together in upper case
        *("queued", "running", "cancellation_requested"),  # Mistral
    }
)
_DONE = frozenset({"completed", "success"})
_EXPIRED = frozenset({"expired", "timeout_exceeded"})
_CANCELLED = frozenset({"cancelled"})
ENDED = _DONE | _EXPIRED | _CANCELLED | {"failed"}


class _Counts(BaseModel):
    total: int | None = None
    completed: int | None = None
    failed: int | None = None


class _JobError(BaseModel):
    code: str | None = None
    message: str | None = None


class _JobErrors(BaseModel):
    data: list[_JobError] | None = None


class Job(BaseModel):
    """One batch as its provider describes it."""

    id: str = Field(min_length=1)
    status: str = Field(min_length=1)
    created_at: int | datetime | None = None
    input_file_id: str | None = None
    input_files: list[str] | None = None
    output: str | None = Field(None, validation_alias=AliasChoices("output_file_id", "output_file"))
    rejects: str | None = Field(None, validation_alias=AliasChoices("error_file_id", "error_file"))
    metadata: dict[str, object] | None = None
    request_counts: _Counts | None = None
    total_requests: int | None = None
    completed_requests: int | None = None
    progress: float | None = None  # Together's: 0 to 100
    errors: _JobErrors | list[_JobError] | None = None
    error: str | None = None

    @property
    def word(self) -> str:
        """Its status in lower case."""
        return self.status.lower()

    @property
    def ended(self) -> bool:
        """Whether nothing more is going to happen; a status that nobody documented counts as going on."""
        return self.word in ENDED

    @property
    def nonce(self) -> str | None:
        """Our own name of it, None if it bears none."""
        value = (self.metadata or {}).get(NONCE)
        return value if isinstance(value, str) else None

    @property
    def made(self) -> float | None:
        """When it was made, in Unix time, None if not said."""
        return self.created_at.timestamp() if isinstance(self.created_at, datetime) else self.created_at

    @property
    def files(self) -> tuple[str, ...]:
        """The uploaded files it was made of."""
        return tuple(self.input_files or ()) + ((self.input_file_id,) if self.input_file_id else ())

    @property
    def lines(self) -> int | None:
        """How many results there must be in its files, None if not said."""
        if self.completed_requests is not None:
            return self.completed_requests  # Mistral's: those that failed included
        counts = self.request_counts
        if counts is None or counts.completed is None:
            return None
        return counts.completed + (counts.failed or 0)

    def results(self, asked: int) -> int:
        """Return how many results its files must hold; `asked` is used where the provider does not count."""
        if self.lines is not None:
            return self.lines
        return asked if self.word in _DONE else 0

    def state(self, total: int) -> BatchState:
        """Return how far it has got; `total` is used where the provider does not count."""
        counted = self.request_counts.total if self.request_counts else self.total_requests
        done = self.lines if self.progress is None else round(self.progress / 100 * total)
        return BatchState(self.status, done or 0, counted or total)

    def complaint(self) -> str:
        """Return what the provider found wrong with the whole batch, "" if it says nothing."""
        found = (self.errors.data or []) if isinstance(self.errors, _JobErrors) else (self.errors or [])
        said = [" ".join(part for part in (e.code, e.message) if part) for e in found]
        return excerpt("; ".join([*dict.fromkeys(said), *([self.error] if self.error else [])]))

    def unmade(self) -> Failure:
        """Return what became of a request that has no result although the batch has ended."""
        if self.word in _EXPIRED:
            return Failure("timeout", "the batch expired before this request was carried out")
        if self.word in _CANCELLED:
            return Failure("server", "the batch was cancelled before this request was carried out")
        if self.word == "failed":
            return refused(self.complaint())
        return Failure("truncated", "the batch ended without a result for this request", doubtful=1)


def refused(complaint: str) -> Failure:
    """Return the failure of every request of a batch that was refused as a whole: nothing was carried out.

    Transient, since nothing is wrong with the request itself: one of the same
    kind was answered directly before the batch was made.
    """
    text = f"the batch was refused: {complaint or 'no reason given'}"
    if failure_of_code(429, complaint).kind == "auth":
        return Failure("auth", text)  # the account is empty
    crowded = "token_limit_exceeded" in complaint or "limit reached" in complaint.lower()
    return Failure("rate_limit" if crowded else "server", text)


class _Created(BaseModel):
    job: Job | None = None
    warning: str | None = None


class Listing(NamedTuple):
    """One page of a service's batches."""

    jobs: list[Job]
    more: bool


class _Page(BaseModel):
    data: list[Job] | None = None
    has_more: bool = False
    total: int | None = None


class _File(BaseModel):
    id: str = Field(min_length=1)
    filename: str | None = None


class _Files(BaseModel):
    data: list[_File] = []


_PAGE: TypeAdapter[_Page | list[Job]] = TypeAdapter(_Page | list[Job])


def parse_job(raw: bytes) -> Job | Failure:
    """Return the batch that a service describes, plain or (Together) wrapped."""
    try:
        wrapped = _Created.model_validate_json(raw)
        return wrapped.job or Job.model_validate_json(raw)
    except ValidationError:
        return _no("a batch", raw)


def parse_list(raw: bytes, seen: int) -> Listing | Failure:
    """Return one page of batches; `seen` are those on the pages before it."""
    try:
        page = _PAGE.validate_json(raw)
    except ValidationError:
        return _no("a list of batches", raw)
    if isinstance(page, list):
        return Listing(page, more=False)
    jobs = page.data or []
    return Listing(jobs, more=bool(jobs) and (page.has_more or seen + len(jobs) < (page.total or 0)))


def parse_file(raw: bytes) -> str | Failure:
    """Return the id of an uploaded file."""
    try:
        return _File.model_validate_json(raw).id
    except ValidationError:
        return _no("an uploaded file", raw)


def parse_files(raw: bytes) -> dict[str, str] | Failure:
    """Return the names of the uploaded files by id."""
    try:
        return {file.id: file.filename or "" for file in _Files.model_validate_json(raw).data}
    except ValidationError:
        return _no("a list of files", raw)


def _no(what: str, raw: bytes) -> Failure:
    return Failure("malformed", f"not {what}: {excerpt(raw[:1024].decode('utf-8', 'replace'))!r}")
