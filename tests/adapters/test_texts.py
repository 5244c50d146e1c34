"""Texts of many symbols at every provider: one request, room for all of them, read back as they were written."""

import asyncio
import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from harness.adapters import anthropic, google, mistral, mock, openai, openai_api, openrouter, together
from harness.adapters._reading import read_reply
from harness.adapters._retry import RetryPolicy
from harness.types import BatchModel, Failure, FailureKind, Model, Prompt, Reply, Request, Response
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.google_stub import GoogleStub
from tests.adapters.openai_service import OpenAIService
from tests.adapters.stub_server import Stub

ASKED = "Write random draws.\nSequence: "
CHAT = Prompt(ASKED, ("0", "1"), "", (0, 1, 0, 1), "chat")
TEXT = Prompt(ASKED, ("0", "1"), "", (0, 1, 0, 1))
BEGUN = Prompt("Sequence: ", ("0", "1"), "", (0, 1, 0, 1), "prefill", instruction="Write random draws.")
MOST = 30 + 16  # tokens: a byte a symbol, and room for an opening


def wanted(prompt: Prompt, *, restricted: bool = False) -> Request:
    return Request("generation", prompt, (2,), n=1, seed=5, restricted=restricted, length=30)


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=1, sleep=no_sleep)


def opened(provider: ModuleType, url: str) -> Model:
    name = provider.__name__.rpartition(".")[2].upper()
    base = url if provider in (anthropic, google) else f"{url}/v1"
    environ = {f"{name}_BASE_URL": base, f"{name}_API_KEY": "k", "STUB_BASE_URL": base}
    model: Model = provider.open_model(
        "stub/m" if provider is openai_api else "m", environ=environ, policy=QUICK
    )
    return model


def sent(provider: ModuleType, stub: Any, request: Request) -> tuple[Mapping[str, Any], Reply | Failure]:
    """Return the body of the last call and what came back."""

    async def main() -> Reply | Failure:
        async with stub:
            model = opened(provider, stub.root if isinstance(stub, Stub) else stub.url)
            try:
                model.check(request)
                return (await model.send([request]))[0]
            finally:
                await model.close()

    outcome = asyncio.run(main())
    return stub.log[-1][2], outcome


def read(provider: ModuleType, request: Request, outcome: Reply | Failure) -> Response:
    assert isinstance(outcome, Reply), outcome
    response = provider.read(request, outcome.raw)
    assert isinstance(response, Response), response
    assert (response.logprob, response.counts) == (None, None)
    return response


COMPATIBLE = [
    (openai, CHAT, "max_completion_tokens"),
    (openai, TEXT, "max_tokens"),
    (openai_api, CHAT, "max_tokens"),
    (openai_api, TEXT, "max_tokens"),
    (openai_api, BEGUN, "max_tokens"),
    (mistral, CHAT, "max_tokens"),
    (mistral, BEGUN, "max_tokens"),
    (together, CHAT, "max_tokens"),
    (openrouter, CHAT, "max_tokens"),
]


@pytest.mark.parametrize(("provider", "prompt", "limit"), COMPATIBLE)
def test_one_request_asks_for_room_for_every_symbol(provider: ModuleType, prompt: Prompt, limit: str) -> None:
    stub = Stub(prefill="final" if provider is openai_api else "prefix", dictation="")
    request = wanted(prompt)
    body, outcome = sent(provider, stub, request)
    assert (body[limit], body["n"], body["temperature"], body["top_p"]) == (MOST, 1, 1, 1)
    assert "logprobs" not in body
    response = read(provider, request, outcome)
    assert (len(response.text or ""), response.ended) == (MOST, False)
    assert isinstance(outcome, Reply)
    assert outcome.completion_tokens == MOST


@pytest.mark.parametrize("prompt", [CHAT, TEXT])
def test_the_text_follows_the_law_of_the_model_without_truncation(prompt: Prompt) -> None:
    """Each seed has a text of its own, and every one of the stub's tokens comes, symbol or not."""
    requests = [Request("generation", prompt, (2,), n=1, seed=seed, length=30) for seed in range(12)]

    async def main() -> list[Reply | Failure]:
        async with Stub(dictation="") as stub:
            model = opened(openai_api, stub.root)
            try:
                return await model.send(requests)
            finally:
                await model.close()

    replies = asyncio.run(main())
    texts = [read(openai_api, q, r).text or "" for q, r in zip(requests, replies, strict=True)]
    assert len(set(texts)) == 12
    assert set("".join(texts)) == set("01ab, ")


def test_draws_restricted_to_the_symbols_have_a_token_each() -> None:
    assert wanted(TEXT, restricted=True).text_tokens == 30
    words = Prompt("", (" Heads", " Tails"), ",", (0,))
    assert wanted(words).text_tokens == 30 * len(" Heads,") + 16
    assert Request("samples", TEXT, (2,), n=3).text_tokens == 1


def test_the_responses_api_writes_texts_too() -> None:
    service, request = OpenAIService(responses_only=True, says=("0110",)), wanted(CHAT)
    body, outcome = sent(openai, Stub(always=service.handle), request)
    assert body["max_output_tokens"] == MOST
    assert (read(openai, request, outcome).text, read(openai, request, outcome).ended) == ("0110", True)


