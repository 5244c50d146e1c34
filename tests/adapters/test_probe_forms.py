"""Probing chats and begun answers: gone on with or not, first tokens dropped, limits, who answers, restricted draws."""

import asyncio
import json
import math

import pytest

from harness.adapters._compatible import CompatibleModel
from harness.adapters._probe_prefill import Begun
from harness.adapters.openai import open_model as open_openai
from harness.adapters.openai_api import read
from harness.errors import ModelError, RenderError
from harness.types import Capabilities, Prompt, Reply, Request, Response
from tests.adapters.openai_service import OpenAIService
from tests.adapters.probing import QUICK, bodies, probe, said
from tests.adapters.stub_server import Stub, answer


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize(
    ("stub", "begun"), [("final", "message"), ("prefix", "prefix"), ("continue", "continue")]
)
def test_the_spelling_that_makes_a_service_go_on_is_found_and_kept(
    stub: str, begun: Begun, repeats: bool
) -> None:
    seen: list[str] = []

    async def use(model: CompatibleModel) -> None:
        seen.append(model.calls.dialect.begun)

    (found,) = probe(Stub(prefill=stub, repeats=repeats), "prefill", use=use)  # type: ignore[arg-type]
    assert found.prefill
    assert seen == [begun]
    assert said(found, "a begun answer is gone on with")


@pytest.mark.parametrize("repeats", [False, True])
def test_a_service_that_starts_an_answer_of_its_own_has_no_prefill(repeats: bool) -> None:
    stub = Stub(prefill="", repeats=repeats)
    with pytest.raises(ModelError, match=r"cannot be measured with form prefill: .*instead of 'ble'"):
        probe(stub, "prefill")
    assert len(bodies(stub)) <= 12


def test_a_model_that_picks_up_an_answer_which_its_service_closed_is_told_by_the_tokens_billed() -> None:
    with pytest.raises(ModelError, match="the model picks it up, but 5 tokens stand between, which close it"):
        probe(Stub(prefill="", dictation="resumed"), "prefill")
    (found,) = probe(Stub(prefill="final", dictation="resumed"), "prefill")
    assert found.prefill


def test_a_chat_says_whether_answers_could_be_begun() -> None:
    (with_it,), (without,) = probe(Stub(prefill="final"), "chat"), probe(Stub(), "chat")
    assert with_it.prefill
    assert not without.prefill


def test_prompts_of_form_prefill_are_refused_until_they_are_seen_to_work() -> None:
    begun = Request("next_token", Prompt("", ("0", "1"), "", (0, 1), "prefill", "go"), (1,), top_logprobs=5)

    async def use(model: CompatibleModel) -> None:
        with pytest.raises(
            RenderError, match=r"does not answer prefill prompts \(that it goes on with .* not seen"
        ):
            model.check(begun)

    probe(Stub(), "completion", use=use)

    async def check(model: CompatibleModel) -> None:
        model.check(begun)

    probe(Stub(prefill="continue"), "prefill", use=check)


def test_a_model_that_cannot_copy_is_known_by_its_law_where_the_template_adds_nothing() -> None:
    (found,) = probe(Stub(prefill="final", dictation="", wrap=0), "prefill")
    assert said(found, "gone on with as in a completion")
    with pytest.raises(ModelError, match="form prefill"):
        probe(Stub(prefill="", dictation="", wrap=0), "prefill")


def test_a_law_that_no_context_changes_proves_no_prefill() -> None:
    top = [{"token": "0", "logprob": -0.7}, {"token": "1", "logprob": -0.7}]
    said_always = {
        "model": "m",
        "choices": [
            {
                "message": {"role": "assistant", "content": "0"},
                "text": "0",
                "logprobs": {"content": [{"token": "0", "logprob": -0.7, "top_logprobs": top}]},
                "finish_reason": "length",
            }
        ],
    }
    with pytest.raises(ModelError, match="form prefill"):
        probe(Stub(always=answer(200, json.dumps(said_always))), "prefill")


def test_a_chat_that_drops_the_first_token_is_found() -> None:
    (found,) = probe(Stub(drops_first=True, wrap=0), "chat")
    assert said(found, "a chat drops the first token: it has 3 prompt tokens where the same text")
    assert said(found, "symbols differ by up to")


@pytest.mark.parametrize(
    ("wrap", "words"), [(4, "template adds 4 tokens"), (0, "no chat template, and its law")]
)
def test_what_a_chat_template_adds_is_said(wrap: int, words: str) -> None:
    (found,) = probe(Stub(wrap=wrap), "chat")
    assert said(found, words)


def test_a_limit_that_is_not_kept_is_found() -> None:
    (found,) = probe(Stub(limit=False), "completion")
    assert said(found, "the limit on tokens is not kept: 1 asked for and 3 billed")
    assert not said(probe(Stub(), "completion")[0], "limit on tokens")


