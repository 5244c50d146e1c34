"""A stub of a batch service on a loopback port, in the words of OpenAI, Mistral or Together.

A stub model answers: direct calls are handed on to it, and so is every line of
a batch once the batch has been looked at often enough. It misbehaves as told.
Its shapes are written from the official packages' types and documentation.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

import aiohttp
from aiohttp import web

from tests.adapters.batch_shapes import ENDS, FAILED, Dialect, Job, describe, stored_file
from tests.adapters.stub_server import Fault, Stub


@dataclass
class BatchStub:
    """What this service does. Everything works unless it is switched off."""

    dialect: Dialect = "openai"
    model: Stub = field(default_factory=Stub)
    batches: bool = True  # else every address of files and batches answers 404
    key: str | None = None
    polls: int = 1  # how often a batch is looked at before it has ended
    ends: Literal["completed", "failed", "expired", "cancelled"] = "completed"
    unmade: int = 0  # requests at the end of a file that are not carried out (expired, cancelled)
    explained: bool = True  # they stand in the file of errors
    lost: int = 0  # requests carried out whose line is in neither file
    repeated: bool = False  # every line stands twice
    strangers: bool = False  # a line with an id that nobody asked for
    complaint: tuple[str, str] = ("invalid_request", "line 1 is bad")  # code and message of a failed batch
    cut_downloads: int = 0  # downloads that end too early
    cut_inside: bool = True  # in the middle of a line, else after one
    rewrite: Callable[[dict[str, Any]], dict[str, Any]] = lambda line: line  # of every line of results
    on_created: Callable[[], None] = lambda: None  # after a batch was made, before that is said
    faults: dict[str, list[Fault]] = field(
        default_factory=dict
    )  # by step: upload, create, list, get, download
    page: int = 100  # batches on a page of the list
    log: list[tuple[str, str, dict[str, str], Any]] = field(
        default_factory=list
    )  # method, path, headers, body
    carried: Counter[str] = field(
        default_factory=Counter
    )  # how often each request was carried out: what is paid
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # id -> name, content
    jobs: dict[str, Job] = field(default_factory=dict)
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # kind and JSON of every answer

    async def __aenter__(self) -> "BatchStub":
        await self.model.__aenter__()
        self._client = aiohttp.ClientSession()
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()
        await self._runner.cleanup()
        await self.model.__aexit__(kind, error, trace)

    @property
    def direct(self) -> list[dict[str, Any]]:
        """The bodies of direct calls."""
        return [
            body for method, path, _, body in self.log if method == "POST" and path.endswith("completions")
        ]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/v1")
        jobs = "/batch/jobs" if self.dialect == "mistral" else "/batches"
        upload = "/files/upload" if self.dialect == "together" else "/files"
        form = request.content_type == "multipart/form-data"
        body: Any = await _form(request) if form else await request.json() if request.can_read_body else {}
        self.log.append((request.method, path, dict(request.headers), body))
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _json({"error": {"message": "Incorrect API key provided"}}, 401)
        if path.startswith(("/files", jobs)) and not self.batches:
            return _json({"error": {"message": "not found"}}, 404)
        step, answer = "", None
        if (request.method, path) == ("POST", upload):
            step, answer = "upload", lambda: self._upload(body)
        elif (request.method, path) == ("POST", jobs):
            step, answer = "create", lambda: self._create(body)
        elif path == jobs:
            step, answer = "list", lambda: self._list(request.query)
        elif path.startswith(f"{jobs}/"):
            step, answer = "get", lambda: self._get(path.rpartition("/")[2])
        elif path == "/files":
            step, answer = "files", self._files
        elif path.startswith("/files/") and path.endswith("/content"):
            step, answer = "download", lambda: self._download(path.split("/")[2])
        if answer is None:
            status, raw = await self._ask_model(path, body)
            return web.Response(status=status, body=raw, content_type="application/json")
        fault = self.faults[step].pop(0) if self.faults.get(step) else None
        if fault is not None:
            return await fault(request)
        if step == "get":
            await self._work(self.jobs.get(path.rpartition("/")[2]))
        return answer()

    async def _ask_model(self, path: str, body: Any) -> tuple[int, bytes]:
        async with self._client.post(f"{self.model.url}{path}", json=body) as response:
            return response.status, await response.read()

    def _upload(self, form: dict[str, Any]) -> web.Response:
        wanted = "batch-api" if self.dialect == "together" else "batch"
        if form["purpose"] != wanted:
            return _json({"error": {"message": f"purpose must be {wanted}"}}, 400)
        key = f"file-{len(self.files)}"
        self.files[key] = form["file"]
        return self._say("file", self._file(key))

    def _file(self, key: str) -> dict[str, Any]:
        return stored_file(key, *self.files[key])

    def _files(self) -> web.Response:
        return self._say("files", {"object": "list", "data": [self._file(key) for key in self.files]})

    def _create(self, body: dict[str, Any]) -> web.Response:
        file = body["input_files"][0] if self.dialect == "mistral" else body["input_file_id"]
        if file not in self.files:
            return _json({"error": {"message": f"no file {file}"}}, 400)
        lines = [json.loads(line) for line in self.files[file][1].splitlines()]
        job = Job(f"batch-{len(self.jobs)}", body, lines, ENDS[self.ends])
        self.jobs[job.id] = job
        self.on_created()
        shown = self._shown(job)
        return self._say("job", shown if self.dialect != "together" else {"job": shown, "warning": ""})

    def _list(self, query: Any) -> web.Response:
        jobs = list(reversed(self.jobs.values()))  # newest first
        if self.dialect == "together":
            return _json([self._shown(job) for job in jobs])
        if self.dialect == "mistral":
            size = min(self.page, int(query.get("page_size", 100)))
            start = int(query.get("page", 0)) * size
            shown = [self._shown(job) for job in jobs[start : start + size]]
            return self._say("list", {"object": "list", "total": len(jobs), "data": shown})
        size = min(self.page, int(query.get("limit", 20)))
        ids = [job.id for job in jobs]
        start = ids.index(query["after"]) + 1 if "after" in query else 0
        shown = [self._shown(job) for job in jobs[start : start + size]]
        more = start + size < len(jobs)
        return self._say("list", {"object": "list", "data": shown, "has_more": more})

    def _get(self, key: str) -> web.Response:
        if key not in self.jobs:
            return _json({"error": {"message": f"No batch found with id '{key}'"}}, 404)
        return self._say("job", self._shown(self.jobs[key]))

    async def _work(self, job: Job | None) -> None:
        """Carry the batch out once it has been looked at often enough."""
        if job is None:
            return
        job.polls += 1
        if not job.ended(self.polls) or job.output or job.rejects or job.end == FAILED:
            return
        good: list[dict[str, Any]] = []
        bad: list[dict[str, Any]] = []
        stop = len(job.lines) - self.unmade
        for line in job.lines[:stop]:
            path = job.request["endpoint"].removeprefix("/v1")
            status, raw = await self._ask_model(path, line["body"])
            self.carried[line["custom_id"]] += 1
            response = {"status_code": status, "request_id": "r", "body": json.loads(raw)}
            result = {"id": f"r-{line['custom_id']}", "custom_id": line["custom_id"], "response": response}
            (good if status == 200 else bad).append(self.rewrite({**result, "error": None}))
        job.counted = (len(good), len(bad))
        code = "batch_expired" if job.end == ENDS["expired"] else "batch_cancelled"
        unmade = [line["custom_id"] for line in job.lines[stop:]] if self.explained else []
        error = {"code": code, "message": "not carried out"}
        bad += [{"id": f"r-{key}", "custom_id": key, "response": None, "error": error} for key in unmade]
        good = good[: len(good) - self.lost] * (2 if self.repeated else 1)
        if self.strangers:
            good.append({**good[0], "custom_id": "nobody"})
        random.Random(1).shuffle(good)
        job.output, job.rejects = self._write(good), self._write(bad)

    def _write(self, lines: list[dict[str, Any]]) -> str | None:
        if not lines:
            return None
        key = f"file-{len(self.files)}"
        self.files[key] = ("results.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
        return key

    def _download(self, key: str) -> web.Response:
        content = self.files[key][1]
        if self.cut_downloads:
            self.cut_downloads -= 1
            last = len(content.splitlines(keepends=True)[-1])
            content = content[: -(last // 2 if self.cut_inside else last)]
        return web.Response(body=content)

    def _shown(self, job: Job) -> dict[str, Any]:
        complaint = self.complaint if job.ended(self.polls) and job.end == FAILED else None
        return describe(self.dialect, job, job.place(self.polls), complaint)

    def _say(self, kind: str, body: dict[str, Any]) -> web.Response:
        self.said.append((kind, body))
        return _json(body)


async def _form(request: web.Request) -> dict[str, Any]:
    """Return the fields of a form as aiohttp reads them, the file as its name and content."""
    fields: dict[str, Any] = {}
    async for part in await request.multipart():
        assert isinstance(part, aiohttp.BodyPartReader)
        data = await part.read()
        fields[part.name or ""] = (part.filename, bytes(data)) if part.filename else data.decode()
    return fields


def _json(body: Any, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)
