"""What the probe finds of a model behind Google's generateContent, and what follows from it."""

from typing import Any

import pytest

from harness.errors import ModelError, RenderError, TokenizationError
from harness.types import Failure, Prompt, Request
from tests.adapters.google_stub import GoogleStub
from tests.adapters.service_asking import BEGUN, CHAT, ask, draw, probe
from tests.adapters.service_stub import VOCABULARY

NEXT = Request("next_token", CHAT, (2,), top_logprobs=3)


def test_the_probe_says_what_can_be_measured() -> None:
    stub = GoogleStub(logprobs=20)
    found, model = probe(stub)
    assert (found.top_logprobs, found.max_samples, found.seed) == (len(VOCABULARY), 8, True)
    assert (found.prefixes, found.prefill, found.hidden_tokens) == (False, True, 0)
    assert found.max_context_tokens == 1000
    assert len(stub.log) <= 13
    model.check(NEXT)
    model.check(draw(BEGUN))


@pytest.mark.parametrize(
    ("stub", "count", "words"),
    [
        (GoogleStub(candidates=8), 8, "n is honoured up to 8"),
        (GoogleStub(candidates=4), 4, "n is honoured up to 4 draws a request; 8 are refused"),
        (GoogleStub(candidates=1), 1, "one draw a request; 2 are refused"),
        (GoogleStub(ignores_n=True), 1, "n is ignored: 1 of 8 came back"),
        (GoogleStub(copies=True), 1, "n gives 8 copies of one draw"),
    ],
)
def test_n_is_believed_when_that_many_different_draws_come(stub: GoogleStub, count: int, words: str) -> None:
    found, _ = probe(stub)
    assert found.max_samples == count
    assert any(words in finding for finding in found.findings)


@pytest.mark.parametrize(
    ("stub", "honoured", "words"),
    [
        (GoogleStub(), True, "a seed repeats them"),
        (GoogleStub(seed=False), False, "accepted and ignored"),
        (GoogleStub(refuses_seed=True), False, "a seed is not taken"),
    ],
)
def test_a_seed_is_believed_when_it_repeats_a_draw(stub: GoogleStub, honoured: bool, words: str) -> None:
    found, _ = probe(stub)
    assert found.seed == honoured
    assert any(words in finding for finding in found.findings)


@pytest.mark.parametrize(("logprobs", "count"), [(None, 0), (2, 1), (5, 3), (20, 3)])
def test_log_probabilities_are_believed_when_they_come(logprobs: int | None, count: int) -> None:
    found, _ = probe(GoogleStub(logprobs=logprobs))
    assert found.top_logprobs == count


@pytest.mark.parametrize("how", ["refused", "afresh"])
def test_a_model_without_prefill_refuses_it_in_the_plan(how: Any) -> None:
    found, model = probe(GoogleStub(prefill=how))
    assert not found.prefill
    with pytest.raises(
        RenderError, match=r"an answer begun for the model is (refused|not gone on with): .*form: chat"
    ):
        model.check(draw(BEGUN))


def test_a_model_that_always_thinks_is_given_room_and_asked_for_no_log_probabilities() -> None:
    found, _ = probe(GoogleStub(thinks="always", logprobs=20), name="m?hidden_tokens=300")
    assert (found.hidden_tokens, found.top_logprobs) == (300, 0)
    assert any("7 of at most 300 hidden tokens" in finding for finding in found.findings)


def test_a_model_that_always_thinks_and_has_no_room_is_refused_with_advice() -> None:
    with pytest.raises(ModelError, match=r"reasons before it answers .*hidden_tokens=1024"):
        probe(GoogleStub(thinks="always"), name="m?hidden_tokens=0")


def test_a_served_model_that_changes_is_said() -> None:
    stub = GoogleStub()
    names = iter(["a", "b"] * 20)
    plain = stub.content

    def changing(body: dict[str, Any]) -> dict[str, Any]:
        payload = plain(body)
        return payload if "error" in payload else {**payload, "modelVersion": next(names)}

    stub.content = changing  # type: ignore[method-assign]
    found, _ = probe(stub)
    assert any("the served model changes between replies: 'a', 'b'" in f for f in found.findings)


def test_symbols_of_several_tokens_are_found_and_refused() -> None:
    found, model = probe(GoogleStub(words={"Heads": 1, "Tails": 2}), "Heads", "Tails")
    assert found.findings[-1] == "not one token, by the service's count: 'Tails'"
    with pytest.raises(TokenizationError, match="'Tails' is not one token"):
        model.check(draw(Prompt("", ("Heads", "Tails"), ",", (0, 1), "chat"), 1))


def test_a_prompt_beyond_the_window_is_an_overflow_and_never_cut() -> None:
    (got,) = ask(GoogleStub(window=5, thinks="unless told not to"), draw())
    assert isinstance(got, Failure)
    assert got.kind == "overflow"
