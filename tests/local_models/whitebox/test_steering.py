"""Behaviour under steering: whole and resumed passes agree, and planted truths are found."""

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from harness.errors import WhiteBoxError
from harness.local_models.adapter import LocalModel
from harness.local_models.alignment import Row
from harness.local_models.loading import LoadedModel, load_checkpoint
from harness.local_models.replies import read_reply
from harness.local_models.scoring import RowJob
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.directions import mean_difference, random_direction
from harness.local_models.whitebox.interventions import Ablate, Add, Patch
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.local_models.whitebox.steering import measure, sweep, untrained
from harness.local_models.whitebox.steering_model import SteeredModel
from harness.local_models.whitebox.steering_passes import swept
from harness.local_models.whitebox.study import states_at
from harness.types import Failure, Floats, Prompt, Reply, Request, Response
from harness.types.whitebox import Job, WhiteBoxStudy, WhiteBoxTrial

WIDTH, VOCABULARY, LENGTH = 16, 12, 9
SMALL: dict[str, Any] = {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": 3}
HEADS: dict[str, Any] = {
    "intermediate_size": 24,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "initializer_range": 0.3,
}


def small(name: str) -> WhiteBox:
    from transformers import (
        Gemma2Config,
        Gemma2ForCausalLM,
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        MambaConfig,
        MambaForCausalLM,
        Qwen3Config,
        Qwen3ForCausalLM,
    )

    torch.set_num_threads(1)
    torch.manual_seed(3)
    models: dict[str, Any] = {
        "llama": lambda: LlamaForCausalLM(LlamaConfig(**SMALL, **HEADS)),
        "gpt2": lambda: GPT2LMHeadModel(
            GPT2Config(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=3, n_head=2, initializer_range=0.3)
        ),
        "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SMALL, **HEADS)),
        "gemma2": lambda: Gemma2ForCausalLM(Gemma2Config(**SMALL, **HEADS, sliding_window=4)),
        "mamba": lambda: MambaForCausalLM(MambaConfig(**SMALL, state_size=4, initializer_range=0.3)),
    }
    return WhiteBox(models[name]())


def rows(lengths: list[int], seed: int = 0) -> list[RowJob]:
    """Rows of random tokens, each read at its last three places."""
    rng = np.random.default_rng(seed)
    return [
        RowJob(
            Row(tuple(rng.integers(1, VOCABULARY, n).tolist()), (n - 3, n - 2, n - 1), (0, 1, 2)), (1, 4, 7)
        )
        for n in lengths
    ]


def edits(seed: int = 1) -> list[Add | Patch]:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((4, WIDTH)).astype(np.float32)
    return [
        Add(Site(0), vectors[0], 2.0),
        Add(Site(0, "output", "last"), vectors[1]),
        Patch(Site(1, "output", (0, -1)), vectors[2]),
        Add(Site(2), vectors[3], -1.0),
    ]


@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen3", "gemma2", "mamba"])
def test_running_the_upper_blocks_alone_equals_whole_passes(name: str) -> None:
    box, jobs = small(name), rows([7, 9, 9, 5, 8])
    base, changed = swept(box, jobs, edits())
    base_whole, changed_whole = swept(box, jobs, edits(), whole=True)
    np.testing.assert_allclose(base, base_whole, atol=1e-6)
    np.testing.assert_allclose(changed, changed_whole, atol=2e-5)  # nat: other batch sizes, float32
    assert np.abs(changed - base).max(axis=(1, 2, 3)).min() > 0.01  # each does something


@pytest.mark.parametrize("name", ["llama", "mamba"])
def test_results_do_not_depend_on_the_batch_size(name: str) -> None:
    box, jobs = small(name), rows([7, 9, 9, 5, 8])
    one, many = swept(box, jobs, edits(), batch_size=1), swept(box, jobs, edits(), batch_size=20)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_scale_0_is_the_base_curve() -> None:
    box, jobs = small("llama"), rows([LENGTH] * 3)
    direction = random_direction(
        mean_difference(1, np.ones((2, WIDTH), np.float32), np.zeros((2, WIDTH), np.float32)),
        np.random.default_rng(0),
    )
    base, changed = swept(box, jobs, list(sweep({1: direction}, [0.0, 1.0])))
    assert np.abs(changed[0] - base).max() < 1e-6
    assert np.abs(changed[1] - base).max() > 0.01


def test_a_block_that_cannot_be_resumed_is_found_out_and_runs_whole() -> None:
    box, jobs = small("llama"), rows([LENGTH] * 4)
    inner = box.anatomy.blocks[2]
    original, passes = inner.forward, []

    def counting(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """A block that treats the first rows of its batch otherwise: copies side by side would be wrong."""
        passes.append(len(hidden_states))
        bias = torch.zeros(len(hidden_states), 1, 1)
        bias[0] = 1.0
        return original(hidden_states + bias, *args, **kwargs)

    inner.forward = counting
    _, changed = swept(box, jobs, edits())
    _, whole = swept(box, jobs, edits(), whole=True)
    assert passes[1] == 8  # the trial with two copies
    np.testing.assert_array_equal(changed, whole)


def test_progress_ends_at_all_rows_of_all_passes() -> None:
    seen: list[tuple[int, int]] = []
    swept(
        small("llama"), rows([LENGTH] * 5), edits(), batch_size=2, progress=lambda a, b: seen.append((a, b))
    )
    assert seen[-1] == (25, 25)
    assert seen == sorted(seen)


def test_what_a_sweep_cannot_do_is_refused() -> None:
    box = small("llama")
    with pytest.raises(WhiteBoxError, match=r"use WhiteBox\.applied"):
        swept(box, rows([LENGTH]), [Ablate(0)])
    with pytest.raises(WhiteBoxError, match=r"not in 0\.\.2"):
        swept(box, rows([LENGTH]), [Add(Site(3), np.ones(WIDTH, np.float32))])
    with pytest.raises(WhiteBoxError, match="sweep over them apart"):
        swept(box, [*rows([LENGTH]), RowJob(Row((1, 2), (1,), (0,)), (1,))], [])


class _ToyConfig(PretrainedConfig):  # type: ignore[misc]
    model_type = "toy"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_hidden_layers, self.vocab_size, self.hidden_size = 2, 4, 8


class _Block(nn.Module):
    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return hidden_states + hidden_states @ self.weight


class _Toy(PreTrainedModel):  # type: ignore[misc]
    """y = W1 z1 + W2 z2: token 2 z1 + z2 has two binary concepts, and everything after it is linear."""

    config_class = _ToyConfig

    def __init__(self, config: _ToyConfig) -> None:
        super().__init__(config)
        g = torch.Generator().manual_seed(0)
        w1, w2, bias = (torch.randn(8, generator=g) for _ in range(3))
        table = torch.stack([bias + z1 * w1 + z2 * w2 for z1 in (0, 1) for z2 in (0, 1)])
        self.table = nn.Parameter(table)
        self.layers = nn.ModuleList([_Block(0.3 * torch.randn(8, 8, generator=g)) for _ in range(2)])
        self.head = nn.Linear(8, 4, bias=False)
        self.head.weight.data = torch.randn(4, 8, generator=g)

    def get_output_embeddings(self) -> nn.Module:
        return self.head

    def forward(self, input_ids: torch.Tensor, attention_mask: Any = None, use_cache: bool = False) -> Any:
        del attention_mask, use_cache
        x = self.table[input_ids]
        for block in self.layers:
            x = block(x)
        return SimpleNamespace(logits=self.head(x))


def _token(token: int) -> RowJob:
    return RowJob(Row((token,), (0,), (0,)), (0, 1, 2, 3))


@pytest.mark.parametrize("layer", [0, 1])
def test_in_a_linear_model_the_mean_difference_at_its_natural_scale_hits_the_target_exactly(
    layer: int,
) -> None:
    """Token 1 is (0, 1); the first concept's direction, taken of 10 and 00 alone, must make it (1, 1)."""
    box = WhiteBox(_Toy(_ToyConfig()))
    states = box.captured(TokenRows(((2,), (0,))), [Site(layer)])[:, 0, 0]
    direction = mean_difference(layer, states[:1], states[1:])
    target = swept(box, [_token(3)], [])[0]
    base, changed = swept(box, [_token(1)], [direction.add(direction.natural_scale)])
    np.testing.assert_allclose(changed[0], target, atol=1e-5)
    rng = np.random.default_rng(0)
    draws = [random_direction(direction, rng).add(direction.natural_scale) for _ in range(50)]
    away = np.abs(swept(box, [_token(1)], draws)[1] - target).max(axis=(1, 2, 3))
    assert away.min() > 0.05 * np.abs(base - target).max()  # 50 directions of 8 numbers: none comes near
    assert np.mean(away > 0.5 * np.abs(base - target).max()) > 0.9


def patterns(length: int = 24, n: int = 8, seed: int = 0) -> WhiteBoxStudy:
    """Fair bits, 011 repeated in any phase, and 01 repeated."""
    rng = np.random.default_rng(seed)
    trials: list[WhiteBoxTrial] = []
    for label, word in enumerate([None, (0, 1, 1), (0, 1)]):
        for i in range(n):
            shift = int(rng.integers(6))
            symbols = (
                rng.integers(0, 2, length + 1).tolist()
                if word is None
                else [word[(k + shift) % len(word)] for k in range(length + 1)]
            )
            prompt = Prompt("", ("0", "1"), "", tuple(symbols))
            trials.append(WhiteBoxTrial(f"{label}-{i}", f"condition {label}", label, len(trials), prompt))
    return WhiteBoxStudy(
        "toy", "kind", ("random", "011", "01"), tuple(range(length + 1)), tuple(trials), seed, "digest"
    )


def job(direction: str = "concept", **changes: Any) -> Job:
    return {
        "direction": direction,
        "layer": 1,
        "made_of": "mean_difference",
        "positive": 1,
        "negative": 0,
        "wrong": [2, 0],
        "scales": [-0.2, 0.2],
        "draws": 3,
        "lengths": None,
        **changes,
    }


def logprob(request: Request, reply: Reply | Failure) -> Floats:
    assert isinstance(reply, Reply)
    response = read_reply(request, reply.raw)
    assert isinstance(response, Response)
    assert response.logprob is not None
    return response.logprob


@pytest.fixture(scope="module")
def bundled() -> LoadedModel:
    torch.set_num_threads(1)
    return load_checkpoint("icl-mixture")


def test_the_base_curve_is_what_black_box_mode_measures(bundled: LoadedModel) -> None:
    study = patterns()
    found = measure(bundled, study, job())
    model = LocalModel(bundled)
    requests = [Request("prefixes", study.trials[t].prompt, study.context_lengths) for t in found["trial"]]
    replies = asyncio.run(model.send(requests))
    for i, (request, reply) in enumerate(zip(requests, replies, strict=True)):
        log_p = logprob(request, reply)
        target = [request.prompt.symbols[n] for n in study.context_lengths]
        np.testing.assert_allclose(found["base"][i], np.exp(log_p)[np.arange(len(target)), target], atol=1e-6)
        np.testing.assert_allclose(found["base_mass"][i], np.exp(log_p).sum(axis=1), atol=1e-6)


def test_a_steered_model_answers_what_the_sweep_measures_and_the_model_is_itself_again(
    bundled: LoadedModel,
) -> None:
    study, model = patterns(), LocalModel(bundled)
    intervention = Add(Site(0), np.random.default_rng(0).standard_normal(64).astype(np.float32), 0.5)
    steered = SteeredModel(model, intervention)
    assert intervention.key in steered.fingerprint
    assert steered.fingerprint != model.fingerprint
    request = Request("prefixes", study.trials[0].prompt, study.context_lengths)

    async def ask() -> list[Any]:  # at the same time: neither may see the other's hooks
        answers = await asyncio.gather(*[m.send([request]) for m in (model, steered, model, steered)])
        return [logprob(request, a[0]) for a in answers]

    plain, changed, plain_again, changed_again = asyncio.run(ask())
    np.testing.assert_array_equal(plain, plain_again)
    np.testing.assert_array_equal(changed, changed_again)
    aligned = model._aligner.align(request)
    rows = [RowJob(aligned.rows[0], aligned.symbol_ids)]
    base, swept_too = swept(WhiteBox(bundled.model), rows, [intervention])
    np.testing.assert_allclose(base[0], plain, atol=1e-6)
    np.testing.assert_allclose(swept_too[0, 0], changed, atol=2e-5)
    assert np.abs(changed - plain).max() > 0.1


@pytest.mark.parametrize("made_of", ["mean_difference", "principal"])
def test_a_direction_never_sees_the_trials_it_is_judged_on(bundled: LoadedModel, made_of: str) -> None:
    study = patterns()
    other = patterns(seed=5)
    mixed = WhiteBoxStudy(
        study.title,
        study.concept,
        study.labels,
        study.context_lengths,
        tuple(
            a if chosen else b
            for a, b, chosen in zip(study.trials, other.trials, study.selection, strict=True)
        ),
        study.seed,
        "another",
    )
    first, second = (measure(bundled, s, job(made_of=made_of)) for s in (study, mixed))
    assert float(first["natural_scale"]) == float(second["natural_scale"])
    chosen = study.selection[first["trial"]]
    np.testing.assert_allclose(first["p"][:, chosen], second["p"][:, chosen], atol=1e-6)


def test_controls_are_as_long_as_the_direction_and_measured_on_trials_not_chosen_on(
    bundled: LoadedModel,
) -> None:
    study = patterns()
    concept, random, wrong = (measure(bundled, study, job(d)) for d in ("concept", "random", "wrong"))
    assert concept["scale"].tolist() == wrong["scale"].tolist() == random["scale"][:4].tolist()
    assert random["p"].shape[0] == 3 * concept["p"].shape[0]
    assert not study.selection[random["trial"]].any()
    assert (study.label[random["trial"]] == 1).all()
    assert concept["scale"][concept["natural"]].tolist() == [
        -float(concept["natural_scale"]),
        float(concept["natural_scale"]),
    ]


def test_an_untrained_model_has_no_curve_to_shift(bundled: LoadedModel) -> None:
    found = measure(bundled, patterns(), job("untrained"))
    p = found["p"] / found["mass"]
    assert np.abs(p.mean(axis=1) - 0.5).max() < 0.15  # initial weights: near-uniform predictions, no learning
    again = untrained(bundled, 0)
    assert all(
        torch.equal(a, b)
        for a, b in zip(again.model.parameters(), untrained(bundled, 0).model.parameters(), strict=True)
    )


def test_a_state_patched_with_itself_changes_nothing(bundled: LoadedModel) -> None:
    assert float(measure(bundled, patterns(), job("self_patch"))["difference"]) < 1e-6


def test_a_task_vector_is_patched_into_the_last_token_of_each_context_alone(bundled: LoadedModel) -> None:
    study = patterns(length=8, n=4)
    found = measure(bundled, study, job(made_of="task_vector", lengths=[4, 6]))
    box = WhiteBox(bundled.model, bundled.tokenizer)
    trial, n = int(found["trial"][0]), 5
    chosen = study.selection & (study.label == 1)
    mean = np.mean([states_at(box, bundled, study, k, [1])[chosen, 0].mean(0) for k in (4, 6)], axis=0)
    prompt = study.trials[trial].prompt
    ids = tuple(bundled.tokenizer(prompt.text(n))["input_ids"])
    symbol = bundled.tokenizer(prompt.surfaces[prompt.symbols[n]], add_special_tokens=False)["input_ids"]
    expected = box.log_probs(
        TokenRows((ids,)), symbol, interventions=[Patch(Site(1, "output", "last"), mean.astype(np.float32))]
    )[0][0, 0]
    level = study.context_lengths.index(n)
    assert np.log(found["p"][0, 0, level]) == pytest.approx(expected, abs=1e-4)
