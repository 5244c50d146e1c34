"""Decoders against constructed clusters, and against labels that mean nothing."""

import numpy as np
import pytest

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.decodability import knn, logistic


def clusters(
    rng: np.random.Generator, classes: int, each: int, shift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Unit Gaussians in 32 dimensions, class c displaced by `shift` along axis c."""
    labels = np.repeat(np.arange(classes), each)
    x = rng.standard_normal((len(labels), 32))
    x[np.arange(len(labels)), labels] += shift
    return x.astype(np.float32), labels


@pytest.mark.parametrize(("shift", "expected"), [(1.0, 0.25), (2.0, 0.55), (4.0, 0.98)])
def test_knn_reads_clusters_as_well_as_an_independent_measurement_found(
    shift: float, expected: float
) -> None:
    # The figures are of another implementation on other draws: 700 points, so s.d. below 0.02.
    x, labels = clusters(np.random.default_rng(3), 7, 100, shift)
    found = knn(x, labels, np.arange(700), np.random.default_rng(0))
    assert found.accuracy == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("decode", [knn, logistic])
def test_labels_without_meaning_are_decoded_at_chance(decode: object) -> None:
    rng = np.random.default_rng(5)
    x, _ = clusters(rng, 4, 50, 0.0)
    labels = rng.permutation(np.repeat(np.arange(4), 50))
    found = decode(x, labels, np.arange(200), rng)  # type: ignore[operator]
    assert found.accuracy == pytest.approx(0.25, abs=0.13)  # 4 s.d. of 200 guesses
    assert found.p_value > 0.01


def test_leave_one_out_chance_is_below_one_in_two() -> None:
    # Of the other 2n - 1 labels n - 1 are of the same class: so often is a random neighbour right.
    rng = np.random.default_rng(11)
    x = rng.standard_normal((20, 8)).astype(np.float32)
    labels = np.repeat([0, 1], 10)
    found = knn(x, labels, np.arange(20), rng, k=1, shuffles=4000)
    assert found.chance == pytest.approx(9 / 19, abs=0.012)


def test_a_point_never_votes_on_itself_nor_its_group() -> None:
    rng = np.random.default_rng(2)
    x = np.repeat(rng.standard_normal((40, 16)), 2, axis=0).astype(np.float32)  # twins
    labels = np.repeat(rng.integers(0, 2, 40), 2)
    with_twins = knn(x, labels, np.arange(80), rng, k=1)
    without = knn(x, labels, np.repeat(np.arange(40), 2), rng, k=1)
    assert with_twins.accuracy == 1.0  # the twin gives the label away
    assert without.accuracy < 0.85


def test_a_tied_vote_goes_to_the_nearest() -> None:
    x = np.array([[0.0], [1.0], [2.1], [10.0], [11.0]], dtype=np.float32)
    labels = np.array([7, 7, 9, 9, 9])
    found = knn(x, labels, np.arange(5), np.random.default_rng(0), k=2, shuffles=1)
    # Point 0 sees 7 (at 1) and 9 (at 2.1): tied, nearest is 7. Point 2 sees 7, 7 and is misread.
    np.testing.assert_array_equal(found.hits, [True, True, False, True, True])


def test_a_probe_keeps_groups_apart() -> None:
    rng = np.random.default_rng(4)
    centres = rng.standard_normal((10, 64)) * 5
    x = (np.repeat(centres, 12, axis=0) + rng.standard_normal((120, 64))).astype(np.float32)
    labels = np.repeat(rng.permutation([0, 1] * 5), 12)
    apart = logistic(x, labels, np.repeat(np.arange(10), 12), rng, shuffles=1)
    mixed = logistic(x, labels, np.arange(120), rng, shuffles=1)
    assert mixed.accuracy == 1.0  # every group is known from its other members
    assert apart.accuracy < 0.9


def test_points_that_are_all_alike_are_read_at_chance_in_each_class() -> None:
    labels = np.repeat([0, 1], 200)
    found = knn(np.zeros((400, 3), np.float32), labels, np.arange(400), np.random.default_rng(0), shuffles=1)
    # Ten random neighbours, a tied vote decided by the nearest: one half, s.d. 0.035 in 200 points.
    for label in (0, 1):
        assert found.hits[labels == label].mean() == pytest.approx(0.5, abs=0.14)


def test_one_class_is_refused() -> None:
    with pytest.raises(WhiteBoxError, match="one label"):
        knn(np.zeros((4, 2), np.float32), np.zeros(4, int), np.arange(4), np.random.default_rng(0))


def test_too_many_neighbours_are_refused_with_how_many_there_are() -> None:
    with pytest.raises(WhiteBoxError, match=r"k=10 neighbours .* has 3"):
        knn(np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1]), np.arange(4), np.random.default_rng(0))
