"""A stub of an OpenAI-compatible server on a loopback port, in the test's own event loop.

It holds the small model of `stub_model`, answers in the shapes of several real
servers, and misbehaves as told: capabilities it ignores, and faults that answer
the next requests instead of the model.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

from aiohttp import web

from tests.adapters import stub_chat, stub_model
from tests.adapters.stub_chat import Dictation, Style
from tests.adapters.stub_model import Law, Row

Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Stub:
    """What this server can do. Everything of OpenAI's protocol works unless it is switched off."""

    legacy: bool = True  # shape of completions' log-probabilities; llama.cpp's own server answers the other
    echo: bool = True
    echo_shape: Literal["openai", "sglang", "together"] = "openai"
    echo_bos: bool = False  # echoed tokens begin with "<s>", whose 3 characters count in the offsets
    alternatives: bool = True  # echoed tokens come with the most probable ones in their place
    prompt_logprobs: bool = False  # vLLM's field is honoured
    prompt_ids: bool = True  # and so is its return_token_ids
    logprobs: bool = True
    max_top: int | None = None  # more are refused with 400
    short_top: int = 0  # so many fewer are reported than were asked for
    n: int | None = None  # most choices, more are refused; 1 means that n is ignored silently
    random: bool = True
    copies: bool = False  # the choices of one request are all the same
    seed: bool = True  # honoured
    limit: bool = True  # max_tokens is kept; else three times as many are generated
    bias: bool = True  # logit_bias is honoured
    refuse: tuple[str, ...] = ()  # fields answered with 400
    completions: bool = True
    chat: bool = True
    wrap: int = 4  # tokens that the chat template adds
    drops_first: bool = False  # a chat loses the first token of its message
    prefill: Style = ""  # which way of beginning an answer is gone on with
    dictation: Dictation = "anew"
    repeats: bool = False  # and whether the answer repeats what was begun
    tokenize: Literal["", "llama.cpp", "vllm"] = ""
    merges: tuple[str, ...] = ()  # pairs of characters that are one token
    window: int | None = None
    key: str | None = None
    models: tuple[str, ...] = ("stub-1",)  # ids that replies name in turn
    fingerprints: tuple[str | None, ...] = (None,)
    faults: list[Fault] = field(default_factory=list)  # each answers one request
    always: Fault | None = None  # answers every request
    log: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    drawn: int = 0
    replied: int = 0

    def law(self, text: str) -> Law:
        """The log-probability of every token after a text."""
        return stub_model.law(text)

    def split(self, text: str) -> list[str]:
        """The tokens of a text."""
        return stub_model.split(text, self.merges)

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
        body = json.loads(await request.read() or b"{}")
        self.log.append((request.path, dict(request.headers), body))
        fault = self.faults.pop(0) if self.faults else self.always
        return await (self.answer(request) if fault is None else fault(request))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as told, faults apart."""
        body = json.loads(await request.read() or b"{}")
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "Incorrect API key provided")
        match request.path:
            case "/v1/models":
                entry = {"id": "stub", "object": "model", "created": 0, "owned_by": "stub"}
                window = {"max_model_len": self.window} if self.window else {}
                return web.json_response({"object": "list", "data": [entry | window]})
            case "/v1/completions" if self.completions:
                return self._refusal(body, body.get("logprobs"), body["prompt"]) or self._complete(body)
            case "/v1/chat/completions" if self.chat:
                message = body["messages"][0]["content"]
                return self._refusal(body, body.get("top_logprobs"), message) or self._chat(body)
            case "/tokenize" if self.tokenize:
                return web.json_response(stub_model.tokenized(body, self.tokenize == "vllm", self.merges))
        return _error(404, f"no route {request.path}")

    def _complete(self, body: dict[str, Any]) -> web.Response:
        prompt, top = body["prompt"], body.get("logprobs")
        echo = bool(body.get("echo")) and self.echo
        shown = prompt if echo and self.echo_shape != "together" else ""
        choices: list[dict[str, Any]] = []
        drawn = self._draws(body, prompt)
        for text in drawn:
            scored = None
            if top is not None and self.logprobs:
                scored = self._logprobs(prompt, text, top - self.short_top, bool(shown))
            choices.append({"text": shown + text, "logprobs": scored, "finish_reason": "length"})
        if self.prompt_logprobs and body.get("prompt_logprobs") is not None:
            found = stub_model.rows(self.split(prompt), "", body["prompt_logprobs"])
            choices[0]["prompt_logprobs"] = stub_model.by_id(found, self.merges)
            if self.prompt_ids and body.get("return_token_ids"):
                choices[0]["prompt_token_ids"] = [stub_model.token_id(row[0], self.merges) for row in found]
        beside: dict[str, Any] = {}
        if echo and self.echo_shape == "together" and top is not None:
            scored = stub_model.legacy(self._echoed(prompt, top))
            kept = {"tokens": scored["tokens"], "token_logprobs": scored["token_logprobs"]}
            beside = {"prompt": [{"text": prompt, "logprobs": kept}]}
        return self._reply(choices, len(self.split(prompt)), drawn, beside)

    def _chat(self, body: dict[str, Any]) -> web.Response:
        top = body.get("top_logprobs")
        prompt, dictated = stub_chat.heard(
            body, self.prefill, dictation=self.dictation, drops_first=self.drops_first
        )
        texts = self._draws(body, prompt)
        if dictated:
            texts = [dictated[: len(text)] for text in texts]
        repeated = body["messages"][-1]["content"] if self.repeats else ""
        choices = []
        for text in texts:
            scored = None
            if top is not None and self.logprobs:
                scored = stub_model.content(prompt, text, top - self.short_top)
            message = {"role": "assistant", "content": repeated + text, "refusal": None}
            choices.append({"message": message, "logprobs": scored, "finish_reason": "length"})
        return self._reply(choices, len(self.split(prompt)) + self.wrap, texts, {})

    def _refusal(self, body: dict[str, Any], top: int | None, text: str) -> web.Response | None:
        unknown = [name for name in self.refuse if name in body]
        if unknown:
            return _error(400, f"Unrecognized request argument supplied: {unknown[0]}")
        if top is not None and self.max_top is not None and top > self.max_top:
            return _error(400, f"Invalid value for logprobs: must be at most {self.max_top}")
        if self.n not in (None, 1) and body.get("n", 1) > (self.n or 1):
            return _error(400, f"n must be at most {self.n}")
        if self.window is not None and len(text) >= self.window:
            return _error(400, f"This model's maximum context length is {self.window} tokens")
        return None

    def _draws(self, body: dict[str, Any], prompt: str) -> list[str]:
        count = 1 if self.n == 1 else body.get("n", 1)
        length = int(body.get("max_tokens") or body["max_completion_tokens"]) * (1 if self.limit else 3)
        bias = body.get("logit_bias", {}) if self.bias else {}
        self.drawn += 1
        seed = body.get("seed") if self.seed else None
        seed = 1000 * self.drawn if seed is None else seed
        texts = []
        for i in range(count):  # choice i is drawn with seed + i, as llama.cpp and vLLM do
            of_choice, text = str(seed + i * (not self.copies) if self.random else 0), ""
            for j in range(length):
                known = stub_model.biased(self.law(prompt + text), bias, self.merges)
                text += stub_model.draw(known, stub_model.uniform("draw", of_choice, str(j)))
            texts.append(text)
        return texts

    def _logprobs(self, prompt: str, text: str, top: int, echo: bool) -> dict[str, Any]:
        if not self.legacy:
            return stub_model.content(prompt, text, top)
        generated = stub_model.rows(list(text), prompt, top)
        if not echo:
            return stub_model.legacy(generated)
        offsets = self.echo_shape != "sglang"
        return stub_model.legacy([*self._echoed(prompt, top), *generated], offsets=offsets)

    def _echoed(self, prompt: str, top: int) -> list[Row]:
        found = stub_model.rows(self.split(prompt), "", top)
        if self.echo_bos:
            first = found[0][0]
            scored = (first, self.law("")[first], stub_model.best(self.law(""), top), 0)
            found = [("<s>", None, None, -3), scored, *found[1:]]
            found = [(token, own, others, at + 3) for token, own, others, at in found]
        if not self.alternatives:
            found = [(t, own, None if own is None else {t: own}, at) for t, own, _, at in found]
        return found

    def _reply(
        self, choices: list[dict[str, Any]], tokens: int, texts: list[str], beside: dict[str, Any]
    ) -> web.Response:
        drawn = len("".join(texts))
        usage = {"prompt_tokens": tokens, "completion_tokens": drawn, "total_tokens": tokens + drawn}
        self.replied += 1
        reply = {
            "id": f"stub-{self.replied}",
            "object": "chat.completion" if "message" in choices[0] else "text_completion",
            "created": 0,
            "model": self.models[self.replied % len(self.models)],
            "system_fingerprint": self.fingerprints[self.replied % len(self.fingerprints)],
            "choices": [{"index": i, **choice} for i, choice in enumerate(choices)],
            "usage": usage,
        }
        return web.json_response(reply | beside)


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


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)
