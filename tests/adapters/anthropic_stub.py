"""A stub of Anthropic's Messages API and Message Batches, written from the types of `anthropic` 2.12.0."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web

from tests.adapters.service_stub import ServiceStub

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "not_found_error": 404,
}


@dataclass
class AnthropicStub(ServiceStub):
    """The Messages API."""

    refuse: tuple[str, ...] = ()  # fields answered with 400
    cached: tuple[int, int] = (0, 0)  # tokens read from and written to the cache
    batches: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    batch_status: str = "ended"
    results: dict[str, Any] = field(default_factory=dict)  # of a batch instead of the model's, by custom_id

    key_header: ClassVar[str] = "x-api-key"

    def route(self, path: str, body: dict[str, Any]) -> web.Response:
        if path.startswith("/v1/models/"):
            return web.json_response(self.describe(path.removeprefix("/v1/models/")))
        if path == "/v1/messages/count_tokens" and self.counts:
            return web.json_response({"input_tokens": 8 + self.tokens(body["messages"][0]["content"])})
        if path == "/v1/messages":
            payload = self.message(body)
            return web.json_response(
                payload, status=_STATUS[payload["error"]["type"]] if "error" in payload else 200
            )
        if path.startswith("/v1/messages/batches"):
            return self.batch(path.removeprefix("/v1/messages/batches"), body)
        return self.error("not_found_error", path)

    def describe(self, model: str) -> dict[str, Any]:
        return {
            "type": "model",
            "id": model,
            "display_name": model,
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": self.window,
        }

    def message(self, body: dict[str, Any]) -> dict[str, Any]:
        refused = [name for name in self.refuse if name in body]
        if refused:
            return _anthropic_error("invalid_request_error", f"`{refused[0]}` is deprecated for this model.")
        thinking = body.get("thinking", {}).get("type")
        if self.thinks == "always" and thinking == "disabled":
            return _anthropic_error("invalid_request_error", '"thinking.type.disabled" is not supported')
        if self.thinks == "never" and thinking in ("adaptive", "enabled"):
            return _anthropic_error("invalid_request_error", "thinking is not supported")
        first, *rest = body["messages"]
        begun = rest[0]["content"] if rest else ""
        if not first["content"] or (rest and not begun):
            return _anthropic_error(
                "invalid_request_error", "messages: text content blocks must be non-empty"
            )
        if begun != begun.rstrip():
            return _anthropic_error(
                "invalid_request_error",
                "messages: final assistant content cannot end with trailing whitespace",
            )
        if rest and self.prefill == "refused":
            return _anthropic_error(
                "invalid_request_error", "This model does not support assistant message prefill."
            )
        size = self.tokens(first["content"] + begun)
        if self.window is not None and size > self.window:
            return _anthropic_error(
                "invalid_request_error", f"prompt is too long: {size} tokens > {self.window} maximum"
            )
        thought = 0
        if self.thinks != "never" and thinking != "disabled":
            thought = min(self.thoughts, body["max_tokens"])
        text, cut = self.answer(first["content"], begun, body["max_tokens"] - thought, None)
        read, written = self.cached
        return {
            "id": f"msg_{self.drawn}",
            "type": "message",
            "role": "assistant",
            "model": "stub-20260101",
            "content": ([{"type": "thinking", "thinking": "", "signature": "s"}] if thought else [])
            + ([{"type": "text", "text": text}] if text else []),
            "stop_reason": "max_tokens" if cut else "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 8 + size - read - written,
                "cache_read_input_tokens": read,
                "cache_creation_input_tokens": written,
                "output_tokens": thought + len(text),
                "output_tokens_details": {"thinking_tokens": thought},
            },
            **self.changes,
        }

    def batch(self, path: str, body: dict[str, Any]) -> web.Response:
        if not path and not body:
            known = [self.batch_state(name) for name in reversed(self.batches)]
            return web.json_response({"data": known, "has_more": False, "first_id": None, "last_id": None})
        if not path:
            name = f"msgbatch_{len(self.log)}"
            self.batches[name] = body["requests"]
            return web.json_response(self.batch_state(name))
        name, _, results = path.removeprefix("/").partition("/")
        if name not in self.batches:
            return self.error("not_found_error", name)
        if not results:
            return web.json_response(self.batch_state(name))
        lines = []
        for entry in reversed(self.batches[name]):  # in no promised order
            message = self.message(entry["params"])
            errored = "error" in message
            result = (
                {"type": "errored", "error": message}
                if errored
                else {"type": "succeeded", "message": message}
            )
            lines.append(
                {"custom_id": entry["custom_id"], "result": self.results.get(entry["custom_id"], result)}
            )
        return web.Response(text="\n".join(json.dumps(line) for line in lines))

    def batch_state(self, name: str) -> dict[str, Any]:
        ended, size = self.batch_status == "ended", len(self.batches[name])
        counts = {"processing": 0 if ended else size, "succeeded": size if ended else 0}
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": self.batch_status,
            "request_counts": {"canceled": 0, "errored": 0, "expired": 0, **counts},
            "created_at": "2026-01-01T00:00:00Z",
            "expires_at": "2026-01-02T00:00:00Z",
            "results_url": f"https://elsewhere.example/v1/messages/batches/{name}/results" if ended else None,
        }

    def error(self, kind: str, message: str) -> web.Response:
        kind = "authentication_error" if kind == "key" else kind
        return web.json_response(_anthropic_error(kind, message), status=_STATUS[kind])


def _anthropic_error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
