"""Train the small model of a recipe and keep its checkpoints as ordinary Hugging Face folders."""

import hashlib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.local_models.model_card import write_card
from harness.local_models.recipe import BOS, Batch, Predict, Recipe
from harness.local_models.recipe_names import TrainingResult, load_recipe, own_training
from harness.local_models.training_loop import Job, OnProgress, check_device, run_steps, torch_threads
from harness.local_models.training_state import forget_state
from harness.types import Ints

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM


def train_by_name(
    name: str,
    out_dir: str | Path,
    *,
    seed: int,
    steps: int | None = None,
    device: str = "cpu",
    on_progress: OnProgress | None = None,
) -> TrainingResult:
    """Train the recipe of this name, written with its options, into `out_dir`: see `train`.

    Raises UnknownName for a recipe and SpecError for an option or device that does not exist.
    """
    check_device(device)
    own = own_training(name)
    if own is None:
        recipe = load_recipe(name)
        return train(recipe, out_dir, seed=seed, steps=steps, device=device, on_progress=on_progress)
    with torch_threads(1):
        return own(Path(out_dir), seed=seed, steps=steps, device=device, on_progress=on_progress)


def train(
    recipe: Recipe,
    out_dir: str | Path,
    *,
    seed: int,
    steps: int | None = None,
    device: str = "cpu",
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> TrainingResult:
    """Train a recipe into `out_dir` and write weights, tokenizer, training.json and the model card.

    `steps` overrides the recipe's number (the schedule shrinks with it). The
    batch of step i depends on (seed, i) only. On one machine, one thread and one
    torch version the same seed gives the same weights, also where a run was
    killed and the same call goes on with it; `on_progress` gets (steps done,
    steps, loss). One thread by default: two on a busy machine were measured ten
    times slower on a model of this size. See `run_steps` for `device`.
    Raises SpecError for a number of steps below 1 and CheckpointError if
    `out_dir` holds anything but this run, unfinished.
    """
    directory = Path(out_dir)
    total = recipe.steps if steps is None else steps
    model = _new_model(recipe, seed)
    job = Job(
        model,
        loss=lambda forward, rng: batch_loss(forward, recipe.sample_batch(rng, recipe.batch_size), device),
        save=lambda folder: save_checkpoint(model, recipe, folder),
        identity={"recipe": recipe.name, "settings": _settings_digest(recipe)},
    )
    with torch_threads(threads):
        done = run_steps(
            job,
            recipe,
            directory,
            seed=seed,
            total=total,
            device=device,
            on_progress=on_progress,
        )
        save_checkpoint(model, recipe, directory)
        measured = recipe.measure(predictor(model), np.random.default_rng([seed, total]))
    result = TrainingResult(directory, total, done.losses, done.seconds)
    write_card(recipe, result, measured, seed=seed, device=device)
    forget_state(directory)
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


def batch_loss(model: "torch.nn.Module", batch: Batch, device: str) -> "torch.Tensor":
    """Return the cross-entropy of what counts in a batch, in nats per token."""
    import torch

    tokens = torch.from_numpy(batch.tokens).to(device)
    mask = torch.from_numpy(batch.mask).to(device)
    logits = model(tokens[:, :-1]).logits
    return torch.nn.functional.cross_entropy(logits[mask], tokens[:, 1:][mask])


def _settings_digest(recipe: Recipe) -> str:
    """Return a digest of everything in a recipe but its functions."""
    settings = {f.name: getattr(recipe, f.name) for f in fields(recipe)}
    plain = sorted((k, repr(v)) for k, v in settings.items() if not callable(v))
    return hashlib.sha256(repr(plain).encode()).hexdigest()[:16]


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
