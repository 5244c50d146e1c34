"""Against llama.cpp's own server, serving a small random llama whose numbers torch computes here."""

import asyncio
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from harness.adapters import openai, openai_api
from harness.adapters._compatible import CompatibleModel
from harness.errors import ContextTooLong
from harness.local_models.gguf_export import export_gguf
from harness.types import Capabilities, Failure, Form, Model, Prompt, Reply, Request, Response
from tests.adapters.small_llama import POSITIONS, SYMBOLS, expected, save_llama
from tests.servers import llama_cpp_server

SLOTS = 8
# nat; llama.cpp keeps keys and values in float16, torch computes in float32: 0.0008 was seen
TOLERANCE = 5e-3


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("llama")
    save_llama(directory)
    return directory


@pytest.fixture(scope="module")
def url(checkpoint: Path) -> Iterator[str]:
    gguf = checkpoint / "model.gguf"
    export_gguf(checkpoint, gguf)
    with llama_cpp_server(gguf, n_ctx=POSITIONS, slots=SLOTS) as address:
        yield address


def open_model(provider: str, url: str) -> Model:
    if provider == "openai":
        return openai.open_model("tiny", environ={"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"})
    return openai_api.open_model("llama/tiny", environ={"LLAMA_BASE_URL": url})


def ask(url: str, *requests: Request, provider: str = "openai-api") -> list[Reply | Failure]:
    async def main() -> list[Reply | Failure]:
        model = open_model(provider, url)
        try:
            return await model.send(requests)
        finally:
            await model.close()

    return asyncio.run(main())


def probe(url: str, provider: str, surfaces: str = "01", form: Form = "completion") -> Capabilities:
    async def main() -> Capabilities:
        model = open_model(provider, url)
        try:
            found = await model.probe(list(surfaces), "", form)
            long = Prompt("", tuple(surfaces), "", (0,) * (POSITIONS + 1))
            if provider == "openai-api":
                with pytest.raises(ContextTooLong, match=f"accepts {POSITIONS - 1} prompt tokens"):
                    model.check(Request("next_token", long, (POSITIONS,), top_logprobs=5))
            return found
        finally:
            await model.close()

    return asyncio.run(main())


@pytest.mark.parametrize("provider", ["openai-api", "openai"])
def test_the_probe_finds_what_this_server_does(url: str, provider: str) -> None:
    found = probe(url, provider)
    assert not found.prefixes  # echo is ignored with HTTP 200
    assert found.top_logprobs == 2 + len(SYMBOLS)
    assert found.max_samples == SLOTS
    assert found.seed
    assert found.max_context_tokens == POSITIONS - 1
    assert any("echo is not honoured" in finding for finding in found.findings)


def test_a_made_up_template_is_seen_around_a_chat(url: str) -> None:
    """Neither the file nor the caller gives one, so the server writes ChatML, and leaves out without a word
    what its vocabulary lacks: of "<|im_start|>user", "<|im_end|>" and "<|im_start|>assistant" 32 letters stay."""
    found = probe(url, "openai-api", form="chat")
    assert "the chat template adds 32 tokens to a message" in found.findings


def test_no_tokens_at_all_cannot_be_asked_for(url: str) -> None:
    """Which is why a prompt is never scored with max_tokens=0: this server takes it for 1, others for no limit."""

    async def main() -> Reply | Failure:
        model = open_model("openai-api", url)
        assert isinstance(model, CompatibleModel)
        prompt = Prompt("", tuple("01"), "", (0, 1, 0))
        try:
            return await model.calls.send(Request("next_token", prompt, (2,), top_logprobs=5), max_tokens=0)
        finally:
            await model.close()

    reply = asyncio.run(main())
    assert isinstance(reply, Reply)
    assert reply.completion_tokens == 1


def test_every_symbol_is_seen_to_be_one_token(url: str) -> None:
    found = probe(url, "openai-api", SYMBOLS)
    assert "every symbol is one token, by /tokenize" in found.findings


def test_log_probabilities_agree_with_a_forward_pass(url: str, checkpoint: Path) -> None:
    rng = np.random.default_rng(7)
    prompt = Prompt("", tuple("01ab"), "", tuple(rng.integers(0, 4, 121).tolist()))
    lengths = (0, 1, 2, 5, 17, 60, 120)
    requests = [Request("next_token", prompt, (n,), top_logprobs=42) for n in lengths]
    rows = []
    for request, reply in zip(requests, ask(url, *requests), strict=True):
        assert isinstance(reply, Reply)
        response = openai_api.read(request, reply.raw)
        assert isinstance(response, Response)
        assert response.logprob is not None
        assert response.covered is not None
        assert response.covered[0] == pytest.approx(1, abs=1e-4)
        assert reply.prompt_tokens == request.context_lengths[0] + 1  # BOS
        rows.append(response.logprob[0])
    np.testing.assert_allclose(np.stack(rows), expected(checkpoint, prompt, lengths), atol=TOLERANCE)


