"""Finetuning of some layers: what is frozen keeps its bits, and a killed run goes on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from harness.errors import CheckpointError, SpecError
from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.finetuning import Finetuning, finetune
from harness.local_models.loading import load_checkpoint
from harness.local_models.model_card import file_digests
from harness.local_models.recipe_names import load_recipe
from harness.local_models.training import batch_loss, train
from harness.local_models.training_state import STATE

RECIPE = replace(load_recipe("bitwise"), layers=3, width=16, heads=2, checkpoints=(), batch_size=8)
TUNING = Finetuning(
    layers=(1,), steps=12, learning_rate=2e-3, batch_size=8, weight_decay=0.1, warmup=2, checkpoints=(4,)
)


class Killed(BaseException):
    """Stands for the kill of a process."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three layers, hardly trained."""
    directory = tmp_path_factory.mktemp("source") / "model"
    train(RECIPE, directory, seed=0, steps=3)
    return directory


@pytest.mark.parametrize("layers", [(0,), (2,), (0, 2), (0, 1, 2)])
def test_frozen_weights_keep_their_bits_and_every_weight_that_learns_moves(
    source: Path, tmp_path: Path, layers: tuple[int, ...]
) -> None:
    finetune(RECIPE, source, tmp_path / "tuned", tuning=replace(TUNING, layers=layers), seed=1)
    before, after = (load_file(d / "model.safetensors") for d in (source, tmp_path / "tuned"))
    assert before.keys() == after.keys()
    for name, weights in before.items():
        learns = any(name.startswith(f"model.layers.{layer}.") for layer in layers)
        assert torch.equal(weights, after[name]) is not learns, name
    record = json.loads((tmp_path / "tuned" / "training.json").read_text())
    each = sum(v.numel() for k, v in before.items() if k.startswith("model.layers.0."))
    assert record["learning_parameters"] == each * len(layers)
    assert record["tuning"]["layers"] == list(layers)
    assert resolve_checkpoint(f"{tmp_path / 'tuned'}@4").directory == tmp_path / "tuned" / "step-000004"


def test_tuning_lowers_the_loss_on_other_sequences(source: Path, tmp_path: Path) -> None:
    finetune(RECIPE, source, tmp_path / "x", tuning=replace(TUNING, steps=60), seed=1)
    fresh = RECIPE.sample_batch(np.random.default_rng(99), 256)
    with torch.inference_mode():
        before, after = (
            batch_loss(load_checkpoint(str(d)).model, fresh, "cpu").item() for d in (source, tmp_path / "x")
        )
    assert after < before - 0.02  # nats a token, on the same sequences: no noise but theirs


def test_the_same_seed_gives_the_same_weights_also_after_a_kill_and_another_seed_others(
    source: Path, tmp_path: Path
) -> None:
    def kill(done: int, _total: int, _loss: float) -> None:
        if done == 7:
            raise Killed

    whole = finetune(RECIPE, source, tmp_path / "whole", tuning=TUNING, seed=1)
    with pytest.raises(Killed):
        finetune(RECIPE, source, tmp_path / "killed", tuning=TUNING, seed=1, on_progress=kill)
    assert (tmp_path / "killed" / STATE).exists()
    with pytest.raises(CheckpointError, match="another unfinished run"):
        finetune(RECIPE, source, tmp_path / "killed", tuning=replace(TUNING, layers=(0,)), seed=1)
    again = finetune(RECIPE, source, tmp_path / "killed", tuning=TUNING, seed=1)
    other = finetune(RECIPE, source, tmp_path / "other", tuning=TUNING, seed=2)
    assert again.losses == whole.losses
    assert file_digests(again.directory) == file_digests(whole.directory)
    assert file_digests(other.directory) != file_digests(whole.directory)
    assert not (again.directory / STATE).exists()


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((), r"layers=\[\] to finetune must be one or more of 0\.\.2"),
        ((3,), r"there is no \[3\]"),
        ((-1, 0), r"there is no \[-1\]"),
        ((1, 1), r"layers=\[1, 1\] .* each once"),
    ],
)
def test_layers_that_are_not_there_are_named(
    source: Path, tmp_path: Path, layers: tuple[int, ...], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        finetune(RECIPE, source, tmp_path / "x", tuning=replace(TUNING, layers=layers), seed=1)
    assert not (tmp_path / "x").exists()


def test_a_checkpoint_of_another_recipe_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="reads 8 tokens and recipe 'induction' has"):
        finetune(load_recipe("induction"), source, tmp_path / "x", tuning=TUNING, seed=1)
