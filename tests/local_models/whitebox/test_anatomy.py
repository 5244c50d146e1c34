"""The parts of a model are found without a table of architectures, and refused where they cannot be verified."""

from types import SimpleNamespace

import pytest

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.anatomy import find_anatomy, stream
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Add
from harness.local_models.whitebox.sites import Site
from tests.local_models.whitebox.tiny_models import LAYERS, WIDTH, build, hooks_of, rows_of, vector

torch = pytest.importorskip("torch")

PARTS = {  # blocks, norm, what joins the heads; read off the printed modules of each architecture
    "llama": ("model.layers", "model.norm", "self_attn.o_proj"),
    "gpt2": ("transformer.h", "transformer.ln_f", "attn.c_proj"),
    "qwen3": ("model.layers", "model.norm", "self_attn.o_proj"),
    "gemma2": ("model.layers", "model.norm", "self_attn.o_proj"),
    "mamba": ("backbone.layers", "backbone.norm_f", None),
    "bloom": ("transformer.h", "transformer.ln_f", "self_attention.dense"),
    "falcon": ("transformer.h", "transformer.ln_f", "self_attention.dense"),
}


@pytest.mark.parametrize("name", PARTS)
def test_blocks_norm_and_projections_are_found(name: str) -> None:
    model = build(name)
    found = find_anatomy(model)
    names = {id(module): path for path, module in model.named_modules()}
    blocks, norm, joined = PARTS[name]
    assert found.block_names == tuple(f"{blocks}.{i}" for i in range(LAYERS))
    assert names[id(found.norm)] == norm
    expected = None if joined is None else f"{blocks}.0.{joined}"
    assert (names[id(found.outputs[0])] if found.outputs[0] is not None else None) == expected
    assert (found.width, found.n_heads) == (WIDTH, 0 if joined is None else 4)
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())


def test_parts_may_be_named() -> None:
    found = find_anatomy(build("llama"), blocks="model.layers", norm="model.norm", head="lm_head")
    assert len(found.blocks) == LAYERS
    with pytest.raises(WhiteBoxError, match=r"no module 'model\.nrm'"):
        find_anatomy(build("llama"), norm="model.nrm")
    with pytest.raises(WhiteBoxError, match=r"'model\.norm' is no ModuleList.*there are \['model\.layers'\]"):
        find_anatomy(build("llama"), blocks="model.norm")


def test_a_model_whose_logits_are_more_than_norm_and_head_is_refused() -> None:
    model = build("llama")
    model.lm_head.register_forward_hook(lambda _m, _a, out: out * 1.0)
    find_anatomy(model)
    forward = model.forward

    def scaled(*args: object, **kwargs: object) -> object:
        out = forward(*args, **kwargs)
        out.logits = out.logits * 1.5
        return out

    model.forward = scaled
    with pytest.raises(
        WhiteBoxError, match="norm and head of the last block's output differ from the model's"
    ):
        WhiteBox(model)


def test_blocks_with_something_between_them_are_refused() -> None:
    model = build("llama")
    model.model.layers[1].register_forward_pre_hook(
        lambda _m, args, kwargs: ((args[0] + 1.0, *args[1:]), kwargs), with_kwargs=True
    )
    with pytest.raises(WhiteBoxError, match=r"layers\.1 is not given what model\.layers\.0 returns"):
        WhiteBox(model)
    assert sum(len(m._forward_hooks) for m in model.modules()) == 0  # our own are gone


def test_a_model_that_runs_a_block_twice_is_refused() -> None:
    model = build("llama")
    model.model.layers[2] = model.model.layers[1]
    with pytest.raises(WhiteBoxError, match="ran in the order"):
        WhiteBox(model)


def test_quantised_and_spread_models_are_refused() -> None:
    model = build("llama")
    model.config.quantization_config = SimpleNamespace(bits=4)
    with pytest.raises(WhiteBoxError, match=r"quantised.*load it in 16 or 32 bits"):
        find_anatomy(model)
    spread = build("llama")
    spread.model.layers[0].to("meta")
    with pytest.raises(WhiteBoxError, match="spread over cpu, meta: load it on one device"):
        find_anatomy(spread)


def test_a_model_put_into_training_mode_is_refused() -> None:
    box = WhiteBox(build("gpt2"))
    box.model.train()
    with pytest.raises(WhiteBoxError, match=r"training mode.*call its eval\(\)"):
        box.captured(rows_of(4), [Site(0)])
    assert hooks_of(box) == 0


def test_passes_that_go_round_the_model_are_refused() -> None:
    box = WhiteBox(build("llama"))
    tokens = torch.tensor(rows_of(4).ids)
    with (
        box.applied(Add(Site(0), vector(WIDTH))),
        pytest.raises(WhiteBoxError, match="call the model itself"),
        torch.inference_mode(),
    ):
        box.model.model(input_ids=tokens)


def test_what_is_no_residual_stream_is_refused() -> None:
    bare = torch.arange(6.0).reshape(2, 3)
    assert stream(bare) is bare  # not its first row
    assert stream((bare, None)) is bare
    with pytest.raises(WhiteBoxError, match="gave NoneType, neither a tensor nor a tuple"):
        stream(None)
    with pytest.raises(WhiteBoxError, match="gave tuple"):
        stream(([1],))


def test_half_precision_models_are_verified_with_their_own_rounding() -> None:
    box = WhiteBox(build("llama").to(torch.bfloat16))
    captured = box.captured(rows_of(5), [Site(1)])
    assert captured.dtype == "float32"
    again = box.captured(rows_of(5), [Site(1)], interventions=[Add(Site(1), vector(WIDTH), 0.0)])
    assert (captured == again).all()
