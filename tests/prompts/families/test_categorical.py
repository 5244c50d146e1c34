import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from tests.prompts.families.calibration import standard_score

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
CATEGORICAL = load_family("categorical")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def test_symbols_come_with_their_probabilities() -> None:
    p = (0.6, 0.3, 0.0, 0.1)
    sequence = CATEGORICAL.sample(20_000, philox(1), probabilities=p, symbols=tuple("abcd"))
    np.testing.assert_allclose(sequence.law, np.tile(p, (20_001, 1)), rtol=1e-12)
    seen = np.bincount(sequence.symbols, minlength=4)
    assert seen[2] == 0
    assert stats.chisquare(seen[[0, 1, 3]], 20_000 * np.array([0.6, 0.3, 0.1])).pvalue > RARE


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
def test_probabilities_are_drawn_from_the_dirichlet_prior(alpha: float) -> None:
    rng = philox(2)
    drawn = [CATEGORICAL.sample(0, rng, alpha=alpha).law[0, 1] for _ in range(500)]
    assert stats.kstest(drawn, stats.beta(alpha, 2 * alpha).cdf).pvalue > RARE


def test_the_ideal_observer_is_calibrated() -> None:
    rng = philox(3)
    score = standard_score(CATEGORICAL.sample(30, rng, alpha=0.5, symbols="digits") for _ in range(200))
    assert abs(score) < RARE_SCORE


def test_what_is_announced_is_known_from_the_start_and_otherwise_learned() -> None:
    p = (0.7, 0.2, 0.1)
    told = CATEGORICAL.sample(50, philox(4), probabilities=p, announced=True)
    untold = CATEGORICAL.sample(50, philox(4), probabilities=p)
    np.testing.assert_array_equal(told.symbols, untold.symbols)
    np.testing.assert_array_equal(told.observers["bayes"], told.law)
    np.testing.assert_array_equal(told.observers["unaware"], untold.observers["bayes"])
    assert (untold.observers["bayes"][0] == 1 / 3).all()


def test_a_symbol_announced_as_impossible_refutes_the_announcement() -> None:
    rows = CATEGORICAL.observe(
        np.array([0, 1, 0]), ("H", "T"), probabilities=(1.0, 0.0), announced=True, symbols="coin"
    )
    assert rows["bayes"][:2].tolist() == [[1, 0], [1, 0]]
    np.testing.assert_array_equal(rows["bayes"][2:], rows["unaware"][2:])


def test_the_concept_says_the_probabilities() -> None:
    concept = CATEGORICAL.sample(1, philox(5), probabilities=(0.5, 0.25, 0.25)).concept
    assert concept == "p(a) = 0.50, p(b) = 0.25, p(c) = 0.25"
