"""Train the small model of a recipe and keep its checkpoints as ordinary Hugging Face folders."""

import math
import pkgutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from harness.errors import CheckpointError, SpecError, UnknownName, suggestion
from harness.local_models.model_card import write_card
from harness.local_models.recipe import BOS, Batch, Predict, Recipe
from harness.types import Ints

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM

_RECIPES = "harness.local_models.recipes"


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A finished training run."""

    directory: Path  # final weights; earlier ones in its step-XXXXXX folders
    steps: int
    losses: tuple[float, ...]  # mean cross-entropy of each step before its update, nats per symbol
    seconds: float  # wall clock


def recipe_names() -> list[str]:
    """Return the names of all recipes."""
    found = pkgutil.iter_modules(import_module(_RECIPES).__path__)
    return sorted(m.name.replace("_", "-") for m in found if not m.name.startswith("_"))


def load_recipe(name: str) -> Recipe:
    """Return the recipe of this name. Raises UnknownName with a suggestion."""
    if name not in recipe_names():
        raise UnknownName(f"no recipe {name!r}{suggestion(name, recipe_names())}")
    return cast(Recipe, import_module(f"{_RECIPES}.{name.replace('-', '_')}").RECIPE)


def train(
    recipe: Recipe,
    out_dir: str | Path,
    *,
    seed: int,
    steps: int | None = None,
    device: str = "cpu",
    threads: int = 1,
    on_progress: Callable[[int, int, float], None] | None = None,
) -> TrainingResult:
    """Train a recipe into `out_dir` and write weights, tokenizer, training.json and the model card.

    `steps` overrides the recipe's number (the schedule shrinks with it). The
    batch of step i depends on (seed, i) only. On one machine, one thread and one
    torch version the same seed gives the same weights; `on_progress` gets
    (steps done, steps, loss). One thread by default: two on a busy machine were
    measured ten times slower on a model of this size.
    Raises SpecError for a number of steps below 1 and CheckpointError if
    `out_dir` holds files.
    """
    directory = Path(out_dir)
    total = recipe.steps if steps is None else steps
    if total < 1:
        raise SpecError(f"steps={total!r} is not at least 1")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise CheckpointError(f"{str(directory)!r} is not empty: name a new directory to train into")
    directory.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with _threads(threads):
        model = _new_model(recipe, seed).to(device)
        losses = _loop(model, recipe, directory, seed=seed, total=total, on_progress=on_progress)
        save_checkpoint(model, recipe, directory)
        measured = recipe.measure(predictor(model), np.random.default_rng([seed, total]))
    result = TrainingResult(directory, total, losses, time.monotonic() - started)
    write_card(recipe, result, measured, seed=seed, device=device)
    return result


def save_checkpoint(model: "LlamaForCausalLM", recipe: Recipe, directory: Path) -> None:
    """Write weights (float32 safetensors), configuration and tokenizer as a Hugging Face folder."""
    from safetensors.torch import save_file

    from harness.local_models.character_tokenizer import save_character_tokenizer

    directory.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(directory)
    weights = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    del weights["lm_head.weight"]  # tied to the embedding
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    save_character_tokenizer(directory, recipe.symbols, recipe.positions)


def predictor(model: "LlamaForCausalLM", rows: int = 64) -> Predict:
    """Return the function from tokens to next-token log-probabilities, `rows` sequences at a time."""
    import torch

    def predict(tokens: Ints) -> NDArray[np.float32]:
        parts = []
        with torch.inference_mode():
            for start in range(0, len(tokens), rows):
                part = torch.from_numpy(tokens[start : start + rows]).to(model.device)
                parts.append(torch.log_softmax(model(part).logits.float(), dim=-1).cpu().numpy())
        return np.concatenate(parts)

    return predict


def learning_rate(recipe: Recipe, step: int, total: int) -> float:
    """Return the rate of this 0-based step: linear warm-up, then a cosine to zero."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, total - recipe.warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2


def _loop(
    model: "LlamaForCausalLM",
    recipe: Recipe,
    directory: Path,
    *,
    seed: int,
    total: int,
    on_progress: Callable[[int, int, float], None] | None,
) -> tuple[float, ...]:
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
    losses = []
    for step in range(total):
        if step in recipe.checkpoints:
            save_checkpoint(model, recipe, directory / f"step-{step:06d}")
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step, total)
        batch = recipe.sample_batch(np.random.default_rng([seed, step]), recipe.batch_size)
        loss = _loss(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if on_progress:
            on_progress(step + 1, total, losses[-1])
    return tuple(losses)


def _loss(model: "LlamaForCausalLM", batch: Batch) -> "torch.Tensor":
    import torch

    tokens = torch.from_numpy(batch.tokens).to(model.device)
    mask = torch.from_numpy(batch.mask).to(model.device)
    logits = model(tokens[:, :-1]).logits
    return torch.nn.functional.cross_entropy(logits[mask], tokens[:, 1:][mask])


def _new_model(recipe: Recipe, seed: int) -> "LlamaForCausalLM":
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=recipe.vocabulary_size,
        hidden_size=recipe.width,
        intermediate_size=2 * recipe.width,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.positions,
        tie_word_embeddings=True,
        bos_token_id=BOS,
        eos_token_id=None,
        pad_token_id=None,
        architectures=["LlamaForCausalLM"],
        dtype="float32",
    )
    with torch.random.fork_rng(devices=[]):  # leaves the caller's generator as it was
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


@contextmanager
def _threads(n: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
