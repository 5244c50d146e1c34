"""The local adapter against a plain torch computation, and its refusals."""

import asyncio
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from harness.adapters.local import open_model, read
from harness.errors import SpecError
from harness.local_models.adapter import LocalModel, open_local
from harness.local_models.loading import load_checkpoint
from harness.types import Failure, Floats, Prompt, Reply, Request, Response, Way

COMMAS = Prompt("a:", ("0", "1"), ",", (0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1))
WORDS = Prompt("red blue:", (" Heads", " Tails"), ",", (0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1))


def ask(model: LocalModel, *requests: Request) -> list[Response | Failure]:
    replies = asyncio.run(model.send(requests))
    return [read(q, r.raw) if isinstance(r, Reply) else r for q, r in zip(requests, replies, strict=True)]


def logprob(model: LocalModel, request: Request) -> Floats:
    (response,) = ask(model, request)
    assert isinstance(response, Response), response
    assert response.logprob is not None
    return response.logprob


def prefixes(prompt: Prompt, *lengths: int) -> Request:
    return Request("prefixes", prompt, lengths)


def brute_force(model: LocalModel, prompt: Prompt, n: int) -> Floats:
    """One forward pass over the text of this context alone, with nothing of the adapter."""
    import torch

    tokens = model.loaded.tokenizer(prompt.text(n), return_tensors="pt")["input_ids"]
    with torch.no_grad():
        logp = torch.log_softmax(model.loaded.model(tokens).logits[0, -1].double(), dim=-1)
    ids = [model.loaded.tokenizer(s, add_special_tokens=False)["input_ids"][0] for s in prompt.surfaces]
    return logp[ids].numpy()


@pytest.fixture(scope="module")
def llama(llama_dir: Path) -> LocalModel:
    return open_local(str(llama_dir), device="cpu")


@pytest.fixture(scope="module")
def gpt2(gpt2_dir: Path) -> LocalModel:
    return open_local(str(gpt2_dir), device="cpu")


