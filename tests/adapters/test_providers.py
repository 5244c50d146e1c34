"""Providers `mistral`, `together` and `openrouter`: what each is asked where it differs, and what comes of it."""

import asyncio
import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harness.adapters import mistral, openai_api, openrouter, together
from harness.adapters._compatible import CompatibleModel
from harness.adapters._retry import RetryPolicy
from harness.errors import HarnessError, MissingKey, SpecError
from harness.types import Failure, FailureKind, Prompt, Reply, Request, Response
from tests.adapters.openai_service import OpenAIService
from tests.adapters.stub_server import Fault, Stub, answer, cut_short, reset

CANARY = "sk-canary-77c0d2e8"
TEXT = Prompt("", ("0", "1"), "", (0, 1, 0, 1))
CHAT = Prompt("", ("0", "1"), "", (0, 1, 0, 1), "chat")
BEGUN = Prompt("", ("0", "1"), "", (0, 1, 0, 1), "prefill", "Go on with this line.")
PROVIDERS = [mistral, together, openrouter]


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=2, sleep=no_sleep)


def variable(provider: ModuleType, what: str) -> str:
    return f"{provider.__name__.rpartition('.')[2].upper()}_{what}"


def environ(provider: ModuleType, url: str) -> Mapping[str, str]:
    return {variable(provider, "BASE_URL"): url, variable(provider, "API_KEY"): CANARY}


def asked(
    provider: ModuleType, stub: Stub, *requests: Request, name: str = "m"
) -> tuple[list[Reply | Failure], list[dict[str, Any]]]:
    async def main() -> list[Reply | Failure]:
        async with stub:
            model: CompatibleModel = provider.open_model(
                name, environ=environ(provider, stub.url), policy=QUICK
            )
            got = [(await model.send([request]))[0] for request in requests]
            await model.close()
            return got

    got = asyncio.run(main())
    return got, [body for path, _, body in stub.log if "completions" in path]


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        (mistral, "https://api.mistral.ai/v1"),
        (together, "https://api.together.xyz/v1"),
        (openrouter, "https://openrouter.ai/api/v1"),
    ],
)
def test_each_has_its_own_address_and_variables(provider: ModuleType, url: str) -> None:
    key = {variable(provider, "API_KEY"): CANARY}
    assert provider.open_model("a/b", environ=key).fingerprint == url
    elsewhere = environ(provider, "https://gateway.example.org/v1/")
    assert provider.open_model("a/b", environ=elsewhere).fingerprint == "https://gateway.example.org/v1"
    with pytest.raises(MissingKey, match=variable(provider, "API_KEY")):
        provider.open_model("a/b", environ={})
    with pytest.raises(SpecError, match=r"has no name; write \w+/NAME, e\.g\. "):
        provider.open_model("", environ=key)


def test_mistral_is_told_a_random_seed_and_a_prefix() -> None:
    stub = Stub(prefill="prefix")
    draw = [Request("samples", prompt, (3,), n=4, seed=7) for prompt in (CHAT, BEGUN)]
    got, bodies = asked(mistral, stub, *draw)
    assert all(isinstance(reply, Reply) for reply in got)
    assert all("random_seed" in body and "seed" not in body and body["n"] == 4 for body in bodies)
    assert not any("top_k" in body or "max_completion_tokens" in body for body in bodies)
    assert bodies[1]["messages"] == [
        {"role": "user", "content": "Go on with this line."},
        {"role": "assistant", "content": "010", "prefix": True},
    ]


@pytest.mark.parametrize(
    ("provider", "beside"),
    [
        (mistral, {"prefix": True}),
        (together, {}),
        (openrouter, {}),
    ],
)
def test_a_begun_answer_is_the_last_message(provider: ModuleType, beside: Mapping[str, bool]) -> None:
    _, bodies = asked(provider, Stub(), Request("next_token", BEGUN, (2,), top_logprobs=5))
    assert bodies[0]["messages"][-1] == {"role": "assistant", "content": "01", **beside}


def repeated(*answers: str) -> bytes:
    choices = [
        {"index": i, "message": {"content": text}, "finish_reason": "length"}
        for i, text in enumerate(answers)
    ]
    return json.dumps({"choices": choices}).encode()


