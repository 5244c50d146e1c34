"""Probing: capabilities are what a server was seen to do, never what it answered 200 to."""

import asyncio
import json
from collections.abc import Callable

import pytest
from aiohttp import web

from harness.adapters._dialect import spread_seed
from harness.adapters._probe_symbols import probe_prompt
from harness.adapters._retry import RetryPolicy
from harness.adapters.openai_api import open_model
from harness.errors import ContextTooLong, ModelError, RenderError, TokenizationError
from harness.types import Capabilities, Form, Model, Prompt, Request
from tests.adapters.probing import QUICK, said
from tests.adapters.stub_server import Fault, Stub, answer, cut_short, reset

Use = Callable[[Model, Capabilities], None]


def probe(
    stub: Stub, use: Use = lambda _model, _capabilities: None, *, form: Form | None = None
) -> Capabilities:
    """Probe a stub with the symbols 0 and 1, then `use` the model while it is open."""

    async def main() -> Capabilities:
        async with stub:
            model = open_model("stub/stub", environ={"STUB_BASE_URL": stub.url}, policy=QUICK)
            try:
                found = await model.probe(["0", "1"], "", *([form] if form else []))
                use(model, found)
            finally:
                await model.close()
            return found

    return asyncio.run(main())


def test_a_server_that_honours_everything_is_found_to() -> None:
    found = probe(Stub(window=500))
    assert found.prefixes
    assert found.top_logprobs == 6  # the stub's whole vocabulary
    assert found.max_samples == 128
    assert found.seed
    assert found.max_context_tokens == 499
    assert said(found, "the served model is 'stub-1'")
    assert said(found, "every symbol is one token, by the echoed tokens")


@pytest.mark.parametrize("stub", [Stub(echo=False), Stub(echo=False, legacy=False), Stub(legacy=False)])
def test_an_ignored_echo_is_no_prefix_scoring(stub: Stub) -> None:
    found = probe(stub)
    assert not found.prefixes
    assert said(found, "echo is not honoured")
    assert found.top_logprobs == 6


def test_a_bos_token_in_the_echo_does_no_harm() -> None:
    assert probe(Stub(echo_bos=True)).prefixes


@pytest.mark.parametrize(("limit", "found"), [(20, 6), (5, 5), (6, 5)])
def test_the_tokens_reported_are_counted_after_refusals(limit: int, found: int) -> None:
    assert probe(Stub(max_top=limit)).top_logprobs == found


def test_null_logprobs_leave_draws() -> None:
    found = probe(Stub(logprobs=False))
    assert (found.prefixes, found.top_logprobs, found.max_samples) == (False, 0, 128)
    assert said(found, "no log-probabilities: HTTP 200")


@pytest.mark.parametrize(("n", "found"), [(1, 1), (2, 2), (4, 4), (10, 8), (200, 128)])
def test_n_is_what_comes_back(n: int, found: int) -> None:
    seen = probe(Stub(n=n))
    assert seen.max_samples == found
    assert said(seen, "n is ignored: 1 of 128 draws came back") is (n == 1)


def test_copies_of_one_draw_are_not_several() -> None:
    found = probe(Stub(copies=True))
    assert found.max_samples == 1
    assert said(found, "copies of one draw")


def test_a_seed_that_is_ignored_is_not_a_capability() -> None:
    found = probe(Stub(seed=False))
    assert (found.seed, found.max_samples) == (False, 128)
    assert said(found, "the seed is accepted and ignored")


def test_greedy_text_at_temperature_one_is_not_a_draw() -> None:
    found = probe(Stub(random=False))
    assert (found.max_samples, found.seed) == (0, False)
    assert said(found, "draws are not random")


def test_a_server_with_neither_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"cannot be measured with: no log-probabilities.*draws are not random"
    ):
        probe(Stub(random=False, logprobs=False))


def test_max_tokens_is_never_zero_and_temperature_is_always_one() -> None:
    stub = Stub()
    probe(stub)
    bodies = [body for path, _, body in stub.log if path.endswith("completions")]
    assert len(bodies) > 10
    assert all(body.get("max_tokens", 0) >= 1 and body["temperature"] == 1 for body in bodies)


