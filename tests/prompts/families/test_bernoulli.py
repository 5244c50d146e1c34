import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
BERNOULLI = load_family("bernoulli")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize("p", [0.05, 0.5, 0.7])
def test_the_first_symbol_comes_with_probability_p(p: float) -> None:
    sequence = BERNOULLI.sample(20_000, philox(1), p=p)
    heads = int((sequence.symbols == 0).sum())
    assert stats.binomtest(heads, 20_000, p).pvalue > RARE
    assert (sequence.law == [p, 1 - p]).all()
    assert sequence.alphabet[0] == "H"


@pytest.mark.parametrize(("p", "only"), [(0, 1), (1.0, 0)])
def test_a_certain_coin_never_shows_its_other_side(p: float, only: int) -> None:
    sequence = BERNOULLI.sample(500, philox(2), p=p)
    assert set(sequence.symbols.tolist()) == {only}
    assert sequence.support.sum() == 501


def test_a_uniform_bias_is_drawn_anew_for_each_sequence() -> None:
    rng = philox(3)
    biases = [BERNOULLI.sample(0, rng).law[0, 0] for _ in range(1000)]
    assert stats.kstest(biases, "uniform").pvalue > RARE


def test_the_ideal_observer_is_calibrated_when_p_is_uniform() -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p); |z| > 4.9 has odds 1e-6
    rng, surprise, variance = philox(4), 0.0, 0.0
    for _ in range(400):
        sequence = BERNOULLI.sample(40, rng)
        p = sequence.observers["beta"][:40, 0]
        weight = np.sign(p - 0.5)  # over- and under-confidence must not cancel
        surprise += float((weight * ((sequence.symbols == 0) - p)).sum())
        variance += float((weight**2 * p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < 4.9


def test_the_concept_says_the_bias() -> None:
    assert BERNOULLI.sample(1, philox(5), p=0.25).concept == "p(H) = 0.25"
