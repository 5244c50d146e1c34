import math
from itertools import combinations

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers import kt, unigram_sparse
from harness.prompts.observers.sparse import unigrams
from harness.types import Floats, Ints


def by_listing(symbols: Ints, m: int, alpha: float) -> Floats:
    """The law after all symbols from every set that may be in use, by Bayes' rule."""
    seen = np.bincount(symbols, minlength=m)
    law, total = np.zeros(m), 0.0
    for k in range(1, m + 1):
        for used in combinations(range(m), k):
            inside = np.isin(np.arange(m), used)
            if seen[~inside].any():
                continue
            log_p = math.lgamma(k * alpha) - math.lgamma(k * alpha + symbols.size)
            log_p += sum(math.lgamma(alpha + c) - math.lgamma(alpha) for c in seen[inside].tolist())
            weight = math.exp(log_p) / m / math.comb(m, k)
            law += weight * np.where(inside, seen + alpha, 0) / (symbols.size + k * alpha)
            total += weight
    return law / total


@pytest.mark.parametrize("alpha", [0.5, 1.0, 0.1])
@pytest.mark.parametrize("m", [2, 3, 6])
def test_it_is_bayes_rule_over_all_sets_of_symbols(m: int, alpha: float) -> None:
    rng = np.random.default_rng(m)
    for used in range(1, m + 1):
        symbols = rng.integers(used, size=15)
        rows = unigram_sparse(symbols, m, alpha=alpha)
        for n in (0, 1, 2, 7, 15):
            np.testing.assert_allclose(rows[n], by_listing(symbols[:n], m, alpha), rtol=1e-9)


def test_before_any_symbol_all_are_equally_probable_and_after_all_came_it_is_kt() -> None:
    symbols = np.array([2, 0, 1, 1, 2, 0, 0])
    rows = unigram_sparse(symbols, 3)
    np.testing.assert_allclose(rows[0], [1 / 3] * 3, rtol=1e-12)
    np.testing.assert_allclose(rows[3:], kt(symbols, 3)[3:], rtol=1e-12)


def test_it_gives_up_symbols_that_do_not_come_sooner_than_kt() -> None:
    symbols = np.tile([3, 9], 30)
    unseen = np.setdiff1d(np.arange(16), [3, 9])
    sparse, dense = (observer(symbols, 16)[-1, unseen].sum() for observer in (unigram_sparse, kt))
    assert sparse < 0.02 < 0.1 == pytest.approx(dense, abs=0.01)  # 14 * 0.5 / 68 for kt


def test_a_prior_that_is_none_is_refused() -> None:
    with pytest.raises(SpecError, match=r"unigram_sparse: alpha=0 must be finite and > 0"):
        unigram_sparse(np.array([0]), 2, alpha=0)


def test_it_is_beside_kt_only_where_more_than_two_symbols_may_come() -> None:
    symbols = np.array([0, 1, 1])
    assert list(unigrams(symbols, 2)) == ["kt"]
    assert list(unigrams(symbols, 3)) == ["kt", "unigram_sparse"]