def test_an_answer_of_mistral_may_begin_with_what_was_begun() -> None:
    request = Request("samples", BEGUN, (3,), n=4)
    raw = repeated("0100", "0101", "0101", "010")
    got = mistral.read(request, raw)
    assert isinstance(got, Response)
    assert got.counts is not None
    assert got.counts.tolist() == [[1, 2, 1]]  # nothing was drawn behind the last


def test_a_symbol_that_begins_like_what_was_begun_is_read_as_the_service_is_known_to_write() -> None:
    doubled = Prompt("", ("H", "HH"), "", (0, 1), "prefill", "Go on.")
    request = Request("samples", doubled, (1,), n=1)
    for provider, expected in ((mistral, [[1, 0, 0]]), (openai_api, [[0, 1, 0]])):
        got = provider.read(request, repeated("HH"))
        assert isinstance(got, Response)
        assert got.counts is not None
        assert got.counts.tolist() == expected


def test_a_long_beginning_that_is_repeated_is_known_anywhere() -> None:
    long = Prompt("", ("0", "1"), "", (0, 1) * 10, "prefill", "Go on.")
    request = Request("samples", long, (18,), n=2)
    got = openai_api.read(request, repeated("01" * 9 + "0", "01" * 9 + "1"))
    assert isinstance(got, Response)
    assert got.counts is not None
    assert got.counts.tolist() == [[1, 1, 0]]
    score = Request("next_token", long, (18,), top_logprobs=2)
    tokens = [{"token": t, "logprob": -0.5, "top_logprobs": [{"token": "1", "logprob": -1.0}]} for t in "010"]
    whole = [{"token": "01" * 9, "logprob": -3.0, "top_logprobs": []}, tokens[0]]
    choice = {
        "message": {"content": "01" * 9 + "0"},
        "logprobs": {"content": whole},
        "finish_reason": "length",
    }
    read = openai_api.read(score, json.dumps({"choices": [choice]}).encode())
    assert isinstance(read, Response)
    assert read.logprob is not None
    np.testing.assert_allclose(read.logprob[0], [-0.5, -1.0])


def test_together_counts_its_log_probabilities_in_chats_too() -> None:
    _, bodies = asked(
        together,
        Stub(),
        Request("next_token", CHAT, (2,), top_logprobs=5),
        Request("next_token", TEXT, (2,), top_logprobs=5),
        Request("prefixes", TEXT, (0, 1, 2), top_logprobs=5),
    )
    assert [body["logprobs"] for body in bodies] == [5, 5, 5]
    assert not any("top_logprobs" in body for body in bodies)
    assert bodies[2]["echo"] is True


def test_the_shape_of_together_is_read_in_a_chat() -> None:
    """together 3.1.1: tokens, token_logprobs and one object of top_logprobs where there is one token."""
    logprobs = {
        "tokens": ["0"],
        "token_ids": [15],
        "token_logprobs": [-0.5],
        "top_logprobs": {"0": -0.5, "1": -1.0},
    }
    choice = {
        "message": {"role": "assistant", "content": "0"},
        "logprobs": logprobs,
        "finish_reason": "length",
    }
    got = together.read(
        Request("next_token", CHAT, (2,), top_logprobs=2),
        json.dumps({"choices": [choice], "prompt": []}).encode(),
    )
    assert isinstance(got, Response)
    assert got.logprob is not None
    np.testing.assert_allclose(got.logprob[0], [-0.5, -1.0])


def test_openrouter_is_told_that_nothing_may_be_left_out_cut_or_passed_on() -> None:
    got, bodies = asked(
        openrouter,
        Stub(),
        Request("next_token", CHAT, (2,), top_logprobs=5),
        Request("samples", TEXT, (2,), n=2, seed=1),
        name="a/b?upstream=deepinfra&reasoning_effort=low",
    )
    assert all(isinstance(reply, Reply) for reply in got)
    for body in bodies:
        assert body["provider"] == {
            "require_parameters": True,
            "allow_fallbacks": False,
            "only": ["deepinfra"],
        }
        assert body["plugins"] == [{"id": "context-compression", "enabled": False}]
        assert body["model"] == "a/b"
    assert bodies[0]["reasoning"] == {"effort": "low"}
    assert "top_k" not in bodies[1]


def test_openrouter_is_asked_without_temperature_where_no_provider_takes_it() -> None:
    words = "No endpoints found that can handle the requested parameters. To learn more ..."
    stub = Stub(faults=[answer(404, json.dumps({"error": {"message": words, "code": 404}}))] * 2)
    (got,), bodies = asked(openrouter, stub, Request("samples", CHAT, (2,), n=1, seed=1))
    assert isinstance(got, Reply)
    assert [("seed" in body, "temperature" in body) for body in bodies] == [
        (True, True),
        (False, True),
        (True, False),
    ]


