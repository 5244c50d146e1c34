"""Provider `anthropic`: what is sent, and how errors of the service are typed.

The service is not reachable from here. The stub's payloads and our requests
are held against the types of the official package.
"""

import asyncio
import json
from typing import Any

import anthropic.types as sdk
import numpy as np
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.shared import ErrorResponse
from pydantic import TypeAdapter

from harness.adapters import _anthropic_wire as wire
from harness.adapters import anthropic
from harness.adapters._endpoint import HttpEndpoint
from harness.adapters._model_options import ModelOptions
from harness.adapters._retry import RetryPolicy
from harness.adapters._service_model import ServiceModel
from harness.adapters._transport import Transport
from harness.errors import MissingKey, RenderError, UnknownName
from harness.types import Failure, Prompt, Reply, Request, Response
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.service_asking import BEGUN, CHAT, ask, draw, no_sleep, nowhere, open_model
from tests.adapters.stub_server import answer, never, reset


def error(kind: str, text: str, **details: str) -> str:
    inner = {"type": kind, "message": text, **({"details": details} if details else {})}
    return json.dumps({"type": "error", "error": inner, "request_id": "req_1"})


def test_a_chat_is_one_user_message_at_temperature_1_with_thinking_off() -> None:
    stub = AnthropicStub()
    (reply,) = ask(stub, draw())
    assert isinstance(reply, Reply)
    assert stub.sent == [
        {
            "model": "m",
            "max_tokens": 1,
            "temperature": 1,
            "thinking": {"type": "disabled"},
            "messages": [{"role": "user", "content": "Next?\n0,1,"}],
        }
    ]
    headers = {name.lower(): value for name, value in stub.log[0][1].items()}
    assert headers["x-api-key"] == "key-of-the-test"
    assert headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in headers


def test_a_begun_answer_is_the_last_message_and_one_begun_with_nothing_is_left_out() -> None:
    stub = AnthropicStub()
    ask(stub, draw(BEGUN, 3), draw(BEGUN, 0))
    user = {"role": "user", "content": "Go on."}
    assert [body["messages"] for body in stub.sent] == [
        [user, {"role": "assistant", "content": " 0, 1, 0,"}],
        [user],
    ]


def test_requests_are_as_the_official_package_types_them() -> None:
    stub = AnthropicStub(thinks="always")
    ask(stub, draw(), draw(BEGUN, 3), name="m?hidden_tokens=2048&reasoning_effort=low")
    schema = TypeAdapter(MessageCreateParamsNonStreaming)
    assert len(stub.sent) == 2
    for body in stub.sent:
        # The package has no temperature any more; older models take it and newer ones are asked without.
        schema.validate_python({k: v for k, v in body.items() if k != "temperature"}, extra="forbid")


@pytest.mark.parametrize(
    ("refuse", "kept", "calls"),
    [
        (("temperature",), {"thinking"}, 2),
        (("thinking",), {"temperature"}, 3),
        (("temperature", "thinking"), set[str](), 4),
    ],
)
def test_fields_that_a_model_refuses_are_left_out_once_and_for_all(
    refuse: tuple[str, ...], kept: set[str], calls: int
) -> None:
    stub = AnthropicStub(refuse=refuse)
    first, second = ask(stub, draw(), draw(CHAT, 3))
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert len(stub.sent) == calls + 1
    assert {"temperature", "thinking"} & stub.sent[-1].keys() == kept


def test_a_resumed_run_asks_in_the_manner_that_was_learned() -> None:
    stub = AnthropicStub(refuse=("temperature",))

    async def main() -> None:
        async with stub:
            first, second = open_model(stub), open_model(stub)
            assert isinstance(first, ServiceModel)
            assert isinstance(second, ServiceModel)
            assert first.learned == ""
            await first.send([draw()])
            second.recall(first.learned)
            assert second.settings["sampling"] == "the only temperature, thinking switched off"
            sent = len(stub.sent)
            await second.send([draw()])
            assert len(stub.sent) == sent + 1
            second.recall("said by another version")
            assert second.learned == ""
            await first.close()
            await second.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (draw(Prompt("", ("0", "1"), ",", (0, 1, 0))), "no completions; set render: {form: chat}"),
        (Request("next_token", CHAT, (2,), top_logprobs=5), "no log-probabilities"),
        (Request("prefixes", CHAT, (1, 2), top_logprobs=5), "no log-probabilities"),
        (draw(restricted=True), "no logit_bias"),
        (draw(Prompt("", ("0", "1"), "\n", (0, 1, 0), "prefill", "Go on.")), "may not end in white space"),
    ],
)
def test_what_the_format_cannot_say_is_refused_before_anything_is_sent(request_: Request, words: str) -> None:
    stub = AnthropicStub()
    (got,) = ask(stub, request_)
    assert isinstance(got, Failure)
    assert (got.kind, got.attempts) == ("request", 0)
    assert words in got.detail
    assert not stub.log
    with pytest.raises(RenderError, match=r"anthropic/m: "):
        open_model(nowhere(AnthropicStub())).check(request_)


def test_an_empty_user_message_is_a_failure_of_that_level_alone() -> None:
    empty, full = ask(
        AnthropicStub(), *(draw(Prompt("", ("0", "1"), ",", (0, 1), "chat"), n) for n in (0, 1))
    )
    assert isinstance(empty, Failure)
    assert isinstance(full, Reply)


