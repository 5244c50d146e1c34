"""A canary key goes through every way a call to Anthropic or Google can fail and comes out of none."""

import asyncio
import logging
import traceback

import pytest
from aiohttp import web

from harness.adapters import anthropic, google
from harness.adapters._retry import RetryPolicy
from harness.adapters._service_model import ServiceModel
from harness.errors import HarnessError, SpecError
from harness.types import BatchModel, Model, Prompt, Reply, Request
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.service_stub import ServiceStub
from tests.adapters.stub_server import Fault, answer, cut_short, reset

CANARY = "sk-canary-7d1b0c44"
REQUEST = Request("samples", Prompt("", ("0", "1"), "", (0, 1, 0), "chat"), (2,), n=1)


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=2, refusals=2, sleep=no_sleep)


async def echo_headers(request: web.Request) -> web.StreamResponse:
    """What a debugging server answers: the request's own headers."""
    return web.json_response({"headers": dict(request.headers), "error": dict(request.headers)})


async def echo_headers_in_error(request: web.Request) -> web.StreamResponse:
    """What a careless gateway answers."""
    return web.json_response({"error": {"message": f"bad: {dict(request.headers)}"}}, status=400)


def open_models(url: str) -> list[Model]:
    environ = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": CANARY}
    environ |= {"GOOGLE_BASE_URL": url, "GOOGLE_API_KEY": CANARY}
    return [
        anthropic.open_model("m", environ=environ, policy=QUICK),
        google.open_model("m", environ=environ, policy=QUICK),
    ]


async def show(model: Model) -> list[str]:
    """Return everything that a model says of a call."""
    (outcome,) = await model.send([REQUEST])
    shown = [repr(outcome), repr(model), model.fingerprint, model.name]
    if isinstance(outcome, Reply):
        shown += [repr(module.read(REQUEST, outcome.raw)) for module in (anthropic, google)]
    try:
        shown.append(repr(await model.probe(["0", "1"], "")))
    except HarnessError as error:
        shown.append("".join(traceback.format_exception(error)))
    if isinstance(model, BatchModel):
        shown.append(repr(await model.submit([("a", REQUEST)], "nonce")))
        shown.append(repr(await model.find("nonce", ["a"], 0.0)))
        shown.append(repr(await model.collect("b", ["a"])))
    assert isinstance(model, ServiceModel)
    return [*shown, repr(model.settings), model.learned]


@pytest.mark.parametrize(
    "fault",
    [
        answer(401, f'{{"type": "error", "error": {{"message": "invalid x-api-key: {CANARY}"}}}}'),
        answer(
            400, f'{{"error": {{"message": "API key not valid: {CANARY}", "status": "INVALID_ARGUMENT"}}}}'
        ),
        answer(429, f'{{"error": {{"message": "{CANARY}"}}}}', {"Retry-After": "0"}),
        answer(500, CANARY * 3),
        answer(529, CANARY),
        answer(200, f"<html>{CANARY}"),
        answer(200, f'{{"type": "error", "error": {{"type": "{CANARY}", "message": "{CANARY}"}}}}'),
        answer(200, f'{{"promptFeedback": {{"blockReason": "{CANARY}"}}, "modelVersion": "{CANARY}"}}'),
        answer(307, "", {"Location": f"http://localhost:9/{CANARY}"}),
        echo_headers,
        echo_headers_in_error,
        reset,
        cut_short,
    ],
)
def test_the_key_is_in_no_failure_reply_error_or_log(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    stub: ServiceStub = AnthropicStub(always=fault)

    async def main() -> None:
        async with stub:
            for model in open_models(stub.url):
                shown.extend(await show(model))
                await model.close()

    asyncio.run(main())
    sent = [headers for _, headers, _ in stub.log]
    assert any(CANARY in headers.values() for headers in sent)  # the stub really got it
    assert not any("Authorization" in headers for headers in sent)
    assert CANARY not in "".join(shown)
    assert CANARY not in caplog.text
    assert not any(CANARY in path for path, _, _ in stub.log)


@pytest.mark.parametrize("url", [f"https://user:{CANARY}@example.org", f"https://example.org/?key={CANARY}"])
def test_an_address_that_holds_a_credential_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SpecError, match=r"base URL of 'example\.org'") as caught:
        open_models(url)
    assert CANARY not in str(caught.value)
