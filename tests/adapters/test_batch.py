"""Batches: what is asked is what a direct call asks, in the words of each service."""

import asyncio
import json
from dataclasses import replace

import numpy as np
import pytest
from openai import AsyncOpenAI
from openai.types import Batch, FileObject

from harness.adapters import openai
from harness.adapters._batch_service import OPENAI
from harness.types import BatchModel, Failure, Prompt, Reply, Request, Response
from tests.adapters.batch_stub import BatchStub
from tests.adapters.batching import (
    CANARY,
    QUICK,
    Outcomes,
    alone,
    asked,
    carry_out,
    finish,
    open_model,
)


@pytest.mark.parametrize("dialect", ["openai", "mistral", "together"])
def test_a_batch_answers_what_direct_calls_answer_in_any_order(dialect: str) -> None:
    """The reference is the same requests sent one by one to the same model."""
    requests = asked(6)

    async def main() -> tuple[Outcomes | Failure, list[Reply | Failure], list[object], list[object]]:
        async with BatchStub(dialect=dialect) as stub:  # type: ignore[arg-type]
            model = open_model(stub)
            name = await model.submit(requests, "icl-1")
            assert isinstance(name, str), name
            one_by_one = await model.send([request for _, request in requests])
            direct: list[object] = list(stub.direct)
            got = await finish(model, name, [key for key, _ in requests])
            await model.close()
            return got, one_by_one, direct, [line["body"] for line in stub.jobs[name].lines]

    got, one_by_one, direct, batched = asyncio.run(main())
    assert isinstance(got, dict)
    for (key, request), reference in zip(requests, one_by_one, strict=True):
        reply = got[key]
        assert isinstance(reply, Reply)
        assert isinstance(reference, Reply)
        read, expected = openai.read(request, reply.raw), openai.read(request, reference.raw)
        assert isinstance(read, Response)
        assert isinstance(expected, Response)
        np.testing.assert_array_equal(read.logprob, expected.logprob)
        np.testing.assert_array_equal(read.covered, expected.covered)
        assert (reply.prompt_tokens, reply.completion_tokens) == (
            reference.prompt_tokens,
            reference.completion_tokens,
        )
    assert sorted(map(json.dumps, batched)) == sorted(map(json.dumps, direct))


def test_the_lines_of_openai_name_method_and_path() -> None:
    stub = BatchStub()
    carry_out(stub)
    (job,) = stub.jobs.values()
    assert {(line["method"], line["url"]) for line in job.lines} == {("POST", "/v1/chat/completions")}
    assert job.request == {
        "input_file_id": "file-0",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"icl_harness": "icl-1"},
    }


def test_the_words_of_mistral_and_together_are_their_own() -> None:
    mistral, together = BatchStub(dialect="mistral"), BatchStub(dialect="together")
    carry_out(mistral)
    carry_out(together)
    assert mistral.jobs["batch-0"].request == {
        "input_files": ["file-0"],
        "endpoint": "/v1/chat/completions",
        "timeout_hours": 24,
        "model": "stub",
        "metadata": {"icl_harness": "icl-1"},
    }
    assert together.jobs["batch-0"].request == {
        "input_file_id": "file-0",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
    }
    form = next(body for _, path, _, body in together.log if path == "/files/upload")
    assert (form["purpose"], form["file_name"], form["file_type"]) == ("batch-api", "icl-1.jsonl", "jsonl")
    for stub in (mistral, together):
        assert all(set(line) == {"custom_id", "body"} for line in stub.jobs["batch-0"].lines)


def test_the_official_types_accept_what_the_stub_says() -> None:
    kinds: dict[str, type[Batch | FileObject]] = {"job": Batch, "file": FileObject}
    stub = BatchStub(ends="expired", unmade=1)
    carry_out(stub)
    refused = BatchStub(ends="failed")
    carry_out(refused)
    said = [(kind, body) for kind, body in (*stub.said, *refused.said) if kind in kinds]
    assert {kind for kind, _ in said} == set(kinds)
    for kind, body in said:
        kinds[kind].model_validate(body, strict=True)


