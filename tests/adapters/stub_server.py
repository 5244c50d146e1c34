"""A stub of an OpenAI-compatible server on a loopback port, in the test's own event loop.

It holds a small deterministic model (one character is one token, pairs in
`merges` are one token), answers in either log-probability shape, and misbehaves
as told: capabilities it ignores, and faults that answer the next requests
instead of the model.
"""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

VOCABULARY = ("0", "1", "a", "b", ",", " ")
Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Stub:
    """What this server can do. Everything works unless it is switched off."""

    legacy: bool = True  # shape of completions' log-probabilities; llama.cpp's own server answers the other
    echo: bool = True
    echo_bos: bool = False  # echoed tokens begin with "<s>", whose 3 characters count in the offsets
    logprobs: bool = True
    max_top: int | None = None  # more are refused with 400
    n: int | None = None  # most choices, more are refused; 1 means that n is ignored silently
    random: bool = True
    copies: bool = False  # the choices of one request are all the same
    seed: bool = True  # honoured
    refuse: tuple[str, ...] = ()  # fields answered with 400
    completions: bool = True
    chat: bool = True
    tokenize: bool = False
    merges: tuple[str, ...] = ()  # pairs of characters that are one token
    window: int | None = None
    key: str | None = None
    faults: list[Fault] = field(default_factory=list)  # each answers one request
    always: Fault | None = None  # answers every request
    log: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    drawn: int = 0

    def law(self, text: str) -> dict[str, float]:
        """The log-probability of every token after a text."""
        weights = {t: 1 + 40 * _uniform(text, t) ** 4 for t in VOCABULARY}
        total = sum(weights.values())
        return {t: math.log(w / total) for t, w in weights.items()}

    def split(self, text: str) -> list[str]:
        """The tokens of a text: merges first, else characters."""
        tokens: list[str] = []
        while text:
            size = next((len(m) for m in self.merges if text.startswith(m)), 1)
            tokens.append(text[:size])
            text = text[size:]
        return tokens

    async def __aenter__(self) -> "Stub":
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.root = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.url = f"{self.root}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        self.log.append((request.path, dict(request.headers), body))
        fault = self.faults.pop(0) if self.faults else self.always
        if fault is not None:
            return await fault(request)
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "Incorrect API key provided")
        match request.path:
            case "/v1/models":
                entry = {"id": "stub", **({"max_model_len": self.window} if self.window else {})}
                return web.json_response({"data": [entry]})
            case "/v1/completions" if self.completions:
                return self._complete(body)
            case "/v1/chat/completions" if self.chat:
                return self._chat(body)
            case "/tokenize" if self.tokenize:
                pieces = self.split(body["content"])
                return web.json_response({"tokens": [{"id": 0, "piece": p} for p in pieces]})
        return _error(404, f"no route {request.path}")

    def _complete(self, body: dict[str, Any]) -> web.Response:
        top = body.get("logprobs")
        refusal = self._refusal(body, top)
        if refusal is not None:
            return refusal
        prompt = body["prompt"]
        texts = self._draws(body, prompt)
        choices = []
        for text in texts:
            scored = self._logprobs(prompt, text, top, body.get("echo", False)) if top is not None else None
            shown = prompt + text if body.get("echo") and self.echo else text
            choices.append({"text": shown, "logprobs": scored, "finish_reason": "length"})
        return self._reply(choices, prompt)

    def _chat(self, body: dict[str, Any]) -> web.Response:
        top = body.get("top_logprobs")
        refusal = self._refusal(body, top)
        if refusal is not None:
            return refusal
        prompt = body["messages"][0]["content"]
        choices = []
        for text in self._draws(body, prompt):
            scored = self._content(prompt, text, top) if top is not None and self.logprobs else None
            message = {"role": "assistant", "content": text, "refusal": None}
            choices.append({"message": message, "logprobs": scored, "finish_reason": "length"})
        return self._reply(choices, prompt)

    def _refusal(self, body: dict[str, Any], top: int | None) -> web.Response | None:
        unknown = [name for name in self.refuse if name in body]
        if unknown:
            return _error(400, f"Unrecognized request argument supplied: {unknown[0]}")
        if top is not None and self.max_top is not None and top > self.max_top:
            return _error(400, f"Invalid value for logprobs: must be at most {self.max_top}")
        if self.n not in (None, 1) and body.get("n", 1) > (self.n or 1):
            return _error(400, f"n must be at most {self.n}")
        size = len(body.get("prompt") or body["messages"][0]["content"])
        if self.window is not None and size >= self.window:
            return _error(400, f"This model's maximum context length is {self.window} tokens")
        return None

    def _draws(self, body: dict[str, Any], prompt: str) -> list[str]:
        count = 1 if self.n == 1 else body.get("n", 1)
        length = int(body.get("max_tokens") or body["max_completion_tokens"])
        self.drawn += 1
        seed = body.get("seed") if self.seed else None
        seed = 1000 * self.drawn if seed is None else seed
        texts = []
        for i in range(count):  # choice i is drawn with seed + i, as llama.cpp and vLLM do
            text = ""
            for j in range(length):
                text += self._draw(
                    prompt + text,
                    _uniform("draw", str(seed + i * (not self.copies) if self.random else 0), str(j)),
                )
            texts.append(text)
        return texts

    def _draw(self, text: str, u: float) -> str:
        for token, logprob in self.law(text).items():
            u -= math.exp(logprob)
            if u < 0:
                return token
        return VOCABULARY[-1]

    def _logprobs(self, prompt: str, text: str, top: int, echo: bool) -> dict[str, Any] | None:
        if not self.logprobs:
            return None
        if not self.legacy:
            return self._content(prompt, text, top)
        echoed = self.split(prompt) if echo and self.echo else []
        tokens, at = [*echoed, *text], 0 if echoed else len(prompt)
        before, tops, own, offsets = prompt[:at], [], [], []
        for i, token in enumerate(tokens):
            law = self.law(before)
            law.setdefault(token, -3.0)  # a merged pair
            first = echoed and i == 0 and not self.echo_bos
            own.append(None if first else law[token])
            tops.append(None if first else _best(law, top) | {token: law[token]})
            offsets.append(len(before) + (3 if self.echo_bos and echoed else 0))
            before += token
        if self.echo_bos and echoed:
            tokens, own, tops, offsets = ["<s>", *tokens], [None, *own], [None, *tops], [0, *offsets]
        return {"tokens": tokens, "token_logprobs": own, "top_logprobs": tops, "text_offset": offsets}

    def _content(self, prompt: str, text: str, top: int) -> dict[str, Any]:
        law = self.law(prompt)
        best = [{"token": t, "logprob": v, "bytes": None} for t, v in _best(law, top).items()]
        first = {"token": text[:1], "logprob": law[text[:1]], "bytes": None, "top_logprobs": best}
        return {"content": [first]}

    def _reply(self, choices: list[dict[str, Any]], prompt: str) -> web.Response:
        usage = {"prompt_tokens": len(self.split(prompt)), "completion_tokens": len(choices)}
        numbered = [{"index": i, **choice} for i, choice in enumerate(choices)]
        return web.json_response({"model": "stub-1", "choices": numbered, "usage": usage})


def answer(status: int, body: bytes | str, headers: dict[str, str] | None = None) -> Fault:
    """A fault that answers with fixed bytes."""

    async def fault(_: web.Request) -> web.StreamResponse:
        data = body.encode() if isinstance(body, str) else body
        return web.Response(status=status, body=data, headers=headers)

    return fault


async def reset(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut_short(request: web.Request) -> web.StreamResponse:
    """Promise more bytes than are sent, then close."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport is not None
    request.transport.abort()
    return response


async def never(_: web.Request) -> web.StreamResponse:
    """Answer after the client has given up."""
    await asyncio.sleep(60)
    return web.Response()


def _best(law: dict[str, float], top: int) -> dict[str, float]:
    return dict(sorted(law.items(), key=lambda item: -item[1])[:top])


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


def _uniform(*key: str) -> float:
    return int.from_bytes(hashlib.sha256("\0".join(key).encode()).digest()[:8], "big") / 2**64
