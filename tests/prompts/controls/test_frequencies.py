from collections import Counter
from itertools import permutations
from math import comb, factorial, prod

import numpy as np
import pytest
from scipy import stats

from harness.prompts.controls import apply_control
from harness.registry import load_family
from tests.prompts.controls.controlled import RARE, controlled, philox

PERIODIC = load_family("periodic")


@pytest.mark.parametrize("symbols", ["binary", "letters"])
@pytest.mark.parametrize("key", range(5))
def test_shuffle_keeps_every_symbol_target_included(symbols: str, key: int) -> None:
    before, after = controlled("shuffle", 41, key, period=5, symbols=symbols)
    assert Counter(after.symbols.tolist()) == Counter(before.symbols.tolist())
    assert after.symbols.tolist() != before.symbols.tolist()


@pytest.mark.parametrize("symbols", ["binary", "letters"])
def test_the_law_of_a_shuffle_gives_every_arrangement_the_same_probability(symbols: str) -> None:
    _, after = controlled("shuffle", 25, 3, period=4, symbols=symbols)
    of_targets = after.law[np.arange(25), after.target]
    multiset = Counter(after.symbols.tolist()).values()
    assert np.prod(of_targets) == pytest.approx(prod(map(factorial, multiset)) / factorial(25), rel=1e-9)
    np.testing.assert_allclose(after.law[:25].sum(axis=1), 1, rtol=1e-12)
    assert np.isnan(after.law[25]).all()
    assert not after.support[25].any()


def test_shuffles_are_uniform_over_arrangements() -> None:
    sequence = PERIODIC.sample(6, philox(1), period=3)  # two symbols, 2 and 4 of them
    rng = philox(2)
    shuffled = [apply_control("shuffle", sequence, PERIODIC, {"period": 3}, rng) for _ in range(1500)]
    seen = Counter(tuple(s.symbols.tolist()) for s in shuffled)
    assert set(seen) == set(permutations(sequence.symbols.tolist()))
    assert len(seen) == comb(6, 2)
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_matched_random_draws_from_the_frequencies_of_its_sequence() -> None:
    before, after = controlled("matched_random", 9000, 4, period=5, symbols="letters")
    frequency = np.bincount(before.symbols, minlength=16) / 9000
    assert after.law.shape == (9001, 16)
    assert (after.law == frequency).all()
    used = frequency > 0
    seen = np.bincount(after.symbols, minlength=16)
    assert not seen[~used].any()
    assert stats.chisquare(seen[used], 9000 * frequency[used]).pvalue > RARE


def test_matched_random_has_no_order_left() -> None:
    _, after = controlled("matched_random", 5000, 6, period=2)
    pairs = np.bincount(2 * after.symbols[:-1] + after.symbols[1:], minlength=4).reshape(2, 2)
    assert stats.chi2_contingency(pairs).pvalue > RARE
