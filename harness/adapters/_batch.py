"""Many requests handed in at once: a file of them uploaded, a batch made of it, its results fetched later.

Every step may be cut off. An upload without a batch costs nothing; a batch that
may have been made is looked for before it is made again; fetching results is
free and repeated until they are whole.
"""

from collections.abc import Awaitable, Callable
from collections.abc import Sequence as Seq
from dataclasses import replace
from typing import Protocol
from urllib.parse import quote

from harness.adapters._batch_job import Job, Listing, parse_file, parse_files, parse_job, parse_list
from harness.adapters._batch_lines import Asked, merge, read_lines, write_lines
from harness.adapters._batch_service import BatchService, file_name
from harness.adapters._endpoint import FILE_TIMEOUT_S, Endpoint
from harness.adapters._retry import RetryPolicy, ask_with_retries
from harness.adapters._transport import HttpReply, Json
from harness.types import BatchState, Failure, Reply, Request

_MOST_PAGES = 100  # of the list of batches: 10,000 batches
_CLOCKS_APART_S = 3600.0  # a provider's clock may be off by this much
_DAMAGED = 3  # downloads of a file that is not whole before it is taken as it is


class Direct(Protocol):
    """What a batch shares with direct calls: where they go, what they say, how a reply is taken."""

    model: str
    endpoint: Endpoint
    policy: RetryPolicy

    def body(self, request: Request) -> tuple[str, Json] | Failure:
        """Return the path and the JSON of one request, or why it cannot be asked here."""
        ...

    def reply(self, reply: HttpReply, attempts: int, seconds: float) -> Reply | Failure:
        """Return the reply to store, or the failure that its body names."""
        ...


