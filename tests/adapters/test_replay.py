"""A stored run as a model: the same answers without the model."""

from pathlib import Path

import numpy as np
import pytest

from harness.errors import SpecError, StoreError
from harness.execute import RunOptions, execute
from harness.registry import load_model
from harness.runs import open_run
from tests.synthetic import small_suite

MODELS = ("mock/logistic?location=8&width=4&fail=0.1", "mock/flat?p=0.7&ways=samples")


def recorded(out: Path, *models: str) -> Path:
    execute(small_suite(), RunOptions(models=models, out=out))
    return out


@pytest.mark.parametrize("model", MODELS)
def test_a_replayed_run_has_the_curves_and_the_failures_of_the_run(tmp_path: Path, model: str) -> None:
    first = recorded(tmp_path / "first", model)
    second = recorded(tmp_path / "second", f"replay/{first}")
    pairs = list(zip(open_run(first).result.curves, open_run(second).result.curves, strict=True))
    assert pairs
    for a, b in pairs:
        np.testing.assert_array_equal(a.mean, b.mean)
        assert (a.way, a.failures, a.transition.verdict) == (b.way, b.failures, b.transition.verdict)


def test_the_model_of_a_run_that_has_several_must_be_named(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run", *MODELS)
    with pytest.raises(SpecError, match=r"has 2 models; write replay/.*\?model=NAME"):
        load_model(f"replay/{run}")
    replayed = recorded(tmp_path / "again", f"replay/{run}?model={MODELS[1]}")
    (model,) = open_run(replayed).result.models
    assert model.settings["replayed"] == MODELS[1]
    with pytest.raises(SpecError, match="no model 'mock/flt'"):
        load_model(f"replay/{run}?model=mock/flt")


def test_what_the_run_does_not_hold_fails_and_is_not_guessed(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run", MODELS[1])
    other = execute(small_suite(), RunOptions(models=(f"replay/{run}",), out=tmp_path / "other", seed=99))
    assert other.exit_status == 3
    assert other.tally.answered == 0
    assert other.tally.failed == {"request": other.tally.total}


def test_a_folder_without_a_run_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no run here"):
        load_model(f"replay/{tmp_path}")