def test_the_provider_that_answered_stands_behind_the_served_model() -> None:
    raw = {
        "provider": "DeepInfra",
        "model": "a/b",
        "choices": [{"index": 0, "message": {"content": "0"}, "finish_reason": "length"}],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 1,
            "total_tokens": 10,
            "cost": 0.95,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
    stub = Stub(always=answer(200, json.dumps(raw)))
    (got,), _ = asked(openrouter, stub, Request("samples", CHAT, (2,), n=1, seed=1))
    assert isinstance(got, Reply)
    assert (got.served_model, got.cached_tokens, got.cache_written_tokens) == ("a/b via DeepInfra", 4, 5)


@pytest.mark.parametrize(
    ("reply", "kind", "again"),
    [
        ({"error": {"code": 429, "message": "Rate limited upstream"}}, "rate_limit", True),
        ({"error": {"code": 502, "message": "Provider returned error"}}, "server", True),
        ({"error": {"code": "server_error", "message": "x"}}, "server", True),
        ({"error": {"code": 402, "message": "Insufficient credits"}}, "auth", False),
        ({"error": {"code": 403, "message": "Your input was flagged"}}, "filtered", False),
        (
            {"choices": [{"error": {"code": 502, "message": "cut"}, "message": {"content": "0"}}]},
            "server",
            True,
        ),
        ({"choices": [{"finish_reason": "error", "message": {"content": ""}}]}, "server", True),
    ],
)
def test_an_error_with_http_200_is_typed_and_tried_again_where_that_helps(
    reply: dict[str, Any], kind: FailureKind, again: bool
) -> None:
    stub = Stub(always=answer(200, json.dumps(reply)))
    (got,), bodies = asked(openrouter, stub, Request("next_token", CHAT, (2,), top_logprobs=5))
    assert isinstance(got, Failure)
    assert (got.kind, got.attempts) == (kind, len(bodies))
    assert (len(bodies) > 1) == again


def test_an_error_word_in_an_answer_is_no_error() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": '"error"'}, "finish_reason": "length"}
    stub = Stub(always=answer(200, json.dumps({"choices": [choice], "error": None})))
    (got,), _ = asked(openrouter, stub, Request("samples", CHAT, (2,), n=1))
    assert isinstance(got, Reply)


async def echo_headers(request: Any) -> Any:
    """What a careless gateway answers."""
    return await answer(400, json.dumps({"error": {"message": f"bad: {dict(request.headers)}"}}))(request)


FAULTS: list[Fault] = [
    answer(401, f'{{"error": {{"message": "Incorrect API key provided: {CANARY}"}}}}'),
    answer(200, f'{{"error": {{"code": 502, "message": "{CANARY}", "metadata": {{"raw": "{CANARY}"}}}}}}'),
    answer(200, f'{{"choices": [{{"error": {{"code": 500, "message": "{CANARY}"}}}}]}}'),
    answer(404, f"v1/responses {CANARY}"),
    answer(500, CANARY * 3),
    answer(307, "", {"Location": f"http://localhost:9/{CANARY}"}),
    echo_headers,
    reset,
    cut_short,
    OpenAIService(thinks=9).handle,
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_key_comes_out_of_nothing(
    provider: ModuleType, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    stub = Stub(always=fault)
    shown: list[str] = []

    async def main() -> None:
        async with stub:
            model = provider.open_model("m", environ=environ(provider, stub.url), policy=QUICK)
            for request in (
                Request("samples", CHAT, (2,), n=1, seed=1),
                Request("next_token", TEXT, (2,), top_logprobs=5),
            ):
                (outcome,) = await model.send([request])
                shown.append(repr(outcome))
            try:
                shown.append(repr(await model.probe(["0", "1"], "", "chat")))
            except HarnessError as error:
                shown.append(str(error))
            shown.append(repr((model.settings, model.fingerprint, model.name, model, model.calls.dialect)))
            await model.close()

    asyncio.run(main())
    assert f"Bearer {CANARY}" in {headers.get("Authorization") for _, headers, _ in stub.log}
    assert CANARY not in "".join(shown)
    assert CANARY not in caplog.text
