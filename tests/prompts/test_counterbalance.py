from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest

from harness.analysis.counterbalance import spread
from harness.errors import CurveError, SpecError
from harness.prompts.counterbalance import assignment, assignments, counterbalanced


@pytest.mark.parametrize("n", range(2, 17))
def test_every_surface_writes_every_symbol_equally_often_and_the_first_changes_nothing(n: int) -> None:
    square = np.array(assignments(n))
    assert square[0].tolist() == list(range(n))
    for symbol in range(n):
        assert set(Counter(square[:, symbol].tolist()).values()) == {len(square) // n}
    assert all(sorted(row) == list(range(n)) for row in square.tolist())


@pytest.mark.parametrize("n", [2, 3])
def test_up_to_three_symbols_it_is_the_full_permutation_group(n: int) -> None:
    assert set(assignments(n)) == set(permutations(range(n)))


@pytest.mark.parametrize("n", [4, 5, 8, 13, 16])
def test_above_three_it_is_a_latin_square(n: int) -> None:
    assert len(assignments(n)) == n
    assert all(len(set(column)) == n for column in zip(*assignments(n), strict=True))


@pytest.mark.parametrize("n", [2, 4, 6, 8, 16])
def test_of_an_even_number_every_ordered_pair_of_surfaces_is_neighbours_once(n: int) -> None:
    met = Counter(pair for row in assignments(n) for pair in pairwise(row))
    assert met == Counter(permutations(range(n), 2))


def test_replicates_take_turns() -> None:
    assert [assignment(2, r) for r in range(4)] == [(0, 1), (1, 0), (0, 1), (1, 0)]
    assert [counterbalanced(("x", "y", "z"), r) for r in (0, 1, 6)] == [
        ("x", "y", "z"),
        ("x", "z", "y"),
        ("x", "y", "z"),
    ]


@pytest.mark.parametrize(("n", "replicate"), [(1, 0), (0, 0), (2, -1)])
def test_what_cannot_be_counterbalanced_is_refused(n: int, replicate: int) -> None:
    with pytest.raises(SpecError, match=r"n_symbols=[01] cannot|replicate=-1 must be >= 0"):
        assignment(n, replicate)


def test_the_spread_is_the_mean_of_each_permutation_and_the_variance_between_them_less_the_noise() -> None:
    p = np.array([[0.2, 0.5], [0.4, np.nan], [0.6, 0.1], [1.0, 0.3], [np.nan, 0.2]])
    found = spread(p, np.array([4, 4, 9, 9, 9]))
    assert found.permutation.tolist() == [4, 9]
    assert found.sequences.tolist() == [[2, 1], [2, 3]]
    np.testing.assert_allclose(found.mean, [[0.3, 0.5], [0.8, 0.2]])
    # by hand: the means differ by 0.5, so their variance is 0.125; the squared standard errors are
    # 0.02 / 2 and 0.08 / 2, their mean 0.025. At the second level one permutation has no error of its own.
    np.testing.assert_allclose(found.variance, [0.1, np.nan])
    np.testing.assert_allclose(found.noise, [0.025**0.5, np.nan])
    np.testing.assert_allclose(found.sd, [0.1**0.5, np.nan])


@pytest.mark.parametrize("true", [[0.5, 0.5, 0.5], [0.3, 0.5, 0.9]])
def test_the_variance_between_permutations_is_unbiased_whatever_the_numbers_and_the_noise(
    true: list[float],
) -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat([0, 1, 2], [4, 9, 20])
    trials = 20_000  # one level each
    noise = np.array([0.1, 0.3, 0.2])[groups]
    p = np.array(true)[groups][:, None] + noise[:, None] * rng.normal(size=(groups.size, trials))
    found = spread(p, groups).variance
    error = found.std() / np.sqrt(trials)
    assert abs(found.mean() - np.var(true, ddof=1)) < 5 * error  # odds 6e-7
    if true == [0.5] * 3:
        assert (found < 0).any()
        assert spread(p, groups).sd.min() == 0


def test_one_permutation_and_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(CurveError, match="1 permutation"):
        spread(np.zeros((3, 2)), np.zeros(3, np.int64))
    with pytest.raises(CurveError, match=r"must be \(n_sequences, n_levels\)"):
        spread(np.zeros((3, 2)), np.zeros(2, np.int64))
