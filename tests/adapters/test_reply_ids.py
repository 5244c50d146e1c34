"""A reply that belongs to another call is no answer to this one."""

import asyncio
import json

import pytest
from aiohttp import web

from harness.adapters import openai, openai_api
from harness.adapters._reply_ids import ReplyIds
from harness.adapters._retry import RetryPolicy
from harness.types import Failure, Prompt, Reply, Request, Response
from tests.adapters import stub_model
from tests.adapters.stub_server import Fault, Stub

PROMPT = Prompt("", ("0", "1"), "", (0, 1, 0, 1))
ASKS = [Request("next_token", PROMPT, (n,), top_logprobs=5) for n in (1, 2, 3)]


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


def asked(stub: Stub, *requests: Request) -> list[Reply | Failure]:
    async def main() -> list[Reply | Failure]:
        async with stub:
            policy = RetryPolicy(attempts=3, sleep=no_sleep)
            model = openai_api.open_model("stub/m", environ={"STUB_BASE_URL": stub.url}, policy=policy)
            got = [(await model.send([request]))[0] for request in requests]
            await model.close()
            return got

    return asyncio.run(main())


def same_id(replies: int) -> list[Fault]:
    """Answers that all bear one id."""

    async def fault(_: web.Request) -> web.StreamResponse:
        scored = {"tokens": ["0"], "token_logprobs": [-0.5], "top_logprobs": [{"0": -0.5, "1": -1.0}]}
        choice = {"index": 0, "text": "0", "logprobs": scored, "finish_reason": "length"}
        return web.Response(body=json.dumps({"id": "cmpl-7-6b1f0c29aa51", "choices": [choice]}))

    return [fault] * replies


def test_a_reply_that_bears_the_id_of_anothers_is_asked_for_again() -> None:
    stub = Stub(faults=same_id(2))
    first, second = asked(stub, *ASKS[:2])
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert (first.attempts, second.attempts, second.doubtful) == (1, 2, 1)
    assert second.raw != first.raw


def test_where_no_other_comes_the_call_has_failed() -> None:
    first, second = asked(Stub(faults=same_id(4)), *ASKS[:2])
    assert isinstance(first, Reply)
    assert isinstance(second, Failure)
    assert (second.kind, second.attempts) == ("transport", 3)
    assert "the id of another call's" in second.detail


def test_a_server_with_one_id_for_everything_is_not_suspected_for_long() -> None:
    got = asked(Stub(faults=same_id(20)), *ASKS, *ASKS[:2])
    assert [isinstance(one, Reply) for one in got] == [True, False, True, True, True]


def test_the_same_question_may_be_answered_from_a_cache() -> None:
    assert all(isinstance(one, Reply) for one in asked(Stub(faults=same_id(3)), ASKS[0], ASKS[0], ASKS[0]))


def test_replies_without_an_id_are_told_from_nothing() -> None:
    ids = ReplyIds()
    for question in range(20):
        assert ids.seen(b'{"id":"","choices":[{"logprobs":{"content":[{"id":6}]}}]}', question) == "new"
        assert ids.seen(rb'{"text":"\"id\": \"same\""}', question) == "new"


def test_one_reply_given_again_and_again_among_others_is_wrong_each_time() -> None:
    ids = ReplyIds()
    stale = b'{"id":"chatcmpl-0123456789abcdef"}'
    assert ids.seen(stale, 0) == "new"
    for question in range(1, 20):
        assert ids.seen(b'{"id":"chatcmpl-6b1f0c29aa-%d"}' % question, question) == "new"
        assert ids.seen(stale, question) == "foreign"


def test_ids_so_short_that_they_repeat_by_chance_are_not_suspected() -> None:
    ids = ReplyIds()
    assert {ids.seen(b'{"id":"chatcmpl-%d"}' % (question % 7), question) for question in range(50)} == {"new"}


def test_only_so_many_ids_are_kept() -> None:
    ids = ReplyIds()
    for question in range(20_000):
        assert ids.seen(b'{"id":"cmpl-6b1f0c29aa-%d"}' % question, question) == "new"
    assert ids.seen(b'{"id":"cmpl-6b1f0c29aa-19999"}', 0) == "foreign"
    assert ids.seen(b'{"id":"cmpl-6b1f0c29aa-19999"}', 19_999) == "again"
    assert ids.seen(b'{"id":"cmpl-6b1f0c29aa-1"}', 0) == "new"  # forgotten


async def sent_twice(request: web.Request) -> web.StreamResponse:
    """Answer with one of a stub's own replies, and say it again on the same connection at once."""
    scored = {"tokens": ["0"], "token_logprobs": [-0.5], "top_logprobs": [{"0": -0.5, "1": -1.0}]}
    choice = {"index": 0, "text": "0", "logprobs": scored, "finish_reason": "length"}
    data = json.dumps({"id": "cmpl-twice-6b1f0c29aa", "choices": [choice]}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data)
    response = web.Response(body=data)
    await response.prepare(request)
    await response.write_eof()
    assert request.transport is not None
    await asyncio.sleep(0.01)  # the first is read, and its connection is at rest
    request.transport.write(head + data)
    return response


@pytest.mark.parametrize("provider", ["openai", "openai-api"])
def test_a_reply_that_is_sent_twice_shifts_no_later_answer(provider: str) -> None:
    stub = Stub(faults=[sent_twice])

    async def main() -> list[Reply | Failure]:
        async with stub:
            policy = RetryPolicy(attempts=3, sleep=no_sleep)
            if provider == "openai":
                environ = {"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": "k"}
                model = openai.open_model("m", environ=environ, policy=policy)
            else:
                model = openai_api.open_model("stub/m", environ={"STUB_BASE_URL": stub.url}, policy=policy)
            got = []
            for request in [ASKS[0], *ASKS]:
                got += await model.send([request])
                await asyncio.sleep(0.02)  # what is still to come arrives
            await model.close()
            return got

    _, *got = asyncio.run(main())
    for request, reply in zip(ASKS, got, strict=True):
        assert isinstance(reply, Reply)
        read = openai_api.read(request, reply.raw)
        assert isinstance(read, Response)
        assert read.logprob is not None
        (n,) = request.context_lengths
        if n > 1:  # the same question as the first is answered by the same reply
            known = stub_model.law(PROMPT.text(n))
            assert read.logprob[0].tolist() == pytest.approx([known["0"], known["1"]])
