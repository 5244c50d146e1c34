"""The recipe `sparse-regression`: its ideal predictors by other formulas, its model, and that training learns."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from harness.errors import CheckpointError, SpecError
from harness.local_models.model_card import file_digests
from harness.local_models.recipes._regression_predictors import posterior, predictions
from harness.local_models.recipes.sparse_regression import SparseRegression, measure, new_model
from harness.local_models.regression_model import load_regression, save_regression
from harness.local_models.training import train_by_name
from harness.types import Floats

TASK = SparseRegression(dimensions=6, rank=2, examples=7)
PAPER = SparseRegression(dimensions=16, rank=4, examples=20)
TINY = "sparse-regression?dimensions=1&rank=1&examples=4&layers=2&width=32&learning_rate=0.003"


def kernel_mean(x: Floats, y: Floats, k: int, columns: np.ndarray, prior: float, noise: float) -> float:
    """x_k' X' (X X' + noise/prior I)^-1 y over examples 0..k-1: Gaussian-process regression."""
    known = x[:k, columns]
    kernel = known @ known.T + noise / prior * np.eye(k)
    return float(x[k, columns] @ known.T @ np.linalg.solve(kernel, y[:k]))


def test_predictors_are_gaussian_process_regression_and_its_mixture() -> None:
    x, y, basis = TASK.draw(np.random.default_rng(1), 5)
    seen = predictions(x, y, basis, TASK.bases, TASK.noise)
    for i in range(5):
        for k in range(TASK.examples):
            each = [kernel_mean(x[i], y[i], k, b, 1.0, TASK.noise) for b in TASK.bases]
            evidence: list[float] = [
                float(
                    stats.multivariate_normal.logpdf(
                        y[i, :k], np.zeros(k), x[i, :k][:, b] @ x[i, :k][:, b].T + TASK.noise * np.eye(k)
                    )
                )
                if k
                else 0.0
                for b in TASK.bases
            ]
            weights = np.exp(np.array(evidence) - np.logaddexp.reduce(np.array(evidence)))
            everywhere = kernel_mean(x[i], y[i], k, np.arange(6), 1 / 3, TASK.noise)
            assert seen["oracle"][i, k] == pytest.approx(each[basis[i]], abs=1e-7)
            assert seen["mixture"][i, k] == pytest.approx(weights @ each, abs=1e-7)
            assert seen["ridge"][i, k] == pytest.approx(everywhere, abs=1e-7)


def test_the_posterior_of_the_true_basis_is_calibrated_and_jumps_early() -> None:
    x, y, basis = PAPER.draw(np.random.default_rng(2), 1500)
    belief = posterior(x, y, PAPER.bases, PAPER.noise)
    true = np.take_along_axis(belief, basis[:, None, None], axis=-1)[..., 0]
    # What a Bayesian believes of the truth has the mean of the belief squared.
    excess = true - (belief**2).sum(axis=-1)
    score = excess[:, 1:7].mean(axis=0) / (excess[:, 1:7].std(axis=0) / np.sqrt(1500))
    assert np.abs(score).max() < 5.2  # odds 1e-6 of six scores
    assert (belief[:, 0] == 0.25).all()
    assert true[:, 2].mean() < 0.5
    assert true[:, 6].mean() > 0.95


def test_who_knows_more_errs_less() -> None:
    x, y, basis = PAPER.draw(np.random.default_rng(3), 1000)
    error = {
        name: np.mean((p - y) ** 2) / PAPER.rank
        for name, p in predictions(x, y, basis, PAPER.bases, PAPER.noise).items()
    }
    assert error["oracle"] < error["mixture"] - 0.02
    assert error["mixture"] < error["ridge"] - 0.1
    assert error["ridge"] < np.mean(y**2) / PAPER.rank - 0.2


def test_weights_lie_on_one_basis() -> None:
    x, y, basis = TASK.draw(np.random.default_rng(4), 200)
    blocks = TASK.bases[basis]
    inside = np.take_along_axis(x, np.broadcast_to(blocks[:, None], (200, 7, 2)), axis=2)
    for i in range(200):  # seven equations, two unknowns: what is left is noise
        _, residual, *_ = np.linalg.lstsq(inside[i], y[i], rcond=None)
        assert residual[0] < 0.01 * stats.chi2.ppf(1 - 1e-8, df=5)


def test_the_model_sees_nothing_of_what_it_predicts_or_of_what_follows() -> None:
    import torch

    model = new_model(TASK, seed=0)
    x, y = torch.randn(2, 7, 6), torch.randn(2, 7)
    with torch.inference_mode():
        said = model(x, y)
        other_x, other_y = x.clone(), y.clone()
        other_y[:, 3:] += 1
        other_x[:, 4:] -= 1
        again = model(other_x, other_y)
    torch.testing.assert_close(again[:, :4], said[:, :4], rtol=0, atol=1e-6)
    assert not torch.allclose(again[:, 4:], said[:, 4:], atol=1e-3)


def test_a_saved_model_is_the_same_and_its_body_opens_with_transformers(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel

    model = new_model(TASK, seed=1)
    save_regression(model, tmp_path)
    loaded = load_regression(tmp_path)
    x, y = torch.randn(2, 7, 6), torch.randn(2, 7)
    with torch.inference_mode():
        assert torch.equal(loaded(x, y), model(x, y))
        body = AutoModel.from_pretrained(tmp_path)
        states = body(inputs_embeds=model.embedded(x, y)).last_hidden_state
        assert torch.equal(model.read_out(states[:, ::2])[..., 0], model(x, y))


def test_a_folder_without_the_maps_is_refused(tmp_path: Path) -> None:
    save_regression(new_model(TASK, seed=1), tmp_path)
    (tmp_path / "maps.safetensors").unlink()
    with pytest.raises(CheckpointError, match="holds no regression model"):
        load_regression(tmp_path)


class Killed(BaseException):
    """Stands for the kill of a process."""


def test_training_learns_and_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def kill(done: int, _total: int, _loss: float) -> None:
        if done == 100:
            raise Killed

    whole = train_by_name(TINY, tmp_path / "whole", seed=3, steps=150)
    with pytest.raises(Killed):
        train_by_name(TINY, tmp_path / "killed", seed=3, steps=150, on_progress=kill)
    again = train_by_name(TINY, tmp_path / "killed", seed=3, steps=150)
    assert file_digests(again.directory) == file_digests(whole.directory)
    task = SparseRegression(dimensions=1, rank=1, examples=4)
    error = measure(load_regression(whole.directory), task, np.random.default_rng(5))
    assert error["model"][0] > 0.8  # the first is anyone's guess
    assert error["oracle"][1:].mean() < error["model"][1:].mean() < 0.9  # where nothing known is 1
    assert "| oracle |" in (whole.directory / "README.md").read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sparse-regression?rank=3", "must be a multiple of rank=3"),
        ("sparse-regression?width=20", "width=20 must be a multiple of 8"),
        ("sparse-regression?ranks=3", "no option 'ranks'; did you mean 'rank'"),
        ("sparse-regression?rank=x", "rank='x' must be an integer"),
    ],
)
def test_options_are_checked(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=message):
        train_by_name(name, tmp_path / "x", seed=0, steps=1)
