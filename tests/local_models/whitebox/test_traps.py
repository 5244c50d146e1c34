"""Nine traps of hooks on transformers models, a test for each: what we avoid, and what we refuse."""

import threading
from typing import Any

import numpy as np
import pytest

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Add
from harness.local_models.whitebox.prefix_cache import PrefixCache
from harness.local_models.whitebox.sites import Positions, Site
from tests.local_models.whitebox.tiny_models import (
    LAYERS,
    NAMES,
    WIDTH,
    box_of,
    build,
    hooks_of,
    rows_of,
    vector,
)

torch = pytest.importorskip("torch")
ALL_TOKENS = range(40)


@pytest.mark.parametrize("name", NAMES)
def test_trap_1_hidden_states_of_transformers_may_show_the_unsteered_layer_and_captures_never_do(
    name: str,
) -> None:
    box, rows, v = WhiteBox(build(name)), rows_of(6), vector(WIDTH)
    plain = box.captured(rows, [Site(1)])
    box.model(input_ids=torch.tensor(rows.ids), output_hidden_states=True)  # installs its hooks, for good
    before = hooks_of(box)
    steered = box.captured(rows, [Site(1)], interventions=[Add(Site(1), v)])
    np.testing.assert_allclose(steered - plain, np.broadcast_to(v, plain.shape), atol=1e-5)
    assert hooks_of(box) == before  # captures ask transformers for nothing


@pytest.mark.parametrize("name", NAMES)
def test_trap_2_layer_i_is_block_i_in_every_architecture(name: str) -> None:
    box, rows = box_of(name), rows_of(6)
    seen = []
    handles = [
        b.register_forward_hook(lambda _m, _a, out: seen.append(out[0].clone())) for b in box.anatomy.blocks
    ]
    try:
        with torch.inference_mode():
            out = box.model(input_ids=torch.tensor(rows.ids), output_hidden_states=True)
    finally:
        for handle in handles:
            handle.remove()
    captured = box.captured(rows, [Site(layer) for layer in range(LAYERS)])[0]
    for layer in range(LAYERS):
        np.testing.assert_allclose(captured[layer], seen[layer].reshape(6, WIDTH).numpy(), atol=1e-5)
    last = out.hidden_states[-1][0].numpy()  # what transformers calls the last layer is after the norm
    assert np.abs(last - captured[-1]).max() > 0.01
    with torch.inference_mode():
        assert box.anatomy.norm is not None
        normed = box.anatomy.norm(torch.tensor(captured[-1]))
    np.testing.assert_allclose(last, normed.numpy(), atol=1e-4)


@pytest.mark.parametrize("positions", ["all", "last", (2, 4)])
def test_trap_3_what_was_captured_is_not_changed_by_a_later_edit_in_place(positions: Positions) -> None:
    box, rows, v = WhiteBox(build("llama")), rows_of(6), vector(WIDTH)
    expected = box.captured(rows, [Site(0, "output", positions)])

    def in_place(_module: object, _args: object, output: Any) -> None:
        output += 1.0  # a hook of someone else, after ours

    with torch.inference_mode():
        parts = box.capture(rows, [Site(0, "output", positions)])
        original = box.model.forward

        def forward(*args: object, **kwargs: object) -> object:  # our hooks are on when this runs
            handle = box.anatomy.blocks[0].register_forward_hook(in_place)
            try:
                return original(*args, **kwargs)
            finally:
                handle.remove()

        box.model.forward = forward
        found = next(parts).values
    np.testing.assert_array_equal(found, expected)
    x = torch.ones(3, WIDTH)
    edited = Add(Site(0), v).edit(x, [0, 0, 0], [0, 1, 2])
    assert edited is not x
    assert bool((x == 1).all())


def test_trap_4_compiled_models_are_refused_when_attached_and_afterwards() -> None:
    rows = rows_of(5)
    model = build("llama")
    with pytest.raises(WhiteBoxError, match="the model is compiled"):
        WhiteBox(torch.compile(model, backend="eager"))
    box = WhiteBox(model)  # the original inside stays as it was
    model.model.layers[1].compile(backend="eager")
    with pytest.raises(WhiteBoxError, match=r"model\.layers\.1 is compiled.*before torch\.compile"):
        box.captured(rows, [Site(0)])
    with pytest.raises(WhiteBoxError, match=r"model\.layers\.1 is compiled"):
        WhiteBox(model)
    other = build("gpt2")
    box = WhiteBox(other)
    other.forward = torch.compile(other.forward, backend="eager")
    with (
        pytest.raises(WhiteBoxError, match="the model is compiled"),
        box.applied(Add(Site(0), vector(WIDTH))),
    ):
        pass


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("positions", [(2,), (5, 6), (0, 1, 2, 3), "all"])
def test_trap_5_positions_are_absolute_while_generation_reads_a_token_at_a_time(
    name: str, positions: Positions
) -> None:
    """Generation with a cache, one token a pass, against full passes over the same tokens without one."""
    box, prompt = box_of(name), torch.tensor(rows_of(7).ids)
    add = Add(Site(1, "output", positions), vector(WIDTH), 2.0)
    with box.applied(add):
        cached = box.model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=4,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        for step, logits in enumerate(cached.logits):
            with torch.inference_mode():
                full = box.model(input_ids=cached.sequences[:, : 7 + step], use_cache=False).logits[:, -1]
            np.testing.assert_allclose(logits.numpy(), full.numpy(), atol=2e-5)


