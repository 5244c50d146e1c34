from collections import Counter

import numpy as np
from scipy import stats

from harness.prompts.observers.delayed_periods import delayed_period
from harness.registry import load_family
from harness.types import Sequence

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
DELAYED = load_family("delayed_period")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def delay(sequence: Sequence) -> int:
    return int(sequence.concept.split()[-3])


def test_delays_are_geometric() -> None:
    rng = philox(1)
    delays = np.minimum([delay(DELAYED.sample(0, rng, hazard=0.2, max_period=3)) for _ in range(1000)], 20)
    law = stats.geom(0.2, loc=-1)
    expected = 1000 * np.array([*law.pmf(np.arange(20)), law.sf(19)])
    assert stats.chisquare(np.bincount(delays, minlength=21), expected).pvalue > RARE


def test_patterns_are_uniform_among_all_words() -> None:
    rng = philox(2)
    seen = Counter(DELAYED.sample(0, rng, period=3, max_period=3).concept.split()[0] for _ in range(800))
    assert len(seen) == 8
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_random_symbols_come_before_the_pattern_and_nothing_else_after() -> None:
    sequence = DELAYED.sample(2020, philox(3), period=4, delay=2000, symbols="digits")
    before = sequence.symbols[:2000]
    assert stats.chisquare(np.bincount(before, minlength=8)).pvalue > RARE
    assert (sequence.law[:2000] == 1 / 8).all()
    pattern = "".join(sequence.alphabet[s] for s in sequence.symbols[2000:2004])
    assert sequence.concept == f"{pattern} repeated after 2000 random symbols"
    assert (sequence.law[np.arange(2000, 2020), sequence.symbols[2000:]] == 1).all()
    np.testing.assert_array_equal(sequence.symbols[2004:], sequence.symbols[2000:2016])
    assert sequence.law[2020, sequence.symbols[2000]] == 1


def test_the_ideal_observer_is_calibrated_under_its_own_prior() -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p)
    rng, choice = philox(4), np.random.default_rng(4)
    surprise = variance = 0.0
    for _ in range(250):
        period = int(choice.integers(1, 6))
        drawn = DELAYED.sample(40, rng, period=period, hazard=0.1, max_period=5).symbols
        law = delayed_period(drawn, 2, max_period=5, hazard=0.1)[:40]
        p = law.max(axis=1)
        surprise += float(((drawn == law.argmax(axis=1)) - p).sum())
        variance += float((p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < RARE_SCORE


def test_only_an_observer_that_expects_a_delay_or_looks_for_matches_finds_the_pattern() -> None:
    sequence = DELAYED.sample(120, philox(5), period=5, delay=60)
    p = {name: rows[np.arange(100, 120), sequence.target[100:]] for name, rows in sequence.observers.items()}
    assert (p["delayed_period"] > 0.99).all()
    assert (p["induction_copy"] > 0.99).all()
    np.testing.assert_allclose(p["period"], 0.5, atol=1e-6)
