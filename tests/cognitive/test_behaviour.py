import numpy as np
import pytest
from scipy import stats

from harness.cognitive import bernoulli, counted, fit, generated, predicted
from harness.errors import SpecError
from tests.cognitive.models import flips

SYMBOLS = np.array([[0, 1, 1, 0], [1, 0, -1, -1]])


def test_generated_symbols_weigh_one_each() -> None:
    behaviour = generated(SYMBOLS, 2, given=0)
    assert behaviour.weight[0].tolist() == [[1, 0], [0, 1], [0, 1], [1, 0], [0, 0]]
    assert behaviour.weight[1].tolist() == [[0, 1], [1, 0], [0, 0], [0, 0], [0, 0]]
    assert behaviour.n_scored.tolist() == [4, 2]
    assert behaviour.entropy == 0


def test_given_symbols_are_context_only() -> None:
    behaviour = generated(SYMBOLS, 2, given=2)
    assert behaviour.n_scored.tolist() == [2, 0]
    assert behaviour.symbols[0].tolist() == [0, 1, 1, 0]


def test_the_likelihood_is_the_product_over_scored_symbols() -> None:
    law = np.random.default_rng(1).dirichlet([1, 1], size=(2, 5))
    expected = [
        np.log(law[0, 1, 1] * law[0, 2, 1] * law[0, 3, 0]),
        np.log(law[1, 1, 0]),
    ]
    np.testing.assert_allclose(generated(SYMBOLS, 2, given=1).log_likelihood(law), expected, rtol=1e-13)


def test_an_impossible_symbol_rules_a_law_out_and_an_unscored_one_does_not() -> None:
    law = np.tile([1.0, 0.0], (2, 5, 1))
    assert generated(SYMBOLS, 2, given=1).log_likelihood(law).tolist() == [-np.inf, 0]


def test_rows_that_were_not_measured_are_not_scored() -> None:
    law = np.random.default_rng(2).dirichlet([1, 1, 1], size=(2, 5))
    law[0, 2] = np.nan
    behaviour = predicted(np.zeros((2, 4), np.int64), law, given=1)
    assert behaviour.n_scored.tolist() == pytest.approx([3, 4])
    rows = np.concatenate([law[0, [1, 3, 4]], law[1, 1:]])
    assert behaviour.entropy == pytest.approx(np.mean(stats.entropy(rows, axis=1)), rel=1e-12)


def test_draws_weigh_one_each_whatever_came_before_them() -> None:
    counts = np.array([[[3, 1], [0, 0], [2, 2]], [[4, 0], [1, 0], [0, 5]]])
    behaviour = counted(np.array([[0, 1], [1, 1]]), counts, given=0)
    assert behaviour.n_scored.tolist() == [8, 10]
    # Krichevsky & Trofimov (1981) on 10 draws of 0 among 18.
    assert fit(bernoulli(), behaviour).parameters["p(0)"] == pytest.approx(10.5 / 19, rel=1e-12)
    shares = [stats.entropy(row) * row.sum() for row in counts.reshape(-1, 2) if row.sum()]
    assert behaviour.entropy == pytest.approx(sum(shares) / 18, rel=1e-12)


def test_draws_that_are_none_are_named() -> None:
    with pytest.raises(SpecError, match="counts must be >= 0"):
        counted(np.zeros((1, 2), np.int64), np.full((1, 3, 2), -1), given=0)
    with pytest.raises(SpecError, match=r"counts of shape \(1, 2, 2\)"):
        counted(np.zeros((1, 2), np.int64), np.ones((1, 2, 2), np.int64), given=0)


@pytest.mark.parametrize(
    ("symbols", "given", "message"),
    [
        ([[0, 2]], 0, r"0\.\.1"),
        ([[0, -1, 1]], 0, "only after the end"),
        ([[0, -2]], 0, "-1 only"),
        ([[0, 1]], -1, "given=-1"),
        ([[0, 1]], 2, "no symbol is scored"),
        ([0, 1], 0, r"shape \(2,\)"),
    ],
)
def test_symbols_that_are_none_are_named(symbols: list[object], given: int, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        generated(np.array(symbols), 2, given=given)


@pytest.mark.parametrize(
    ("law", "message"),
    [
        (np.full((2, 4, 2), 0.5), "length"),
        (np.full((2, 5, 2), 0.6), "sum to 1"),
        (np.tile([1.5, -0.5], (2, 5, 1)), ">= 0"),
        (np.full((2, 5, 1), 1.0), r"0\.\.0"),
        (np.full((2, 5, 2), np.nan), "missing"),
    ],
)
def test_laws_that_are_none_are_named(law: np.ndarray, message: str) -> None:
    symbols = flips(3, (2, 4))
    symbols[0, 0] = 1
    with pytest.raises(SpecError, match=message):
        predicted(symbols, law, given=0)
