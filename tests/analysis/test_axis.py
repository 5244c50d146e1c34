"""Bins that keep early levels apart, and points that go to the axis and back."""

import numpy as np
import pytest

from harness.analysis.axis import MAX_BINS, bin_starts, make_axis


@pytest.mark.parametrize("n", [3, 64, 65, 100, 257, 1025, 20_000])
def test_bins_cover_all_levels_in_order_and_are_at_most_64(n: int) -> None:
    starts = bin_starts(n)
    assert starts[0] == 0
    assert np.all(np.diff(starts) > 0)
    assert starts[-1] < n
    assert len(starts) <= MAX_BINS


@pytest.mark.parametrize("n", [100, 257, 513])
def test_early_levels_stay_single_and_no_bin_is_wider_than_a_fortieth(n: int) -> None:
    size = make_axis(np.arange(float(n)), "linear").size
    assert np.all(size[:12] == 1)
    assert size.max() <= np.ceil(n / 40)


def test_the_mean_of_bins_is_the_mean_of_their_levels() -> None:
    axis = make_axis(np.arange(257.0), "linear")
    values = np.random.default_rng(0).random((3, 257))
    ends = [*axis.start[1:], 257]
    expected = np.stack([values[:, a:b].mean(axis=1) for a, b in zip(axis.start, ends, strict=True)], axis=1)
    np.testing.assert_allclose(axis.binned(values), expected)


@pytest.mark.parametrize(("first", "shift"), [(0.0, 1.0), (1.0, 0.0)])
def test_the_log_axis_adds_one_only_where_level_zero_is_present(first: float, shift: float) -> None:
    level = np.array([first, 2.0, 4.0, 8.0])
    axis = make_axis(level, "log2")
    np.testing.assert_allclose(axis.x, np.log2(level + shift))
    np.testing.assert_allclose([axis.to_level(x) for x in axis.x], level)


def test_a_point_lies_between_its_two_neighbours() -> None:
    axis = make_axis(np.array([0.0, 1.0, 4.0]), "linear")
    assert [axis.gap(x) for x in (0.0, 0.5, 3.9, 4.0)] == [(0, 1), (0, 1), (1, 4), (1, 4)]
