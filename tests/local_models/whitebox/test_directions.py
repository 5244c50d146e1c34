"""Directions recovered from states in which they were planted."""

import numpy as np
import pytest

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.directions import (
    mean_difference,
    parallelogram_score,
    principal_difference,
    random_direction,
    task_vector,
)

PLANTED = np.zeros(24)
PLANTED[[3, 7]] = 0.6, 0.8


def states(rng: np.random.Generator, shift: float, n: int = 400) -> np.ndarray:
    return (0.2 * rng.standard_normal((n, 24)) + shift * PLANTED + 2).astype(np.float32)


def test_the_mean_difference_is_the_planted_direction_and_its_length() -> None:
    rng = np.random.default_rng(1)
    found = mean_difference(2, states(rng, 1.5), states(rng, 0.0))
    assert float(found.unit @ PLANTED) > 0.995
    assert found.length == pytest.approx(1.5, abs=0.05)
    assert found.residual_norm == pytest.approx(2 * np.sqrt(24), rel=0.1)


def test_adding_at_the_natural_scale_adds_the_difference_of_means() -> None:
    rng = np.random.default_rng(2)
    positive, negative = states(rng, 1.5), states(rng, 0.0)
    found = mean_difference(0, positive, negative)
    added = found.add(found.natural_scale)
    np.testing.assert_allclose(
        added.scale * added.vector, positive.mean(0) - negative.mean(0), rtol=1e-4, atol=1e-5
    )


def test_the_principal_difference_points_towards_the_positive_side() -> None:
    rng = np.random.default_rng(3)
    base = states(rng, 0.0)
    found = principal_difference(1, base + (1.5 * PLANTED).astype(np.float32), base)
    assert float(found.unit @ PLANTED) == pytest.approx(1.0, abs=1e-5)
    reverse = principal_difference(1, base, base + (1.5 * PLANTED).astype(np.float32))
    assert float(reverse.unit @ PLANTED) == pytest.approx(-1.0, abs=1e-5)


def test_random_directions_are_as_long_and_in_no_preferred_direction() -> None:
    rng = np.random.default_rng(4)
    like = task_vector(0, states(rng, 1.0))
    drawn = np.array([random_direction(like, rng).unit for _ in range(2000)])
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1, atol=1e-5)
    cosines = drawn @ like.unit  # mean 0, variance 1 / width
    assert abs(cosines.mean()) < 4 / np.sqrt(2000 * 24)
    assert cosines.var() == pytest.approx(1 / 24, rel=0.15)


def test_concepts_that_add_form_a_parallelogram() -> None:
    corner, a, b = np.zeros(4), np.array([1.0, 0, 0, 0]), np.array([0, 2.0, 0, 0])
    assert parallelogram_score(*(v.astype(np.float32) for v in (corner, a, b, a + b))) == pytest.approx(1.0)
    assert parallelogram_score(*(v.astype(np.float32) for v in (corner, a, b, b - a))) == pytest.approx(-1.0)


def test_equal_means_have_no_direction() -> None:
    same = np.ones((3, 4), np.float32)
    with pytest.raises(WhiteBoxError, match="same mean at layer 5"):
        mean_difference(5, same, same)


def test_states_of_two_widths_are_refused() -> None:
    with pytest.raises(WhiteBoxError, match="width 4 and 5"):
        mean_difference(0, np.ones((3, 4), np.float32), np.zeros((3, 5), np.float32))
