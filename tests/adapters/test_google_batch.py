"""Batches of provider `google`, against a stub whose payloads the official package's converters read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from harness.adapters import google
from harness.types import BatchModel, BatchState, Failure, Reply, Request, Response
from tests.adapters.google_stub import GoogleStub
from tests.adapters.service_asking import CHAT, draw, open_model
from tests.adapters.stub_server import answer, reset

T = TypeVar("T")


def some(count: int) -> list[tuple[str, Request]]:
    return [(f"{i:064x}", Request("samples", CHAT, (1 + i % 3,), n=2, seed=i)) for i in range(count)]


def with_model(stub: GoogleStub, work: Callable[[BatchModel], Awaitable[T]]) -> T:
    async def main() -> T:
        async with stub:
            model = open_model(stub)
            assert isinstance(model, BatchModel)
            try:
                return await work(model)
            finally:
                await model.close()

    return asyncio.run(main())


def collected(stub: GoogleStub, asked: list[tuple[str, Request]]) -> Any:
    async def work(model: BatchModel) -> Any:
        await model.send([draw()])  # how this model wants to be asked is known from here on
        batch = await model.submit(asked, "nonce")
        assert isinstance(batch, str)
        return await model.collect(batch, [key for key, _ in asked])

    return with_model(stub, work)


@pytest.mark.parametrize("keys", [True, False])
def test_every_request_comes_back_under_its_own_id(keys: bool) -> None:
    asked = some(9)
    found = collected(GoogleStub(batch_keys=keys), asked)
    assert found.keys() == {key for key, _ in asked}
    for key, request in asked:
        reply = found[key]
        assert isinstance(reply, Reply)
        assert reply.prompt_tokens == len(CHAT.text(request.context_lengths[0]))
        assert (reply.completion_tokens, reply.served_model) == (2, "stub-001")
        assert isinstance(google.read(request, reply.raw), Response)


def test_results_without_keys_that_are_too_few_belong_to_nobody() -> None:
    stub, asked = GoogleStub(batch_keys=False), some(3)

    async def work(model: BatchModel) -> Any:
        batch = await model.submit(asked[:2], "nonce")
        assert isinstance(batch, str)
        return await model.collect(batch, [key for key, _ in asked])

    for outcome in with_model(stub, work).values():
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.doubtful) == ("truncated", 1)


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ({"error": {"code": 3, "message": "bad"}}, "request"),
        ({"error": {"code": 8, "message": "later"}}, "rate_limit"),
        ({"error": {"code": 14, "message": "overloaded"}}, "server"),
        ({"error": {"code": 7, "message": "no"}}, "auth"),
        ({"error": {"code": 99, "message": "new"}}, "server"),
        (
            {
                "error": {
                    "code": 3,
                    "message": "The input token count (9) exceeds the maximum number of tokens",
                }
            },
            "overflow",
        ),
        ({}, "server"),
    ],
)
def test_a_request_that_was_not_answered_is_a_typed_failure(result: dict[str, Any], kind: str) -> None:
    asked = some(2)
    found = collected(GoogleStub(results={asked[0][0]: result}), asked)
    assert found[asked[0][0]].kind == kind
    assert isinstance(found[asked[1][0]], Reply)


@pytest.mark.parametrize("status", ["PENDING", "RUNNING", "SOMETHING_NEW"])
def test_a_batch_that_is_worked_on_says_how_it_stands(status: str) -> None:
    assert collected(GoogleStub(batch_status=status), some(4)) == BatchState(status, 0, 4)


@pytest.mark.parametrize(
    ("status", "kind"), [("EXPIRED", "timeout"), ("CANCELLED", "server"), ("FAILED", "server")]
)
def test_a_batch_that_came_to_nothing_leaves_transient_failures(status: str, kind: str) -> None:
    for outcome in collected(GoogleStub(batch_status=status), some(3)).values():
        assert (outcome.kind, outcome.transient, outcome.doubtful) == (kind, True, 0)


def test_a_batch_whose_confirmation_was_lost_is_found_by_its_name() -> None:
    async def work(model: BatchModel) -> None:
        first, second = [await model.submit(some(2), nonce) for nonce in ("one", "two")]
        assert await model.find("one", [], 0.0) == first
        assert await model.find("two", [], 0.0) == second
        assert await model.find("three", [], 0.0) is None

    with_model(GoogleStub(), work)


@pytest.mark.parametrize(
    ("fault", "kind", "doubtful"),
    [
        (reset, "transport", 1),
        (answer(500, "{}"), "server", 1),
        (answer(200, "<html>"), "malformed", 1),
        (
            answer(400, '{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}'),
            "request",
            0,
        ),
    ],
)
def test_handing_in_is_tried_once_and_doubtful_where_the_batch_may_be_there(
    fault: Any, kind: str, doubtful: int
) -> None:
    stub = GoogleStub(always=fault)

    async def work(model: BatchModel) -> Any:
        return await model.submit(some(3), "nonce")

    got = with_model(stub, work)
    assert (got.kind, got.doubtful, len(stub.log)) == (kind, doubtful, 1)


def test_the_official_package_reads_what_the_stub_says_of_batches() -> None:
    batches = pytest.importorskip("google.genai.batches")
    types = pytest.importorskip("google.genai.types")
    stub = GoogleStub()
    asked = {
        "contents": [{"role": "user", "parts": [{"text": "0"}]}],
        "generationConfig": {"maxOutputTokens": 1},
    }
    requests = {"requests": {"requests": [{"request": asked, "metadata": {"key": "x"}}]}}
    stub.batches["batches/b"] = {"displayName": "nonce", "inputConfig": requests}
    for status, state in (("SUCCEEDED", "JOB_STATE_SUCCEEDED"), ("RUNNING", "JOB_STATE_RUNNING")):
        stub.batch_status = status
        job = types.BatchJob.model_validate(batches._BatchJob_from_mldev(stub.batch_state("batches/b")))
        assert (job.name, job.display_name, job.state.value) == ("batches/b", "nonce", state)
        if status == "SUCCEEDED":
            (result,) = job.dest.inlined_responses
            assert result.metadata == {"key": "x"}
            assert result.response.candidates
