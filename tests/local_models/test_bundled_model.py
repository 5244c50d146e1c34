"""What the bundled checkpoint is and does: its bytes, and its behaviour on sequences it has not seen.

Bounds are those the checkpoint was chosen to meet, on 64 or more fresh
sequences; the measured values stand in its card.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.loading import load_checkpoint
from harness.local_models.model_card import file_digests
from harness.local_models.recipe import Predict
from harness.local_models.recipes import _icl_mixture_behaviour as behaviour
from harness.local_models.recipes import _laws as laws
from harness.local_models.recipes.icl_mixture import RECIPE
from harness.local_models.training import predictor, train
from harness.types import Floats, Ints


def directory() -> Path:
    found = resolve_checkpoint("icl-mixture").directory
    assert found is not None
    return found


@pytest.fixture(scope="module")
def predict() -> Predict:
    import torch

    torch.set_num_threads(1)
    return predictor(load_checkpoint("icl-mixture", device="cpu").model)


def test_the_files_are_those_that_were_trained() -> None:
    record = json.loads((directory() / "training.json").read_text())
    assert file_digests(directory()) == record["sha256"]
    assert record["recipe"] == RECIPE.name
    assert record["checkpoints"] == [f"step-{step:06d}" for step in RECIPE.checkpoints]


def test_the_recipe_as_it_stands_is_the_one_it_was_trained_by(tmp_path: Path) -> None:
    losses: list[float] = []

    def stop_early(done: int, _total: int, loss: float) -> None:
        losses.append(loss)
        if done == 4:
            raise KeyboardInterrupt

    record = json.loads((directory() / "training.json").read_text())
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, tmp_path / "run", seed=record["seed"], on_progress=stop_early)
    # Equal to 5 digits on the machine it was trained on; other processors sum in another order.
    np.testing.assert_allclose(losses, record["loss"][:4], atol=1e-3)


def test_everything_bundled_is_under_five_megabytes() -> None:
    assert sum(p.stat().st_size for p in directory().rglob("*") if p.is_file()) < 5_000_000


def test_it_says_how_far_it_was_trained() -> None:
    assert load_checkpoint("icl-mixture", device="cpu").max_tokens == RECIPE.positions


def test_coins_are_predicted_by_the_posterior_mean(predict: Predict) -> None:
    coins = laws.iid(np.random.default_rng(1), 256, 257, n_symbols=2, concentration=1.0)
    error = behaviour.next_symbol(predict, "HT", coins)[..., 0] - behaviour.additive(coins, 2, 1.0)[..., 0]
    assert np.sqrt(np.mean(error[:, 10:] ** 2, axis=0)).max() < 0.03


def test_a_fair_coin_stays_at_one_half(predict: Predict) -> None:
    fair = np.random.default_rng(2).integers(2, size=(512, 257))
    mean = behaviour.target_curve(predict, "HT", fair).mean(axis=0)
    # p(target) of single flips spreads by at most .19 (n = 1), so four standard errors of 512 are .034.
    np.testing.assert_allclose(mean, 0.5, atol=0.035)


@pytest.mark.parametrize("period", [1, 2, 3, 5, 8])
def test_binary_patterns_are_learnt_in_context(predict: Predict, period: int) -> None:
    sequences = behaviour.bits(np.random.default_rng(period), 64, period)
    curve = behaviour.target_curve(predict, "01", sequences).mean(axis=0)
    assert curve[0] == pytest.approx(0.5, abs=0.1)
    assert curve[64:].min() > 0.9


@pytest.mark.parametrize("period", [2, 3, 5, 8])
def test_letter_patterns_are_learnt_in_context(predict: Predict, period: int) -> None:
    sequences = behaviour.letters(np.random.default_rng(period), 64, period)
    curve = behaviour.target_curve(predict, behaviour.LETTERS, sequences).mean(axis=0)
    assert curve[:2].max() < 0.1
    assert curve[128:].min() > 0.9


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_longer_periods_are_learnt_later(predict: Predict, seed: int) -> None:
    rng = np.random.default_rng(seed)
    curves = [
        behaviour.target_curve(predict, "01", behaviour.bits(rng, 48, period)).mean(axis=0)
        for period in range(1, 9)
    ]
    onset = [int(np.argmax(curve >= 0.9)) for curve in curves]
    # One-sided p < .05 for eight ranks is rho > .64 (exact permutation distribution).
    assert stats.spearmanr(range(1, 9), onset).statistic > 0.64


@pytest.mark.parametrize(("symbols", "period"), [("01", 3), ("01", 8), (behaviour.LETTERS, 5)])
def test_shuffled_patterns_are_predicted_by_frequency_only(
    predict: Predict, symbols: str, period: int
) -> None:
    rng = np.random.default_rng(period)
    draw = behaviour.bits if symbols == "01" else behaviour.letters
    excess = behaviour.shuffle_excess(predict, symbols, draw(rng, 256, period), rng)
    assert smooth(excess.mean(axis=0)).max() < 0.10


def smooth(curve: Floats) -> Floats:
    """Mean over five neighbouring lengths: a single point of 256 sequences has a standard error of .02."""
    kernel: Ints = np.ones(5, dtype=np.int64)
    return np.convolve(curve, kernel / 5, mode="valid")
