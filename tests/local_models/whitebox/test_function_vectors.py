"""Function vectors of a model built so that one head carries the task, and heads that no vector stands for."""

from typing import Any

import numpy as np
import pytest

from harness.errors import WhiteBoxError
from harness.local_models.loading import load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.directions import Direction, random_direction
from harness.local_models.whitebox.function_vectors import (
    function_vector,
    indirect_effects,
    mean_head_outputs,
    projected,
)
from harness.local_models.whitebox.interventions import Ablate
from harness.local_models.whitebox.sites import Site, TokenRows
from tests.local_models.whitebox.tiny_models import BUNDLED, box_of, build, rows_of, vector

torch = pytest.importorskip("torch")
CARRIER = (1, 2)  # layer and head
RED, BLUE, YES, NO, ASK = 1, 2, 3, 4, 5  # tokens


@pytest.fixture(scope="module")
def built() -> WhiteBox:
    """Head 2 of layer 1 averages over the context, reads `red` minus `blue` there, and writes `yes` minus `no`.

    Every other head writes noise into dimensions that nothing reads; no MLP does anything.
    """
    model = build("llama")
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        model.model.embed_tokens.weight.zero_()
        for token, (at, value) in {RED: (0, 1.0), BLUE: (0, -1.0), ASK: (1, 1.0)}.items():
            model.model.embed_tokens.weight[token, at] = value
        model.model.embed_tokens.weight[:, 20:28] = torch.randn(40, 8, generator=generator)
        model.model.embed_tokens.weight[:, 30] = 8.0  # so that the norm hardly depends on the rest
        model.lm_head.weight.zero_()
        model.lm_head.weight[YES, 2], model.lm_head.weight[NO, 2] = 4.0, -4.0
        for layer, block in enumerate(model.model.layers):
            block.mlp.down_proj.weight.zero_()
            attention = block.self_attn
            attention.o_proj.weight *= 0.2
            attention.o_proj.weight[:20] = 0  # (width, heads x 8)
            attention.o_proj.weight[28:] = 0
            if layer == CARRIER[0]:
                attention.q_proj.weight[16:24] = 0  # head 2 attends to every token alike
                attention.v_proj.weight[8:16] = 0  # of the keys and values that heads 2 and 3 share
                attention.v_proj.weight[8, 0] = 3.0
                attention.o_proj.weight[:, 16:24] = 0
                attention.o_proj.weight[2, 16] = 2.0
    return WhiteBox(model)


def prompts(colour: float, n: int, seed: int) -> TokenRows:
    """Twelve colours, `colour` of them red in expectation, and the question."""
    rng = np.random.default_rng(seed)
    return TokenRows(tuple((*np.where(rng.random(12) < colour, RED, BLUE).tolist(), ASK) for _ in range(n)))


def test_the_head_that_carries_the_task_has_all_the_effect(built: WhiteBox) -> None:
    shows, corrupted = prompts(1.0, 8, 1), prompts(0.5, 24, 2)
    found = indirect_effects(built, mean_head_outputs(built, shows), corrupted, [YES] * 24)
    assert found.top(1) == (CARRIER,)
    others = [effect for head, effect in found.average.items() if head != CARRIER]
    assert found.average[CARRIER] > 0.1
    assert max(map(abs, others)) < 0.05 * found.average[CARRIER]  # through the norm alone
    one = found.effects[CARRIER][:1]
    first = corrupted.part([0])
    by_hand = [
        np.exp(built.log_probs(first, [YES], interventions=i)[0][0, 0])
        for i in ((), (Ablate(*CARRIER, "last", found.means[CARRIER]),))
    ]
    np.testing.assert_allclose(one, by_hand[1] - by_hand[0], atol=1e-6)