@pytest.mark.parametrize(
    ("refuse", "kept", "dropped"),
    [
        ((), {"top_k": 0, "min_p": 0, "seed": spread_seed(11)}, ()),
        (("min_p",), {"top_k": 0, "repeat_penalty": 1, "seed": spread_seed(11)}, ("min_p",)),
        (("min_p", "repeat_penalty"), {"top_k": 0, "repetition_penalty": 1}, ("min_p", "repeat_penalty")),
        (("seed",), {"top_k": 0, "min_p": 0}, ("seed",)),
        (("seed", "top_k"), {"top_p": 1}, ("seed", "top_k")),
    ],
)
def test_refused_fields_are_left_out_and_said(
    refuse: tuple[str, ...], kept: dict[str, int], dropped: tuple[str, ...]
) -> None:
    stub = Stub(refuse=refuse)
    found = probe(stub)
    drawing = next(body for _, _, body in stub.log if body.get("n", 1) > 1)
    assert kept.items() <= drawing.items()
    assert not set(dropped) & set(drawing)
    assert said(found, "may follow a truncated distribution") is ("top_k" in dropped)
    assert said(found, "a seed is refused") is ("seed" in dropped)


def test_a_chat_only_model_is_measured_in_chat_and_refuses_completions() -> None:
    def use(model: Model, _: Capabilities) -> None:
        model.check(request("chat", "next_token"))
        with pytest.raises(RenderError, match=r"does not answer completion prompts .*form: chat"):
            model.check(request("completion", "next_token"))
        with pytest.raises(RenderError, match="not echoed"):
            model.check(Request("prefixes", request("chat", "next_token").prompt, (0, 1)))

    found = probe(Stub(completions=False), use)
    assert not found.prefixes
    assert found.top_logprobs == 6
    assert said(found, "chat prompts are answered (completion prompts are not: HTTP 404")


def test_the_form_of_the_prompts_to_come_can_be_asked_for() -> None:
    assert not probe(Stub(), form="chat").prefixes
    assert probe(Stub(), form="completion").prefixes
    with pytest.raises(RenderError, match=r"answers chats; completion prompts are not: HTTP 404.*form: chat"):
        probe(Stub(completions=False), form="completion")
    with pytest.raises(ModelError, match="does not answer for model 'stub'"):
        probe(Stub(completions=False, chat=False), form="completion")


def request(form: Form, way: str, length: int = 2) -> Request:
    prompt = Prompt("", ("0", "1"), "", (0, 1) * length, form)
    return Request("next_token" if way == "next_token" else "samples", prompt, (length,), top_logprobs=5)


@pytest.mark.parametrize(
    "stub", [Stub(merges=("01",)), Stub(merges=("01",), tokenize="llama.cpp", echo=False)]
)
def test_symbols_that_merge_are_refused_before_anything_is_measured(stub: Stub) -> None:
    def use(model: Model, _: Capabilities) -> None:
        with pytest.raises(TokenizationError, match=r"'[01]' is not one token .*choose other symbols"):
            model.check(request("completion", "next_token"))
        apart = Prompt("", ("0", "1"), ",", (0, 1, 0))
        # Nothing is known of another separator, so nothing is refused there.
        model.check(Request("next_token", apart, (2,), top_logprobs=5))

    found = probe(stub, use)
    assert said(found, "not one token, by ")


def test_symbols_that_are_single_tokens_pass_and_a_window_is_kept() -> None:
    def use(model: Model, _: Capabilities) -> None:
        model.check(request("completion", "next_token", 79))
        with pytest.raises(ContextTooLong, match="accepts 79 prompt tokens and a context of 80 symbols"):
            model.check(request("completion", "next_token", 80))

    probe(Stub(tokenize="llama.cpp", window=80), use)


