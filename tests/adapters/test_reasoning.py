"""Models that reason before they answer are known by what they do, and what they spend is asked for and counted."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from harness.adapters import openai, openai_api
from harness.adapters._compatible import CompatibleModel
from harness.adapters._dialect import Dialect, dialect_of, dialect_text
from harness.adapters._reasoning import mute, spent
from harness.adapters._retry import RetryPolicy
from harness.errors import SpecError, UnknownName
from harness.types import Failure, Prompt, Reply, Request, Response
from tests.adapters.openai_service import OpenAIService
from tests.adapters.stub_server import Stub, answer

CONTEXT = Prompt("", ("0", "1"), "", (0, 1, 0, 1), "chat")


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=2, sleep=no_sleep)


def draws(n: int, seed: int = 1) -> Request:
    return Request("samples", CONTEXT, (3,), n=n, seed=seed)


def asked(
    service: OpenAIService, *requests: Request, name: str = "o"
) -> tuple[list[Reply | Failure], list[dict[str, Any]], CompatibleModel]:
    """Send requests one after another; return the outcomes, the bodies and the model."""
    stub = Stub(always=service.handle)

    async def main() -> tuple[list[Reply | Failure], CompatibleModel]:
        async with stub:
            environ = {"OPENAI_BASE_URL": stub.root + service.base, "OPENAI_API_KEY": "k"}
            model = openai.open_model(name, environ=environ, policy=QUICK)
            assert isinstance(model, CompatibleModel)
            got = [(await model.send([request]))[0] for request in requests]
            await model.close()
            return got, model

    got, model = asyncio.run(main())
    return got, [body for _, _, body in stub.log], model


@pytest.mark.parametrize("out_of_room", ["refused", "empty", "silent"])
def test_a_model_that_reasons_is_given_room_and_read_by_its_first_symbol(out_of_room: Any) -> None:
    service = OpenAIService(thinks=300, out_of_room=out_of_room, says=("0 1 1 0", "1", "01", "a1"))
    (first, second), bodies, model = asked(service, draws(1), draws(4))
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert [body["max_completion_tokens"] for body in bodies] == [1, 1025, 1025]  # found out once
    assert second.hidden_tokens == (0 if out_of_room == "silent" else 1200)
    assert second.completion_tokens == 4 * 300 + 12
    # A reply that is not used was paid for all the same: by tokens of reasoning, or by one of none.
    assert (first.doubtful, second.doubtful) == (0 if out_of_room == "refused" else 1, 0)
    read = openai.read(draws(4), second.raw)
    assert isinstance(read, Response)
    assert read.counts is not None
    assert read.counts.tolist() == [[2, 1, 1]]
    assert model.settings["hidden_tokens"] == "1024"


def test_a_model_that_does_not_reason_is_asked_for_one_token() -> None:
    (got,), bodies, model = asked(OpenAIService(), draws(4))
    assert isinstance(got, Reply)
    assert [body["max_completion_tokens"] for body in bodies] == [1]
    assert "hidden_tokens" not in model.settings
    assert got.hidden_tokens == 0


def test_room_and_effort_are_options_of_the_name_and_part_of_it() -> None:
    service = OpenAIService(thinks=300)
    (got,), bodies, model = asked(service, draws(2), name="o?hidden_tokens=400&reasoning_effort=low")
    assert isinstance(got, Reply)
    assert model.name == "openai/o?hidden_tokens=400&reasoning_effort=low"
    assert bodies[-1]["model"] == "o"
    assert (bodies[-1]["max_completion_tokens"], bodies[-1]["reasoning_effort"]) == (401, "low")
    assert (model.settings["hidden_tokens"], model.settings["reasoning_effort"]) == ("400", "low")


def test_room_that_reasoning_fills_is_a_failure_that_says_what_to_raise() -> None:
    service = OpenAIService(thinks=3000, out_of_room="empty")
    (got,), _, _ = asked(service, draws(2), name="o?hidden_tokens=64")
    assert isinstance(got, Reply)  # paid for, and no answer
    assert got.hidden_tokens == 130
    assert openai.read(draws(2), got.raw) == Failure(
        "truncated", "all tokens went into hidden reasoning; raise hidden_tokens in the model's name"
    )


def test_no_room_is_given_where_the_name_gives_none() -> None:
    (got,), bodies, _ = asked(OpenAIService(thinks=9), draws(2), name="o?hidden_tokens=0")
    assert isinstance(got, Failure)
    assert got.kind == "request"
    assert {body["max_completion_tokens"] for body in bodies} == {1}


def test_a_refused_temperature_is_left_out_and_this_is_recorded() -> None:
    (got, again), bodies, model = asked(OpenAIService(temperature=False), draws(1), draws(1))
    assert isinstance(got, Reply)
    assert isinstance(again, Reply)
    assert ["temperature" in body for body in bodies] == [True, False, False]
    assert "top_p" not in bodies[-1]
    assert model.settings["sampling"].startswith(
        "temperature and top_p left out, as the service refuses them"
    )


def test_the_other_name_of_the_limit_is_found() -> None:
    stub = Stub(always=OpenAIService(completion_limit=True).handle)

    async def main() -> Reply | Failure:
        async with stub:
            model = openai_api.open_model("stub/m", environ={"STUB_BASE_URL": stub.url}, policy=QUICK)
            (got,) = await model.send([draws(1)])
            await model.close()
            return got

    assert isinstance(asyncio.run(main()), Reply)
    assert ["max_completion_tokens" in body for _, _, body in stub.log] == [False, True]


def test_a_resumed_run_that_scores_finds_the_other_name_too() -> None:
    """It has its capabilities from the store, and no draw to find the dialect by."""
    stub = Stub(faults=[OpenAIService(completion_limit=True).handle] * 2)
    score = Request("next_token", CONTEXT, (3,), top_logprobs=5)

    async def main() -> list[Reply | Failure]:
        async with stub:
            model = openai_api.open_model("stub/m", environ={"STUB_BASE_URL": stub.url}, policy=QUICK)
            got = [(await model.send([score]))[0] for _ in range(2)]
            await model.close()
            return got

    assert all(isinstance(got, Reply) for got in asyncio.run(main()))
    assert ["max_completion_tokens" in body for _, _, body in stub.log] == [False, True, True]


def test_a_limit_that_is_refused_under_both_names_is_given_up() -> None:
    words = '{"error": {"message": "max_tokens and max_completion_tokens are not allowed here"}}'
    stub = Stub(always=answer(400, words))

    async def main() -> Reply | Failure:
        async with stub:
            model = openai_api.open_model("stub/m", environ={"STUB_BASE_URL": stub.url}, policy=QUICK)
            (got,) = await model.send([draws(1)])
            await model.close()
            return got

    got = asyncio.run(main())
    assert isinstance(got, Failure)
    assert got.kind == "request"
    assert len(stub.log) == 3  # under one name, the other, and the first again


def test_the_limit_is_the_room_and_the_least_answer_together() -> None:
    service = OpenAIService(thinks=40, temperature=False, responses_only=True)
    (got,), bodies, _ = asked(service, draws(1), name="o-pro?hidden_tokens=100")
    assert isinstance(got, Reply)
    assert bodies[-1]["max_output_tokens"] == 116
    assert got.hidden_tokens == 40


def together(service: OpenAIService, count: int, *, faults: int = 0) -> tuple[list[Reply | Failure], int]:
    """Send first draws all at once; return the outcomes and how many asked for one token alone."""
    stub = Stub(faults=[answer(400, "not now")] * faults, always=None)
    stub.faults += [service.handle] * 100

    async def main() -> list[Reply | Failure]:
        async with stub:
            environ = {"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": "k"}
            model = openai.open_model("o", environ=environ, policy=QUICK)
            got = await model.send([draws(1, seed) for seed in range(count)])
            await model.close()
            return got

    got = asyncio.run(main())
    return got, [body["max_completion_tokens"] for _, _, body in stub.log].count(1)


def test_first_draws_that_are_sent_together_find_out_once() -> None:
    got, lonely = together(OpenAIService(thinks=300), 16)
    assert all(isinstance(one, Reply) for one in got)
    assert lonely == 1


def test_first_draws_find_out_for_themselves_where_the_first_failed() -> None:
    got, lonely = together(OpenAIService(thinks=300), 4, faults=2)
    assert [isinstance(one, Reply) for one in got] == [False, True, True, True]
    assert lonely == 2 + 3


def test_a_resumed_run_takes_up_what_was_found_out() -> None:
    service = OpenAIService(thinks=300, temperature=False)
    _, _, model = asked(service, draws(1))
    stub = Stub(always=service.handle)

    async def main() -> Reply | Failure:
        async with stub:
            environ = {"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": "k"}
            again = openai.open_model("o", environ=environ, policy=QUICK)
            assert isinstance(again, CompatibleModel)
            again.recall(model.learned)
            assert again.calls.dialect == model.calls.dialect
            (got,) = await again.send([draws(2)])
            await again.close()
            return got

    assert isinstance(asyncio.run(main()), Reply)
    assert [body["max_completion_tokens"] for _, _, body in stub.log] == [1025]


def test_what_was_found_out_survives_as_text_with_everything_it_can_hold() -> None:
    given = Dialect(fixed={"plugins": []})
    found = replace(
        given,
        bias=((" H", 7),),
        untruncated=(("top_k", 0),),
        begun="continue",
        seed=False,
        scoring="prompt_logprobs",
    )
    assert dialect_of(given, dialect_text(given, found)) == found
    assert dialect_text(given, given) == "{}"
    assert "plugins" not in dialect_text(given, found)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"begun": "later"}', '{"unknown": 1}'])
def test_a_text_of_another_version_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="does not describe a dialect of this version"):
        dialect_of(Dialect(), text)


def reply(content: str | None, finish: str = "length", **usage: int) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": usage} if usage else {"choices": [choice]}).encode()


@pytest.mark.parametrize(
    ("raw", "is_spent", "is_mute"),
    [
        (reply("0"), False, False),
        (reply(""), False, True),
        (reply(None), False, True),
        (reply("", "stop"), False, False),
        (reply("<think>"), True, False),
        (reply("", completion_tokens=60), True, False),  # billed for more than can be seen
        (reply("", completion_tokens=1), False, True),
        (b"<html>", False, False),
    ],
)
def test_reasoning_is_told_from_a_silent_answer(raw: bytes, is_spent: bool, is_mute: bool) -> None:
    assert (spent(raw), mute(raw)) == (is_spent, is_mute)


@pytest.mark.parametrize(
    ("name", "error", "match"),
    [
        ("o?hiden_tokens=5", UnknownName, r"no option 'hiden_tokens'; did you mean 'hidden_tokens'\?"),
        ("o?hidden_tokens=many", SpecError, "hidden_tokens='many' must be a whole number"),
        ("o?hidden_tokens=-1", SpecError, "must be a whole number"),
        ("o?hidden_tokens=", SpecError, "must be given once, with a value"),
        ("o?hidden_tokens=1&hidden_tokens=2", SpecError, "must be given once"),
        ("o?reasoning_effort=LOW!", SpecError, "must be a word such as low"),
        ("?hidden_tokens=1", SpecError, "has no name"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_sent(
    name: str, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        openai.open_model(name, environ={"OPENAI_API_KEY": "k"})
