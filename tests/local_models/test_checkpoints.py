"""Names to directories: what is found, and everything that is refused before it is loaded."""

import json
import shutil
from pathlib import Path

import pytest

from harness.errors import CheckpointError
from harness.local_models.checkpoints import bundled_names, check_directory, fingerprint, resolve_checkpoint
from harness.local_models.loading import load_checkpoint


@pytest.fixture
def copy(llama_dir: Path, tmp_path: Path) -> Path:
    return shutil.copytree(llama_dir, tmp_path / "model")


def test_the_bundled_checkpoint_is_found_from_any_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "icl-mixture" in bundled_names()
    found = resolve_checkpoint("icl-mixture").directory
    assert found is not None
    assert (found / "config.json").is_file()


def test_a_step_names_its_folder(copy: Path) -> None:
    shutil.copytree(copy, copy / "step-000300")
    assert resolve_checkpoint(f"{copy}@300").directory == copy / "step-000300"
    assert resolve_checkpoint(f"{copy}@step-000300").directory == copy / "step-000300"


def test_a_step_that_was_not_kept_is_refused_with_those_that_were(copy: Path) -> None:
    shutil.copytree(copy, copy / "step-000300")
    with pytest.raises(CheckpointError, match=r"no folder 'step-000301' \(training steps there: 300\)"):
        resolve_checkpoint(f"{copy}@301")


def test_a_directory_with_an_at_sign_is_itself(copy: Path) -> None:
    named = copy.rename(copy.parent / "run@7")
    assert resolve_checkpoint(str(named)).directory == named


def test_a_typo_is_answered_with_the_bundled_name() -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint 'icl-mixtrue'.*did you mean 'icl-mixture'"):
        resolve_checkpoint("icl-mixtrue")


def test_a_hub_name_is_left_to_the_hub() -> None:
    found = resolve_checkpoint("some-organisation/some-model@step1000")
    assert found.directory is None
    assert (found.source, found.revision) == ("some-organisation/some-model", "step1000")


def test_a_hub_model_out_of_reach_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # what HF_HUB_OFFLINE=1 sets
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        CheckpointError, match="looked for on the Hugging Face Hub: check the name and the network"
    ):
        load_checkpoint("some-organisation/some-model")


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no config\.json"):
        resolve_checkpoint(str(tmp_path))


def test_a_directory_without_weights_is_refused(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="has no weights"):
        check_directory(copy)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_refused_unread(copy: Path, name: str) -> None:
    (copy / "model.safetensors").unlink()
    (copy / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")  # a pickle that would run a command
    with pytest.raises(CheckpointError, match=rf"only as {name}.*save_pretrained"):
        load_checkpoint(str(copy))


def test_code_that_comes_with_a_checkpoint_is_refused_unread(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling.Model"}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "modeling.py").write_text("raise SystemExit('ran foreign code')")
    with pytest.raises(CheckpointError, match="auto_map"):
        load_checkpoint(str(copy))


def test_truncated_weights_are_refused(copy: Path) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match="cannot load checkpoint"):
        load_checkpoint(str(copy))


def test_missing_tensors_are_refused_instead_of_made_up(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(copy / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"lacks 1 tensor.*layers\.1\.mlp\.up_proj"):
        load_checkpoint(str(copy))


def test_a_missing_tokenizer_is_refused(copy: Path) -> None:
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer_config.json").unlink()
    with pytest.raises(CheckpointError):
        load_checkpoint(str(copy))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_the_fingerprint_changes_with_each_file_that_decides_an_answer(copy: Path, name: str) -> None:
    before = fingerprint(copy, "float32")
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    assert fingerprint(copy, "float32") != before


def test_the_fingerprint_is_of_content_not_of_place(copy: Path, llama_dir: Path) -> None:
    assert fingerprint(copy, "float32") == fingerprint(llama_dir, "float32")
    assert fingerprint(copy, "float32") != fingerprint(copy, "bfloat16")
