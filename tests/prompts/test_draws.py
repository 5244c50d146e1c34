import math
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from harness.errors import SpecError
from harness.prompts.draws import categorical, cumulative, dirichlet, integers_below, permutation, uniforms

RARE = 1e-6  # odds that a correct draw fails a test of its law, were the seed drawn at random


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def test_uniforms_are_the_53_high_bits_of_each_word() -> None:
    words = np.random.Philox(key=3).random_raw(100).tolist()
    np.testing.assert_array_equal(uniforms(100, philox(3)), [(word >> 11) / 2**53 for word in words])


def test_the_stream_is_pinned() -> None:
    assert integers_below(1000, 8, philox(1)).tolist() == [887, 255, 738, 666, 844, 553, 998, 765]
    assert permutation(8, philox(1)).tolist() == [4, 5, 6, 0, 1, 2, 3, 7]
    assert dirichlet(1.0, 3, philox(1)).tolist() == [
        0.3035680343067586,
        0.5451407153790183,
        0.15129125031422308,
    ]


@pytest.mark.parametrize("n", [1, 2, 3, 10, 2**63 // 3 * 2, 2**63])
def test_integers_skip_words_that_would_favour_small_values(n: int) -> None:
    rng = np.random.Philox(key=5)
    expected: list[int] = []
    while len(expected) < 200:
        word = int(rng.random_raw())
        if word < 2**64 // n * n:
            expected.append(word % n)
    drawn = philox(5)
    np.testing.assert_array_equal(integers_below(n, 200, drawn), expected)
    assert drawn.bit_generator.random_raw() == rng.random_raw()  # not a word more was taken


@pytest.mark.parametrize("short", [0, 1, 17])
def test_a_longer_draw_starts_with_the_shorter(short: int) -> None:
    weights = np.array([0.2, 0.5, 0.3])
    n = 2**63 // 3 * 2  # a third of all words is skipped
    np.testing.assert_array_equal(uniforms(50, philox(2))[:short], uniforms(short, philox(2)))
    np.testing.assert_array_equal(
        integers_below(n, 50, philox(2))[:short], integers_below(n, short, philox(2))
    )
    np.testing.assert_array_equal(
        categorical(weights, 50, philox(2))[:short], categorical(weights, short, philox(2))
    )


def test_permutations_are_uniform() -> None:
    rng = philox(11)
    seen = Counter(tuple(permutation(4, rng).tolist()) for _ in range(4800))
    assert set(seen) == set(permutations(range(4)))
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_categorical_follows_its_weights() -> None:
    weights = np.array([3.0, 0.0, 1.0, 6.0, 0.0])
    seen = np.bincount(categorical(weights, 20_000, philox(12)), minlength=5)
    assert seen[[1, 4]].tolist() == [0, 0]
    assert stats.chisquare(seen[[0, 2, 3]], 2000 * weights[[0, 2, 3]]).pvalue > RARE


def test_no_uniform_reaches_an_entry_of_weight_zero() -> None:
    ends = cumulative(np.array([0.0, 0.1, 0.2, 0.7, 0.0]))  # 0.1 + 0.2 + 0.7 is below 1 in floating point
    extremes = np.array([0.0, math.nextafter(1.0, 0.0)])
    assert np.searchsorted(ends, extremes, side="right").tolist() == [1, 3]


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("n", [2, 5])
def test_dirichlet_has_beta_marginals(alpha: float, n: int) -> None:
    rng = philox(13)
    drawn = np.array([dirichlet(alpha, n, rng) for _ in range(2000)])
    np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-12)
    for marginal in drawn.T:
        assert stats.kstest(marginal, stats.beta(alpha, alpha * (n - 1)).cdf).pvalue > RARE


def test_a_sparse_dirichlet_keeps_its_small_probabilities() -> None:
    # the larger of two is often 1 to the last bit; the smaller has twice the density of Beta below 1/2
    rng = philox(16)
    smaller = [dirichlet(0.05, 2, rng).min() for _ in range(2000)]
    assert stats.kstest(smaller, lambda p: 2 * stats.beta(0.05, 0.05).cdf(p)).pvalue > RARE


def test_a_dirichlet_too_sparse_for_floats_is_still_a_law() -> None:
    rng = philox(14)
    drawn = np.array([dirichlet(1e-4, 3, rng) for _ in range(50)])
    np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-12)
    assert set(drawn.argmax(axis=1).tolist()) == {0, 1, 2}


def test_what_cannot_be_drawn_is_refused() -> None:
    rng = philox(15)
    for weights in ([0.0, 0.0], [-1.0, 2.0], [math.nan, 1.0]):
        with pytest.raises(SpecError, match="weights"):
            categorical(np.array(weights), 1, rng)
    for alpha in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(SpecError, match="alpha"):
            dirichlet(alpha, 3, rng)
    with pytest.raises(SpecError, match="n=0"):
        integers_below(0, 1, rng)
    with pytest.raises(SpecError, match="32 bits"):
        uniforms(1, np.random.Generator(np.random.MT19937(0)))
