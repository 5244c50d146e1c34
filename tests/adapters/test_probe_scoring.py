"""Probing how a whole prompt is scored: echo in three shapes, vLLM's prompt_logprobs, and what is neither."""

from functools import partial

import numpy as np
import pytest

from harness.adapters._compatible import CompatibleModel
from harness.adapters.openai_api import read
from harness.errors import TokenizationError
from harness.types import Prompt, Reply, Request, Response
from tests.adapters.probing import bodies, probe, said
from tests.adapters.stub_server import Stub

vllm = partial(Stub, echo=False, prompt_logprobs=True)


@pytest.mark.parametrize(
    "stub",
    [
        Stub(),
        Stub(echo_bos=True),
        Stub(echo_shape="sglang"),
        vllm(),
        vllm(prompt_ids=False),
        vllm(merges=(", ", "ab")),
    ],
)
def test_prefix_scores_are_the_law_of_the_server_in_every_shape(stub: Stub) -> None:
    """One request gives, at every context length, what a request of its own would have given."""
    prompt = Prompt("ab", ("0", "1"), ",", (0, 1, 1, 0, 1, 1))
    every = Request("prefixes", prompt, tuple(range(6)), top_logprobs=6)
    got: list[Response] = []

    async def use(model: CompatibleModel) -> None:
        (reply,) = await model.send([every])
        assert isinstance(reply, Reply)
        response = read(every, reply.raw)
        assert isinstance(response, Response)
        got.append(response)

    (found,) = probe(stub, "completion", use=use)
    assert found.prefixes
    assert got[0].logprob is not None
    for n in range(6):
        law = stub.law(prompt.text(n))
        np.testing.assert_allclose(got[0].logprob[n], [law["0"], law["1"]], atol=1e-9)


@pytest.mark.parametrize(
    ("stub", "finding"),
    [
        (Stub(echo=False), "echo is not honoured"),
        (Stub(alternatives=False), "echo reports each token of the prompt without alternatives"),
        (Stub(echo_shape="together"), "echo reports each token of the prompt without alternatives"),
        (Stub(logprobs=False), "echo is not asked for"),
        (vllm(refuse=("prompt_logprobs",)), "prompt_logprobs is not honoured: HTTP 400"),
    ],
)
def test_what_gives_no_distribution_at_every_length_is_no_prefix_scoring(stub: Stub, finding: str) -> None:
    (found,) = probe(stub, "completion")
    assert not found.prefixes
    assert said(found, finding)


def test_an_echo_without_alternatives_says_that_no_distribution_can_be_had() -> None:
    (found,) = probe(Stub(echo_shape="together"), "completion")
    assert said(found, "no distribution over the symbols can be had from it; it is not used")
    assert found.top_logprobs == 6  # each context length can still be asked for


def test_the_way_that_works_is_the_one_sent_afterwards() -> None:
    stub = vllm()
    prompt = Prompt("", ("0", "1"), "", (0, 1, 1))

    async def use(model: CompatibleModel) -> None:
        await model.send([Request("prefixes", prompt, (0, 1, 2), top_logprobs=6)])

    probe(stub, "completion", use=use)
    last = bodies(stub)[-1]
    assert last["prompt"] == "011"
    assert (last["prompt_logprobs"], last["return_token_ids"], last["max_tokens"]) == (6, True, 1)
    assert "echo" not in last


def test_fewer_tokens_than_asked_for_are_counted_and_not_assumed() -> None:
    (found,) = probe(Stub(max_top=5, short_top=2), "completion")
    assert found.top_logprobs == 3
    assert said(found, "3 tokens are reported per position (5 asked)")


def test_another_separator_costs_a_few_calls_and_is_judged_for_itself() -> None:
    stub = Stub(merges=("0,",))
    counts: list[int] = []

    async def use(model: CompatibleModel) -> None:
        counts.append(len(stub.log))
        apart = await model.probe(("0", "1"), ",", "completion")
        counts.append(len(stub.log))
        assert not said(apart, "every symbol is one token")
        assert said(apart, "not one token, by the echoed tokens: '0'")
        assert apart.max_samples == 128

    (together,) = probe(stub, "completion", use=use)
    assert said(together, "every symbol is one token")
    assert counts[0] > 12
    assert counts[1] - counts[0] <= 3


def test_what_was_seen_of_one_separator_is_still_known_after_another() -> None:
    stub = Stub(merges=("01",), tokenize="llama.cpp")
    merged, apart = (Prompt("", ("0", "1"), between, (0, 1, 0)) for between in ("", ","))

    async def use(model: CompatibleModel) -> None:
        await model.probe(("0", "1"), ",", "completion")
        model.check(Request("next_token", apart, (2,), top_logprobs=5))
        with pytest.raises(TokenizationError, match="is not one token"):
            model.check(Request("next_token", merged, (2,), top_logprobs=5))

    probe(stub, "completion", use=use)
