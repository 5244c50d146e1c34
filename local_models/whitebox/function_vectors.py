"""Function vectors: what the heads that carry a task add to the residual stream (Todd et al. 2024).

Heads are ranked by their average indirect effect: how much the probability of
the right answer rises in prompts that do not show the task, when one head's
output at the last token is put to its mean over prompts that do.
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.anatomy import features
from harness.local_models.whitebox.attach import check_site
from harness.local_models.whitebox.batching import Activations
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.directions import Direction
from harness.local_models.whitebox.interventions import Ablate, Intervention
from harness.local_models.whitebox.sites import Site, TokenRows

Head = tuple[int, int]  # layer and head, both 0-based


@dataclass(frozen=True, slots=True, eq=False)
class HeadEffects:
    """The average indirect effect of every head, and what it was measured with."""

    means: dict[
        Head, Activations
    ]  # (head width,), mean output at the last token of prompts that show the task
    effects: dict[Head, NDArray[np.float64]]  # (n_prompts,): p(answer) with the head's mean, minus without
    without: NDArray[np.float64]  # (n_prompts,), p(answer) in the corrupted prompts as they are

    @property
    def average(self) -> dict[Head, float]:
        """Average indirect effect, in probability; the largest comes first."""
        means = {head: float(effect.mean()) for head, effect in self.effects.items()}
        return dict(sorted(means.items(), key=lambda item: -item[1]))

    def top(self, n_heads: int) -> tuple[Head, ...]:
        """Return the heads of largest average effect."""
        if not 1 <= n_heads <= len(self.effects):
            raise WhiteBoxError(f"{n_heads!r} heads are not in 1..{len(self.effects)}, those of the model")
        return tuple(self.average)[:n_heads]


def mean_head_outputs(box: WhiteBox, prompts: TokenRows, *, batch_size: int = 32) -> dict[Head, Activations]:
    """Return the mean output of every head at the last token, (head width,): before the output projection."""
    layers = [layer for layer, joined in enumerate(box.anatomy.outputs) if joined is not None]
    if not layers:
        raise WhiteBoxError("no attention heads were found in this model: there is no function vector of it")
    if not len(prompts):
        raise WhiteBoxError("no prompts that show the task: give at least one")
    means: dict[Head, Activations] = {}
    for layer in layers:  # one by one: layers may differ in the width of their heads
        total = np.zeros(features(box.anatomy.outputs[layer]))
        for part in box.capture(prompts, [Site(layer, "heads", "last")], batch_size=batch_size):
            total += part.values[:, 0, 0].sum(axis=0)
        mean = (total / len(prompts)).reshape(box.n_heads, -1)
        means |= {(layer, head): mean[head].astype(np.float32) for head in range(box.n_heads)}
    return means


def indirect_effects(
    box: WhiteBox,
    means: dict[Head, Activations],
    corrupted: TokenRows,
    answers: Seq[int],
    *,
    batch_size: int = 32,
) -> HeadEffects:
    """Return what each head's mean does for p(answer) after prompts that do not show the task.

    `answers` is the token that the task would have follow each corrupted prompt.
    The mean is put in place of the head's output at the last token, in one pass
    for each head. Raises WhiteBoxError.
    """
    if len(answers) != len(corrupted):
        raise WhiteBoxError(
            f"{len(answers)} answers for {len(corrupted)} corrupted prompts: one is needed for each"
        )

    def p_answer(*interventions: Intervention) -> NDArray[np.float64]:
        names = sorted(set(answers))
        table = box.log_probs(corrupted, names, interventions=interventions, batch_size=batch_size)
        return np.exp([row[0, names.index(y)] for row, y in zip(table, answers, strict=True)])

    without = p_answer()
    effects = {
        (layer, head): p_answer(Ablate(layer, head, "last", mean)) - without
        for (layer, head), mean in means.items()
    }
    return HeadEffects(means, effects, without)


def projected(box: WhiteBox, layer: int, head: int, output: Activations) -> Activations:
    """Return what a head's output (head width,) adds to the residual stream, (width,): its share of the projection.

    The projection's bias belongs to no head and is left out. Raises WhiteBoxError
    where something other than the identity lies between projection and stream.
    """
    check_site(box.anatomy, Site(layer, "heads"))
    joined = box.anatomy.outputs[layer]
    assert joined is not None
    between = _between(box, layer)
    if between is not None:
        raise WhiteBoxError(
            f"what the heads of layer {layer} give passes through {between} before it joins the stream, so that "
            "no vector stands for one of them: use a task vector or a mean difference"
        )
    weight = joined.weight.detach().float().cpu().numpy()  # type: ignore[operator]
    if type(joined).__name__ != "Conv1D":  # a Linear's weight is (out, in), a Conv1D's (in, out)
        weight = weight.T
    size = features(joined) // box.n_heads
    return np.asarray(output @ weight[head * size : (head + 1) * size], dtype=np.float32)


def function_vector(
    box: WhiteBox, found: HeadEffects, prompts: TokenRows, *, n_heads: int, layer: int, batch_size: int = 32
) -> Direction:
    """Return the sum of the top heads' mean outputs in the residual stream, as a direction at `layer`.

    `prompts` are those that show the task: the norm of their streams at the last
    token of `layer` is what scales are counted in. Added at `natural_scale` to
    the last token, it is the function vector of Todd et al.
    """
    heads = found.top(n_heads)
    vector = sum(
        (projected(box, *head, found.means[head]).astype(np.float64) for head in heads), np.zeros(box.width)
    )
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise WhiteBoxError(
            f"the mean outputs of {n_heads} heads sum to nothing: take another number of heads"
        )
    states = box.captured(prompts, [Site(layer, "output", "last")], batch_size=batch_size)[:, 0, 0]
    norm = float(np.linalg.norm(states.astype(np.float64), axis=1).mean())
    named = ", ".join(f"{at}.{head}" for at, head in heads)
    return Direction(
        layer, (vector / length).astype(np.float32), length, norm, f"function vector of heads {named}"
    )


def _between(box: WhiteBox, layer: int) -> str | None:
    """Return the name of a module that changes what the output projection gives, before it joins the stream."""
    import torch

    if getattr(box.model.config.get_text_config(), "residual_multiplier", 1.0) != 1.0:  # as in Granite
        return "the residual multiplier"
    joined, block = box.anatomy.outputs[layer], box.anatomy.blocks[layer]
    given: list[torch.Tensor] = []
    changing: list[str] = []

    def after(name: str) -> object:
        def hook(module: object, args: tuple[object, ...], output: object) -> None:
            if module is joined:
                given.append(output)  # type: ignore[arg-type]
            elif given and args and isinstance(args[0], torch.Tensor) and args[0].shape == given[0].shape:
                unchanged = isinstance(output, torch.Tensor) and torch.equal(output, given[0])
                if torch.equal(args[0], given[0]) and not unchanged:
                    changing.append(name)

        return hook

    handles = [
        module.register_forward_hook(after(name))
        for name, module in block.named_modules()
        if not any(module.children())
    ]
    try:
        with box.lock, torch.inference_mode():
            box.model(input_ids=torch.arange(4, device=box.model.device)[None] % 4, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return changing[0] if changing else None
