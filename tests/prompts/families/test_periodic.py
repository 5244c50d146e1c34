from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats

from harness.prompts.observers import period
from harness.registry import load_family

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
PERIODIC = load_family("periodic")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize(("length", "n_words"), [(1, 2), (2, 2), (3, 6), (4, 12), (6, 54)])
def test_patterns_are_uniform_among_primitive_words(length: int, n_words: int) -> None:
    rng = philox(length)
    seen = Counter(
        "".join(map(str, PERIODIC.sample(length, rng, period=length, max_period=length).symbols))
        for _ in range(60 * n_words)
    )
    words = ["".join(word) for word in product("01", repeat=length)]
    assert set(seen) == {word for word in words if (word + word).find(word, 1) == length}
    assert len(seen) == n_words
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_distinct_patterns_are_uniform_among_words_of_different_symbols() -> None:
    rng = philox(7)
    symbols = ("a", "b", "c", "d")
    seen = Counter(
        tuple(PERIODIC.sample(3, rng, period=3, symbols=symbols).symbols.tolist()) for _ in range(2400)
    )
    assert set(seen) == set(permutations(range(4), 3))
    assert stats.chisquare(list(seen.values())).pvalue > RARE


@pytest.mark.parametrize("length", range(1, 9))
@pytest.mark.parametrize("symbols", ["binary", "letters"])
def test_the_next_symbol_is_certain_and_the_period_exact(length: int, symbols: str) -> None:
    sequence = PERIODIC.sample(64, philox(length), period=length, symbols=symbols)
    drawn = sequence.symbols
    assert (sequence.law[np.arange(64), drawn] == 1).all()
    assert sequence.law[64, drawn[64 % length]] == 1
    assert (sequence.support.sum(axis=1) == 1).all()
    exact = [k for k in range(1, 17) if (drawn[k:] == drawn[:-k]).all()]
    assert min(exact) == length
    assert sequence.concept == "".join(sequence.alphabet[s] for s in drawn[:length]) + " repeated"


def test_symbols_of_a_larger_set_differ_unless_told_otherwise() -> None:
    rng = philox(8)
    assert all(len(set(PERIODIC.sample(8, rng, period=8, symbols="letters").symbols)) == 8 for _ in range(50))
    free = [PERIODIC.sample(8, rng, period=8, symbols="letters", distinct=False).symbols for _ in range(50)]
    assert any(len(set(drawn)) < 8 for drawn in free)


@pytest.mark.parametrize("params", [{"symbols": "binary"}, {"symbols": "letters"}])
def test_the_ideal_observer_knows_the_pattern_after_two_periods(params: dict[str, str]) -> None:
    for length in (2, 5, 8):
        sequence = PERIODIC.sample(60, philox(length), period=length, **params)
        p = sequence.observers["period"][np.arange(60), sequence.target]
        assert (p[2 * length + 10 :] > 0.98).all()


@pytest.mark.parametrize("symbols", ["binary", "digits"])
def test_the_ideal_observer_is_calibrated_under_its_own_prior(symbols: str) -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p); |z| > 4.9 has odds 1e-6
    rng, surprise, variance = philox(9), 0.0, 0.0
    m = 2 if symbols == "binary" else 8
    for _ in range(600):
        length = int(rng.integers(1, 9))
        drawn = PERIODIC.sample(24, rng, period=length, symbols=symbols).symbols
        if rng.random() < 0.5:
            drawn = rng.integers(m, size=24)
        law = period(drawn, m, max_period=8, prior_random=0.5, distinct=m > 2)[:24]
        p = law.max(axis=1)
        hit = drawn == law.argmax(axis=1)
        surprise += float((hit - p).sum())
        variance += float((p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < 4.9


def test_patterns_are_uniform_among_all_words_where_they_need_not_be_primitive() -> None:
    rng = philox(11)
    seen = Counter(
        "".join(map(str, PERIODIC.sample(4, rng, period=4, primitive=False).symbols)) for _ in range(960)
    )
    assert set(seen) == {"".join(word) for word in product("01", repeat=4)}
    assert stats.chisquare(list(seen.values())).pvalue > RARE


@pytest.mark.parametrize(("pattern", "n"), [("01", 8), ("011", 10), ("01101", 12)])
def test_an_observer_of_all_words_gives_up_random_at_the_stated_length(pattern: str, n: int) -> None:
    # prior .9 on random, periods to 8, all words of a length: the family's own observer, told so by `primitive`
    symbols = np.array([int(s) for s in (pattern * 20)[:30]])
    law = PERIODIC.observe(symbols, ("0", "1"), max_period=8, prior_random=0.9, primitive=False)["period"]
    given = law[np.arange(30), symbols]
    evidence = np.concatenate([[1.0], np.cumprod(given)])
    random = 0.9 * 0.5 ** np.arange(31) / evidence  # P(random | x) by Bayes' rule; 1/2 exactly for 011 at 9
    assert int(np.flatnonzero(random > 0.5 - 1e-9)[-1]) + 1 == n


def test_a_parameter_that_came_later_leaves_the_sequences_as_they_were() -> None:
    plain, named = (PERIODIC.sample(30, philox(3), period=7, **p) for p in ({}, {"primitive": True}))
    np.testing.assert_array_equal(plain.symbols, named.symbols)
    assert "primitive" not in PERIODIC.identity(PERIODIC.complete({"primitive": True}))


def test_the_observer_that_learns_which_symbols_occur_is_beside_kt_for_more_than_two() -> None:
    letters = PERIODIC.sample(40, philox(3), period=3, symbols="letters").observers
    assert list(letters) == ["period", "kt", "unigram_sparse"]
    assert list(PERIODIC.sample(40, philox(3)).observers) == ["period", "kt"]
    last = [float(letters[name][-1].max()) for name in ("kt", "unigram_sparse")]
    assert last[0] == pytest.approx(14.5 / 48)
    assert last[0] + 0.03 < last[1] < 14 / 40  # the share that the symbol has is all that counts can know
