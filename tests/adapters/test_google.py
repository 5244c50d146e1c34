"""Provider `google`: what is sent, and how errors of the service are typed.

The service is not reachable from here. The stub's payloads and our requests
are held against the types of the official package.
"""

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from harness.adapters import google
from harness.adapters._retry import RetryPolicy
from harness.errors import MissingKey, RenderError
from harness.types import Failure, Prompt, Reply, Request, Response
from tests.adapters.google_stub import GoogleStub
from tests.adapters.service_asking import BEGUN, CHAT, ask, draw, nowhere, open_model
from tests.adapters.stub_server import answer, reset

NEXT = Request("next_token", CHAT, (2,), top_logprobs=3)


class Waits:
    """A sleep that only notes how long it was."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def error(code: int, status: str, message: str, *details: dict[str, Any]) -> str:
    inner = {"code": code, "message": message, "status": status, "details": list(details)}
    return json.dumps({"error": inner})


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "26s"}
QUOTA = "You exceeded your current quota, please check your plan and billing details."
TOO_LONG = "The input token count (9) exceeds the maximum number of tokens allowed (8)."
INVALID_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


def test_a_draw_is_of_one_token_from_the_whole_distribution_with_thinking_off() -> None:
    stub = GoogleStub(thinks="unless told not to")
    (reply,) = ask(stub, draw())
    assert isinstance(reply, Reply)
    (body,) = stub.sent
    seed = body["generationConfig"].pop("seed")
    assert 0 <= seed < 2**31
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "Next?\n0,1,"}]}],
        "generationConfig": {
            "temperature": 1,
            "topP": 1,
            "maxOutputTokens": 1,
            "thinkingConfig": {"thinkingBudget": 0},
        },
    }


def test_the_key_goes_into_a_header_and_never_into_the_address() -> None:
    stub = GoogleStub()
    ask(stub, draw())
    path, headers, _ = stub.log[0]
    assert path == "/v1beta/models/m:generateContent"
    assert {n.lower(): v for n, v in headers.items()}["x-goog-api-key"] == "key-of-the-test"


def test_a_begun_answer_is_the_last_turn_and_one_begun_with_nothing_is_left_out() -> None:
    stub = GoogleStub(thinks="unless told not to")
    ask(stub, draw(BEGUN, 3), draw(BEGUN, 0))
    user = {"role": "user", "parts": [{"text": "Go on."}]}
    assert [body["contents"] for body in stub.sent] == [
        [user, {"role": "model", "parts": [{"text": " 0, 1, 0,"}]}],
        [user],
    ]


@pytest.mark.parametrize(
    ("stub", "calls", "words"),
    [
        (GoogleStub(), 3, "nothing said of thinking, with seed"),
        (GoogleStub(refuses_seed=True), 4, "nothing said of thinking, without seed"),
        (
            GoogleStub(refuses_seed=True, thinks="unless told not to"),
            2,
            "thinking switched off, without seed",
        ),
    ],
)
def test_fields_that_a_model_refuses_are_left_out_once_and_for_all(
    stub: GoogleStub, calls: int, words: str
) -> None:
    async def main() -> None:
        async with stub:
            model = open_model(stub)
            await model.send([draw()])
            await model.send([draw()])
            assert model.settings["sampling"] == f"temperature=1, topP=1, {words}"
            await model.close()

    asyncio.run(main())
    assert len(stub.sent) == calls + 1


def test_what_the_format_cannot_say_is_refused_before_anything_is_sent() -> None:
    stub = GoogleStub()
    completion = draw(Prompt("", ("0", "1"), ",", (0, 1, 0)))
    refused = [completion, Request("prefixes", CHAT, (1, 2), top_logprobs=3), draw(restricted=True)]
    for got in ask(stub, *refused):
        assert isinstance(got, Failure)
        assert (got.kind, got.attempts) == ("request", 0)
    assert not stub.log
    with pytest.raises(RenderError, match=r"google/m: generateContent has no completions"):
        open_model(nowhere(stub)).check(completion)


@pytest.mark.parametrize(
    ("status", "body", "kind", "attempts"),
    [
        (400, error(400, "INVALID_ARGUMENT", "API key not valid.", INVALID_KEY), "auth", 1),
        (
            400,
            error(
                400,
                "INVALID_ARGUMENT",
                "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            ),
            "overflow",
            1,
        ),
        (400, error(400, "INVALID_ARGUMENT", "Invalid value at 'contents'"), "request", None),
        (400, error(400, "FAILED_PRECONDITION", "User location is not supported."), "request", None),
        (401, error(401, "UNAUTHENTICATED", "no credentials"), "auth", 1),
        (403, error(403, "PERMISSION_DENIED", "not enabled"), "auth", 1),
        (404, error(404, "NOT_FOUND", "models/g is not found"), "request", None),
        (429, error(429, "RESOURCE_EXHAUSTED", QUOTA), "auth", 1),
        (500, error(500, "INTERNAL", "An internal error has occurred"), "server", 3),
        (503, error(503, "UNAVAILABLE", "The model is overloaded."), "server", 3),
        (504, error(504, "DEADLINE_EXCEEDED", "too slow"), "timeout", 3),
        (200, error(503, "UNAVAILABLE", "The model is overloaded."), "server", 3),
    ],
)
def test_errors_of_the_service_are_typed(status: int, body: str, kind: str, attempts: int | None) -> None:
    (got,) = ask(GoogleStub(always=answer(status, body)), draw())
    assert isinstance(got, Failure)
    assert got.kind == kind
    assert attempts is None or got.attempts == attempts


def test_a_quota_that_comes_back_is_waited_for_as_long_as_the_body_says() -> None:
    waits = Waits()
    body = error(429, "RESOURCE_EXHAUSTED", QUOTA, RETRY_INFO)
    stub = GoogleStub(faults=[answer(429, body)], thinks="unless told not to")

    async def main() -> None:
        async with stub:
            model = open_model(stub, policy=RetryPolicy(attempts=3, sleep=waits))
            task = asyncio.create_task(model.send([draw()]))
            while max(waits.seconds, default=0) < 1:
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await model.close()

    asyncio.run(main())
    assert 25 < max(waits.seconds) < 30


def test_a_connection_that_broke_is_asked_again_and_doubtful() -> None:
    (got,) = ask(GoogleStub(faults=[reset], thinks="unless told not to"), draw())
    assert isinstance(got, Reply)
    assert (got.attempts, got.doubtful) == (2, 1)


def test_tokens_of_thoughts_and_of_the_cache_are_counted() -> None:
    usage = {
        "promptTokenCount": 90,
        "cachedContentTokenCount": 64,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 30,
    }
    stub = GoogleStub(changes={"usageMetadata": usage})
    (got,) = ask(stub, draw())
    assert isinstance(got, Reply)
    assert (got.prompt_tokens, got.completion_tokens) == (90, 32)
    assert (got.cached_tokens, got.hidden_tokens, got.served_model) == (64, 30, "stub-001")


def test_both_ways_agree_on_the_law_of_the_stub() -> None:
    stub, n = GoogleStub(logprobs=20), 800
    p = np.array(list(stub.law("Next?\n0,1,").values()))
    exact, *drawn = ask(stub, NEXT, *[Request("samples", CHAT, (2,), n=8)] * (n // 8))
    assert isinstance(exact, Reply)
    response = google.read(NEXT, exact.raw)
    assert isinstance(response, Response)
    assert response.logprob is not None
    np.testing.assert_allclose(np.exp(response.logprob[0]), p[:2], rtol=1e-12)
    counts = np.zeros(3)
    for reply in drawn:
        assert isinstance(reply, Reply)
        response = google.read(Request("samples", CHAT, (2,), n=8), reply.raw)
        assert isinstance(response, Response)
        assert response.counts is not None
        counts += response.counts[0]
    # Four standard errors: all three within by chance but once in 5,000 seeds; the stub's draws are seeded.
    assert np.all(np.abs(counts / n - p) < 4 * np.sqrt(p * (1 - p) / n))


def test_the_official_package_accepts_what_the_stub_says_and_what_we_send() -> None:
    types = pytest.importorskip("google.genai.types")
    stubs = [GoogleStub(logprobs=20), GoogleStub(thinks="always"), GoogleStub(thinks="unless told not to")]
    for stub in stubs:
        ask(stub, NEXT, draw(BEGUN), Request("samples", CHAT, (2,), n=4, seed=1))
        for body in stub.sent:
            types.GenerationConfig.model_validate(body["generationConfig"], extra="forbid")
            for turn in body["contents"]:
                types.Content.model_validate(turn, extra="forbid")
            payload = stub.content(body)
            if "error" not in payload:
                types.GenerateContentResponse.model_validate(payload, extra="forbid")
        assert any("error" not in stub.content(body) for body in stub.sent)


def test_the_name_the_key_and_the_address_come_from_the_environment() -> None:
    for variable in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        model = google.open_model("g", environ={variable: "k"})
        assert model.fingerprint == "https://generativelanguage.googleapis.com"
    moved = google.open_model(
        "g", environ={"GOOGLE_API_KEY": "k", "GOOGLE_BASE_URL": "https://gateway.example/v1beta/"}
    )
    assert moved.fingerprint == "https://gateway.example"
    with pytest.raises(MissingKey, match="GOOGLE_API_KEY nor GEMINI_API_KEY"):
        google.open_model("g", environ={})
