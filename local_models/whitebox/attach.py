"""Hooks on a model: what each forward pass edits and shows, gone when the context ends, however it ends."""

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.anatomy import Anatomy, block_input, features, refuse_compiled, stream
from harness.local_models.whitebox.interventions import Ablate, Intervention, Patch
from harness.local_models.whitebox.sites import Site, Where
from harness.local_models.whitebox.watch import Watch

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


@contextmanager
def attached(
    model: "PreTrainedModel",
    anatomy: Anatomy,
    *,
    interventions: Seq[Intervention] = (),
    sites: Seq[Site] = (),
) -> Iterator[Watch]:
    """Edit and read activations in every pass until the context ends.

    At one site the interventions act in the order listed, and what is read is
    what they leave. `Watch.seen` has for each site one entry a pass: the batch
    row and the values of each place, detached copies. Raises WhiteBoxError for a
    layer, head, vector or position that the model does not have, and for a model
    that was compiled or put into training mode since it was verified.
    """
    _check_state(model, anatomy)
    for intervention in interventions:
        check_site(anatomy, intervention.site)
        head = intervention.site.where == "heads"
        intervention.check(
            heads_width(anatomy, intervention.site.layer) if head else anatomy.width, anatomy.n_heads
        )
    for site in sites:
        check_site(anatomy, site)
    watch = Watch(seen={site: [] for site in sites})
    with ExitStack() as stack:
        handle = model.register_forward_pre_hook(_begin(watch), with_kwargs=True, prepend=True)
        stack.callback(handle.remove)
        for (layer, where), (here, read) in _grouped(interventions, sites).items():
            block = anatomy.blocks[layer]
            if where == "input":
                handle = block.register_forward_pre_hook(_before(watch, here, read), with_kwargs=True)
            elif where == "output":
                handle = block.register_forward_hook(_after(watch, here, read), with_kwargs=True)
            else:
                joined = anatomy.outputs[layer]
                assert joined is not None
                handle = joined.register_forward_pre_hook(_heads(watch, here, read, anatomy.n_heads))
            stack.callback(handle.remove)
        yield watch


def check_site(anatomy: Anatomy, site: Site) -> None:
    """Raise WhiteBoxError unless the model has this layer and, for heads, attention there."""
    if not 0 <= site.layer < len(anatomy.blocks):
        raise WhiteBoxError(
            f"layer {site.layer!r} is not in 0..{len(anatomy.blocks) - 1}: layers are 0-based, counted by block"
        )
    if site.where == "heads" and anatomy.outputs[site.layer] is None:
        raise WhiteBoxError(
            f"no attention heads were found in layer {site.layer}: only input and output can be named"
        )


def heads_width(anatomy: Anatomy, layer: int) -> int:
    """Return the numbers that all heads of a layer give for one token."""
    return features(anatomy.outputs[layer])


def _grouped(
    interventions: Seq[Intervention], sites: Seq[Site]
) -> dict[tuple[int, Where], tuple[list[Intervention], list[Site]]]:
    """Return what is edited and read at each place of the model that needs a hook."""
    groups: dict[tuple[int, Where], tuple[list[Intervention], list[Site]]] = {}
    for intervention in interventions:
        groups.setdefault((intervention.site.layer, intervention.site.where), ([], []))[0].append(
            intervention
        )
    for site in sites:
        groups.setdefault((site.layer, site.where), ([], []))[1].append(site)
    return groups


def _begin(watch: Watch) -> Any:
    def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        tokens = args[0] if args else kwargs.get("input_ids")
        watch.begin(kwargs["inputs_embeds"] if tokens is None else tokens, kwargs)

    return hook


def _before(watch: Watch, here: list[Intervention], read: list[Site]) -> Any:
    def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x = _through(watch, block_input(args, kwargs), here, read)
        return ((x, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": x})

    return hook


def _after(watch: Watch, here: list[Intervention], read: list[Site]) -> Any:
    def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        x = _through(watch, stream(output), here, read, block_input(args, kwargs) if here else None)
        return (x, *output[1:]) if isinstance(output, tuple) else x

    return hook


def _heads(watch: Watch, here: list[Intervention], read: list[Site], n_heads: int) -> Any:
    def hook(_: Any, args: tuple[Any, ...]) -> Any:
        shape = args[0].shape
        x = args[0].reshape(*shape[:2], n_heads, -1)
        return (_through(watch, x, here, read).reshape(shape), *args[1:])

    return hook


def _through(
    watch: Watch,
    x: "torch.Tensor",
    here: list[Intervention],
    read: list[Site],
    before: "torch.Tensor | None" = None,
) -> "torch.Tensor":
    """Return the activations after every intervention, having read them."""
    if x.shape[:2] != (len(watch.lengths), watch.new):
        raise WhiteBoxError(
            f"a block runs {tuple(x.shape[:2])} rows and tokens where the model was given "
            f"{(len(watch.lengths), watch.new)}: call the model itself, without packing rows"
        )
    for intervention in here:
        x = _edited(watch, x, intervention, before)
    for site in read:
        places = watch.places(site.positions, x.device)
        watch.seen[site].append((places, places.of(x.detach())))
    return x


def _edited(
    watch: Watch, x: "torch.Tensor", intervention: Intervention, before: "torch.Tensor | None"
) -> "torch.Tensor":
    places = watch.places(intervention.site.positions, x.device)
    if isinstance(intervention, Patch):
        intervention.check_places(places.counts)
    if not places.rows:
        return x
    if isinstance(intervention, Ablate) and intervention.head is None:
        assert before is not None
        return places.put(x, places.of(before))
    return places.put(x, intervention.edit(places.of(x), places.owners, places.order))


def _check_state(model: "PreTrainedModel", anatomy: Anatomy) -> None:
    blocks = dict(zip(anatomy.block_names, anatomy.blocks, strict=True))
    refuse_compiled({"": model, **blocks})
    if model.training:
        raise WhiteBoxError("the model was put into training mode, where dropout is random: call its eval()")
