"""A stub of Google's generateContent, written from the types of `google-genai` 3.4.0."""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web

from tests.adapters.service_stub import VOCABULARY, ServiceStub


@dataclass
class GoogleStub(ServiceStub):
    """generateContent."""

    logprobs: int | None = None  # most that are reported; None where they are refused
    candidates: int = 8  # most, more are refused
    ignores_n: bool = False
    copies: bool = False
    seed: bool = True  # honoured
    refuses_seed: bool = False
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    batch_status: str = "SUCCEEDED"
    batch_keys: bool = True  # results bear the keys of their requests
    results: dict[str, Any] = field(default_factory=dict)  # of a batch instead of the model's, by key

    key_header: ClassVar[str] = "x-goog-api-key"

    def route(self, path: str, body: dict[str, Any]) -> web.Response:
        if path.startswith("/v1beta/batches"):
            name = path.removeprefix("/v1beta/")
            if name == "batches":
                return web.json_response({"operations": [self.batch_state(known) for known in self.batches]})
            known = name in self.batches
            return web.json_response(self.batch_state(name)) if known else self.error("NOT_FOUND", path)
        model, _, action = path.removeprefix("/v1beta/models/").partition(":")
        if not action:
            return web.json_response(self.describe(model))
        if action == "countTokens" and self.counts:
            return web.json_response({"totalTokens": self.tokens(body["contents"][0]["parts"][0]["text"])})
        if action == "batchGenerateContent":
            name = f"batches/b{len(self.batches)}"
            self.batches[name] = body["batch"]
            return web.json_response(self.batch_state(name))
        if action == "generateContent":
            payload = self.content(body)
            return web.json_response(payload, status=payload["error"]["code"] if "error" in payload else 200)
        return self.error("NOT_FOUND", path)

    def batch_state(self, name: str) -> dict[str, Any]:
        """A batch as the service describes it: an operation."""
        asked = self.batches[name]["inputConfig"]["requests"]["requests"]
        metadata: dict[str, Any] = {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "displayName": self.batches[name]["displayName"],
            "state": f"BATCH_STATE_{self.batch_status}",
            "createTime": "2026-01-01T00:00:00.123456Z",
            "batchStats": {"requestCount": str(len(asked)), "pendingRequestCount": str(len(asked))},
        }
        if self.batch_status == "SUCCEEDED":
            metadata["batchStats"] = {"requestCount": str(len(asked))}
            responses = [self.batch_result(one) for one in asked]
            metadata["output"] = {"inlinedResponses": {"inlinedResponses": responses}}
        return {"name": name, "metadata": metadata, "done": self.batch_status == "SUCCEEDED"}

    def batch_result(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What became of one request of a batch."""
        payload = self.content(asked["request"])
        error = {"code": 3, "message": payload["error"]["message"]} if "error" in payload else None
        own: dict[str, Any] = {"error": error} if error else {"response": payload}
        result: dict[str, Any] = self.results.get(asked["metadata"]["key"], own)
        return result | ({"metadata": asked["metadata"]} if self.batch_keys else {})

    def describe(self, model: str) -> dict[str, Any]:
        limit = {} if self.window is None else {"inputTokenLimit": self.window}
        return {"name": f"models/{model}", "version": "001", "topP": 0.95, "topK": 64, **limit}

    def content(self, body: dict[str, Any]) -> dict[str, Any]:
        config = body["generationConfig"]
        texts = [turn["parts"][0]["text"] for turn in body["contents"]]
        begun = texts[1] if len(texts) > 1 else ""
        refusal = self.refusal(config, begun)
        if refusal:
            return _google_error(400, "INVALID_ARGUMENT", refusal)
        size = sum(self.tokens(text) for text in texts)
        if self.window is not None and size > self.window:
            words = f"The input token count ({size}) exceeds the maximum number of tokens allowed ({self.window})."
            return _google_error(400, "INVALID_ARGUMENT", words)
        budget = config.get("thinkingConfig", {}).get("thinkingBudget")
        thought = 0
        if self.thinks != "never" and budget != 0:
            thought = min(self.thoughts, config["maxOutputTokens"])
        n = 1 if self.ignores_n else config.get("candidateCount", 1)
        seed = config.get("seed") if self.seed else None
        candidates = []
        for i in range(n):
            own = None if seed is None else seed + i * (not self.copies)
            if self.copies and seed is None:
                own = 1
            text, cut = self.answer(texts[0], begun, config["maxOutputTokens"] - thought, own)
            candidates.append(self.candidate(i, text, cut, config, begun or texts[0]))
        usage = {"promptTokenCount": size, "candidatesTokenCount": sum(len(_text(c)) for c in candidates)}
        if thought:
            usage["thoughtsTokenCount"] = thought
        usage["totalTokenCount"] = sum(usage.values())
        return {
            "candidates": candidates,
            "usageMetadata": usage,
            "modelVersion": "stub-001",
            "responseId": f"r{self.drawn}",
            **self.changes,
        }

    def refusal(self, config: dict[str, Any], begun: str) -> str:
        thinking = config.get("thinkingConfig", {})
        if config.get("responseLogprobs") and (self.logprobs is None or config["logprobs"] > self.logprobs):
            return "Logprobs is not enabled for models/stub"
        if config.get("candidateCount", 1) > self.candidates:
            return "Multiple candidates is not enabled for this model"
        if self.refuses_seed and "seed" in config:
            return 'Unknown name "seed"'
        if self.thinks == "always" and thinking.get("thinkingBudget") == 0:
            return "Budget 0 is invalid. This model only works in thinking mode."
        if self.thinks == "never" and thinking:
            return "Thinking is not supported by this model."
        if begun and self.prefill == "refused":
            return "Requests ending with a model turn are not supported."
        return ""

    def candidate(
        self, index: int, text: str, cut: bool, config: dict[str, Any], context: str
    ) -> dict[str, Any]:
        content = {"role": "model", "parts": [{"text": text}]} if text else {"role": "model"}
        made: dict[str, Any] = {
            "content": content,
            "finishReason": "MAX_TOKENS" if cut else "STOP",
            "index": index,
        }
        if config.get("responseLogprobs"):
            law = {t: math.log(p) for t, p in self.law(context).items()}
            best = sorted(law, key=lambda t: -law[t])[: config["logprobs"]]
            made["logprobsResult"] = {
                "topCandidates": [{"candidates": [_token(t, law[t]) for t in best]}],
                "chosenCandidates": [_token(text, law[text])],
            }
        return made

    def error(self, kind: str, message: str) -> web.Response:
        if kind == "key":
            details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
            error = _google_error(400, "INVALID_ARGUMENT", "API key not valid.", details)
        else:
            error = _google_error(404, kind, message)
        return web.json_response(error, status=error["error"]["code"])


def _google_error(
    code: int, status: str, message: str, details: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": details or []}}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "tokenId": VOCABULARY.index(token), "logProbability": logprob}


def _text(candidate: dict[str, Any]) -> str:
    return "".join(part["text"] for part in candidate["content"].get("parts", []))
