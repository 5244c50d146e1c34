"""Error replies as servers really write them, and the kind of failure each is."""

import json

import pytest

from harness.adapters._status import EXCERPT, failure_of
from harness.adapters._transport import HttpReply

LLAMA_OVERFLOW = (
    b'{"error":{"code":400,"message":"request (801 tokens) exceeds the available context size (288 tokens), '
    b'try increasing it","type":"exceed_context_size_error","n_prompt_tokens":801,"n_ctx":288}}'
)
OPENAI_OVERFLOW = (
    b'{"error": {"message": "This model\'s maximum context length is 4097 tokens, however you requested 5001 '
    b'tokens. Please reduce the length.", "type": "invalid_request_error", "code": "context_length_exceeded"}}'
)
VLLM_OVERFLOW = (
    b'{"object":"error","message":"The decoder prompt (length 900) is longer than '
    b'the maximum model length of 512."}'
)
AZURE_FILTER = (
    b'{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI\'s content '
    b'management policy.","code":"content_filter","status":400}}'
)
NO_QUOTA = (
    b'{"error":{"message":"You exceeded your current quota, please check your plan and billing details.",'
    b'"type":"insufficient_quota"}}'
)
TGI_OVERFLOW = (
    b'{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",'
    b'"error_type":"validation"}'
)
SGLANG_OVERFLOW = (
    b'{"object":"error","message":"The input (900 tokens) is longer than the model\'s context length '
    b'(512 tokens).","code":400}'
)
MISTRAL_OVERFLOW = (
    b'{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with '
    b'32768 maximum context length","type":"invalid_request_prompt","code":"3051"}'
)
OPENAI_FLAGGED = (
    b'{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.",'
    b'"type":"invalid_request_error","code":"invalid_prompt"}}'
)
OPENROUTER_FLAGGED = (
    b'{"error":{"code":403,"message":"meta-llama/x requires moderation on Provider. Your input was flagged for '
    b'\\"violence\\".","metadata":{"reasons":["violence"]}}}'
)
OPENROUTER_BEHIND = (
    b'{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\\"error\\": \\"This model\'s '
    b'maximum context length is 512 tokens\\"}","provider_name":"Azure"}}}'
)
LLAMA_N = b'{"error":{"code":400,"message":"Field \'n\': Value must be between 1 <= value <= 4, but got 5"}}'


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, LLAMA_OVERFLOW, "overflow"),
        (400, OPENAI_OVERFLOW, "overflow"),
        (400, VLLM_OVERFLOW, "overflow"),
        (422, TGI_OVERFLOW, "overflow"),
        (400, SGLANG_OVERFLOW, "overflow"),
        (400, MISTRAL_OVERFLOW, "overflow"),
        (400, OPENROUTER_BEHIND, "overflow"),
        (413, b"", "overflow"),
        (400, OPENAI_FLAGGED, "filtered"),
        (403, OPENROUTER_FLAGGED, "filtered"),
        (402, b'{"error":{"code":402,"message":"Insufficient credits"}}', "auth"),
        (400, AZURE_FILTER, "filtered"),
        (400, LLAMA_N, "request"),
        (401, b'{"error": {"message": "Incorrect API key provided"}}', "auth"),
        (403, b"", "auth"),
        (404, b'{"detail": "Not Found"}', "request"),
        (422, b'{"detail": [{"loc": ["body", "seed"], "msg": "extra fields not permitted"}]}', "request"),
        (429, b'{"error": {"message": "Rate limit reached"}}', "rate_limit"),
        (429, NO_QUOTA, "auth"),
        (500, b"Internal Server Error", "server"),
        (503, b'{"error":{"message":"Loading model","code":503}}', "server"),
        (504, b"", "timeout"),
        (302, b"", "request"),
    ],
)
def test_each_error_has_its_kind(status: int, body: bytes, kind: str) -> None:
    failure = failure_of(HttpReply(status, {}, body))
    assert failure is not None
    assert failure.kind == kind
    assert failure.detail.startswith(f"HTTP {status}: ")


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_is_no_failure(status: int) -> None:
    assert failure_of(HttpReply(status, {}, b"")) is None


def test_the_message_of_the_server_is_shown() -> None:
    failure = failure_of(HttpReply(400, {}, LLAMA_N))
    assert failure is not None
    assert failure.detail == "HTTP 400: Field 'n': Value must be between 1 <= value <= 4, but got 5"


def test_the_words_of_the_provider_behind_a_router_are_shown() -> None:
    failure = failure_of(HttpReply(400, {}, OPENROUTER_BEHIND))
    assert failure is not None
    assert "Provider returned error: " in failure.detail
    assert "maximum context length is 512" in failure.detail


@pytest.mark.parametrize("body", [b"x" * 10_000, b"\xff\xfe" * 9_000, b"<html>\n" * 5_000, b"[" * 9_000])
def test_a_body_of_no_known_shape_is_cut_to_one_line(body: bytes) -> None:
    failure = failure_of(HttpReply(500, {}, body))
    assert failure is not None
    assert len(failure.detail) < EXCERPT + 30
    assert "\n" not in failure.detail


@pytest.mark.parametrize(
    "body", [None, 1, [], "words", {"error": "words"}, {"error": None}, {"message": {"a": 1}}]
)
def test_any_json_is_survived(body: object) -> None:
    failure = failure_of(HttpReply(400, {}, json.dumps(body).encode()))
    assert failure is not None
    assert failure.kind == "request"
