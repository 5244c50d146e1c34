"""Finetuning of some layers of a checkpoint while every other weight keeps its bits (Han et al. 2024, section 4).

They tune low-rank adapters in the first or the last ten of 32 layers; here the
blocks themselves learn. Data and loss are those of the checkpoint's recipe.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CheckpointError, SpecError
from harness.local_models.loading import load_checkpoint
from harness.local_models.model_card import file_digests
from harness.local_models.recipe import Recipe
from harness.local_models.recipe_names import TrainingResult
from harness.local_models.training import batch_loss, save_checkpoint
from harness.local_models.training_loop import Job, OnProgress, check_device, run_steps, torch_threads
from harness.local_models.training_state import forget_state

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Finetuning:
    """Which layers learn, and how."""

    layers: tuple[int, ...]  # 0-based blocks; embeddings, norms between blocks and head never learn
    steps: int
    learning_rate: float  # the highest
    batch_size: int = 64
    weight_decay: float = 0.0
    warmup: int = 20  # steps of linear warm-up, then a cosine to zero
    checkpoints: tuple[int, ...] = ()  # steps after which weights are kept, besides the last


def finetune(
    recipe: Recipe,
    source: str | Path,
    out_dir: str | Path,
    *,
    tuning: Finetuning,
    seed: int,
    device: str = "cpu",
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> TrainingResult:
    """Train some layers of the checkpoint `source` further on its recipe, into `out_dir`.

    The batch of step i is that of (seed, i): a seed other than that of the first
    training draws other sequences, and the same seed the same ones whichever
    layers learn. Seeded and resumable as `training.train` is; training.json says
    what was tuned. Raises SpecError for layers that the model does not have,
    CheckpointError for a source that is not of this recipe or an `out_dir` that
    holds anything but this run, unfinished.
    """
    check_device(device)
    directory = Path(out_dir)
    loaded = load_checkpoint(str(source), device=device, dtype="float32")
    model = loaded.model
    if model.config.vocab_size != recipe.vocabulary_size:
        raise CheckpointError(
            f"{str(source)!r} reads {model.config.vocab_size} tokens and recipe {recipe.name!r} has "
            f"{recipe.vocabulary_size}: name a checkpoint that this recipe trained"
        )
    learning = learn_only(model, model.get_submodule("model.layers"), tuning.layers)
    record = {"recipe": recipe.name, "source": loaded.fingerprint, "tuning": asdict(tuning)}
    job = Job(
        model,
        loss=lambda forward, rng: batch_loss(forward, recipe.sample_batch(rng, tuning.batch_size), device),
        save=lambda folder: save_checkpoint(model, recipe, folder),
        identity={key: json.dumps(value) for key, value in record.items()},
    )
    with torch_threads(threads):
        done = run_steps(
            job, tuning, directory, seed=seed, total=tuning.steps, device=device, on_progress=on_progress
        )
    save_checkpoint(model, recipe, directory)
    papers = {
        **record,
        "learning_parameters": learning,
        "seed": seed,
        "steps": tuning.steps,
        "sha256": file_digests(directory),
        "loss": [round(x, 5) for x in done.losses],
    }
    (directory / "training.json").write_text(json.dumps(papers) + "\n", encoding="utf-8")
    forget_state(directory)
    return TrainingResult(directory, tuning.steps, done.losses, done.seconds)


def learn_only(model: "nn.Module", blocks: "nn.Module", layers: Sequence[int]) -> int:
    """Freeze all of `model` but these of its blocks, and return how many parameters learn.

    A frozen weight has no gradient, and so neither a step nor weight decay.
    Raises SpecError for no layer, a layer twice, or one that is not there.
    """
    parts = list(blocks.children())
    wrong = [layer for layer in layers if not 0 <= layer < len(parts)]
    if not layers or wrong or len(set(layers)) < len(layers):
        raise SpecError(
            f"layers={list(layers)!r} to finetune must be one or more of 0..{len(parts) - 1}, each once"
            + (f"; there is no {wrong}" if wrong else "")
        )
    model.requires_grad_(False)
    for layer in layers:
        parts[layer].requires_grad_(True)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