@pytest.mark.parametrize(("kind", "prompt"), [("llama", COMMAS), ("gpt2", WORDS)])
def test_one_pass_equals_one_forward_per_length(
    kind: str, prompt: Prompt, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(kind)
    found = logprob(model, prefixes(prompt, *range(len(prompt.symbols))))
    expected = np.stack([brute_force(model, prompt, n) for n in range(len(prompt.symbols))])
    np.testing.assert_allclose(found, expected, atol=1e-5)  # float32 sums in another order
    assert np.ptp(expected, axis=0).min() > 0.1  # the context matters, so a wrong position would show


@pytest.mark.parametrize("n", [0, 1, 5, 10])
def test_next_token_reports_the_numbers_of_the_prefix_pass(llama: LocalModel, n: int) -> None:
    whole = logprob(llama, prefixes(COMMAS, *range(11)))
    np.testing.assert_allclose(logprob(llama, Request("next_token", COMMAS, (n,)))[0], whole[n], atol=1e-5)


def test_batches_and_their_padding_do_not_change_a_request(llama_dir: Path) -> None:
    short = prefixes(Prompt("", ("0", "1"), "", (1, 0, 1)), 0, 2)
    requests = [prefixes(COMMAS, 3, 7, 10), short, prefixes(COMMAS, 1), short]
    alone = open_local(str(llama_dir), device="cpu", batch_size=1)
    together = open_local(str(llama_dir), device="cpu", batch_size=3)
    for request, one, many in zip(requests, ask(alone, *requests), ask(together, *requests), strict=True):
        assert isinstance(one, Response)
        assert isinstance(many, Response)
        assert one.logprob is not None
        assert many.logprob is not None
        assert one.context_lengths.tolist() == list(request.context_lengths)
        np.testing.assert_allclose(one.logprob, many.logprob, atol=1e-5)


def test_asking_again_gives_the_same_bytes(llama: LocalModel) -> None:
    request = prefixes(COMMAS, *range(11))
    first, second = asyncio.run(llama.send([request])), asyncio.run(llama.send([request]))
    assert isinstance(first[0], Reply)
    assert isinstance(second[0], Reply)
    assert first[0].raw == second[0].raw


def test_the_whole_distribution_counts_as_covered(llama: LocalModel) -> None:
    (response,) = ask(llama, prefixes(COMMAS, 0, 4))
    assert isinstance(response, Response)
    assert response.covered is not None
    assert response.covered.tolist() == [1.0, 1.0]


def test_samples_follow_the_scored_distribution(llama: LocalModel) -> None:
    n = 20_000
    (drawn,) = ask(llama, Request("samples", COMMAS, (6,), n=n, seed=3))
    assert isinstance(drawn, Response)
    assert drawn.counts is not None
    p = np.exp(logprob(llama, Request("next_token", COMMAS, (6,)))[0])
    expected = np.append(p, 1 - p.sum()) * n
    assert drawn.counts.sum() == n
    # Fails for a right sampler once in a thousand seeds; this seed is fixed.
    assert stats.chisquare(drawn.counts[0], expected).pvalue > 1e-3


def test_a_seed_repeats_its_samples_and_another_does_not(llama: LocalModel) -> None:
    seeds = (5, 5, 6)
    found = ask(llama, *(Request("samples", COMMAS, (6,), n=500, seed=s) for s in seeds))
    first, again, other = (r.counts for r in found if isinstance(r, Response))
    assert np.array_equal(first, again)  # type: ignore[arg-type]
    assert not np.array_equal(first, other)  # type: ignore[arg-type]


def test_samples_at_two_context_lengths_are_refused(llama: LocalModel) -> None:
    (found,) = ask(llama, Request("samples", COMMAS, (5, 6), n=5, seed=1))
    assert isinstance(found, Failure)
    assert "one context length" in found.detail


def test_samples_without_a_seed_are_refused(llama: LocalModel) -> None:
    (found,) = ask(llama, Request("samples", COMMAS, (6,), n=5))
    assert isinstance(found, Failure)
    assert "seed=None" in found.detail


def test_an_empty_context_without_bos_is_a_failed_level_not_a_number(gpt2: LocalModel) -> None:
    bare = Prompt("", (" Heads", " Tails"), ",", (0, 1, 1))
    (found,) = ask(gpt2, prefixes(bare, 0, 1, 2))
    assert isinstance(found, Response)
    assert found.logprob is not None
    assert np.isnan(found.logprob[0]).all()
    assert np.isfinite(found.logprob[1:]).all()
    ((level, failure),) = found.failures
    assert level == 0
    assert "no BOS" in failure.detail


@pytest.mark.parametrize("way", ["prefixes", "next_token"])
def test_an_overlong_context_is_a_failure_and_the_rest_is_answered(llama: LocalModel, way: Way) -> None:
    long = Prompt("", ("0", "1"), "", (0, 1) * 40)
    overlong, fitting = ask(llama, Request(way, long, (70,)), Request(way, long, (63,)))
    assert isinstance(overlong, Failure)
    assert overlong.kind == "overflow"
    assert isinstance(fitting, Response)  # BOS and 63 symbols: exactly the 64 tokens declared


def with_room_for(rows: int, directory: Path) -> LocalModel:
    """The model on a device that runs out of memory beyond so many rows."""
    import torch

    class Cramped(torch.nn.Module):
        def __init__(self, inner: torch.nn.Module, config: object) -> None:
            super().__init__()
            self.inner, self.config, self.device = inner, config, torch.device("cpu")

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, use_cache: bool) -> object:
            if len(input_ids) > rows:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            return self.inner(input_ids=input_ids, attention_mask=attention_mask, use_cache=use_cache)

    loaded = load_checkpoint(str(directory), device="cpu")
    cramped = dataclasses.replace(loaded, model=Cramped(loaded.model, loaded.model.config))
    return LocalModel(cramped, batch_size=16)


def test_a_batch_that_does_not_fit_is_halved_until_it_does(llama: LocalModel, llama_dir: Path) -> None:
    model = with_room_for(2, llama_dir)
    requests = [prefixes(COMMAS, *range(n)) for n in range(1, 12)]
    for request, found in zip(requests, ask(model, *requests), strict=True):
        assert isinstance(found, Response)
        assert found.logprob is not None
        np.testing.assert_allclose(found.logprob, logprob(llama, request), atol=1e-5)
    assert model.settings["batch_size"] == "2"


def test_a_row_that_never_fits_is_a_failure(llama_dir: Path) -> None:
    found = ask(with_room_for(0, llama_dir), prefixes(COMMAS, 1), prefixes(COMMAS, 2))
    assert [f.kind for f in found if isinstance(f, Failure)] == ["overflow", "overflow"]


