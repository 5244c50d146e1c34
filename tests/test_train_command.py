"""`icl train` from the command line: what it prints, where it writes, and what it refuses."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.commands.train import Progress


def test_a_recipe_is_trained_into_the_named_directory(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["train", "bitwise", "-o", str(tmp_path / "x"), "--seed", "2", "--steps", "3"]
    )
    assert done.exit_code == 0, done.output
    assert "step 3 of 3, loss " in done.stderr
    assert (tmp_path / "x" / "model.safetensors").is_file()
    assert "seed 2, 3 steps" in (tmp_path / "x" / "README.md").read_text()


@pytest.mark.parametrize(
    "arguments", [["bitwis"], ["bitwise", "--device", "tpu"], ["markov-mixture?chain=2"], ["induction?x=1"]]
)
def test_what_does_not_exist_is_an_error_of_our_own(arguments: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["train", *arguments, "-o", str(tmp_path / "x")])
    assert done.exit_code != 0
    assert type(done.exception).__module__ in ("harness.errors", "builtins")
    assert not (tmp_path / "x").exists()


def test_the_time_left_is_that_at_the_rate_since_it_went_on() -> None:
    now = [1000.0]
    said: list[str] = []
    progress = Progress(said.append, clock=lambda: now[0])
    for step in range(51, 101):  # goes on at step 51, two seconds a step
        progress(step, 100, 0.5)
        now[0] += 2
    assert said[0] == "step 51 of 100, loss 0.5000"
    assert said[1] == "step 56 of 100, loss 0.5000, 88 s left"
    assert said[-1] == "step 100 of 100, loss 0.5000"
    assert len(said) == 11
