"""Where blocks, norm, head and attention heads of a causal model are: found, and verified by running it.

No table of architectures: the rule was checked on Llama, GPT-2, Qwen, Gemma,
Mamba and others, and a model that it does not fit is refused rather than read
wrongly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import WhiteBoxError

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedModel

_TOLERANCE = 1e-5  # of the largest logit: what two orders of the same float32 sums may differ by
_HALF = 2e-2  # the same in 16-bit floats


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """The parts of a causal model that the residual stream runs through."""

    blocks: tuple["nn.Module", ...]
    block_names: tuple[str, ...]  # as in `model.named_modules()`
    norm: "nn.Module | None"  # between the last block and the head
    head: "nn.Module"
    softcap: float | None  # c of logits = c tanh(logits / c), as in Gemma 2
    outputs: tuple[
        "nn.Module | None", ...
    ]  # per block: projection of all attention heads, None where there is none
    n_heads: int  # 0 where there are none
    width: int  # of the residual stream

    def tail(self, x: "torch.Tensor") -> "torch.Tensor":
        """Return the logits that the model makes of states after the last block: (..., width) to (..., vocabulary)."""
        import torch

        logits = self.head(x if self.norm is None else self.norm(x))
        if self.softcap:
            logits = self.softcap * torch.tanh(logits / self.softcap)
        return logits  # type: ignore[no-any-return]


def find_anatomy(
    model: "PreTrainedModel", *, blocks: str | None = None, norm: str | None = None, head: str | None = None
) -> Anatomy:
    """Find the parts of a model, and verify by one pass that they are what they seem.

    Blocks are the shallowest ModuleList with one entry a layer, the norm is what
    first receives the last block's output, the head is the output embedding;
    each may be named instead. Verified: every block runs once, in order, on what
    the block before it gave, and norm and head make the model's own logits of
    the last block's output. Raises WhiteBoxError for a model this does not hold
    for, and for one that is compiled, quantised or spread over devices.
    """
    refuse_compiled(dict(model.named_modules()))
    _refuse_unsafe(model)
    names = dict(model.named_modules())
    block_names = _block_names(model, names, blocks)
    parts = tuple(names[block_names[0].rpartition(".")[0]])  # a block twice counts twice
    for given in (norm, head):
        if given is not None and given not in names:
            raise WhiteBoxError(
                f"the model has no module {given!r}; names are those of model.named_modules()"
            )
    seen = _run(model, parts, block_names)
    found_head = names[head] if head else model.get_output_embeddings()
    if found_head is None:
        raise WhiteBoxError(f"{type(model).__name__} has no output embedding: name it with head=")
    found_norm = names[norm] if norm else seen.after_last
    if found_norm is found_head:
        found_norm = None
    n_heads = int(getattr(model.config.get_text_config(), "num_attention_heads", 0) or 0)
    width = int(seen.last.shape[-1])
    outputs = tuple(
        _output_projection(linears, _joined_widths(model, n_heads, width)) for linears in seen.linears
    )
    anatomy = Anatomy(
        blocks=parts,
        block_names=block_names,
        norm=found_norm,
        head=found_head,
        softcap=getattr(model.config.get_text_config(), "final_logit_softcapping", None),
        outputs=outputs,
        n_heads=n_heads if any(output is not None for output in outputs) else 0,
        width=width,
    )
    _check_tail(model, anatomy, seen)
    return anatomy


def stream(values: Any) -> "torch.Tensor":
    """Return the residual stream of what a block takes or gives: a bare tensor, or the first of a tuple."""
    import torch

    if isinstance(values, torch.Tensor):  # [0] of a bare tensor would be its first row
        return values
    if isinstance(values, tuple) and values and isinstance(values[0], torch.Tensor):
        return values[0]
    raise WhiteBoxError(
        f"a block gave {type(values).__name__}, neither a tensor nor a tuple that begins with one"
    )


def block_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> "torch.Tensor":
    """Return the residual stream that a block is called with."""
    return stream(args[0] if args else kwargs["hidden_states"])


def refuse_compiled(modules: "Mapping[str, nn.Module]") -> None:
    """Raise WhiteBoxError if one of these was compiled: hooks added to compiled code are ignored without a word."""
    for name, module in modules.items():
        if (
            "_orig_mod" in module._modules  # torch.compile(module)
            or module._compiled_call_impl is not None  # module.compile()
            or hasattr(module.__dict__.get("forward"), "_torchdynamo_orig_callable")  # of forward alone
        ):
            raise WhiteBoxError(
                f"{name or 'the model'} is compiled, and hooks added to compiled code are ignored without a word: "
                "use the model as it was before torch.compile"
            )


def _refuse_unsafe(model: "PreTrainedModel") -> None:
    if getattr(model, "is_quantized", False) or getattr(model.config, "quantization_config", None):
        raise WhiteBoxError(
            "the model is quantised, which interventions were not verified for: load it in 16 or 32 bits"
        )
    devices = sorted({str(p.device) for p in model.parameters()})
    if len(devices) > 1:
        raise WhiteBoxError(f"the model is spread over {', '.join(devices)}: load it on one device")


def _block_names(
    model: "PreTrainedModel", names: "dict[str, nn.Module]", blocks: str | None
) -> tuple[str, ...]:
    from torch import nn

    n_layers = int(model.config.get_text_config().num_hidden_layers)
    lists = {name: m for name, m in names.items() if isinstance(m, nn.ModuleList) and len(m) == n_layers}
    if blocks is not None:
        module = names.get(blocks)
        if not isinstance(module, nn.ModuleList):
            raise WhiteBoxError(
                f"blocks={blocks!r} is no ModuleList of the model; there are {sorted(lists) or 'none'}"
            )
        return tuple(f"{blocks}.{i}" for i in range(len(module)))
    if not lists:
        raise WhiteBoxError(
            f"no ModuleList with one entry for each of the {n_layers} layers: name it with blocks="
        )
    depth = min(name.count(".") for name in lists)
    shallowest = sorted(name for name in lists if name.count(".") == depth)
    if len(shallowest) > 1:
        raise WhiteBoxError(f"the blocks may be any of {shallowest}: name them with blocks=")
    return tuple(f"{shallowest[0]}.{i}" for i in range(n_layers))


@dataclass(eq=False)
class _Seen:
    """What one pass showed."""

    last: "torch.Tensor"  # output of the last block
    logits: "torch.Tensor"
    after_last: "nn.Module | None"  # first module outside the blocks that receives it
    linears: list[list["nn.Module"]]  # per block, the projections inside its attention in the order they ran


def _run(model: "PreTrainedModel", blocks: tuple["nn.Module", ...], names: tuple[str, ...]) -> _Seen:
    """Run four tokens through the model and watch what passes where."""
    import torch

    order: list[int] = []
    flow: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
    received: list[tuple[torch.nn.Module, torch.Tensor]] = []
    linears: list[list[torch.nn.Module]] = [[] for _ in blocks]
    handles = []

    def watch(i: int) -> Any:
        def after(_: Any, args: Any, kwargs: Any, output: Any) -> None:
            order.append(i)
            flow[i] = (block_input(args, kwargs).detach().clone(), stream(output).detach().clone())

        return after

    def outside(module: Any, args: Any) -> None:
        if len(order) == len(blocks) and args and isinstance(args[0], torch.Tensor):
            received.append((module, args[0]))

    def projection(i: int) -> Any:
        return lambda module, *_: linears[i].append(module)

    inside = {id(m) for block in blocks for m in block.modules()}
    try:
        for i, block in enumerate(blocks):
            handles.append(block.register_forward_hook(watch(i), with_kwargs=True))
            for name, module in block.named_modules():
                if "att" in name.lower() and features(module):
                    handles.append(module.register_forward_hook(projection(i)))
        for module in model.modules():
            if id(module) not in inside and not isinstance(module, torch.nn.ModuleList):
                handles.append(module.register_forward_pre_hook(outside))
        ids = torch.arange(4, device=model.device)[None] % int(model.config.get_text_config().vocab_size)
        with torch.inference_mode():
            logits = model(input_ids=ids, use_cache=False).logits
    finally:
        for handle in handles:
            handle.remove()
    if order != list(range(len(blocks))):
        raise WhiteBoxError(
            f"the blocks {names[0]} .. {names[-1]} ran in the order {order}, not once each in turn"
        )
    for i in range(1, len(blocks)):
        if not torch.equal(flow[i][0], flow[i - 1][1]):
            raise WhiteBoxError(
                f"{names[i]} is not given what {names[i - 1]} returns: something lies between them"
            )
    last = flow[len(blocks) - 1][1]
    after = next((m for m, x in received if x.shape == last.shape and torch.equal(x, last)), None)
    return _Seen(last, logits, after, linears)


def features(module: Any) -> int:
    """Return the number of inputs of a linear map, 0 for anything else (GPT-2 has Conv1D, weight transposed)."""
    if type(module).__name__ == "Conv1D":
        return int(module.weight.shape[0])
    return int(getattr(module, "in_features", 0))


def _joined_widths(model: "PreTrainedModel", n_heads: int, width: int) -> set[int]:
    """Return how many numbers all heads of a layer may give: a head's width stands in the configuration, or follows."""
    config = model.config.get_text_config()
    heads = [getattr(config, name, None) for name in ("head_dim", "v_head_dim")]
    return {n_heads * int(one) for one in heads if one} or {width}


def _output_projection(linears: "list[nn.Module]", joined: set[int]) -> "nn.Module | None":
    """Return the last projection that ran inside a block's attention, if it can be what joins its heads."""
    if not linears or not features(linears[-1]) or features(linears[-1]) not in joined:
        return None
    return linears[-1]


def _check_tail(model: "PreTrainedModel", anatomy: Anatomy, seen: _Seen) -> None:
    import torch

    with torch.inference_mode():
        again = anatomy.tail(seen.last)
    scale = float(seen.logits.abs().max()) or 1.0
    allowed = scale * (_TOLERANCE if model.dtype in (torch.float32, torch.float64) else _HALF)
    difference = (
        float((again - seen.logits).abs().max()) if again.shape == seen.logits.shape else float("inf")
    )
    if not difference <= allowed:
        raise WhiteBoxError(
            f"norm and head of the last block's output differ from the model's logits by {difference:.2g} "
            f"(at most {allowed:.2g} is rounding): {type(model).__name__} does something besides; name norm= and head="
        )
