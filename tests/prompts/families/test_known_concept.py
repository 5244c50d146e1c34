import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from tests.prompts.families.calibration import standard_score

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
CONCEPT = load_family("known_concept")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def test_the_pattern_is_repeated_from_its_first_symbol_on() -> None:
    sequence = CONCEPT.sample(11, philox(1), pattern="0010111")
    assert "".join(map(str, sequence.symbols)) == "00101110010"
    assert (sequence.law[np.arange(11), sequence.symbols] == 1).all()
    assert sequence.law[11].tolist() == [0, 1]
    assert sequence.concept == "0010111 repeated"


def test_names_longer_than_a_character_are_listed() -> None:
    sequence = CONCEPT.sample(4, philox(2), pattern=("Heads", "Tails", "Tails"), symbols=("Heads", "Tails"))
    assert sequence.symbols.tolist() == [0, 1, 1, 0]
    assert sequence.concept == "Heads Tails Tails repeated"


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_symbols_are_wrong_with_the_probability_of_noise(noise: float) -> None:
    sequence = CONCEPT.sample(4000, philox(3), pattern="abcd", symbols="letters", noise=noise)
    expected = np.arange(4000) % 4
    shift = np.bincount((sequence.symbols - expected) % 16, minlength=16)
    assert stats.chisquare(shift, 4000 * np.array([1 - noise, *[noise / 15] * 15])).pvalue > RARE
    assert (sequence.law[np.arange(4000), expected] == 1 - noise).all()


def test_random_symbols_are_uniform_and_the_prior_draws_as_many_as_it_says() -> None:
    sequence = CONCEPT.sample(4000, philox(4), source="random", symbols="digits", pattern="23")
    assert stats.chisquare(np.bincount(sequence.symbols, minlength=8)).pvalue > RARE
    assert (sequence.law == 1 / 8).all()
    assert sequence.concept == "random symbols"
    rng = philox(5)
    concepts = [CONCEPT.sample(0, rng, source="prior", prior_random=0.3).concept for _ in range(1000)]
    assert stats.binomtest(concepts.count("random symbols"), 1000, 0.3).pvalue > RARE


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_ideal_observer_is_calibrated_under_its_own_prior(noise: float) -> None:
    rng = philox(6)
    score = standard_score(
        CONCEPT.sample(20, rng, source="prior", prior_random=0.7, noise=noise) for _ in range(300)
    )
    assert abs(score) < RARE_SCORE


@pytest.mark.parametrize("pattern", ["0", "01", "011", "0111001"])
def test_the_pattern_is_more_likely_than_not_once_its_bits_outweigh_the_prior(pattern: str) -> None:
    """P(pattern) = 1 / (1 + 2^(n* - n)) with n* = log2(.9 / .1) = 3.17: from 4 symbols on."""
    sequence = CONCEPT.sample(20, philox(7), pattern=pattern, prior_random=0.9)
    p = sequence.observers["known_pattern"][np.arange(20), sequence.target]
    assert np.flatnonzero(2 * p - 1 > 0.5)[0] == 4