def test_its_function_vector_is_what_the_head_writes_and_makes_corrupted_prompts_answer(
    built: WhiteBox,
) -> None:
    shows, neutral = prompts(1.0, 8, 1), TokenRows((((RED, BLUE) * 6 + (ASK,)),))
    found = indirect_effects(built, mean_head_outputs(built, shows), neutral, [YES])
    direction = function_vector(built, found, shows, n_heads=1, layer=CARRIER[0])
    written = np.zeros(32)
    written[2] = 1.0
    np.testing.assert_allclose(direction.unit, written, atol=1e-6)
    steer = direction.add(direction.natural_scale, "last")
    steered = built.captured(neutral, [Site(1, "output", "last")], interventions=[steer])
    plain = built.captured(neutral, [Site(1, "output", "last")])
    np.testing.assert_allclose((steered - plain)[0, 0, 0], direction.length * written, atol=1e-5)
    p = [
        float(np.exp(built.log_probs(rows, [YES], interventions=i)[0][0, 0]))
        for rows, i in ((neutral, ()), (neutral, (steer,)), (shows.part([0]), ()))
    ]
    assert p[1] > p[0] + 0.02
    assert p[1] == pytest.approx(p[2], rel=0.1)  # what the task's own prompts give


def test_two_heads_of_the_bundled_model_carry_which_side_a_coin_prefers() -> None:
    """Fair coins under the function vector of coins that fall heads nine times in ten; measured .50 -> .70."""
    box = WhiteBox(build(BUNDLED), load_checkpoint("icl-mixture", device="cpu").tokenizer)
    rng = np.random.default_rng(0)

    def coins(p: float, n: int) -> TokenRows:
        return box.tokenize(["".join(np.where(rng.random(64) < p, "H", "T")) for _ in range(n)])

    heads = box.tokenize(["H"]).ids[0][-1]
    shows, fair = coins(0.9, 32), coins(0.5, 64)
    found = indirect_effects(box, mean_head_outputs(box, shows), coins(0.5, 64), [heads] * 64)
    direction = function_vector(box, found, shows, n_heads=2, layer=1)

    def p_heads(by: Direction | None) -> float:
        steer = () if by is None else (by.add(by.natural_scale, "last"),)
        return float(np.exp(box.log_probs(fair, [heads], interventions=steer)).mean())

    random = [p_heads(random_direction(direction, rng)) for _ in range(8)]
    assert p_heads(None) == pytest.approx(0.5, abs=0.05)
    assert p_heads(direction) > 0.62
    assert max(random) < p_heads(direction) - 0.03


def test_means_are_those_of_the_captured_heads_in_any_batches() -> None:
    box, rows = box_of("gpt2"), rows_of(4, 7, 5)
    means = mean_head_outputs(box, rows, batch_size=2)
    for layer in range(3):
        heads = box.captured(rows, [Site(layer, "heads", "last")])[:, 0, 0].reshape(3, 4, 8).mean(axis=0)
        np.testing.assert_allclose([means[layer, h] for h in range(4)], heads, atol=1e-6)


@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen3", "bloom", "falcon"])
def test_the_projections_of_all_heads_sum_to_what_attention_adds(name: str) -> None:
    box, rows = box_of(name), rows_of(5)
    joined = box.anatomy.outputs[1]
    assert joined is not None
    given: list[Any] = []
    handle = joined.register_forward_hook(lambda _m, _a, out: given.append(out[0, -1].detach()))
    heads = box.captured(rows, [Site(1, "heads", "last")])[0, 0, 0].reshape(4, -1)
    handle.remove()
    total = sum(projected(box, 1, h, heads[h]) for h in range(4))
    bias = getattr(joined, "bias", None)
    added = total if bias is None else total + bias.detach().numpy()
    np.testing.assert_allclose(added, given[0].numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "what"), [("gemma2", "post_attention_layernorm"), ("granite", "the residual multiplier")]
)
def test_heads_that_do_not_add_to_the_stream_as_they_are_are_refused(name: str, what: str) -> None:
    with pytest.raises(WhiteBoxError, match=f"layer 1 give passes through {what}"):
        projected(box_of(name), 1, 0, vector(8))


def test_models_without_heads_and_unequal_answers_are_refused() -> None:
    with pytest.raises(WhiteBoxError, match="no attention heads were found in this model"):
        mean_head_outputs(box_of("mamba"), rows_of(4))
    box, rows = box_of("llama"), rows_of(4, 4)
    means = mean_head_outputs(box, rows)
    with pytest.raises(WhiteBoxError, match="1 answers for 2 corrupted prompts"):
        indirect_effects(box, means, rows, [1])
    with pytest.raises(WhiteBoxError, match=r"13 heads are not in 1\.\.12"):
        indirect_effects(box, means, rows, [1, 2]).top(13)
