"""Training a recipe: it learns, it repeats, and its papers say what is there."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.errors import CheckpointError, SpecError
from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.loading import load_checkpoint
from harness.local_models.model_card import file_digests
from harness.local_models.recipe import Predict, Recipe, token_ids
from harness.local_models.recipe_names import TrainingResult, load_recipe
from harness.local_models.recipes._icl_mixture_behaviour import target_curve
from harness.local_models.training import predictor, train
from harness.local_models.training_loop import learning_rate, log_steps
from harness.types import Floats


def small() -> Recipe:
    recipe = load_recipe("icl-mixture")
    return dataclasses.replace(recipe, batch_size=8, checkpoints=(0, 10), measure=loss_on_coins)


def loss_on_coins(predict: Predict, rng: np.random.Generator) -> dict[str, Floats]:
    sequences = rng.integers(2, size=(4, 65))
    return {"coin loss": -np.log(target_curve(predict, "HT", sequences)).mean(axis=0)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingResult, list[tuple[int, int, float]]]:
    seen: list[tuple[int, int, float]] = []
    out = tmp_path_factory.mktemp("train") / "run"
    return train(small(), out, seed=4, steps=30, on_progress=lambda *x: seen.append(x)), seen


def test_thirty_steps_lower_the_loss(trained: tuple[TrainingResult, list[tuple[int, int, float]]]) -> None:
    result, seen = trained
    assert len(result.losses) == 30
    assert result.losses[0] == pytest.approx(np.log(32), abs=0.5)  # near uniform over 32 tokens
    assert np.mean(result.losses[-5:]) < result.losses[0] - 1
    assert [(done, total) for done, total, _ in seen] == [(i + 1, 30) for i in range(30)]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(
    trained: tuple[TrainingResult, list[tuple[int, int, float]]], tmp_path: Path
) -> None:
    result, _ = trained
    again = train(small(), tmp_path / "again", seed=4, steps=30)
    other = train(small(), tmp_path / "other", seed=5, steps=30)
    assert file_digests(again.directory) == file_digests(result.directory)
    assert (
        file_digests(other.directory)["model.safetensors"]
        != file_digests(result.directory)["model.safetensors"]
    )


def test_every_checkpoint_is_an_ordinary_directory_that_loads(
    trained: tuple[TrainingResult, list[tuple[int, int, float]]],
) -> None:
    result, _ = trained
    for step in ("", "@0", "@10"):
        loaded = load_checkpoint(f"{result.directory}{step}", device="cpu")
        assert loaded.max_tokens == 288
        assert loaded.tokenizer("HT")["input_ids"] == [0, *token_ids(small().symbols, "HT")]
        assert loaded.tokenizer.decode([2, 3]) == "HT"


def test_training_json_holds_loss_seed_versions_and_digests(
    trained: tuple[TrainingResult, list[tuple[int, int, float]]],
) -> None:
    result, _ = trained
    record = json.loads((result.directory / "training.json").read_text())
    assert record["seed"] == 4
    assert record["steps"] == 30
    assert record["checkpoints"] == ["step-000000", "step-000010"]
    assert record["sha256"] == file_digests(result.directory)
    assert record["loss"] == pytest.approx(result.losses, abs=1e-5)
    assert {"torch", "transformers", "numpy"} <= set(record["versions"])


def test_the_card_names_every_file_with_its_digest(
    trained: tuple[TrainingResult, list[tuple[int, int, float]]],
) -> None:
    result, _ = trained
    card = (result.directory / "README.md").read_text()
    for path, digest in file_digests(result.directory).items():
        assert f"| `{path}` | `{digest}` |" in card
    assert "| coin loss | 0." in card


def test_training_into_a_directory_with_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="is not empty"):
        train(small(), tmp_path, seed=0, steps=1)
    assert (tmp_path / "notes.txt").read_text() == "mine"


class Killed(BaseException):
    """Stands for the kill of a process: nothing catches it."""


def killed_at(step: int) -> Callable[[int, int, float], None]:
    def on_progress(done: int, _total: int, _loss: float) -> None:
        if done == step:
            raise Killed

    return on_progress


@pytest.mark.parametrize("kills", [(1,), (11, 17), (30,)])
def test_a_killed_run_goes_on_to_the_same_weights_and_losses(
    trained: tuple[TrainingResult, list[tuple[int, int, float]]], tmp_path: Path, kills: tuple[int, ...]
) -> None:
    result, _ = trained
    for step in kills:
        with pytest.raises(Killed):
            train(small(), tmp_path / "run", seed=4, steps=30, on_progress=killed_at(step))
    again = train(small(), tmp_path / "run", seed=4, steps=30)
    assert file_digests(again.directory) == file_digests(result.directory)
    assert again.losses == result.losses


def test_a_run_goes_on_from_its_last_checkpoint_not_from_the_start(tmp_path: Path) -> None:
    done: list[int] = []
    with pytest.raises(Killed):
        train(small(), tmp_path / "run", seed=4, steps=30, on_progress=killed_at(15))
    train(small(), tmp_path / "run", seed=4, steps=30, on_progress=lambda step, *_: done.append(step))
    assert done == list(range(11, 31))  # weights are kept after 10


def test_a_directory_of_another_unfinished_run_is_refused_with_what_differs(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(small(), tmp_path / "run", seed=4, steps=30, on_progress=killed_at(3))
    with pytest.raises(CheckpointError, match="seed: 4 there, 5 here"):
        train(small(), tmp_path / "run", seed=5, steps=30)
    wider = dataclasses.replace(small(), width=32)
    with pytest.raises(CheckpointError, match="settings: "):
        train(wider, tmp_path / "run", seed=4, steps=30)


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "training-state.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(CheckpointError, match="is not the state of a training run"):
        train(small(), tmp_path, seed=4, steps=30)


def test_nothing_of_a_finished_run_is_a_pickle_or_a_leftover(
    trained: tuple[TrainingResult, list[tuple[int, int, float]]],
) -> None:
    result, _ = trained
    suffixes = {p.suffix for p in result.directory.rglob("*") if p.is_file()}
    assert suffixes == {".json", ".md", ".safetensors"}
    assert not list(result.directory.glob("*state*"))


@pytest.mark.parametrize("device", ["tpu", "meta", "cuda:99x"])
def test_a_device_that_is_not_here_is_refused_before_anything_is_written(device: str, tmp_path: Path) -> None:
    if device.startswith("cuda") and torch_sees_cuda():
        pytest.skip("there is a CUDA device")
    with pytest.raises(SpecError, match=f"device '{device}' is not"):
        train(small(), tmp_path / "x", seed=0, steps=1, device=device)
    assert not (tmp_path / "x").exists()


def torch_sees_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def test_no_steps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="steps=0"):
        train(small(), tmp_path / "x", seed=0, steps=0)


def test_the_rate_rises_then_falls_to_nothing() -> None:
    recipe = small()
    rates = [learning_rate(recipe, step, 1000) for step in range(1000)]
    assert max(rates) == pytest.approx(recipe.learning_rate)
    assert rates.index(max(rates)) in (recipe.warmup - 1, recipe.warmup)
    assert rates[-1] < 1e-4 * recipe.learning_rate


def test_checkpoints_are_spaced_evenly_in_log_step() -> None:
    assert log_steps(16, 1024, per_octave=1) == (0, 16, 32, 64, 128, 256, 512)
    kept = np.array(log_steps(100, 10_000, per_octave=4)[1:])
    np.testing.assert_allclose(np.diff(np.log2(kept)), 0.25, atol=0.02)  # rounding to whole steps


def test_training_leaves_torch_as_it_was(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(11)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    train(small(), tmp_path / "x", seed=0, steps=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_a_model_before_training_is_at_chance() -> None:
    directory = resolve_checkpoint("icl-mixture@0").directory
    loaded = load_checkpoint(str(directory), device="cpu")
    sequences = np.random.default_rng(0).integers(2, size=(1000, 64))
    curve = target_curve(predictor(loaded.model), "01", sequences).mean(axis=0)
    # Tied weights make it repeat its last symbol (p about .69), right half of the time: four standard
    # errors of 1000 are .025.
    np.testing.assert_allclose(curve, 0.5, atol=0.03)
