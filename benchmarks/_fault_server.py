"""An OpenAI-compatible server on a loopback port that goes wrong as scheduled and journals what it was paid for.

python -m benchmarks._fault_server '{"seed": 1, "rate": 0.3}' prints its address and serves until its standard
input ends. It serves the models "echo" (scores its own prompt), "top" (log-probabilities, no echo) and "draw" (no
log-probabilities, n honoured), as completions and as chats. Prompts that do not start with MARK are those of a
probe: they are answered without faults and journalled apart.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from benchmarks._fault_kinds import GOOD, THROTTLED, Kind, Schedule
from benchmarks._fault_replies import Call, Reply, billed_tokens, read_call, right_reply, spoilt, status_of
from benchmarks._fault_wire import cut_short, dribble, say_again, write_whole

MARK = "F:"  # what prompts of the suites start with
_REFUSED = ("logit_bias", "prompt_logprobs")  # fields of other dialects, answered with 400
_REMEMBERED, _SURELY_S = 200, 0.3  # replies kept of each sort; how old one is that has been received
_LATE_S = 0.003  # after a reply, when its copy follows on the same connection


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the server behaves."""

    seed: int = 0
    rate: float = 0.0
    lasting: float = 0.0
    without: tuple[str, ...] = ()
    latency_s: float = 0.0  # of calls of suites; a probe makes dozens one after another
    slow_s: float = 0.15  # a slow body, from its first byte to its last
    per_second: float | None = None  # requests let through, others are answered 429
    burst: float = 1.0
    probes: bool = False  # whether probes meet faults too
    rate_headers: bool = False  # whether replies say what is left, as OpenAI's do


class Entry(NamedTuple):
    """One request as the server saw it."""

    at: float  # seconds, monotonic
    segment: int  # which process asked
    probe: bool
    model: str
    content: str
    text: str
    n: int
    seed: int
    attempt: int
    kind: str
    prompt_tokens: int  # billed; 0 if not
    completion_tokens: int
    delivered: float  # when the last byte was handed to the system; 0 if never


@dataclass
class Aim:
    """A signal for the process that asks, sent when so many requests of its suite have arrived in all."""

    pid: int = 0
    at: int = 0
    signals: tuple[int, ...] = ()
    delay_s: float = 0.0
    apart_s: float = 0.0  # between two signals


