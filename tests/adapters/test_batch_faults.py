"""A batch is made once or found again, and no failure on the way shows the key."""

import asyncio

import pytest

from harness.adapters import openai
from harness.adapters._compatible import CompatibleModel
from harness.adapters._endpoint import HttpEndpoint
from harness.adapters._transport import Transport
from harness.types import Failure
from tests.adapters.batch_stub import BatchStub
from tests.adapters.batching import (
    CANARY,
    QUICK,
    alone,
    asked,
    open_model,
)
from tests.adapters.stub_server import Fault, answer, cut_short, never, reset


def test_a_service_without_batches_says_so_and_nothing_is_uploaded() -> None:
    stub = BatchStub(batches=False)
    got = alone(stub, lambda model: model.submit(asked(), "icl-1"))
    assert isinstance(got, Failure)
    assert got.detail.startswith("no batches can be had here: HTTP 404")
    assert [method for method, *_ in stub.log] == ["GET"]


def test_a_server_that_answers_anything_with_a_page_has_no_batches() -> None:
    stub = BatchStub(faults={"list": [answer(200, "<html>welcome</html>")]})
    got = alone(stub, lambda model: model.submit(asked(), "icl-1"))
    assert isinstance(got, Failure)
    assert got.detail.startswith("no batches can be had here: not a list of batches")
    assert not stub.files


@pytest.mark.parametrize("fault", [reset, cut_short, answer(502, "bad gateway"), answer(200, "{}")])
@pytest.mark.parametrize("dialect", ["openai", "mistral", "together"])
def test_a_batch_that_may_have_been_made_is_not_made_twice_and_can_be_found(
    fault: Fault, dialect: str
) -> None:
    async def use(model: CompatibleModel) -> object:
        return await model.submit(asked(), "icl-1"), await model.find("icl-1", [], 0.0)

    stub = BatchStub(dialect=dialect, faults={"create": [fault]})  # type: ignore[arg-type]
    got = alone(stub, use)
    assert isinstance(got, tuple)
    failure, found = got
    assert isinstance(failure, Failure)
    assert failure.doubtful == 1
    creates = [path for method, path, *_ in stub.log if method == "POST" and not path.startswith("/files")]
    assert len(creates) == 1
    assert found is None  # the stub's fault struck before it was made


@pytest.mark.parametrize("fault", [answer(400, "no such endpoint"), answer(401, "key")])
def test_a_batch_that_was_refused_was_not_made(fault: Fault) -> None:
    got = alone(BatchStub(faults={"create": [fault]}), lambda model: model.submit(asked(), "icl-1"))
    assert isinstance(got, Failure)
    assert got.doubtful == 0


def test_too_many_requests_is_waited_for() -> None:
    stub = BatchStub(faults={"create": [answer(429, "slow")] * 2})
    assert alone(stub, lambda model: model.submit(asked(), "icl-1")) == "batch-0"
    assert len(stub.jobs) == 1


def test_a_service_that_is_not_there_has_made_no_batch() -> None:
    async def main() -> str | Failure:
        async with BatchStub() as stub:
            model = open_model(stub)
        got = await model.submit(asked(), "icl-1")
        await model.close()
        return got

    got = asyncio.run(main())
    assert isinstance(got, Failure)
    assert (got.kind, got.doubtful) == ("transport", 0)


@pytest.mark.parametrize("step", ["upload", "list"])
def test_what_costs_nothing_is_tried_again(step: str) -> None:
    got = alone(BatchStub(faults={step: [reset]}), lambda model: model.submit(asked(), "icl-1"))
    assert got == "batch-0"


@pytest.mark.parametrize("dialect", ["openai", "mistral", "together"])
def test_a_batch_is_found_by_its_nonce_however_long_the_list(dialect: str) -> None:
    async def use(model: CompatibleModel) -> object:
        for number in range(7):
            await model.submit(asked(1), f"icl-{number}")
        return [await model.find(f"icl-{number}", [], 0.0) for number in range(8)]

    stub = BatchStub(dialect=dialect, page=3)  # type: ignore[arg-type]
    if dialect == "mistral":
        stub.page = 100  # pages are asked for by number and size: a smaller one is no page of theirs
    assert alone(stub, use) == [*(f"batch-{number}" for number in range(7)), None]


def test_the_search_stops_where_all_batches_are_older() -> None:
    async def use(model: CompatibleModel) -> object:
        for number in range(6):
            await model.submit(asked(1), f"icl-{number}")
        before = len(stub.log)
        found = await model.find("icl-0", [], 2_000_000_000.0)
        return found, len(stub.log) - before

    stub = BatchStub(page=2)
    assert alone(stub, use) == (None, 1)


def test_that_nothing_can_be_learned_is_a_failure_of_the_whole() -> None:
    async def use(model: CompatibleModel) -> object:
        name = await model.submit(asked(), "icl-1")
        assert isinstance(name, str)
        gone = await model.collect("batch-9", [])
        return gone, await model.find("icl-1", [], 0.0)

    stub = BatchStub(faults={"list": [answer(200, '{"data": []}'), answer(200, "<html>")]})
    got = alone(stub, use)
    assert isinstance(got, tuple)
    gone, found = got
    assert isinstance(gone, Failure)
    assert "No batch found" in gone.detail
    assert isinstance(found, Failure)
    assert found.kind == "malformed"


@pytest.mark.parametrize("step", ["upload", "create", "list", "get", "download"])
@pytest.mark.parametrize(
    "fault",
    [
        answer(401, f"Incorrect API key provided: {CANARY}"),
        answer(400, f"Authorization: Bearer {CANARY}"),
        answer(200, f"<html>{CANARY}"),
        answer(307, "", {"Location": f"http://localhost:9/{CANARY}"}),
        reset,
    ],
)
@pytest.mark.parametrize("client", ["aiohttp", "openai"])
def test_the_key_is_in_nothing_that_comes_out(
    step: str, fault: Fault, client: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def main() -> str:
        async with BatchStub(polls=0, key=CANARY, faults={step: [fault] * 9}) as stub:
            environ = {"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": CANARY}
            model = open_model(stub)
            if client == "openai":
                opened = openai.open_model("stub", environ=environ, policy=QUICK)
                assert isinstance(opened, CompatibleModel)
                model = opened
            shown = [repr(await model.submit(asked(), "icl-1")), repr(await model.find("icl-1", [], 0.0))]
            shown.append(repr(await model.collect("batch-0", [key for key, _ in asked()])))
            await model.close()
            assert any(f"Bearer {CANARY}" in headers.values() for _, _, headers, _ in stub.log)
            return "".join(shown)

    assert CANARY not in asyncio.run(main())
    assert CANARY not in caplog.text


def test_a_call_that_is_never_answered_leaves_open_whether_the_batch_was_made() -> None:
    async def main() -> str | Failure:
        async with BatchStub(faults={"create": [never]}) as stub:
            endpoint = HttpEndpoint(stub.url, None, transport=Transport(), timeout_s=0.2)
            model = CompatibleModel("x/stub", "stub", endpoint, client="aiohttp", policy=QUICK)
            got = await model.submit(asked(), "icl-1")
            await model.close()
            return got

    got = asyncio.run(main())
    assert isinstance(got, Failure)
    assert (got.kind, got.doubtful) == ("timeout", 1)
