"""Message Batches of provider `anthropic`, against a stub whose payloads the official package's types accept."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from anthropic.types import Message
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse
from anthropic.types.messages.batch_create_params import BatchCreateParams
from pydantic import TypeAdapter

from harness.adapters import anthropic
from harness.adapters._retry import RetryPolicy
from harness.types import BatchModel, BatchState, Failure, Prompt, Reply, Request, Response
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.stub_server import answer, reset

CHAT = Prompt("", ("0", "1"), ",", (0, 1, 0, 1), "chat")
T = TypeVar("T")


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


def some(count: int, first: int = 1) -> list[tuple[str, Request]]:
    return [
        (f"{i:064x}", Request("samples", CHAT, (1 + i % 3,), n=1, seed=i))
        for i in range(first, first + count)
    ]


def with_model(stub: AnthropicStub, work: Callable[[BatchModel], Awaitable[T]]) -> T:
    async def main() -> T:
        async with stub:
            environ = {"ANTHROPIC_BASE_URL": stub.url, "ANTHROPIC_API_KEY": "key-of-the-test"}
            model = anthropic.open_model("c", environ=environ, policy=RetryPolicy(attempts=2, sleep=no_sleep))
            assert isinstance(model, BatchModel)
            try:
                return await work(model)
            finally:
                await model.close()

    return asyncio.run(main())


async def handed_in(model: BatchModel, requests: list[tuple[str, Request]]) -> str:
    batch = await model.submit(requests, "nonce")
    assert isinstance(batch, str)
    return batch


def test_every_request_comes_back_under_its_own_id_and_reads_like_a_direct_one() -> None:
    asked = some(9)

    async def work(model: BatchModel) -> Any:
        return await model.collect(await handed_in(model, asked), [key for key, _ in asked])

    found = with_model(AnthropicStub(), work)
    assert found.keys() == {key for key, _ in asked}
    for key, request in asked:
        reply = found[key]
        assert isinstance(reply, Reply)
        assert (reply.prompt_tokens, reply.completion_tokens, reply.attempts) == (
            8 + 2 * request.context_lengths[0],
            1,
            1,
        )
        Message.model_validate_json(reply.raw)
        assert isinstance(anthropic.read(request, reply.raw), Response)


def test_a_batch_says_what_a_direct_call_was_answered_with() -> None:
    stub = AnthropicStub(refuse=("temperature",))
    asked = some(3)

    async def work(model: BatchModel) -> Any:
        await model.send([asked[0][1]])
        return await model.collect(await handed_in(model, asked), [key for key, _ in asked])

    found = with_model(stub, work)
    assert all(isinstance(outcome, Reply) for outcome in found.values())
    (body,) = (body for path, _, body in stub.log if path == "/v1/messages/batches")
    TypeAdapter(BatchCreateParams).validate_python(body, extra="forbid")
    assert [entry["custom_id"] for entry in body["requests"]] == [key for key, _ in asked]


def test_a_batch_that_is_worked_on_says_how_it_stands() -> None:
    async def work(model: BatchModel) -> Any:
        return await model.collect(await handed_in(model, some(4)), [])

    assert with_model(AnthropicStub(batch_status="in_progress"), work) == BatchState("in_progress", 0, 4)


@pytest.mark.parametrize(
    ("result", "kind", "transient"),
    [
        ({"type": "expired"}, "timeout", True),
        ({"type": "canceled"}, "server", True),
        ({"type": "errored", "error": ("overloaded_error", "Overloaded")}, "server", True),
        (
            {"type": "errored", "error": ("invalid_request_error", "prompt is too long: 9 > 8")},
            "overflow",
            False,
        ),
        ({"type": "errored", "error": ("invalid_request_error", "bad")}, "request", False),
        ({"type": "errored", "error": ("billing_error", "no money")}, "auth", False),
    ],
)
def test_a_request_that_was_not_answered_is_a_typed_failure(
    result: dict[str, Any], kind: str, transient: bool
) -> None:
    asked = some(2)
    spoiled, fine = asked[0][0], asked[1][0]
    if "error" in result:
        name, words = result["error"]
        result = {**result, "error": {"type": "error", "error": {"type": name, "message": words}}}
    MessageBatchIndividualResponse.model_validate({"custom_id": "x", "result": result})

    async def work(model: BatchModel) -> Any:
        return await model.collect(await handed_in(model, asked), [key for key, _ in asked])

    found = with_model(AnthropicStub(results={spoiled: result}), work)
    assert isinstance(found[fine], Reply)
    assert (found[spoiled].kind, found[spoiled].transient, found[spoiled].doubtful) == (kind, transient, 0)


def test_a_result_that_is_missing_or_damaged_is_doubtful() -> None:
    asked = some(3)
    keys = [key for key, _ in asked]

    async def work(model: BatchModel) -> Any:
        return await model.collect(await handed_in(model, asked[:2]), keys)

    found = with_model(AnthropicStub(results={keys[0]: "no object"}), work)
    assert isinstance(found[keys[1]], Reply)
    for key in (keys[0], keys[2]):
        assert (found[key].kind, found[key].doubtful) == ("truncated", 1)


def test_results_are_fetched_from_our_own_host_wherever_their_address_points() -> None:
    stub = AnthropicStub()

    async def work(model: BatchModel) -> Any:
        batch = await handed_in(model, some(1))
        assert "elsewhere.example" in stub.batch_state(batch)["results_url"]
        await model.collect(batch, [])
        return stub.log[-1][0] == f"/v1/messages/batches/{batch}/results"

    assert with_model(stub, work)


@pytest.mark.parametrize(
    ("fault", "kind", "doubtful"),
    [
        (reset, "transport", 1),
        (answer(500, "{}"), "server", 1),
        (answer(200, "<html>"), "malformed", 1),
        (
            answer(400, '{"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}'),
            "request",
            0,
        ),
        (answer(401, "{}"), "auth", 0),
    ],
)
def test_handing_in_is_tried_once_and_doubtful_where_the_batch_may_be_there(
    fault: Any, kind: str, doubtful: int
) -> None:
    stub = AnthropicStub(always=fault)

    async def work(model: BatchModel) -> Any:
        return await model.submit(some(3), "nonce")

    got = with_model(stub, work)
    assert (got.kind, got.doubtful, len(stub.log)) == (kind, doubtful, 1)


def test_a_batch_whose_confirmation_was_lost_is_found_by_what_it_holds() -> None:
    stub = AnthropicStub()
    now = time.time()

    async def work(model: BatchModel) -> None:
        ours, others = some(3), some(3, first=50)
        assert await model.find("n", [key for key, _ in ours], now) is None
        first, second = await handed_in(model, ours), await handed_in(model, others)
        assert await model.find("n", [key for key, _ in ours], 0.0) == first
        assert await model.find("n", [key for key, _ in others], 0.0) == second
        assert await model.find("n", [key for key, _ in some(3, first=90)], 0.0) is None
        # The stub's batches are of January: older than what is looked for.
        assert await model.find("n", [key for key, _ in ours], now) is None
        stub.batch_status = "in_progress"
        unknown = await model.find("n", [key for key, _ in ours], 0.0)
        assert isinstance(unknown, Failure)
        assert unknown.transient
        assert await model.find("n", [key for key, _ in some(7)], 0.0) is None

    with_model(stub, work)


def test_what_the_format_cannot_say_is_not_handed_in() -> None:
    stub = AnthropicStub()

    async def work(model: BatchModel) -> Any:
        return await model.submit([("a", Request("next_token", CHAT, (1,), top_logprobs=2))], "nonce")

    got = with_model(stub, work)
    assert isinstance(got, Failure)
    assert (got.kind, len(stub.log)) == ("request", 0)


def test_the_official_package_accepts_what_the_stub_says_of_batches() -> None:
    stub = AnthropicStub()
    params = {"max_tokens": 1, "messages": [{"role": "user", "content": "0"}]}
    stub.batches["b"] = [{"custom_id": "x", "params": params}]
    for status in ("ended", "in_progress"):
        stub.batch_status = status
        MessageBatch.model_validate(stub.batch_state("b"))
    text = stub.batch("/b/results", {}).text
    assert text is not None
    MessageBatchIndividualResponse.model_validate(json.loads(text))
