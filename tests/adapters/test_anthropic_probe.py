"""What the probe finds of a model behind Anthropic's Messages, and what follows from it."""

import asyncio
from typing import Any

import pytest

from harness.errors import ModelError, RenderError, SpecError, TokenizationError
from harness.types import Failure, Prompt, Reply
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.service_asking import BEGUN, ask, draw, nowhere, open_model, probe
from tests.adapters.stub_server import answer


def test_the_probe_says_what_can_be_measured() -> None:
    stub = AnthropicStub()
    found, model = probe(stub)
    assert (found.prefixes, found.top_logprobs, found.max_samples, found.seed) == (False, 0, 1, False)
    assert (found.prefill, found.max_context_tokens) == (True, 1000)
    assert found.probe_tokens[0] > 0
    assert len(stub.log) <= 8
    model.check(draw())
    model.check(draw(BEGUN))


@pytest.mark.parametrize("how", ["refused", "afresh"])
def test_a_model_without_prefill_refuses_it_in_the_plan(how: Any) -> None:
    found, model = probe(AnthropicStub(prefill=how))
    assert not found.prefill
    model.check(draw())
    with pytest.raises(
        RenderError, match=r"an answer begun for the model is (refused|not gone on with): .*form: chat"
    ):
        model.check(draw(BEGUN))


def test_symbols_of_several_tokens_are_found_and_refused() -> None:
    stub = AnthropicStub(words={"Heads": 1, "Tails": 2})
    found, model = probe(stub, "Heads", "Tails")
    assert found.findings[-1] == "not one token, by the service's count: 'Tails'"
    with pytest.raises(TokenizationError, match="'Tails' is not one token"):
        model.check(draw(Prompt("", ("Heads", "Tails"), ",", (0, 1), "chat"), 1))
    found, _ = probe(AnthropicStub(words={"Heads": 1, "Tails": 1}), "Heads", "Tails")
    assert found.findings[-1] == "every symbol is one token, by the service's count"
    found, model = probe(AnthropicStub(counts=False), "Heads", "Tails")
    assert "not known" in found.findings[-1]


def test_symbols_written_in_two_ways_are_probed_without_asking_all_again() -> None:
    stub = AnthropicStub(words={"Tails": 2, "Heads": 1})

    async def main() -> None:
        async with stub:
            model = open_model(stub)
            await model.probe(("0", "1"), ",", "chat")
            asked = len(stub.sent)
            await model.probe(("Heads", "Tails"), ";", "chat")
            assert len(stub.sent) == asked
            with pytest.raises(TokenizationError):
                model.check(draw(Prompt("", ("Heads", "Tails"), ";", (0, 1), "chat"), 1))
            model.check(draw())
            await model.close()

    asyncio.run(main())


def test_a_model_that_draws_nothing_random_cannot_be_measured_with() -> None:
    with pytest.raises(ModelError, match="draws are not random"):
        probe(AnthropicStub(random=False))


def test_a_service_that_is_down_or_refuses_the_key_is_said_to() -> None:
    async def at_nowhere() -> None:
        model = open_model(nowhere(AnthropicStub()))
        try:
            await model.probe(("0", "1"), ",", "chat")
        finally:
            await model.close()

    with pytest.raises(ModelError, match="nothing answers at http://127"):
        asyncio.run(at_nowhere())
    with pytest.raises(ModelError, match="refuses the key"):
        probe(AnthropicStub(key="another"))
    with pytest.raises(ModelError, match="is not a model"):
        probe(AnthropicStub(always=answer(200, "<html>")))


def test_a_prompt_beyond_the_window_is_an_overflow_and_never_cut() -> None:
    (got,) = ask(AnthropicStub(window=5), draw())
    assert isinstance(got, Failure)
    assert got.kind == "overflow"


def test_thinking_by_default_is_switched_off() -> None:
    stub = AnthropicStub(thinks="unless told not to")
    (got,) = ask(stub, draw())
    assert isinstance(got, Reply)
    assert (got.hidden_tokens, len(stub.sent)) == (0, 1)


def test_a_model_that_always_thinks_is_given_room_and_its_hidden_tokens_are_counted() -> None:
    stub = AnthropicStub(thinks="always", refuse=("temperature",))
    found, _ = probe(stub)
    assert found.hidden_tokens == 1024
    assert any("7 of at most 1024 hidden tokens" in finding for finding in found.findings)
    (got,) = ask(stub, draw(), name="m?hidden_tokens=64")
    assert isinstance(got, Reply)
    assert (got.hidden_tokens, got.completion_tokens) == (7, 8)
    assert stub.sent[-1]["max_tokens"] == 65
    assert stub.sent[-1]["thinking"] == {"type": "adaptive"}


def test_a_model_that_always_thinks_and_has_no_room_is_refused_with_advice() -> None:
    with pytest.raises(
        ModelError, match=r"reasons before it answers \(1 hidden tokens\).*hidden_tokens=1024"
    ):
        probe(AnthropicStub(thinks="always"), name="m?hidden_tokens=0")


def test_an_effort_is_sent_or_refused_and_never_dropped() -> None:
    stub = AnthropicStub(thinks="always")
    ask(stub, draw(), name="m?reasoning_effort=low")
    assert [body["output_config"] for body in stub.sent] == [{"effort": "low"}]
    with pytest.raises(SpecError, match="reasoning_effort needs hidden_tokens above 0"):
        open_model(stub, "m?reasoning_effort=low&hidden_tokens=0")