@dataclass
class FaultServer:
    """The server; `journal` is all it knows."""

    behaviour: Behaviour
    journal: list[Entry] = field(default_factory=list)
    segment: int = 0
    aim: Aim = field(default_factory=Aim)
    arrived: int = 0
    _attempts: Counter[str] = field(default_factory=Counter)
    _given: dict[tuple[str, bool, int], list[tuple[float, Reply]]] = field(default_factory=dict)
    _level: float = 0.0
    _filled: float = 0.0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        b = self.behaviour
        self._schedule = Schedule(b.seed, b.rate, b.lasting, tuple(b.without))
        self._level, self._filled = b.burst, time.monotonic()

    def application(self) -> web.Application:
        """Return the routes."""
        app = web.Application(client_max_size=2**24)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/completions", self._completions)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/control/journal", self._show)
        app.router.add_get("/control/arrived", self._count)
        app.router.add_post("/control/aim", self._take_aim)
        return app

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": m} for m in ("echo", "top", "draw")]})

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, chat=False)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, chat=True)

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response(self.journal)

    async def _count(self, _: web.Request) -> web.Response:
        return web.json_response(self.arrived)

    async def _take_aim(self, request: web.Request) -> web.Response:
        self.segment += 1
        self._given.clear()  # what was said to a process that is gone is known to nobody
        self.aim = Aim(**await request.json())
        return web.json_response(self.segment)

    async def _answer(self, request: web.Request, *, chat: bool) -> web.StreamResponse:
        body = await request.json()
        refused = [name for name in _REFUSED if name in body]
        if refused:
            message = f"Unrecognized request argument supplied: {refused[0]}"
            return web.json_response({"error": {"message": message}}, status=400)
        call, at, segment = read_call(body, chat=chat), time.monotonic(), self.segment
        probe = not call.text.startswith(MARK)
        attempt, kind = self._fate(call, probe=probe)
        if kind.name == "reply of another call" and self._earlier(call, chat=chat) is None:
            kind = GOOD
        place = len(self.journal)
        paid = billed_tokens(call) if kind.billed else (0, 0)
        entry = Entry(
            *(at, segment, probe, call.model, call.content, call.text, call.n, call.seed, attempt),
            *(kind.name, *paid, 0.0),
        )
        self.journal.append(entry)
        if not probe:
            self._arrive()
        if self.behaviour.latency_s and not probe:
            await asyncio.sleep(self.behaviour.latency_s)
        try:
            response = await self._send(request, call, kind, place, chat=chat)
        except (ConnectionError, RuntimeError):  # the process that asked is gone
            return web.Response()
        self.journal[place] = entry._replace(delivered=time.monotonic())
        return response

    def _fate(self, call: Call, *, probe: bool) -> tuple[int, Kind]:
        """Return the number of this attempt and what answers it."""
        if not self._let_through():
            return 0, THROTTLED
        if probe and not self.behaviour.probes:
            return 1, GOOD
        self._attempts[call.content] += 1
        attempt = self._attempts[call.content]
        return attempt, self._schedule.kind(call.way, call.content, attempt)

    def _let_through(self) -> bool:
        b, now = self.behaviour, time.monotonic()
        if b.per_second is None:
            return True
        self._level = min(b.burst, self._level + (now - self._filled) * b.per_second)
        self._filled = now
        if self._level < 1:
            return False
        self._level -= 1
        return True

    def _arrive(self) -> None:
        self.arrived += 1
        if self.aim.pid and self.arrived >= self.aim.at:
            aim, self.aim = self.aim, Aim()
            self._begin(_signal(aim))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(
        self, request: web.Request, call: Call, kind: Kind, serial: int, *, chat: bool
    ) -> web.StreamResponse:
        if request.transport is None:
            raise ConnectionError("the process that asked is gone")
        error = status_of(kind)
        if error is not None:
            status, headers, body = error
            return await write_whole(request, body, status=status, headers=headers | self._rate_headers())
        if kind.name.startswith("reset"):
            request.transport.abort()
            raise ConnectionError("reset")
        reply = right_reply(call, chat=chat, serial=serial)
        if kind.name == "reply of another call":
            reply = self._earlier(call, chat=chat) or reply
        changed = spoilt(kind, call, reply, chat=chat)
        data = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
        match kind.name:
            case "shorter than Content-Length":
                return await cut_short(request, data)
            case "slow body":
                return await dribble(request, data, self.behaviour.slow_s)
            case "reply sent twice":
                transport = request.transport
                response = await write_whole(request, data)
                self._begin(say_again(transport, data, _LATE_S))
                return response
        response = await write_whole(request, data, headers=self._rate_headers())
        if kind is GOOD:
            given = self._given.setdefault((call.model, chat, call.n), [])
            given.append((time.monotonic(), reply))
            del given[:-_REMEMBERED]
        return response

    def _earlier(self, call: Call, *, chat: bool) -> Reply | None:
        """Return a reply of the same sort that the same process has surely received, the latest such."""
        given = self._given.get((call.model, chat, call.n), [])
        surely = time.monotonic() - _SURELY_S
        return next((reply for at, reply in reversed(given) if at < surely), None)

    def _rate_headers(self) -> dict[str, str]:
        b = self.behaviour
        if b.per_second is None or not b.rate_headers:
            return {}
        return {
            "x-ratelimit-limit-requests": f"{b.burst:.0f}",
            "x-ratelimit-remaining-requests": f"{int(self._level)}",
            "x-ratelimit-reset-requests": f"{1000 * (b.burst - self._level) / b.per_second:.0f}ms",
        }


async def _signal(aim: Aim) -> None:
    await asyncio.sleep(aim.delay_s)
    for number in aim.signals:
        try:
            os.kill(aim.pid, number)
        except ProcessLookupError:
            return
        await asyncio.sleep(aim.apart_s)


async def _serve(behaviour: Behaviour) -> None:
    runner = web.AppRunner(FaultServer(behaviour).application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(Behaviour(**json.loads(sys.argv[1]))))