@pytest.mark.parametrize("prompt", [CHAT, BEGUN])
def test_anthropic_writes_texts_and_says_whether_they_were_cut(prompt: Prompt) -> None:
    sdk = pytest.importorskip("anthropic.types")
    stub, request = AnthropicStub(), wanted(prompt)
    body, outcome = sent(anthropic, stub, request)
    assert body["max_tokens"] == MOST
    response = read(anthropic, request, outcome)
    assert (response.text, response.ended) == (stub.given[-1], False)
    assert len(stub.given[-1]) == MOST
    assert isinstance(outcome, Reply)
    sdk.Message.model_validate_json(outcome.raw)
    ends = AnthropicStub(changes={"content": [{"type": "text", "text": "01"}], "stop_reason": "end_turn"})
    response = read(anthropic, request, sent(anthropic, ends, request)[1])
    assert (response.text, response.ended) == ("01", True)


@pytest.mark.parametrize("prompt", [CHAT, BEGUN])
def test_google_writes_texts_and_says_whether_they_were_cut(prompt: Prompt) -> None:
    sdk = pytest.importorskip("google.genai.types")
    stub, request = GoogleStub(), wanted(prompt)
    body, outcome = sent(google, stub, request)
    config = body["generationConfig"]
    assert (config["maxOutputTokens"], config["topP"], "seed" in config) == (MOST, 1, True)
    assert "responseLogprobs" not in config
    response = read(google, request, outcome)
    assert (response.text, response.ended) == (stub.given[-1], False)
    assert isinstance(outcome, Reply)
    sdk.GenerateContentResponse.model_validate_json(outcome.raw)
    part = {"content": {"role": "model", "parts": [{"text": "01"}]}, "finishReason": "STOP", "index": 0}
    response = read(google, request, sent(google, GoogleStub(changes={"candidates": [part]}), request)[1])
    assert (response.text, response.ended) == ("01", True)


@pytest.mark.parametrize(("provider", "stub"), [(anthropic, AnthropicStub()), (google, GoogleStub())])
def test_a_batch_asks_for_as_much_as_a_direct_call(provider: ModuleType, stub: Any) -> None:
    request = wanted(CHAT)

    async def main() -> tuple[Any, Any]:
        async with stub:
            model = opened(provider, stub.url)
            assert isinstance(model, BatchModel)
            try:
                await model.send([request])
                direct = stub.log[-1][2]
                await model.submit([("a", request)], "nonce")
                return direct, stub.log[-1][2]
            finally:
                await model.close()

    direct, batch = asyncio.run(main())
    if provider is anthropic:
        assert batch["requests"][0]["params"] == direct
    else:
        assert batch["batch"]["inputConfig"]["requests"]["requests"][0]["request"] == direct


def reply_of(text: str, reason: str | None, *, chat: bool = False, **more: Any) -> bytes:
    said = {"message": {"content": text, **more}} if chat else {"text": text}
    usage = {"prompt_tokens": 3, "completion_tokens": max(1, len(text))}
    return json.dumps({"choices": [{"index": 0, **said, "finish_reason": reason}], "usage": usage}).encode()


@pytest.mark.parametrize(
    ("reason", "ended"), [("stop", True), ("eos", True), ("length", False), ("model_length", False)]
)
def test_the_reason_says_who_ended_the_text(reason: str, ended: bool) -> None:
    response = read_reply(wanted(TEXT), reply_of("0101", reason))
    assert isinstance(response, Response)
    assert (response.text, response.ended) == ("0101", ended)


def test_an_answer_that_the_model_ended_at_once_is_an_empty_text_and_no_failure() -> None:
    response = read_reply(wanted(TEXT), reply_of("", "stop"))
    assert isinstance(response, Response)
    assert (response.text, response.ended) == ("", True)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (reply_of("01", "content_filter", chat=True), "filtered"),
        (reply_of("", "stop", chat=True, refusal="I cannot"), "refused"),
        (reply_of("", "length", chat=True, reasoning_content="let me think"), "truncated"),
        (b'{"error": {"message": "overloaded", "code": 503}}', "server"),
        (b"<html>", "malformed"),
    ],
)
def test_what_is_no_text_is_a_typed_failure(raw: bytes, kind: FailureKind) -> None:
    outcome = read_reply(wanted(CHAT), raw)
    assert isinstance(outcome, Failure)
    assert outcome.kind == kind


@pytest.mark.parametrize(
    ("answer", "repeats", "text"),
    [
        ("Sequence: 0110", False, "10"),  # the words before the symbols show that what was begun is repeated
        ("10", False, "10"),
        ("0110", False, "0110"),  # symbols alone may be written again
        ("Sequence: 0110", True, "10"),
    ],
)
def test_what_was_begun_is_not_counted_as_written(answer: str, repeats: bool, text: str) -> None:
    response = read_reply(wanted(BEGUN), reply_of(answer, "stop", chat=True), repeats=repeats)
    assert isinstance(response, Response)
    assert response.text == text


def test_a_mock_writes_from_its_curve() -> None:
    """p(first symbol) = 0.8 at every length: of 100 x 30 draws within four standard errors, 1 time in 16,000 not."""
    model = mock.open_model("flat?p=0.8")
    requests = [Request("generation", TEXT, (2,), n=1, seed=s, length=30) for s in range(100)]
    texts = [mock.read(q, r.raw) for q, r in zip(requests, asyncio.run(model.send(requests)), strict=True)]  # type: ignore[union-attr]
    written = "".join(t.text or "" for t in texts if isinstance(t, Response))
    assert len(written) == 3000
    assert abs(written.count("0") / 3000 - 0.8) < 4 * (0.16 / 3000) ** 0.5
