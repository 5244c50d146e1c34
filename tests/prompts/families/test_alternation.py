import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from tests.prompts.families.calibration import standard_score

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
ALTERNATION = load_family("alternation")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize("a", [0.05, 0.5, 0.6, 0.9])
@pytest.mark.parametrize("symbols", ["coin", ("a", "b", "c", "d")])
def test_symbols_differ_from_the_last_with_probability_a(a: float, symbols: str | tuple[str, ...]) -> None:
    sequence = ALTERNATION.sample(8001, philox(1), a=a, symbols=symbols)
    m = len(sequence.alphabet)
    steps = np.bincount((sequence.symbols[1:] - sequence.symbols[:-1]) % m, minlength=m)
    assert stats.chisquare(steps, 8000 * np.array([1 - a, *[a / (m - 1)] * (m - 1)])).pvalue > RARE
    assert (sequence.law[0] == 1 / m).all()
    repeats = sequence.law[np.arange(1, 8002), sequence.symbols]
    np.testing.assert_allclose(repeats, 1 - a, rtol=1e-12)


def test_the_first_symbol_is_uniform() -> None:
    rng = philox(2)
    first = [int(ALTERNATION.sample(1, rng, symbols="digits").symbols[0]) for _ in range(1000)]
    assert stats.chisquare(np.bincount(first, minlength=8)).pvalue > RARE


@pytest.mark.parametrize(("a", "n_runs"), [(0.0, 1), (1.0, 300)])
def test_a_certain_coin_repeats_or_alternates_throughout(a: float, n_runs: int) -> None:
    sequence = ALTERNATION.sample(300, philox(3), a=a)
    assert 1 + np.count_nonzero(np.diff(sequence.symbols)) == n_runs
    assert (sequence.law[np.arange(1, 300), sequence.symbols[1:]] == 1).all()


def test_a_uniform_probability_is_drawn_anew_for_each_sequence() -> None:
    rng = philox(4)
    drawn = [1 - s.law[1, s.symbols[0]] for s in (ALTERNATION.sample(1, rng) for _ in range(1000))]
    assert stats.kstest(drawn, "uniform").pvalue > RARE


def test_the_ideal_observer_is_calibrated() -> None:
    for symbols in ("coin", "digits"):
        rng = philox(5)
        score = standard_score(ALTERNATION.sample(40, rng, symbols=symbols) for _ in range(150))
        assert abs(score) < RARE_SCORE


def test_symbol_frequencies_say_nothing_of_it() -> None:
    sequence = ALTERNATION.sample(4000, philox(6), a=0.9)
    p = {name: rows[np.arange(4000), sequence.target].mean() for name, rows in sequence.observers.items()}
    assert p["kt"] < 0.51
    assert p["alternation"] > 0.8
    assert p["markov"] > 0.8
