"""A canary key goes through every way a call can fail and comes out of none."""

import asyncio
import logging
import traceback

import pytest
from aiohttp import web

from harness.adapters import openai, openai_api
from harness.adapters._retry import RetryPolicy
from harness.errors import HarnessError, MissingKey, ModelError, SpecError
from harness.types import Failure, Model, Prompt, Reply, Request
from tests.adapters.stub_server import Fault, Stub, answer, cut_short, reset

CANARY = "sk-canary-1f9e0d7c"
REQUEST = Request("next_token", Prompt("", ("0", "1"), "", (0, 1, 0)), (2,), top_logprobs=5)


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=2, sleep=no_sleep)


async def echo_headers(request: web.Request) -> web.StreamResponse:
    """What a debugging server answers: the request's own headers."""
    return web.json_response({"headers": dict(request.headers)})


async def echo_headers_in_error(request: web.Request) -> web.StreamResponse:
    """What a careless gateway answers."""
    return web.json_response({"error": {"message": f"bad: {dict(request.headers)}"}}, status=400)


def open_models(stub: Stub) -> list[Model]:
    environ = {
        "STUB_BASE_URL": stub.url,
        "STUB_API_KEY": CANARY,
        "OPENAI_BASE_URL": stub.url,
        "OPENAI_API_KEY": CANARY,
    }
    return [
        openai_api.open_model("stub/m", environ=environ, policy=QUICK),
        openai.open_model("m", environ=environ, policy=QUICK),
    ]


@pytest.mark.parametrize(
    "fault",
    [
        answer(401, f'{{"error": {{"message": "Incorrect API key provided: {CANARY}"}}}}'),
        answer(400, f"Authorization: Bearer {CANARY}"),
        answer(500, CANARY * 3),
        answer(200, f"<html>{CANARY}"),
        answer(307, "", {"Location": f"http://localhost:9/{CANARY}"}),
        echo_headers,
        echo_headers_in_error,
        reset,
        cut_short,
    ],
)
def test_the_key_is_in_no_failure_reply_error_or_log(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)  # below that, httpcore2 prints headers as they come from the server
    shown: list[str] = []
    sent: list[str] = []

    async def main() -> None:
        async with Stub(always=fault) as stub:
            for model in open_models(stub):
                (outcome,) = await model.send([REQUEST])
                shown.append(repr(outcome))
                if isinstance(outcome, Reply):
                    shown.append(repr(openai_api.read(REQUEST, outcome.raw)))
                try:
                    shown.append(repr(await model.probe(["0", "1"], "")))
                except HarnessError as error:
                    shown.append("".join(traceback.format_exception(error)))
                shown.extend([repr(model.settings), model.fingerprint, model.name, repr(model)])
                await model.close()
            sent.extend(headers.get("Authorization", "") for _, headers, _ in stub.log)

    asyncio.run(main())
    assert f"Bearer {CANARY}" in sent  # the stub really got it
    assert CANARY not in "".join(shown)
    assert CANARY not in caplog.text


def test_a_missing_key_names_the_variable_and_not_its_neighbours() -> None:
    environ = {"STUB_BASE_URL": "https://models.example.org/v1", "OTHER_API_KEY": CANARY}
    with pytest.raises(MissingKey, match="STUB_API_KEY") as caught:
        openai_api.open_model("stub/m", environ=environ)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{CANARY}@example.org/v1",
        f"https://example.org/v1?key={CANARY}",
        f"https://{CANARY}@example.org",
    ],
)
def test_an_address_that_holds_a_credential_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SpecError, match=r"base URL of 'example\.org'") as caught:
        openai_api.open_model("stub/m", environ={"STUB_BASE_URL": url, "STUB_API_KEY": "k"})
    assert CANARY not in str(caught.value)


def test_a_short_placeholder_is_not_blotted_out_of_replies() -> None:
    async def main() -> Reply | Failure:
        async with Stub() as stub:
            model = openai_api.open_model("stub/m", environ={"STUB_BASE_URL": stub.url, "STUB_API_KEY": "0"})
            (outcome,) = await model.send([REQUEST])
            await model.close()
            return outcome

    outcome = asyncio.run(main())
    assert isinstance(outcome, Reply)
    assert b"***" not in outcome.raw


def test_a_wrong_key_is_an_auth_failure_tried_once() -> None:
    async def main() -> None:
        async with Stub(key="another") as stub:
            for model in open_models(stub):
                (outcome,) = await model.send([REQUEST])
                assert isinstance(outcome, Failure)
                assert (outcome.kind, outcome.attempts) == ("auth", 1)
                with pytest.raises(ModelError, match="refuses the key"):
                    await model.probe(["0"], "")
                await model.close()

    asyncio.run(main())