@pytest.mark.parametrize("name", ["llama", "mamba"])
def test_trap_5_last_is_the_newest_token_of_every_pass(name: str) -> None:
    box, prompt = box_of(name), torch.tensor(rows_of(7).ids)
    with box.applied(Add(Site(1, "output", "last"), vector(WIDTH))):
        seen: list[int] = []
        assert box.anatomy.norm is not None
        handle = box.anatomy.norm.register_forward_pre_hook(lambda _m, args: seen.append(args[0].shape[1]))
        with box.applied():
            box.model.generate(
                prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=3, do_sample=False
            )
        handle.remove()
    assert seen == [7, 1, 1]  # a hook runs once a token: name positions to edit the prompt alone


def test_trap_5_a_recurrent_state_of_unknown_length_is_refused() -> None:
    box, tokens = box_of("mamba"), torch.tensor(rows_of(5).ids)
    with torch.inference_mode():
        state = box.model(input_ids=tokens, use_cache=True).cache_params
        with (
            box.applied(Add(Site(1, "output", (2,)), vector(WIDTH))),
            pytest.raises(WhiteBoxError, match="does not say how many tokens it has read"),
        ):
            box.model(input_ids=tokens[:, :1], cache_params=state, use_cache=True)


def test_trap_6_a_prefix_read_without_steering_is_never_used_with_it() -> None:
    box, rows = box_of("llama"), rows_of(8, 9, prefix=6)
    cache = PrefixCache(box, checkpoint="tiny")
    steer = Add(Site(0), vector(WIDTH))
    plain = cache.log_probs(rows, 6, ALL_TOKENS)
    steered = cache.log_probs(rows, 6, ALL_TOKENS, interventions=[steer])
    assert cache.passes == 2
    expected = box.log_probs(rows, ALL_TOKENS, interventions=[steer])
    np.testing.assert_allclose(np.concatenate(steered), np.concatenate(expected), atol=1e-5)
    assert np.abs(np.concatenate(steered) - np.concatenate(plain)).max() > 0.1
    np.testing.assert_array_equal(plain[0], cache.log_probs(rows, 6, ALL_TOKENS)[0])
    assert cache.passes == 2


@pytest.mark.parametrize("name", NAMES)
def test_trap_7_padding_on_the_left_is_refused(name: str) -> None:
    box = box_of(name)
    tokens, mask = torch.tensor([[0, 0, 5, 6], [3, 4, 5, 6]]), torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]])
    with (
        torch.inference_mode(),
        box.applied(Add(Site(0), vector(WIDTH))),
        pytest.raises(WhiteBoxError, match=r"padded on the left.*pad on the right"),
    ):
        box.model(input_ids=tokens, attention_mask=mask)


def test_trap_8_attention_implementations_differ_by_rounding_and_the_one_in_use_is_named() -> None:
    sdpa, eager = WhiteBox(build("llama")), WhiteBox(build("llama"))
    eager.model.set_attn_implementation("eager")
    assert (sdpa.computed_by["attention"], eager.computed_by["attention"]) == ("sdpa", "eager")
    rows = rows_of(20)
    difference = np.abs(sdpa.captured(rows, [Site(2)]) - eager.captured(rows, [Site(2)])).max()
    assert difference < 1e-4  # float32: each exact in itself
    assert {"dtype", "device", "torch", "transformers"} <= set(sdpa.computed_by)


def test_trap_9_two_threads_never_see_each_others_edits() -> None:
    box, rows = box_of("llama"), rows_of(6, 5)
    steers = [[Add(Site(1), vector(WIDTH, seed=s))] for s in range(4)]
    expected = [box.log_probs(rows, ALL_TOKENS, interventions=steer) for steer in steers]
    found: dict[tuple[int, int], list[np.ndarray]] = {}

    def work(which: int) -> None:
        torch.set_num_threads(1)
        for turn in range(5):
            found[which, turn] = box.log_probs(rows, ALL_TOKENS, interventions=steers[which])

    threads = [threading.Thread(target=work, args=(which,)) for which in range(len(steers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    for (which, _), result in found.items():
        np.testing.assert_array_equal(np.concatenate(result), np.concatenate(expected[which]))
