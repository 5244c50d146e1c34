from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.prompts.automata.exact import below

RARE = 1e-6  # odds that a correct draw fails a test of its law, were the seed drawn at random


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40])
def test_integers_below_a_small_number_are_uniform(n: int) -> None:
    rng = np.random.Generator(np.random.Philox(key=n))
    seen = Counter(below(n, rng) for _ in range(100 * n))
    assert set(seen) == set(range(n))
    if n > 1:
        assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_integers_below_a_large_number_are_uniform() -> None:
    rng = np.random.Generator(np.random.Philox(key=1))
    n = 3 * 2**200
    drawn = [below(n, rng) for _ in range(3000)]
    assert max(drawn) < n
    assert stats.kstest([d / n for d in drawn], "uniform").pvalue > RARE
    assert stats.chisquare(np.bincount([d % 5 for d in drawn], minlength=5)).pvalue > RARE
