"""The loop alone, on a model of one weight: where a kill may fall, and what the generator of a step is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.errors import CheckpointError
from harness.local_models.training_loop import Job, run_steps
from harness.local_models.training_state import STATE, forget_state


@dataclass(frozen=True)
class Constant:
    learning_rate: float = 0.1
    weight_decay: float = 0.0
    warmup: int = 1
    checkpoints: tuple[int, ...] = (0, 3)


class Killed(BaseException):
    """Stands for the kill of a process."""


class OneWeight:
    """Learns the mean of normal numbers; notes what it drew and where it was kept."""

    def __init__(self, *, killed_in_save: int = 0) -> None:
        self.model = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.model.weight)
        self.drawn: list[float] = []
        self.kept: list[str] = []
        self._saves_left = killed_in_save

    def job(self) -> Job:
        return Job(self.model, self._loss, self._save, {"recipe": "one weight"})

    def _loss(self, model: torch.nn.Module, rng: np.random.Generator) -> torch.Tensor:
        self.drawn.append(float(rng.normal()))
        return torch.nn.functional.mse_loss(model(torch.ones(1, 1)), torch.full((1, 1), self.drawn[-1]))

    def _save(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "half").write_text("")
        self._saves_left -= 1
        if self._saves_left == 0:
            raise Killed
        self.kept.append(folder.name)


@pytest.mark.parametrize("save", [1, 2])
def test_a_kill_amid_writing_a_checkpoint_costs_nothing(save: int, tmp_path: Path) -> None:
    whole, first, second = OneWeight(), OneWeight(killed_in_save=save), OneWeight()
    run_steps(whole.job(), Constant(), tmp_path / "whole", seed=1, total=6)
    with pytest.raises(Killed):
        run_steps(first.job(), Constant(), tmp_path / "run", seed=1, total=6)
    run_steps(second.job(), Constant(), tmp_path / "run", seed=1, total=6)
    assert torch.equal(second.model.weight, whole.model.weight)
    assert sorted({*first.kept, *second.kept}) == ["step-000000", "step-000003"]


def test_the_draws_of_a_step_depend_on_seed_and_step_alone(tmp_path: Path) -> None:
    short, long, other = OneWeight(), OneWeight(), OneWeight()
    run_steps(short.job(), Constant(), tmp_path / "short", seed=1, total=3)
    run_steps(long.job(), Constant(), tmp_path / "long", seed=1, total=5)
    run_steps(other.job(), Constant(), tmp_path / "other", seed=2, total=3)
    assert long.drawn[:3] == short.drawn
    assert not set(other.drawn) & set(long.drawn)


def test_a_run_that_ended_is_whole_until_its_state_is_forgotten_and_then_is_refused(tmp_path: Path) -> None:
    done = run_steps(OneWeight().job(), Constant(), tmp_path / "run", seed=1, total=4)
    again = OneWeight()
    assert run_steps(again.job(), Constant(), tmp_path / "run", seed=1, total=4).losses == done.losses
    assert not again.drawn
    forget_state(tmp_path / "run")
    assert not (tmp_path / "run" / STATE).exists()
    with pytest.raises(CheckpointError, match="is not empty"):
        run_steps(OneWeight().job(), Constant(), tmp_path / "run", seed=1, total=4)
