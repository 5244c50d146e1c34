"""A turn of a trajectory is found where it was planted, and none where the path is straight."""

import numpy as np
import pytest

from harness.analysis.turn import find_turn
from harness.errors import CurveError
from harness.types import Floats

N = 19
NOISE = 0.02


def path(corner: tuple[float, float], end: tuple[float, float], turn: int, noise: float, seed: int) -> Floats:
    t = np.arange(N)[:, None]
    start, corner_, end_ = np.array([0.5, 0.5]), np.array(corner), np.array(end)
    legs = np.where(
        t <= turn,
        start + (corner_ - start) * t / turn,
        corner_ + (end_ - corner_) * (t - turn) / (N - 1 - turn),
    )
    return np.asarray(legs + np.random.default_rng(seed).normal(0, noise, (N, 2)))


@pytest.mark.parametrize("turn", [5, 9, 13])
@pytest.mark.parametrize(("corner", "angle"), [((0.0, 1.0), 135.0), ((0.1, 0.5), 180.0)])
def test_a_planted_turn_is_recovered_within_one_checkpoint(
    corner: tuple[float, float], angle: float, turn: int
) -> None:
    found = find_turn(path(corner, (1.0, corner[1]), turn, 0.005, seed=turn))
    assert found.verdict == "turn"
    assert abs(found.index - turn) <= 1
    assert found.low <= found.index <= found.high
    assert found.angle_deg == pytest.approx(angle, abs=10)


def test_a_turn_is_found_within_one_checkpoint_in_nine_of_ten_noisy_paths() -> None:
    errors, verdicts = [], []
    for seed in range(100):
        turn = 5 + seed % 9
        found = find_turn(path((0.0, 1.0), (1.0, 1.0), turn, NOISE, seed=seed))
        errors.append(abs(found.index - turn))
        verdicts.append(found.verdict == "turn")
    assert all(verdicts)
    assert np.mean(np.array(errors) <= 1) >= 0.9  # .97 expected; below .9 has odds of 1 in 1000


def test_speed_and_rest_are_no_turn() -> None:
    t = np.arange(N)
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        along = 1 / (1 + np.exp(-(t - rng.uniform(4, 15)) / rng.uniform(0.3, 3)))
        points = 0.5 + 0.5 * along[:, None] + rng.normal(0, NOISE, (N, 2))
        wrong += find_turn(points).verdict == "turn"
    assert wrong <= 10  # 5 %; 1-2 % were seen


def test_noise_about_one_point_is_no_turn() -> None:
    rng = np.random.default_rng(1)
    wrong = sum(find_turn(0.5 + rng.normal(0, NOISE, (N, 2))).verdict == "turn" for _ in range(200))
    assert wrong <= 10


def test_a_jump_aside_is_no_turn() -> None:
    t = np.linspace(0, 1, N)
    points = np.column_stack([t, np.where(t < 0.5, 0.0, 0.3)]) + np.random.default_rng(2).normal(
        0, 0.005, (N, 2)
    )
    found = find_turn(points)
    assert found.delta_bic > 6
    assert found.angle_deg < 10
    assert found.verdict == "undetermined"


def test_turning_the_axes_changes_nothing() -> None:
    points = path((0.0, 1.0), (1.0, 1.0), 8, NOISE, seed=4)
    c, s = np.cos(0.7), np.sin(0.7)
    a, b = find_turn(points), find_turn(points @ np.array([[c, -s], [s, c]]) + 3)
    assert (a.verdict, a.index, a.low, a.high) == (b.verdict, b.index, b.low, b.high)
    assert a.angle_deg == pytest.approx(b.angle_deg)
    assert a.delta_bic == pytest.approx(b.delta_bic)


def test_too_short_a_path_is_refused() -> None:
    with pytest.raises(CurveError, match="at least 6 points"):
        find_turn(np.zeros((5, 2)))
