from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy import stats

from harness.errors import SpecError
from harness.registry import load_family

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
URN = load_family("urn")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def test_every_order_is_equally_likely() -> None:
    rng = philox(1)
    seen = Counter("".join(map(str, URN.sample(5, rng, counts=(3, 2)).symbols)) for _ in range(1500))
    assert len(seen) == comb(5, 2)
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_the_law_is_what_is_left_and_ends_with_it() -> None:
    sequence = URN.sample(7, philox(2), counts=(4, 1, 2), symbols=("a", "b", "c"))
    left = [4, 1, 2]
    for row, symbol in zip(sequence.law, sequence.symbols, strict=False):
        np.testing.assert_allclose(row, np.array(left) / sum(left))
        left[symbol] -= 1
    assert left == [0, 0, 0]
    assert np.isnan(sequence.law[7]).all()
    assert not sequence.support[7].any()
    np.testing.assert_array_equal(sequence.observers["urn"][:7], sequence.law[:7])
    np.testing.assert_array_equal(sequence.observers["urn"][7], sequence.observers["kt"][7])


@pytest.mark.parametrize("total", [6, 9])
def test_laplace_is_the_posterior_over_all_counts_of_a_sum(total: int) -> None:
    """Every urn of three kinds weighed one by one: the size of the urn does not matter."""
    urns = [c for c in product(range(total + 1), repeat=3) if sum(c) == total]
    for word in ([], [0, 0, 2], [1, 2, 1, 0, 1]):
        weight = np.zeros(3, object)
        for urn in urns:
            left, p = list(urn), Fraction(1, len(urns))
            for symbol in word:
                p *= Fraction(left[symbol], sum(left))
                left[symbol] -= 1
            weight += [p * Fraction(n, sum(left)) if p else 0 for n in left]
        expected = [float(w / sum(weight)) for w in weight]
        rows = URN.observe(
            np.array(word, np.int64), ("a", "b", "c"), counts=(3, 3, 3), symbols=("a", "b", "c")
        )
        np.testing.assert_allclose(rows["laplace"][-1], expected, rtol=1e-12)


def test_a_symbol_that_was_used_up_refutes_the_counts() -> None:
    rows = URN.observe(np.array([0, 0, 0, 1]), ("H", "T"), counts=(2, 3))
    assert rows["urn"][:3].tolist() == [[0.4, 0.6], [0.25, 0.75], [0, 1]]
    np.testing.assert_array_equal(rows["urn"][3:], rows["kt"][3:])


def test_more_symbols_than_the_urn_holds_are_refused() -> None:
    assert URN.sample(10, philox(3), counts=(5, 5)).symbols.sum() == 5
    with pytest.raises(SpecError, match=r"length=11 is more than the 10 symbols of counts=\(5, 5\)"):
        URN.sample(11, philox(3), counts=(5, 5))


def test_the_concept_says_the_counts() -> None:
    assert URN.sample(1, philox(4), counts=(5, 7)).concept == "5 H and 7 T in random order"
