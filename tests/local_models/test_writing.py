"""Texts of a local model: drawn from its whole distribution, the same with and without a cache, alone or in a batch."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scipy import stats

from harness.adapters.local import read
from harness.errors import ContextTooLong, RenderError, TokenizationError
from harness.local_models.adapter import LocalModel, open_local
from harness.local_models.writing import TextJob, write_texts
from harness.types import Failure, Prompt, Reply, Request, Response

BITS = Prompt("a", ("0", "1"), "", (0, 1, 1, 0, 1, 0))
COINS = Prompt("red blue", (" Heads", " Tails"), ",", (0, 1, 1, 0, 1, 0))


@pytest.fixture(scope="module")
def llama(llama_dir: Path) -> LocalModel:
    return open_local(str(llama_dir), device="cpu")


@pytest.fixture(scope="module")
def gpt2(gpt2_dir: Path) -> LocalModel:
    return open_local(str(gpt2_dir), device="cpu")


def wanted(prompt: Prompt = BITS, *, given: int = 3, seed: int = 1, length: int = 20) -> Request:
    return Request("generation", prompt, (given,), n=1, seed=seed, length=length)


def ask(model: LocalModel, *requests: Request) -> list[Response | Failure]:
    replies = asyncio.run(model.send(requests))
    return [read(q, r.raw) if isinstance(r, Reply) else r for q, r in zip(requests, replies, strict=True)]


def texts(model: LocalModel, *requests: Request) -> list[str]:
    return [r.text or "" for r in ask(model, *requests) if isinstance(r, Response)]


def by_hand(model: LocalModel, request: Request, n_tokens: int) -> str:
    """Draw token after token with a whole pass for each, and nothing of the adapter but the tokenizer."""
    tokenizer, prompt = model.loaded.tokenizer, request.prompt
    tokens = tokenizer(prompt.text(request.context_lengths[0]))["input_ids"]
    before = len(tokenizer.decode(tokens))
    generator = torch.Generator().manual_seed(request.seed or 0)
    for _ in range(n_tokens):
        with torch.no_grad():
            logits = model.loaded.model(torch.tensor([tokens]), use_cache=False).logits[0, -1].double()
        drawn = torch.multinomial(torch.softmax(logits, -1), 1, generator=generator)
        tokens = [*tokens, int(drawn)]
    return str(tokenizer.decode(tokens))[before:]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_text_is_what_drawing_by_hand_gives(llama: LocalModel, gpt2: LocalModel, seed: int) -> None:
    for model, request in ((llama, wanted(seed=seed)), (gpt2, wanted(COINS, seed=seed, length=3))):
        (text,) = texts(model, request)
        assert len(text) >= 20
        shown = by_hand(model, request, 24)
        assert text[: len(shown)] == shown[: len(text)]


def test_texts_are_the_same_alone_and_in_a_batch_of_other_lengths(llama: LocalModel) -> None:
    requests = [wanted(given=n, seed=s) for n in (0, 3, 5) for s in range(4)]
    together = texts(llama, *requests)
    assert len(set(together)) == 12
    assert together == [texts(llama, request)[0] for request in requests]


def test_numbers_and_texts_may_be_asked_together(llama: LocalModel) -> None:
    prefixes = Request("prefixes", BITS, (1, 2, 3))
    first, second, third = ask(llama, wanted(), prefixes, wanted(seed=2))
    assert isinstance(first, Response)
    assert isinstance(second, Response)
    assert isinstance(third, Response)
    assert (first.text is None, second.text is None, third.text is None) == (False, True, False)
    assert second.logprob is not None


def test_first_tokens_follow_the_distribution_of_the_whole_vocabulary(llama: LocalModel) -> None:
    """2,000 texts: chi-square over the vocabulary above 1e-4, which the right law misses 1 time in 10,000."""
    jobs = [TextJob((0, 4, 2, 3), seed, 1, 1) for seed in range(2000)]
    written = write_texts(llama.loaded.model, llama.loaded.tokenizer, jobs)
    counts = Counter(text.text for text in written)
    with torch.no_grad():
        logits = llama.loaded.model(torch.tensor([[0, 4, 2, 3]])).logits[0, -1].double()
    p = torch.softmax(logits, -1).numpy()
    names = [llama.loaded.tokenizer.decode([0, 4, 2, 3, token])[len("<s>a01") :] for token in range(len(p))]
    assert p.min() * 2000 > 5  # what chi-square needs
    assert stats.chisquare([counts[name] for name in names], p * 2000).pvalue > 1e-4


def test_a_text_ends_at_the_end_of_text_of_the_model(gpt2: LocalModel) -> None:
    requests = [wanted(COINS, seed=seed, length=12) for seed in range(40)]
    found = [r for r in ask(gpt2, *requests) if isinstance(r, Response)]
    assert len(found) == 40
    ended = [r for r in found if r.ended]
    assert 0 < len(ended) < 40  # a token of about 300, drawn up to some 60 times a text
    assert not any("<|endoftext|>" in (r.text or "") for r in found)


def test_tokens_that_are_no_text_stay_in_it_by_their_names(llama: LocalModel) -> None:
    requests = [wanted(seed=seed, length=40) for seed in range(20)]
    assert any("<unk>" in text or "<s>" in text for text in texts(llama, *requests))


def test_a_text_is_no_longer_than_it_need_be_and_its_tokens_are_counted(llama: LocalModel) -> None:
    request = wanted()
    (reply,) = asyncio.run(llama.send([request]))
    assert isinstance(reply, Reply)
    assert reply.prompt_tokens == 1 + 1 + 3  # BOS, header, symbols
    assert reply.completion_tokens is not None
    assert 20 <= reply.completion_tokens <= 36  # most tokens are a character, some have long names


def test_what_cannot_be_written_is_refused_before_it_is_tried(llama: LocalModel) -> None:
    with pytest.raises(ContextTooLong, match="at least 60; this model was made for 64"):
        llama.check(wanted(length=60))
    llama.check(wanted(length=59))
    with pytest.raises(TokenizationError, match="no token for"):
        llama.check(wanted(replace(BITS, header="Sequence: ")))
    with pytest.raises(RenderError, match="no chat template"):
        llama.check(wanted(replace(BITS, form="chat")))
    (outcome,) = ask(llama, wanted(length=60))
    assert isinstance(outcome, Failure)
    assert outcome.kind == "overflow"


def test_symbols_of_several_tokens_can_be_written(gpt2: LocalModel) -> None:
    """What is measured by probabilities must be one token; what is read from text need not."""
    several = replace(COINS, surfaces=(" abracadabra", " Tails"))
    gpt2.check(wanted(several, length=2))
    with pytest.raises(TokenizationError):
        gpt2.check(Request("prefixes", several, (1, 2)))


def test_an_empty_context_without_bos_is_a_failure(gpt2: LocalModel) -> None:
    (outcome,) = ask(gpt2, wanted(replace(COINS, header=""), given=0, length=2))
    assert isinstance(outcome, Failure)
    assert "no token to predict from" in outcome.detail
