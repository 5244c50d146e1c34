"""A stub of services that refuse in OpenAI's words: reasoning models, the Responses API, other base paths.

Written from the types of the `openai` package (3.54.0) and from error messages
quoted in public issues; no real service has been asked.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.adapters import stub_model

FIXED_TEMPERATURE = (
    "Unsupported value: 'temperature' does not support 1 with this model. "
    "Only the default (1) value is supported."
)
OTHER_LIMIT = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead."
)
NO_ROOM = (
    "Could not finish the message because max_tokens or model output limit was reached. "
    "Please try again with higher max_tokens."
)
RESPONSES_ONLY = "This model is only supported in v1/responses and not in v1/chat/completions."
TOO_FEW = (
    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got {} instead."
)
_RESPONSES_FIELDS = {
    *("model", "input", "max_output_tokens", "store", "truncation", "temperature", "top_p"),
    *("reasoning", "include", "top_logprobs"),
}


@dataclass
class OpenAIService:
    """One model. `handle` answers in place of a stub server's own."""

    thinks: int = 0  # tokens of hidden reasoning before every answer
    out_of_room: Literal["refused", "empty", "silent"] = "refused"  # what comes where they fill the limit
    temperature: bool = True  # may be set
    completion_limit: bool = False  # max_tokens is refused, max_completion_tokens wanted
    responses_only: bool = False
    says: tuple[str, ...] = ()  # answers in turn, instead of drawn ones
    stop: Literal["", "refusal", "content_filter", "failed"] = ""  # how the Responses API ends instead
    base: str = "/v1"
    key: str | None = None
    drawn: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)  # replies with HTTP 200

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return refused(401, "Incorrect API key provided")
        body = json.loads(await request.read() or b"{}")
        path = request.path.removeprefix(self.base)
        if path == "/responses":
            return self._respond(body)
        if path == "/chat/completions" and not self.responses_only:
            return self._chat(body)
        if path == "/chat/completions":
            return refused(404, RESPONSES_ONLY)
        return refused(404, f"Invalid URL (POST {request.path})")

    def _chat(self, body: dict[str, Any]) -> web.Response:
        if self.completion_limit and "max_tokens" in body:
            return refused(400, OTHER_LIMIT, "unsupported_parameter")
        if not self.temperature and "temperature" in body:
            return refused(400, FIXED_TEMPERATURE, "unsupported_value")
        limit = body.get("max_completion_tokens") or body["max_tokens"]
        if self.thinks >= limit and self.out_of_room == "refused":
            return refused(400, NO_ROOM)
        texts = [self._draw(body["messages"][-1]["content"], limit) for _ in range(body.get("n", 1))]
        choices: list[dict[str, Any]] = [
            {
                "index": i,
                "message": {"role": "assistant", "content": text, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop" if text else "length",
            }
            for i, text in enumerate(texts)
        ]
        hidden = min(self.thinks, limit) * len(texts)
        usage = self._usage(body["messages"][-1]["content"], sum(map(len, texts)) + hidden, hidden)
        head = {"id": f"chatcmpl-{self.drawn}", "object": "chat.completion", "created": 1, "model": "o-2026"}
        return self._reply({**head, "choices": choices, "usage": usage})

    def _respond(self, body: dict[str, Any]) -> web.Response:
        unknown = sorted(body.keys() - _RESPONSES_FIELDS)
        if unknown:
            return refused(400, f"Unknown parameter: '{unknown[0]}'.", "unknown_parameter")
        if not self.temperature and "temperature" in body:
            return refused(400, FIXED_TEMPERATURE, "unsupported_value")
        limit = body["max_output_tokens"]
        if limit < 16:
            return refused(400, TOO_FEW.format(limit), "integer_below_min_value")
        text = self._draw(body["input"], limit)
        output: list[dict[str, Any]] = []
        if self.thinks:
            output.append({"id": "rs_1", "type": "reasoning", "summary": [], "status": "completed"})
        part = self._part(body, text)
        if text:
            message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
            output.append({**message, "content": [part]})
        reason = "content_filter" if self.stop == "content_filter" else "max_output_tokens"
        cut = not text or self.stop == "content_filter"
        failed = {"code": "server_error", "message": "The model failed to generate a response."}
        hidden = min(self.thinks, limit)
        usage = {
            "input_tokens": len(body["input"]),
            "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
            "output_tokens": len(text) + hidden,
            "output_tokens_details": {"reasoning_tokens": hidden},
            "total_tokens": len(body["input"]) + len(text) + hidden,
        }
        reply = {
            "id": f"resp_{self.drawn}",
            "object": "response",
            "created_at": 1.0,
            "model": "o-pro-2026",
            "status": "failed" if self.stop == "failed" else "incomplete" if cut else "completed",
            "error": failed if self.stop == "failed" else None,
            "incomplete_details": {"reason": reason} if cut else None,
            "instructions": None,
            "metadata": {},
            "output": [] if self.stop in ("failed", "content_filter") else output,
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "max_output_tokens": limit,
            "usage": usage,
        }
        return self._reply(reply)

    def _part(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        if self.stop == "refusal":
            return {"type": "refusal", "refusal": "I cannot help with that"}
        scored: list[dict[str, Any]] = []
        if "message.output_text.logprobs" in body.get("include", []):
            for i, token in enumerate(text):
                before, known = body["input"] + text[:i], stub_model.law(body["input"] + text[:i])
                listed = stub_model.content(before, token, body["top_logprobs"])["content"][0]["top_logprobs"]
                top = [{**entry, "bytes": list(entry["token"].encode())} for entry in listed]
                own = {"token": token, "logprob": known[token], "bytes": list(token.encode())}
                scored.append({**own, "top_logprobs": top})
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": scored}

    def _draw(self, context: str, limit: int) -> str:
        """Draw what is left of the limit, at most five tokens, each a character."""
        self.drawn += 1
        if self.says and limit > self.thinks:
            return self.says[self.drawn % len(self.says)]
        text = ""
        for j in range(min(5, limit - self.thinks)):
            known = stub_model.law(context + text)
            text += stub_model.draw(known, stub_model.uniform("service", str(self.drawn), str(j)))
        return text

    def _usage(self, context: str, completion: int, hidden: int) -> dict[str, Any]:
        usage: dict[str, Any] = {
            "prompt_tokens": len(context),
            "completion_tokens": completion,
            "total_tokens": len(context) + completion,
        }
        if self.out_of_room != "silent":
            usage["prompt_tokens_details"] = {"cached_tokens": 3, "cache_write_tokens": 1}
            usage["completion_tokens_details"] = {"reasoning_tokens": hidden}
        return usage

    def _reply(self, reply: dict[str, Any]) -> web.Response:
        self.sent.append(reply)
        return web.json_response(reply)


def refused(status: int, message: str, code: str | None = None) -> web.Response:
    """An error as OpenAI writes it."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return web.json_response({"error": error}, status=status)