@pytest.mark.parametrize(
    ("status", "body", "kind", "attempts"),
    [
        (
            400,
            error("invalid_request_error", "prompt is too long: 200082 tokens > 199999 maximum"),
            "overflow",
            1,
        ),
        (
            400,
            error("invalid_request_error", "input length and `max_tokens` exceed context limit: 9 + 1 > 9"),
            "overflow",
            1,
        ),
        (
            413,
            error("request_too_large", "Request exceeds the maximum allowed number of bytes"),
            "overflow",
            1,
        ),
        (400, error("invalid_request_error", "Your credit balance is too low to access the API."), "auth", 1),
        (402, error("billing_error", "There is an issue with your payment."), "auth", 1),
        (401, error("authentication_error", "invalid x-api-key"), "auth", 1),
        (403, error("permission_error", "not allowed"), "auth", 1),
        (404, error("not_found_error", "model: claude"), "request", None),
        (400, error("invalid_request_error", "messages: something else"), "request", None),
        (429, error("rate_limit_error", "Number of requests exceeds the limit"), "rate_limit", None),
        (429, error("rate_limit_error", "Limit.", error_code="enforced_spend_limit_reached"), "auth", 1),
        (500, error("api_error", "Internal server error"), "server", 3),
        (504, error("timeout_error", "too slow"), "timeout", 3),
        (529, error("overloaded_error", "Overloaded"), "server", 3),
        (200, error("overloaded_error", "Overloaded"), "server", 3),
        (200, error("billing_error", "No money."), "auth", 1),
    ],
)
def test_errors_of_the_service_are_typed(status: int, body: str, kind: str, attempts: int | None) -> None:
    if status != 413:  # the package knows it by its status alone
        ErrorResponse.model_validate_json(body)
    (got,) = ask(AnthropicStub(always=answer(status, body)), draw())
    assert isinstance(got, Failure)
    assert got.kind == kind
    assert attempts is None or got.attempts == attempts


def test_a_connection_that_broke_is_asked_again_and_doubtful() -> None:
    (got,) = ask(AnthropicStub(faults=[reset]), draw())
    assert isinstance(got, Reply)
    assert (got.attempts, got.doubtful) == (2, 1)


def test_tokens_read_from_and_written_to_the_cache_are_part_of_the_prompt() -> None:
    (got,) = ask(AnthropicStub(cached=(4, 3)), draw())
    assert isinstance(got, Reply)
    assert got.prompt_tokens == 8 + len("Next?\n0,1,")
    assert (got.cached_tokens, got.cache_written_tokens, got.completion_tokens) == (4, 3, 1)
    assert got.served_model == "stub-20260101"


def test_draws_follow_the_law_of_the_stub() -> None:
    stub, n = AnthropicStub(), 600
    counts = np.zeros(3)
    for reply in ask(stub, *[draw()] * n):
        assert isinstance(reply, Reply)
        response = anthropic.read(draw(), reply.raw)
        assert isinstance(response, Response)
        assert response.counts is not None
        counts += response.counts[0]
    p = np.array(list(stub.law("Next?\n0,1,").values()))
    # Four standard errors: all three within by chance but once in 5,000 seeds; the stub's draws are seeded.
    assert np.all(np.abs(counts / n - p) < 4 * np.sqrt(p * (1 - p) / n))


@pytest.mark.parametrize("thinks", ["never", "unless told not to", "always"])
@pytest.mark.parametrize("prefill", ["gone on with", "refused"])
def test_the_official_package_accepts_what_the_stub_says(thinks: Any, prefill: Any) -> None:
    stub = AnthropicStub(thinks=thinks, prefill=prefill, cached=(1, 2))
    for thinking in ({"type": "disabled"}, {"type": "adaptive"}, None):
        for messages in ([("user", "0")], [("user", "0"), ("assistant", "1")], [("user", "")]):
            body = {"max_tokens": 9, "messages": [{"role": r, "content": c} for r, c in messages]}
            payload = stub.message(body | ({"thinking": thinking} if thinking else {}))
            schema = ErrorResponse if "error" in payload else sdk.Message
            schema.model_validate(payload)
    sdk.ModelInfo.model_validate(stub.describe("m"))


def test_the_name_the_key_and_the_address_come_from_the_environment() -> None:
    key = {"ANTHROPIC_API_KEY": "k"}
    assert anthropic.open_model("c", environ=key).fingerprint == "https://api.anthropic.com"
    moved = anthropic.open_model("c", environ=key | {"ANTHROPIC_BASE_URL": "https://gateway.example/a/v1/"})
    assert moved.fingerprint == "https://gateway.example/a"
    assert anthropic.open_model("c?hidden_tokens=9", environ=key).name == "anthropic/c?hidden_tokens=9"
    with pytest.raises(MissingKey, match="ANTHROPIC_API_KEY"):
        anthropic.open_model("c", environ={})
    with pytest.raises(UnknownName, match="hidden_tokens"):
        anthropic.open_model("c?hidden_token=9", environ=key)


def test_an_answer_that_never_comes_is_a_timeout() -> None:
    async def main() -> Reply | Failure:
        async with AnthropicStub(always=never) as stub:
            endpoint = HttpEndpoint(stub.url, "k", transport=Transport(), timeout_s=0.05)
            policy = RetryPolicy(attempts=1, sleep=no_sleep)
            model = ServiceModel("anthropic/m", ModelOptions("m"), endpoint, wire, policy=policy)
            (got,) = await model.send([draw()])
            await model.close()
            return got

    got = asyncio.run(main())
    assert isinstance(got, Failure)
    assert (got.kind, got.doubtful) == ("timeout", 1)
