"""What the stubs of Anthropic's and Google's services share: a loopback port and a small model with a known law.

One character is one token. The services are not reachable from a test, so what
the stubs say is written from the types of the official packages, which
validate it in the tests, and from errors that users of the services report.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ClassVar, Literal

import numpy as np
from aiohttp import web

from tests.adapters.stub_server import Fault

VOCABULARY = ("0", "1", "x")
Prefill = Literal["gone on with", "afresh", "refused"]


@dataclass
class ServiceStub:
    """What a service can do. Everything works unless it is switched off."""

    random: bool = True
    thinks: Literal["never", "unless told not to", "always"] = "never"
    thoughts: int = 7  # tokens, as many as fit
    prefill: Prefill = "gone on with"
    window: int | None = 1000
    counts: bool = True
    words: Mapping[str, int] = field(default_factory=dict)  # words that are so many tokens
    key: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)  # of every answered payload's top level
    faults: list[Fault | None] = field(default_factory=list)  # each answers one request; None: the model does
    always: Fault | None = None  # answers every request
    log: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    drawn: int = 0
    given: list[str] = field(default_factory=list)  # the drawn answers

    key_header: ClassVar[str] = ""

    def law(self, text: str) -> dict[str, float]:
        """The probability of every token after a text; "x" is no symbol."""
        weights = {t: 0.2 + _uniform(text, t) for t in VOCABULARY}
        total = sum(weights.values())
        return {t: w / total for t, w in weights.items()}

    async def __aenter__(self) -> Any:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The bodies of the requests for answers."""
        return [body for path, _, body in self.log if path.endswith(("/messages", ":generateContent"))]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        self.log.append((request.path, dict(request.headers), body))
        fault = self.faults.pop(0) if self.faults else self.always
        if fault is not None:
            return await fault(request)
        if self.key is not None and request.headers.get(self.key_header) != self.key:
            return self.error("key", "the key is wrong")
        return self.route(request.path, body)

    def route(self, path: str, body: dict[str, Any]) -> web.Response:
        raise NotImplementedError

    def error(self, kind: str, message: str) -> web.Response:
        raise NotImplementedError

    def tokens(self, text: str) -> int:
        """How many tokens a text has."""
        total = 0
        for word in text.replace("\n", " \n ").split(" "):
            total += self.words.get(word, len(word))
        return total

    def answer(self, message: str, begun: str, limit: int, seed: int | None) -> tuple[str, bool]:
        """One drawn answer and whether it was cut off at its limit."""
        rng = np.random.default_rng(self._seed(seed))
        if begun == "Par":
            text = "is" if self.prefill == "gone on with" else "Paris"
        elif message.startswith("Write a random number"):
            text = "".join(rng.choice(list("0123456789"), size=12))
        else:
            before, text = (begun if begun and self.prefill == "gone on with" else message), ""
            for _ in range(limit if "random draws" in message else 1):
                law = self.law(before + text)
                text += str(rng.choice(list(law), p=list(law.values())))
        self.given.append(text[:limit])
        return text[:limit], len(text) >= limit

    def _seed(self, seed: int | None) -> int:
        self.drawn += 1
        if not self.random:
            return 0
        return self.drawn if seed is None else seed


def _uniform(*key: str) -> float:
    return int.from_bytes(hashlib.sha256("\0".join(key).encode()).digest()[:8], "big") / 2**64