def test_nothing_listening_is_said_with_the_address() -> None:
    async def main() -> None:
        async with Stub() as stub:
            url = stub.url
        model = open_model("stub/stub", environ={"STUB_BASE_URL": url}, policy=QUICK)
        try:
            with pytest.raises(ModelError, match=rf"nothing answers at {url} .*is the server running"):
                await model.probe(["0", "1"], "")
        finally:
            await model.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (answer(200, "<html>Sign in</html>"), r"not a model: .*<html>Sign in</html>"),
        (answer(200, '{"choices": [{"te'), r"not a model: "),
        (answer(200, "{}"), r"not a model: no choices"),
        (answer(401, '{"error": {"message": "bad key"}}'), r"refuses the key .*bad key"),
        (
            answer(404, '{"error": {"message": "no such model"}}'),
            r"does not answer for model 'stub' .*no such model",
        ),
        (answer(500, "boom"), r"does not answer for model 'stub' \(HTTP 500: boom"),
        (reset, "nothing answers"),
        (cut_short, "nothing answers"),
    ],
)
def test_what_is_not_a_model_is_said_with_what_it_answered(fault: Fault, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        probe(Stub(always=fault))


def test_a_passing_error_does_not_change_what_is_found() -> None:
    faults = [answer(429, "", {"Retry-After": "1"}), answer(503, "")]
    clean, disturbed = probe(Stub()), probe(Stub(faults=faults[:1]))
    assert clean == disturbed


def test_a_server_that_is_down_is_said_to_be_without_waiting() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def main() -> None:
        async with Stub(always=reset) as stub:
            model = open_model(
                "stub/stub", environ={"STUB_BASE_URL": stub.url}, policy=RetryPolicy(sleep=sleep)
            )
            with pytest.raises(ModelError, match="nothing answers"):
                await model.probe(["0", "1"], "")
            await model.close()

    asyncio.run(main())
    assert waits == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (answer(429, "slow down"), "slow down"),
        (answer(401, "expired"), "expired"),
        (reset, "ServerDisconnectedError"),
        (answer(429, '{"error": {"message": "insufficient_quota"}}'), "insufficient_quota"),
    ],
)
@pytest.mark.parametrize("after", [3, 6, 12])
def test_a_failure_that_says_nothing_of_the_model_is_no_finding(fault: Fault, words: str, after: int) -> None:
    """To take a full rate for missing log-probabilities would have a run measured by draws."""
    served: list[Fault] = []
    stub = Stub()

    async def turned(request: web.Request) -> web.StreamResponse:
        served.append(fault)
        if len(served) > after:
            return await fault(request)
        return await stub.answer(request)

    stub.always = turned
    with pytest.raises(ModelError, match=f"cut short after [0-9]+ answers .*{words}"):
        probe(stub)


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "not implemented"), (403, "You are not allowed to request logprobs from this model")],
)
def test_a_lasting_refusal_of_one_question_is_an_answer_to_it(status: int, words: str) -> None:
    """Servers answer 500 to what they were not made for, and OpenAI 403 to log-probabilities of some models."""
    stub = Stub()

    async def without_logprobs(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read() or b"{}")
        return await (answer(status, words)(request) if "logprobs" in body else stub.answer(request))

    stub.always = without_logprobs
    found = probe(stub)
    assert (found.top_logprobs, found.max_samples) == (0, 128)
    assert said(found, f"no log-probabilities: HTTP {status}: {words}")


def test_replies_that_name_no_model_are_said_to() -> None:
    assert said(probe(Stub(models=("",))), "the replies name no model")


def test_strings_of_a_vocabulary_that_do_not_spell_the_prompt_prove_nothing() -> None:
    """vLLM gives the strings of a byte-level vocabulary as they are, where "\u00e9" is written "\u00c3\u00a9"."""
    stub = Stub(tokenize="vllm")

    async def garbled(request: web.Request) -> web.StreamResponse:
        if request.path != "/tokenize":
            return await stub.answer(request)
        return web.json_response({"count": 1, "max_model_len": 9, "tokens": [7], "token_strs": ["\u00c3"]})

    stub.always = garbled
    assert said(probe(stub), "every symbol is one token, by the echoed tokens")


@pytest.mark.parametrize("count", [1, 2, 3, 10, 26, 60, 94])
def test_every_symbol_stands_behind_another_in_the_probe_prompt(count: int) -> None:
    """At the start of a text some tokenizers write a symbol with another token."""
    prompt = probe_prompt(tuple(map(str, range(count))), ",", "completion")
    assert set(prompt.symbols[1:]) == set(range(count))
    assert 24 <= len(prompt.symbols) <= 96
