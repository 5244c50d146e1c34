import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reporting.placement import spread, strokes, thin
from tests.reporting.examples import logistic


@given(st.lists(st.floats(-0.5, 1.5), max_size=12), st.floats(0.01, 0.3))
def test_labels_never_overlap_and_stay_inside(wanted: list[float], gap: float) -> None:
    places = spread(wanted, gap, 0.0, 1.0)
    room = min(gap, 1 / max(1, len(wanted) - 1))
    assert all(-1e-9 <= p <= 1 + 1e-9 for p in places)
    assert np.all(np.diff(sorted(places)) >= room - 1e-9)
    order = np.argsort(wanted, kind="stable")
    distinct = [i for i in order if wanted.count(wanted[i]) == 1]
    assert sorted(places[i] for i in distinct) == [places[i] for i in distinct]


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([0.9, 0.1, 0.5], 0.2, 0.0, 1.0) == [0.9, 0.1, 0.5]


@pytest.mark.parametrize("log2", [False, True])
def test_a_thinned_line_keeps_its_ends_and_extremes(log2: bool) -> None:
    rng = np.random.default_rng(3)
    x, y = np.arange(5000.0), rng.random(5000)
    y[[17, 4321]] = [-3, 7]
    kept = thin(x, y, log2=log2)
    assert {0, 17, 4321, 4999} <= set(kept.tolist())
    assert len(kept) <= 3 * 160 + 2
    assert np.all(np.diff(kept) > 0)


def test_a_thinned_line_is_never_further_from_the_whole_than_a_strip() -> None:
    x = np.arange(4097.0)
    y = logistic(x, 700, 60, 0.1, 0.9) + 0.05 * np.sin(x)
    kept = thin(x, y)
    line, strip = np.interp(x, x[kept], y[kept]), 26  # 4096 levels over 160 strips
    lowest = np.array([line[max(0, i - strip) : i + strip + 1].min() for i in range(len(x))])
    highest = np.array([line[max(0, i - strip) : i + strip + 1].max() for i in range(len(x))])
    assert np.all((lowest <= y) & (y <= highest))


def test_strokes_are_one_broken_line() -> None:
    x, y = strokes(np.array([1.0, 2.0]), 0, np.array([0.5, 1.0]))
    np.testing.assert_array_equal(x, [1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(y, [0, 0.5, np.nan, 0, 1, np.nan])
