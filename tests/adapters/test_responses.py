"""The Responses API: found by what a chat answers, asked without what it does not have, read as a chat."""

import asyncio
import json
import math
from typing import Any

import numpy as np
import pytest

from harness.adapters import openai
from harness.adapters._compatible import CompatibleModel
from harness.adapters._retry import RetryPolicy
from harness.types import Failure, FailureKind, Prompt, Reply, Request, Response
from tests.adapters import stub_model
from tests.adapters.openai_service import OpenAIService
from tests.adapters.stub_server import Stub

CANARY = "sk-canary-5a2b9e41"
CHAT = Prompt("", ("0", "1"), "", (0, 1, 0, 1), "chat")
DRAW = Request("samples", CHAT, (3,), n=1, seed=1)
SCORE = Request("next_token", CHAT, (3,), top_logprobs=6)


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=2, sleep=no_sleep)


def asked(
    service: OpenAIService, *requests: Request
) -> tuple[list[Reply | Failure], list[tuple[str, dict[str, Any]]], CompatibleModel]:
    stub = Stub(always=service.handle)

    async def main() -> tuple[list[Reply | Failure], CompatibleModel]:
        async with stub:
            environ = {"OPENAI_BASE_URL": stub.root + service.base, "OPENAI_API_KEY": CANARY}
            model = openai.open_model("o-pro", environ=environ, policy=QUICK)
            assert isinstance(model, CompatibleModel)
            got = [(await model.send([request]))[0] for request in requests]
            await model.close()
            return got, model

    got, model = asyncio.run(main())
    return got, [(path, body) for path, _, body in stub.log], model


def test_a_model_that_answers_only_there_is_asked_there() -> None:
    (first, second), log, model = asked(OpenAIService(responses_only=True), DRAW, DRAW)
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert [path for path, _ in log] == ["/v1/chat/completions", "/v1/responses", "/v1/responses"]
    body = log[-1][1]
    assert (body["input"], body["max_output_tokens"], body["store"]) == ("010", 16, False)
    assert body["truncation"] == "disabled"  # a context is never cut
    assert not {"n", "seed", "stop", "logit_bias"} & body.keys()
    assert model.settings["route"] == "responses"
    assert (first.served_model, first.cached_tokens, first.cache_written_tokens) == ("o-pro-2026", 2, 1)
    assert (first.prompt_tokens, first.completion_tokens) == (3, 5)


def test_log_probabilities_are_those_of_the_first_token() -> None:
    service = OpenAIService(responses_only=True)
    (_, got), log, _ = asked(service, DRAW, SCORE)
    assert isinstance(got, Reply)
    assert log[-1][1]["include"] == ["message.output_text.logprobs"]
    read = openai.read(SCORE, got.raw)
    assert isinstance(read, Response)
    assert read.logprob is not None
    assert read.covered is not None
    known = stub_model.law("010")
    np.testing.assert_allclose(read.logprob[0], [known["0"], known["1"]])
    assert read.covered[0] == pytest.approx(1.0)


def test_log_probabilities_behind_reasoning_are_not_those_of_the_context() -> None:
    service = OpenAIService(responses_only=True, thinks=4)
    (_, got), _, _ = asked(service, DRAW, SCORE)
    assert isinstance(got, Reply)
    read = openai.read(SCORE, got.raw)
    assert isinstance(read, Failure)
    assert "behind hidden reasoning" in read.detail


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request("samples", CHAT, (3,), n=2), "has no n"),
        (Request("samples", CHAT, (3,), n=1, restricted=True), "has no logit_bias"),
        (Request("samples", Prompt("", ("0", "1"), "", (0, 1), "prefill"), (1,), n=1), "not answer prefill"),
    ],
)
def test_what_it_does_not_have_is_refused_before_sending(request_: Request, words: str) -> None:
    (_, got), log, _ = asked(OpenAIService(responses_only=True), DRAW, request_)
    assert isinstance(got, Failure)
    assert (got.kind, got.attempts) == ("request", 1)
    assert words in got.detail
    assert len(log) == 2  # those of the first draw


STOPS: list[tuple[str, FailureKind]] = [("refusal", "refused"), ("content_filter", "filtered")]


@pytest.mark.parametrize(("stop", "kind"), STOPS)
def test_how_a_response_ends_is_a_typed_failure(stop: Any, kind: FailureKind) -> None:
    (got,), _, _ = asked(OpenAIService(responses_only=True, stop=stop), DRAW)
    assert isinstance(got, Reply)
    read = openai.read(DRAW, got.raw)
    assert isinstance(read, Failure)
    assert read.kind == kind


def test_a_response_that_failed_is_asked_again() -> None:
    (got,), log, _ = asked(OpenAIService(responses_only=True, stop="failed"), DRAW)
    assert isinstance(got, Failure)
    assert (got.kind, got.attempts) == ("server", 2)
    assert "server_error The model failed" in got.detail
    assert len(log) == 1 + 2


def test_reasoning_that_fills_the_room_is_truncated() -> None:
    service = OpenAIService(responses_only=True, thinks=5000)
    (got,), _, _ = asked(service, DRAW)
    assert isinstance(got, Reply)
    assert got.hidden_tokens == 1024 + 16
    read = openai.read(DRAW, got.raw)
    assert isinstance(read, Failure)
    assert read.kind == "truncated"
    assert "raise hidden_tokens" in read.detail


def response(**fields: Any) -> bytes:
    part = {"type": "output_text", "text": "0", "annotations": [], "logprobs": []}
    message = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    return json.dumps({"object": "response", "status": "completed", "output": [message]} | fields).encode()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (response(status="in_progress"), "malformed"),
        (response(status=None), "malformed"),
        (response(output=[]), "malformed"),  # completed and empty
        (response(output=None), "malformed"),
        (response(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"}), "rate_limit"),
        (response(error="no such model"), "request"),
        (response(), "malformed"),  # no log-probabilities
    ],
)
def test_a_response_without_an_answer_is_none(raw: bytes, kind: FailureKind) -> None:
    got = openai.read(SCORE if raw == response() else DRAW, raw)
    assert isinstance(got, Failure)
    assert got.kind == kind


def test_a_number_that_is_none_is_malformed() -> None:
    token = {"token": "0", "bytes": [48], "logprob": math.nan, "top_logprobs": []}
    part = {"type": "output_text", "text": "0", "annotations": [], "logprobs": [token]}
    got = openai.read(SCORE, response(output=[{"type": "message", "content": [part]}]))
    assert isinstance(got, Failure)
    assert "log-probability nan" in got.detail


def test_azure_is_a_base_url_and_a_bearer_key() -> None:
    """`https://RESOURCE.openai.azure.com/openai/v1` takes the key as a bearer token, as the package sends it."""
    service = OpenAIService(base="/openai/v1", key=CANARY)
    (got,), log, model = asked(service, DRAW)
    assert isinstance(got, Reply)
    assert [path for path, _ in log] == ["/openai/v1/chat/completions"]
    assert model.fingerprint.endswith("/openai/v1")
    assert CANARY not in repr((got, model.settings, model.fingerprint))