def test_a_served_model_that_changes_is_named() -> None:
    (found,) = probe(Stub(models=("gpt-a", "gpt-b")), "completion")
    assert said(found, "the served model is not constant: 'gpt-b', 'gpt-a' answered")
    (found,) = probe(Stub(fingerprints=("fp_1", "fp_2")), "completion")
    assert said(found, "the served model is 'stub-1'; its system_fingerprint changes: fp_2, fp_1")


@pytest.mark.parametrize("tokenize", ["llama.cpp", "vllm"])
def test_a_bias_that_decides_what_is_drawn_is_found_and_sent(tokenize: str) -> None:
    stub = Stub(tokenize=tokenize)  # type: ignore[arg-type]
    drawn: list[Response] = []
    request = Request("samples", Prompt("", ("0", "1"), "", (0, 1, 0)), (2,), n=64, seed=5, restricted=True)

    async def use(model: CompatibleModel) -> None:
        (reply,) = await model.send([request])
        assert isinstance(reply, Reply)
        response = read(request, reply.raw)
        assert isinstance(response, Response)
        drawn.append(response)

    (found,) = probe(stub, "completion", use=use)
    assert found.logit_bias
    assert bodies(stub)[-1]["logit_bias"] == {"100": 100, "101": 100}
    assert drawn[0].counts is not None
    zeros, ones, others = drawn[0].counts[0].tolist()
    assert (zeros + ones, others) == (64, 0)
    law = stub.law("01")
    p = 1 / (1 + math.exp(law["1"] - law["0"]))  # their odds are what they were
    assert zeros / 64 == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 64))


@pytest.mark.parametrize(
    ("stub", "words"),
    [
        (Stub(tokenize="llama.cpp", bias=False), "logit_bias is ignored: '0' alone was asked for and"),
        (Stub(tokenize="llama.cpp", refuse=("logit_bias",)), "logit_bias is refused: HTTP 400"),
        (Stub(), "logit_bias is not probed: the tokens of the symbols are not known by id"),
        (Stub(tokenize="llama.cpp", merges=("01",)), "not known by id"),
    ],
)
def test_a_bias_that_is_ignored_or_cannot_be_tried_is_no_capability(stub: Stub, words: str) -> None:
    (found,) = probe(stub, "completion")
    assert not found.logit_bias
    assert said(found, words)


def test_symbols_that_lose_their_blank_in_a_chat_are_not_biased() -> None:
    (found,) = probe(Stub(tokenize="llama.cpp", merges=(" 0", " 1")), "chat", surfaces=(" 0", " 1"))
    assert said(found, "a chat's answer starts without the blank")


@pytest.mark.parametrize("form", ["completion", "chat", "prefill"])
def test_a_probe_says_what_it_took_and_stays_small(form: str) -> None:
    stub = Stub(tokenize="llama.cpp", prefill="final", n=4, max_top=5)
    (found,) = probe(stub, form)  # type: ignore[arg-type]
    assert len(bodies(stub)) <= 30
    assert said(found, f"the probe took {len(bodies(stub))} calls")
    assert found.probe_tokens[1] < 600
    assert min(found.probe_tokens) > 0


@pytest.mark.parametrize("responses_only", [False, True])
def test_a_model_that_reasons_is_probed_by_few_draws_and_its_cost_is_said(responses_only: bool) -> None:
    service = OpenAIService(thinks=300, temperature=False, responses_only=responses_only)
    stub = Stub(always=service.handle)

    async def main() -> Capabilities:
        async with stub:
            environ = {"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": "k"}
            model = open_openai("o", environ=environ, policy=QUICK)
            try:
                return await model.probe(("0", "1"), "", "chat")
            finally:
                await model.close()

    found = asyncio.run(main())
    assert (found.top_logprobs, found.prefixes, found.seed, found.prefill) == (0, False, False, False)
    assert found.max_samples == (1 if responses_only else 4)
    assert found.hidden_tokens == 1024
    assert said(found, "spends up to 1024 hidden tokens a draw, which are paid for")
    assert said(found, "a temperature is refused")
    drawn = sum(body.get("n", 1) for _, _, body in stub.log)
    assert drawn <= 12
    assert found.probe_tokens[1] < 10 * 320


def test_no_finding_holds_the_key() -> None:
    key = "sk-canary-0123456789"

    async def main() -> str:
        async with Stub(key=key, refuse=("echo", "logit_bias"), models=(f"gpt {key}",)) as stub:
            model = open_openai(
                "stub", environ={"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": key}, policy=QUICK
            )
            found = await model.probe(("0", "1"), "", "completion")
            await model.close()
            return "\n".join(found.findings)

    words = asyncio.run(main())
    assert "***" in words
    assert key not in words