def test_too_many_or_too_large_is_refused_before_anything_is_sent() -> None:
    few = replace(OPENAI, most_requests=3)
    small = replace(OPENAI, most_bytes=100)

    async def main() -> tuple[str | Failure, str | Failure, int]:
        async with BatchStub() as stub:
            models = open_model(stub, few), open_model(stub, small)
            got = [await model.submit(asked(), "icl-1") for model in models]
            for model in models:
                await model.close()
            return got[0], got[1], len(stub.files)

    many, large, uploads = asyncio.run(main())
    assert isinstance(many, Failure)
    assert many.kind == "request"
    assert isinstance(large, Failure)
    assert large.kind == "overflow"
    assert uploads == 0


def test_together_has_no_batches_of_completions() -> None:
    prompt = Prompt("", ("0", "1"), "", (0, 1))
    request = Request("next_token", prompt, (1,), top_logprobs=1)
    got = alone(BatchStub(dialect="together"), lambda model: model.submit([("a", request)], "icl-1"))
    assert isinstance(got, Failure)
    assert "no batches of /completions" in got.detail


def test_the_openai_package_uploads_the_same_bytes() -> None:
    async def main() -> tuple[str | Failure, Outcomes | Failure, bool]:
        async with BatchStub(key=CANARY) as stub:
            environ = {"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": CANARY}
            model = openai.open_model("stub", environ=environ, policy=QUICK)
            assert isinstance(model, BatchModel)
            name = await model.submit(asked(), "icl-1")
            assert isinstance(name, str), name
            got = await finish(model, name, [key for key, _ in asked()])
            await model.close()
            return name, got, stub.files["file-0"][0] == "icl-1.jsonl"

    name, got, named = asyncio.run(main())
    assert named
    assert name == "batch-0"
    assert isinstance(got, dict)
    assert all(isinstance(outcome, Reply) for outcome in got.values())


def test_the_official_client_can_work_with_the_stub() -> None:
    """The stub is no better than its writer: the `openai` package's own calls must get along with it."""
    lines = [
        {
            "custom_id": str(i),
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "stub"} | said,
        }
        for i, said in enumerate(
            {"messages": [{"role": "user", "content": "0" * n}], "max_tokens": 1} for n in (1, 2, 3)
        )
    ]
    content = "\n".join(map(json.dumps, lines)).encode()

    async def main() -> tuple[list[str], list[str], str]:
        async with (
            BatchStub(polls=0, page=2) as stub,
            AsyncOpenAI(api_key=CANARY, base_url=stub.url, max_retries=0) as client,
        ):
            file = await client.files.create(file=("a.jsonl", content), purpose="batch")
            made = [
                await client.batches.create(
                    input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
                )
                for _ in range(5)
            ]
            listed = [batch.id async for batch in client.batches.list(limit=2)]
            batch = await client.batches.retrieve(made[0].id)
            assert batch.output_file_id is not None
            got = (await client.files.content(batch.output_file_id)).text
            return [batch.id for batch in made], listed, got

    made, listed, got = asyncio.run(main())
    assert listed == made[::-1]
    assert sorted(json.loads(line)["custom_id"] for line in got.splitlines()) == ["0", "1", "2"]


def test_a_model_of_the_responses_route_is_asked_there_in_batches_too() -> None:
    async def main() -> tuple[str | Failure, BatchStub, object]:
        async with BatchStub() as stub:
            model = open_model(stub)
            model.calls.dialect = replace(model.calls.dialect, route="responses")
            name = await model.submit(asked(2), "icl-1")
            said = model.calls.body(asked(2)[0][1])
            await model.close()
            return name, stub, said

    name, stub, said = asyncio.run(main())
    assert isinstance(name, str), name
    job = stub.jobs[name]
    assert job.request["endpoint"] == "/v1/responses"
    assert {line["url"] for line in job.lines} == {"/v1/responses"}
    assert isinstance(said, tuple)
    assert job.lines[0]["body"] == said[1]