class Batches:
    """The batches of one model at one service; holds nothing, so that any process can go on with them."""

    def __init__(self, calls: Direct, service: BatchService) -> None:
        self._calls = calls
        self._service = service

    @property
    def limit(self) -> int:
        """Most requests of one batch."""
        return self._service.most_requests

    async def submit(self, requests: Seq[tuple[str, Request]], nonce: str) -> str | Failure:
        """Upload the requests and make a batch of them; see `BatchModel.submit`.

        Nothing is uploaded where the service turns out to have no batches.
        """
        asked = []
        for key, request in requests:
            said = self._calls.body(request)
            if isinstance(said, Failure):
                return said
            asked.append(Asked(key, *said))
        refusal = self._refusal(asked)
        if refusal is not None:
            return refusal
        first = await self._page(0, None, 0)
        if isinstance(first, Failure):
            return replace(first, detail=f"no batches can be had here: {first.detail}")
        content = write_lines(asked, self._service)
        if len(content) > self._service.most_bytes:
            return Failure(
                "overflow",
                f"a batch of {len(content)} bytes, at most {self._service.most_bytes}: hand in fewer",
            )
        upload = self._service.file(nonce, content)
        sent = await self._ask(lambda: self._calls.endpoint.upload(self._service.upload, upload))
        file = sent if isinstance(sent, Failure) else parse_file(sent.body)
        if isinstance(file, Failure):
            return replace(file, doubtful=0)  # an upload costs nothing
        return await self._make(self._service.job(file, asked[0].path, self._calls.model, nonce))

    async def find(self, nonce: str, ids: Seq[str], since: float) -> str | Failure | None:
        """Return the id of the batch that bears this nonce; see `BatchModel.find`."""
        del ids  # the nonce is enough
        files: tuple[str, ...] = ()
        if not self._service.metadata:
            found = await self._files_named(file_name(nonce))
            if isinstance(found, Failure):
                return found
            files = found
        seen, last = 0, None
        for number in range(_MOST_PAGES):
            listing = await self._page(number, last, seen)
            if isinstance(listing, Failure):
                return listing
            for job in listing.jobs:
                if job.nonce == nonce or set(files).intersection(job.files):
                    return job.id
            seen += len(listing.jobs)
            if not listing.more or _all_before(listing.jobs, since - _CLOCKS_APART_S):
                return None
            last = listing.jobs[-1].id
        return Failure("server", f"more than {seen} batches made since: not all could be looked through")

    async def collect(self, batch: str, ids: Seq[str]) -> BatchState | dict[str, Reply | Failure] | Failure:
        """Return the outcome of every request of an ended batch, or how it stands; see `BatchModel.collect`."""
        got = await self._get(f"{self._service.jobs}/{quote(batch, safe='')}")
        job = got if isinstance(got, Failure) else parse_job(got.body)
        if isinstance(job, Failure):
            return job
        if not job.ended:
            return job.state(len(ids))
        found = await self._results(job, len(ids))
        if isinstance(found, Failure):
            return found
        unmade = job.unmade()
        return {key: self._taken(found.get(key, unmade)) for key in ids}

    def _refusal(self, asked: Seq[Asked]) -> Failure | None:
        paths = {one.path for one in asked}
        if len(paths) != 1:
            return Failure("request", f"a batch is for one path, not for {sorted(paths)}")
        if self._service.paths and not paths.issubset(self._service.paths):
            return Failure("request", f"this service has no batches of {paths.pop()}")
        if len(asked) > self.limit or len({one.id for one in asked}) < len(asked):
            return Failure(
                "request", f"{len(asked)} requests; a batch takes {self.limit}, each with its own id"
            )
        return None

    async def _make(self, body: Json) -> str | Failure:
        """Make the batch, once: whoever asks again must first look whether it is there."""
        once = replace(self._calls.policy, attempts=1)
        answered = await ask_with_retries(lambda: self._calls.endpoint.post(self._service.jobs, body), once)
        outcome = answered.outcome
        job = outcome if isinstance(outcome, Failure) else parse_job(outcome.body)
        if isinstance(job, Job):
            return job.id
        # An answer that refuses made nothing; after any other the batch may be there.
        unclear = answered.doubtful > 0 or job.kind in ("server", "malformed")
        return replace(job, doubtful=int(unclear))

    async def _results(self, job: Job, asked: int) -> dict[str, HttpReply | Failure] | Failure:
        """Fetch the files of results, again where they are damaged or hold fewer lines than they must."""
        found: dict[str, HttpReply | Failure] = {}
        for _ in range(_DAMAGED):
            damaged = False
            for file in (job.output, job.rejects):
                if file is None:
                    continue
                got = await self._get(f"/files/{quote(file, safe='')}/content", timeout_s=FILE_TIMEOUT_S)
                if isinstance(got, Failure):
                    return got
                results = read_lines(got.body)
                damaged = damaged or results.unread > 0
                merge(found, results.outcomes)
            if not damaged and len(found) >= job.results(asked):
                break
        return found

    def _taken(self, outcome: HttpReply | Failure) -> Reply | Failure:
        # How long a batch took says nothing of one request.
        return outcome if isinstance(outcome, Failure) else self._calls.reply(outcome, 1, 0.0)

    async def _page(self, number: int, last: str | None, seen: int) -> Listing | Failure:
        got = await self._get(self._service.page(number, last))
        return got if isinstance(got, Failure) else parse_list(got.body, seen)

    async def _files_named(self, name: str) -> tuple[str, ...] | Failure:
        got = await self._get("/files")
        files = got if isinstance(got, Failure) else parse_files(got.body)
        if isinstance(files, Failure):
            return files
        return tuple(key for key, known in files.items() if known == name)

    async def _get(self, path: str, timeout_s: float | None = None) -> HttpReply | Failure:
        return await self._ask(lambda: self._calls.endpoint.get(path, timeout_s=timeout_s))

    async def _ask(self, send: Callable[[], Awaitable[HttpReply | Failure]]) -> HttpReply | Failure:
        """Ask what costs nothing, as often as the policy allows."""
        answered = await ask_with_retries(send, self._calls.policy)
        outcome = answered.outcome
        return replace(outcome, doubtful=0) if isinstance(outcome, Failure) else outcome


def _all_before(jobs: Seq[Job], time: float) -> bool:
    made = [job.made for job in jobs]
    return bool(made) and all(at is not None and at < time for at in made)
