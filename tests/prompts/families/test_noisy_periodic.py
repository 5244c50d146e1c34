from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.prompts.observers.noisy_periods import noisy_period
from harness.registry import load_family

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
NOISY = load_family("noisy_periodic")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize(("noise", "symbols"), [(0.1, "binary"), (0.4, "binary"), (0.6, ("a", "b", "c"))])
def test_symbols_are_wrong_with_the_probability_of_noise(
    noise: float, symbols: str | tuple[str, ...]
) -> None:
    sequence = NOISY.sample(8000, philox(1), period=5, max_period=5, noise=noise, symbols=symbols)
    m = len(sequence.alphabet)
    pattern = [sequence.alphabet.index(name) for name in sequence.concept.split()[0]]
    expected = np.resize(pattern, 8001)
    assert (sequence.law[np.arange(8001), expected] == 1 - noise).all()
    shift = np.bincount((sequence.symbols - expected[:-1]) % m, minlength=m)
    assert stats.chisquare(shift, 8000 * np.array([1 - noise, *[noise / (m - 1)] * (m - 1)])).pvalue > RARE
    assert sequence.concept.endswith(f"repeated, {100 * noise:.3g}% wrong")


def test_patterns_are_uniform_among_all_words() -> None:
    rng = philox(2)
    seen = Counter(NOISY.sample(0, rng, period=3, max_period=3).concept.split()[0] for _ in range(800))
    assert len(seen) == 8
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_the_ideal_observer_is_calibrated_under_its_own_prior() -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p)
    rng, choice = philox(3), np.random.default_rng(3)
    surprise = variance = 0.0
    for _ in range(250):
        drawn = NOISY.sample(30, rng, period=int(choice.integers(1, 7)), noise=0.2).symbols
        if choice.random() < 0.5:
            drawn = choice.integers(2, size=30)
        law = noisy_period(drawn, 2, max_period=6, noise=0.2, prior_random=0.5)[:30]
        p = law.max(axis=1)
        surprise += float(((drawn == law.argmax(axis=1)) - p).sum())
        variance += float((p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < RARE_SCORE


def test_one_wrong_symbol_ends_the_observer_of_exact_repetition_only() -> None:
    sequence = NOISY.sample(300, philox(4), period=4, noise=0.1)
    loss = {
        name: -np.log2(rows[np.arange(100, 300), sequence.target[100:]]).mean()
        for name, rows in sequence.observers.items()
    }
    assert loss["period"] == pytest.approx(1)
    assert loss["noisy_period"] < 0.75  # the law itself loses 0.469 bit on average
