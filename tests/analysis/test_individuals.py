"""Single sequences: sharp individually and smeared on average, or gradual each."""

import numpy as np
import pytest

from harness.analysis import individuals
from harness.types import SequenceCurve
from tests.analysis.simulation import levels, logistic, sequences

N = 65
SPAN = N - 1


def scattered(
    spread: float, width: float, noise: float, rho: float, rng: np.random.Generator, n: int = 40
) -> SequenceCurve:
    """Rows that change at places with this s.d. and width, in ranges, with AR(1) noise."""
    rows = []
    for _ in range(n):
        at = float(np.clip(rng.normal(0.5, spread), 0.05, 0.95)) * SPAN
        e = rng.standard_normal(N)
        for t in range(1, N):
            e[t] = rho * e[t - 1] + np.sqrt(1 - rho**2) * e[t]
        rows.append(np.clip(logistic(levels(N), at, width * SPAN, 0.1, 0.9) + noise * e, 0, 1))
    return sequences(np.array(rows))


@pytest.mark.parametrize("spread", [0.0, 0.03, 0.10, 0.20])
def test_the_spread_of_steps_is_recovered_and_their_width_stays_within_the_spacing(spread: float) -> None:
    curve = scattered(spread, 0.0, 0.08, 0.3, np.random.default_rng(int(1000 * spread)))
    found = individuals(curve)
    assert found is not None
    assert found.changing >= 38
    assert found.width == 0
    assert found.width_high <= 1.0 + 1e-9
    assert found.spread / SPAN == pytest.approx(spread, abs=0.02 + 0.25 * spread)  # 2 s.e. of 40 draws
    assert found.smeared == (spread >= 0.10)  # the mean of steps at .03 is still within the sharp width


@pytest.mark.parametrize(("width", "noise", "rho"), [(0.2, 0.15, 0.0), (0.4, 0.3, 0.0), (0.3, 0.15, 0.8)])
def test_smooth_rows_under_noise_are_not_called_sharp(width: float, noise: float, rho: float) -> None:
    rng = np.random.default_rng(int(100 * width + 10 * rho))
    for _ in range(2):
        curve = scattered(0.0, width, noise, rho, rng)
        found = individuals(curve)
        assert found is not None
        assert not found.smeared
        assert found.width_low > 0.10 * SPAN  # above the sharp width
        assert found.width / SPAN == pytest.approx(
            width, rel=0.5
        )  # a cell of the grid of widths and its neighbour


def test_smooth_rows_at_scattered_places_are_not_called_sharp() -> None:
    found = individuals(scattered(0.10, 0.3, 0.1, 0.3, np.random.default_rng(3)))
    assert found is not None
    assert not found.smeared
    assert found.spread / SPAN == pytest.approx(0.10, abs=0.04)


def test_missing_values_do_not_change_what_is_found() -> None:
    rng = np.random.default_rng(4)
    curve = scattered(0.10, 0.0, 0.05, 0.0, rng)
    curve.p[rng.random(curve.p.shape) < 0.1] = np.nan
    found = individuals(curve)
    assert found is not None
    assert found.smeared


def test_falling_rows_are_found_like_rising_ones() -> None:
    curve = scattered(0.10, 0.0, 0.05, 0.0, np.random.default_rng(5))
    rising = individuals(curve)
    falling = individuals(SequenceCurve("down", curve.level, 1 - curve.p, curve.sequence_ids))
    assert rising is not None
    assert falling is not None
    assert falling.spread == pytest.approx(rising.spread)
    assert falling.smeared == rising.smeared


def test_few_sequences_or_no_change_say_nothing() -> None:
    rng = np.random.default_rng(6)
    assert individuals(scattered(0.1, 0.0, 0.05, 0.0, rng, n=8)) is None
    assert individuals(sequences(np.clip(0.5 + 0.05 * rng.standard_normal((30, N)), 0, 1))) is None