def test_probing_a_causal_model_finds_prefix_scoring_exact(llama: LocalModel) -> None:
    found = asyncio.run(llama.probe(("0", "1"), ","))
    assert found.prefixes
    assert found.full
    assert found.max_context_tokens == 64
    assert any("equals scoring each prefix alone" in line for line in found.findings)


def test_probing_says_that_symbols_cannot_be_scored(gpt2: LocalModel) -> None:
    found = asyncio.run(gpt2.probe(("0", "1"), ""))
    assert found.prefixes
    assert any("these symbols cannot be scored" in line for line in found.findings)


def test_probing_finds_a_model_that_sees_what_follows(tmp_path: Path) -> None:
    import torch
    from transformers import BertConfig, BertLMHeadModel
    from transformers.utils import logging

    from harness.local_models.character_tokenizer import save_character_tokenizer

    torch.manual_seed(0)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=8, max_position_embeddings=64, initializer_range=0.5, **size)
    logging.set_verbosity_error()
    BertLMHeadModel(config).save_pretrained(tmp_path)
    save_character_tokenizer(tmp_path, "01ab, ", 64)
    found = asyncio.run(open_local(str(tmp_path), device="cpu").probe(("0", "1"), ","))
    assert not found.prefixes


def test_tokens_are_counted_with_bos(llama: LocalModel, gpt2: LocalModel) -> None:
    assert llama.count_tokens("0,1") == 4
    assert gpt2.count_tokens(" Heads") == 1


def test_chat_prompts_are_scored_through_the_template(llama_dir: Path) -> None:
    model = open_local(str(llama_dir), device="cpu")
    model.loaded.tokenizer.chat_template = (
        "{% for m in messages %}a{{ m.content }}b{% endfor %}{% if add_generation_prompt %},{% endif %}"
    )
    chat = Prompt("", ("0", "1"), "", (0, 1, 1, 0), form="chat")
    found = logprob(model, prefixes(chat, 1, 3))
    for row, n in zip(found, (1, 3), strict=True):
        # The template's text has no BOS of its own, and neither has the request.
        import torch

        text = f"a{chat.text(n)}b,"
        tokens = model.loaded.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            expected = torch.log_softmax(model.loaded.model(tokens).logits[0, -1].double(), dim=-1)[[2, 3]]
        np.testing.assert_allclose(row, expected.numpy(), atol=1e-5)


def test_an_answer_begun_for_the_model_is_scored_in_one_pass_behind_the_template(llama_dir: Path) -> None:
    import torch

    model = open_local(str(llama_dir), device="cpu")
    model.loaded.tokenizer.chat_template = (
        "{% for m in messages %}a{{ m.content }}b{% endfor %}{% if add_generation_prompt %},{% endif %}"
    )
    begun = Prompt("b", ("0", "1"), ",", (0, 1, 1, 0), form="prefill", instruction="1010")
    found = logprob(model, prefixes(begun, 0, 1, 3))
    for row, n in zip(found, (0, 1, 3), strict=True):
        text = f"a1010b,{begun.text(n)}"
        tokens = model.loaded.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            expected = torch.log_softmax(model.loaded.model(tokens).logits[0, -1].double(), dim=-1)[[2, 3]]
        np.testing.assert_allclose(row, expected.numpy(), atol=1e-5)


def test_chat_without_a_template_is_refused_in_words(llama: LocalModel) -> None:
    (found,) = ask(llama, prefixes(Prompt("", ("0", "1"), "", (0, 1), form="chat"), 1))
    assert isinstance(found, Failure)
    assert "chat template" in found.detail


def test_settings_record_what_was_chosen(llama: LocalModel) -> None:
    assert llama.settings["device"] == "cpu"
    assert llama.settings["dtype"] == "float32"
    assert int(llama.settings["batch_size"]) == llama.batch_size


def test_the_provider_opens_a_path(llama_dir: Path) -> None:
    assert open_model(str(llama_dir)).name == f"local/{llama_dir}"


def test_a_dtype_or_batch_that_does_not_exist_is_refused(llama_dir: Path) -> None:
    with pytest.raises(SpecError, match="'int8' is not one of float32"):
        open_local(str(llama_dir), dtype="int8")
    with pytest.raises(SpecError, match="batch_size=0"):
        open_local(str(llama_dir), batch_size=0)


def test_a_closed_model_can_be_closed_again(llama_dir: Path) -> None:
    model = open_local(str(llama_dir), device="cpu")
    asyncio.run(model.close())
    asyncio.run(model.close())
