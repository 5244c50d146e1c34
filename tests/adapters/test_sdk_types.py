"""What our stubs send is what the official package takes for the service's own replies."""

import asyncio
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from harness.adapters import openai
from harness.adapters._openai_endpoint import OpenAIEndpoint
from harness.adapters._retry import RetryPolicy
from harness.adapters._transport import HttpReply
from harness.types import Prompt, Request
from tests.adapters.openai_service import OpenAIService
from tests.adapters.stub_server import Stub

TEXT = Prompt("", ("0", "1"), "", (0, 1, 0, 1))
CHAT = Prompt("", ("0", "1"), "", (0, 1, 0, 1), "chat")


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=1, sleep=no_sleep)


def packaged(name: str) -> type[BaseModel]:
    """Return the package's type of a reply; imported here, since it loads for half a second."""
    from openai.types import Completion, Model
    from openai.types.chat import ChatCompletion
    from openai.types.responses import Response
    from openai.types.shared import ErrorObject

    kinds = (Completion, Model, ChatCompletion, Response, ErrorObject)
    found: type[BaseModel] = next(kind for kind in kinds if kind.__name__ == name)
    return found


def raw_of(stub: Stub, *requests: Request, name: str = "m") -> list[dict[str, Any]]:
    """Send requests; return what came back with HTTP 200."""

    async def main() -> list[bytes]:
        async with stub:
            environ = {"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": "k"}
            model = openai.open_model(name, environ=environ, policy=QUICK)
            got = [(await model.send([request]))[0] for request in requests]
            await model.close()
            return [reply.raw for reply in got]  # type: ignore[union-attr]

    return [json.loads(raw) for raw in asyncio.run(main())]


SCORED = {"way": "next_token", "context_lengths": (2,), "top_logprobs": 5}
DRAWN = {"way": "samples", "context_lengths": (2,), "n": 3, "seed": 1}
ONE = Request("samples", CHAT, (2,), n=1)


@pytest.mark.parametrize(
    ("stub", "request_", "kind"),
    [
        (Stub(), Request(prompt=TEXT, **SCORED), "Completion"),  # type: ignore[arg-type]
        (Stub(), Request(prompt=TEXT, **DRAWN), "Completion"),  # type: ignore[arg-type]
        (Stub(logprobs=False), Request(prompt=TEXT, **SCORED), "Completion"),  # type: ignore[arg-type]
        (Stub(), Request(prompt=CHAT, **SCORED), "ChatCompletion"),  # type: ignore[arg-type]
        (Stub(), Request(prompt=CHAT, **DRAWN), "ChatCompletion"),  # type: ignore[arg-type]
        (Stub(logprobs=False), Request(prompt=CHAT, **SCORED), "ChatCompletion"),  # type: ignore[arg-type]
    ],
)
def test_the_stub_server_writes_completions_and_chats(stub: Stub, request_: Request, kind: str) -> None:
    (reply,) = raw_of(stub, request_)
    assert packaged(kind).model_validate(reply).model_dump(exclude_unset=True) == reply


def test_an_echoed_prompt_is_a_completion_but_for_its_first_token() -> None:
    """The service scores its first token with null, which the package's own type does not provide for."""
    (reply,) = raw_of(Stub(), Request("prefixes", TEXT, (0, 1, 2), top_logprobs=5))
    logprobs = reply["choices"][0]["logprobs"]
    assert logprobs["token_logprobs"].pop(0) is None
    assert logprobs["top_logprobs"].pop(0) is None
    packaged("Completion").model_validate(reply)


@pytest.mark.parametrize("thinks", [0, 5, 5000])
@pytest.mark.parametrize("responses_only", [False, True])
def test_the_service_stub_writes_chats_and_responses(thinks: int, responses_only: bool) -> None:
    service = OpenAIService(thinks=thinks, responses_only=responses_only, out_of_room="empty")
    score = Request("next_token", CHAT, (2,), top_logprobs=5)
    raw_of(Stub(always=service.handle), ONE, ONE, *([score] if responses_only else []))
    kind = packaged("Response" if responses_only else "ChatCompletion")
    assert len(service.sent) >= 2
    for reply in service.sent:
        assert kind.model_validate(reply).model_dump(exclude_unset=True) == reply


@pytest.mark.parametrize("stop", ["refusal", "content_filter"])
def test_the_service_stub_writes_responses_that_are_no_answer(stop: Any) -> None:
    service = OpenAIService(responses_only=True, stop=stop)
    raw_of(Stub(always=service.handle), ONE)
    packaged("Response").model_validate(service.sent[0])


def test_the_stub_server_lists_models_and_the_service_stub_errors() -> None:
    async def main() -> tuple[bytes, bytes]:
        async with Stub(window=500) as stub, Stub(always=OpenAIService(temperature=False).handle) as other:
            endpoint, refusing = OpenAIEndpoint(stub.url, "k"), OpenAIEndpoint(other.url, "k")
            listed = await endpoint.get("/models")
            error = await refusing.post("/chat/completions", {"temperature": 1})
            await endpoint.close()
            await refusing.close()
            assert isinstance(listed, HttpReply)
            assert isinstance(error, HttpReply)
            return listed.body, error.body

    listed, error = map(json.loads, asyncio.run(main()))
    for entry in listed["data"]:
        packaged("Model").model_validate(entry)
    packaged("ErrorObject").model_validate(error["error"])


def _no_index(reply: dict[str, Any]) -> None:
    del reply["choices"][0]["index"]


def _text_for_number(reply: dict[str, Any]) -> None:
    reply["usage"]["prompt_tokens"] = "two"


def _no_message(reply: dict[str, Any]) -> None:
    reply["choices"][0]["message"] = "0"


def _unknown_reason(reply: dict[str, Any]) -> None:
    reply["choices"][0]["finish_reason"] = "because"


def _one_logprob(reply: dict[str, Any]) -> None:
    reply["choices"][0]["logprobs"]["content"][0]["logprob"] = None


@pytest.mark.parametrize("damage", [_no_index, _text_for_number, _no_message, _unknown_reason, _one_logprob])
def test_the_package_would_refuse_another_shape(damage: Callable[[dict[str, Any]], None]) -> None:
    """Else the tests above would say nothing."""
    (reply,) = raw_of(Stub(), Request("next_token", CHAT, (2,), top_logprobs=5))
    damaged = copy.deepcopy(reply)
    damage(damaged)
    with pytest.raises(ValidationError):
        packaged("ChatCompletion").model_validate(damaged)