def test_draws_follow_the_distribution(url: str, checkpoint: Path) -> None:
    """2000 draws: each frequency within 4.5 standard errors of its probability.

    At the server's own temperature, 0.8, they would not.
    """
    prompt = Prompt("", tuple(SYMBOLS), "", (4, 5, 5, 4, 5))
    requests = [Request("samples", prompt, (3,), n=SLOTS, seed=s) for s in range(250)]
    counts = np.zeros(len(SYMBOLS) + 1)
    for request, reply in zip(requests, ask(url, *requests), strict=True):
        assert isinstance(reply, Reply)
        response = openai_api.read(request, reply.raw)
        assert isinstance(response, Response)
        assert response.counts is not None
        counts += response.counts[0]
    p = np.exp(expected(checkpoint, prompt, (3,))[0])
    p = np.append(p, 1 - p.sum())
    n = counts.sum()
    assert n == 2000
    np.testing.assert_array_less(np.abs(counts / n - p), 4.5 * np.sqrt(p * (1 - p) / n) + 1 / n)


def test_draws_restricted_to_the_symbols_keep_their_odds(url: str, checkpoint: Path) -> None:
    """Of four symbols that have a few per cent of the probability together, every draw is one; 800 draws,
    each frequency within 4.5 standard errors of the renormalised probability."""
    prompt = Prompt("", tuple("HTAB"), "", (0, 1, 1, 2, 3, 0))

    async def main() -> list[Reply | Failure]:
        model = open_model("openai-api", url)
        try:
            assert (await model.probe(prompt.surfaces, "")).logit_bias
            return await model.send(requests)
        finally:
            await model.close()

    requests = [Request("samples", prompt, (5,), n=SLOTS, seed=s, restricted=True) for s in range(100)]
    counts = np.zeros(5)
    for request, reply in zip(requests, asyncio.run(main()), strict=True):
        assert isinstance(reply, Reply)
        response = openai_api.read(request, reply.raw)
        assert isinstance(response, Response)
        assert response.counts is not None
        counts += response.counts[0]
    logprob = expected(checkpoint, prompt, (5,))[0]
    mass = np.exp(logprob).sum()
    assert mass < 0.2
    p = np.exp(logprob) / mass
    assert (counts[-1], counts.sum()) == (0, 800)
    np.testing.assert_array_less(np.abs(counts[:4] / 800 - p), 4.5 * np.sqrt(p * (1 - p) / 800))


@pytest.mark.parametrize("length", [1, 2, 40])
def test_what_this_server_repeats_of_a_begun_answer_is_not_taken_for_a_draw(url: str, length: int) -> None:
    """A draw comes back behind all that was begun, at a short context and at a long one."""
    prompt = Prompt("", tuple(SYMBOLS), "", (4, 5) * 30, "prefill", "01")
    request = Request("samples", prompt, (length,), n=SLOTS, seed=1)
    (reply,) = ask(url, request)
    assert isinstance(reply, Reply)
    begun = prompt.text(length)
    answers = [choice["message"]["content"] for choice in json.loads(reply.raw)["choices"]]
    assert all(answer.startswith(begun) for answer in answers)
    response = openai_api.read(request, reply.raw)
    assert isinstance(response, Response)
    assert response.counts is not None
    drawn = [prompt.surfaces[i] for i in np.flatnonzero(response.counts[0, :-1])]
    assert set(drawn) == {answer[len(begun) :] for answer in answers} - {""}


def test_the_same_seed_repeats_a_reply_and_another_does_not(url: str) -> None:
    prompt = Prompt("", tuple("01"), "", (0, 1, 0))
    draws = [Request("samples", prompt, (2,), n=SLOTS, seed=s) for s in (3, 3, 4)]
    replies = [ask(url, draw)[0] for draw in draws]
    texts = [
        str(openai_api.read(d, r.raw)) for d, r in zip(draws, replies, strict=True) if isinstance(r, Reply)
    ]
    assert len(texts) == 3
    assert texts[0] == texts[1]


def test_a_prompt_beyond_the_window_is_an_overflow(url: str) -> None:
    prompt = Prompt("", tuple("01"), "", (0, 1) * POSITIONS)
    (got,) = ask(url, Request("next_token", prompt, (2 * POSITIONS - 1,), top_logprobs=5))
    assert isinstance(got, Failure)
    assert (got.kind, got.attempts) == ("overflow", 1)
    assert f"{POSITIONS} tokens" in got.detail


@pytest.mark.parametrize(
    ("provider", "form"), list(product(["openai-api", "openai"], ["completion", "chat"]))
)
def test_both_clients_are_answered_in_both_forms(url: str, provider: str, form: str) -> None:
    prompt = Prompt("", tuple("01"), "", (0, 1, 0), "chat" if form == "chat" else "completion")
    request = Request("next_token", prompt, (2,), top_logprobs=42)
    (reply,) = ask(url, request, provider=provider)
    assert isinstance(reply, Reply)
    response = openai_api.read(request, reply.raw)
    assert isinstance(response, Response)
    assert response.logprob is not None
    assert np.isfinite(response.logprob).all()


def test_requests_with_consecutive_seeds_share_no_draws(url: str) -> None:
    """This server draws choice i with seed + i: seeds sent as they are would repeat 7 of 8 draws."""
    prompt = Prompt("", tuple("01"), "", (0, 1, 0))

    async def texts(seed: int) -> set[str]:
        model = open_model("openai-api", url)
        assert isinstance(model, CompatibleModel)
        reply = await model.calls.send(Request("samples", prompt, (2,), n=SLOTS, seed=seed), max_tokens=24)
        await model.close()
        assert isinstance(reply, Reply)
        return {choice["text"] for choice in json.loads(reply.raw)["choices"]}

    first, second = (asyncio.run(texts(seed)) for seed in (100, 101))
    assert len(first) == len(second) == SLOTS
    assert not first & second
