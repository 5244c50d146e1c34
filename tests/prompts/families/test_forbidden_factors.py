import math
from itertools import pairwise, product

import numpy as np
import pytest
from scipy import stats

from harness.prompts.automata import tomita
from harness.prompts.families.forbidden_factors import _automaton, _possible
from harness.registry import load_family
from harness.types import Floats, Params

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
FACTORS = load_family("forbidden_factors")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize(
    ("params", "forbidden"),
    [
        ({"factors": ("11",)}, ["11"]),
        ({"factors": ("11",), "law": "uniform"}, ["11"]),
        ({"k": 3, "factors": ("000", "101")}, ["000", "101"]),
        ({"symbols": ("a", "b", "c"), "factors": ("ab", "cc")}, ["ab", "cc"]),
    ],
)
def test_forbidden_factors_never_stand(params: Params, forbidden: list[str]) -> None:
    for key in range(10):
        sequence = FACTORS.sample(300, philox(key), **params)
        drawn = "".join(sequence.alphabet[s] for s in sequence.symbols)
        assert sequence.concept == f"no {', '.join(forbidden)}"
        assert not any(factor in drawn for factor in forbidden)


def test_no_11_has_the_law_of_the_golden_mean() -> None:
    phi = (1 + math.sqrt(5)) / 2
    sequence = FACTORS.sample(200, philox(1), factors=("11",))
    after_1 = np.append(False, sequence.symbols == 1)
    np.testing.assert_allclose(sequence.law[after_1], np.tile([1.0, 0.0], (after_1.sum(), 1)), atol=1e-12)
    np.testing.assert_allclose(
        sequence.law[~after_1], np.tile([1 / phi, phi**-2], ((~after_1).sum(), 1)), rtol=1e-9
    )


def test_all_sequences_of_a_length_are_equally_likely() -> None:
    words = [w for w in product(range(2), repeat=7) if "000" not in "".join(map(str, w))]
    rng = philox(2)
    drawn = [
        tuple(FACTORS.sample(7, rng, k=3, factors=("000",), law="uniform").symbols.tolist())
        for _ in range(10 * len(words))
    ]
    assert stats.chisquare([drawn.count(w) for w in words]).pvalue > RARE


def test_the_automaton_without_000_is_tomita_4() -> None:
    forbidden = tuple(word == (0, 0, 0) for word in product(range(2), repeat=3))
    assert _automaton(2, 3, forbidden).equivalent(tomita(4))


@pytest.mark.parametrize(("m", "k"), [(2, 2), (2, 3), (3, 2)])
def test_possible_sets_leave_sequences_of_any_length(m: int, k: int) -> None:
    uniform, parry = set(_possible(m, k, "uniform")), set(_possible(m, k, "parry"))
    assert parry < uniform
    for forbidden in product([False, True], repeat=m**k):
        dfa = _automaton(m, k, forbidden)
        assert (forbidden in uniform) is dfa.has_words(50)
    growing = [f for f in uniform if _automaton(m, k, f).count(60) > 2 * _automaton(m, k, f).count(30)]
    assert len(set(growing) - parry) < len(growing)


def posterior_by_listing(prefix: list[int], n: int, p: float) -> Floats:
    """The law after a prefix, all sets of forbidden pairs and all their words of n symbols weighed one by one."""
    weight = np.zeros(2)
    pairs = list(product(range(2), repeat=2))
    for forbidden in product([False, True], repeat=4):
        banned = {pair for pair, is_banned in zip(pairs, forbidden, strict=True) if is_banned}
        words = [w for w in product(range(2), repeat=n) if not banned & set(pairwise(w))]
        longer = [w for w in product(range(2), repeat=12) if not banned & set(pairwise(w))]
        if not longer:
            continue
        share = p ** len(banned) * (1 - p) ** (4 - len(banned)) / len(words)
        for word in words:
            if list(word[: len(prefix)]) == prefix:
                weight[word[len(prefix)]] += share
    return np.asarray(weight / weight.sum())


@pytest.mark.parametrize("text", ["010101", "000111", "111111", "011000"])
def test_the_ideal_observer_lists_sets_and_words(text: str) -> None:
    symbols = np.array([int(s) for s in text])
    rows = FACTORS.observe(symbols, ("0", "1"), law="uniform", p_forbidden=0.3)["factors"]
    for t in range(6):
        np.testing.assert_allclose(rows[t], posterior_by_listing(symbols[:t].tolist(), 6, 0.3), rtol=1e-12)


def test_the_sets_are_drawn_from_the_prior() -> None:
    rng = philox(5)
    possible = _possible(2, 2, "parry")
    names = ["00", "01", "10", "11"]
    concepts = [
        f"no {', '.join(n for n, f in zip(names, s, strict=True) if f)}" if any(s) else "" for s in possible
    ]
    drawn = [
        FACTORS.sample(0, rng, p_forbidden=0.4).concept.replace("nothing forbidden", "") for _ in range(2000)
    ]
    weight = np.array([0.4 ** sum(s) * 0.6 ** (4 - sum(s)) for s in possible])
    expected = weight / weight.sum() * len(drawn)
    assert stats.chisquare([drawn.count(c) for c in concepts], expected).pvalue > RARE


def test_the_ideal_observer_is_calibrated_under_the_parry_law() -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p); |z| > 4.9 has odds 1e-6
    rng, surprise, variance = philox(6), 0.0, 0.0
    for _ in range(300):
        sequence = FACTORS.sample(40, rng, k=3)
        law = sequence.observers["factors"][:40]
        p = law.max(axis=1)
        surprise += float(((sequence.symbols == law.argmax(axis=1)) - p).sum())
        variance += float((p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < 4.9


def test_the_version_space_weighs_the_sets_of_each_context() -> None:
    # after 0 came 1, 1: {1} and {0, 1} fit, with weights .3 * .7 and .7 * .7 / 4
    rows = FACTORS.observe(np.array([0, 1, 0, 1, 0]), ("0", "1"), p_forbidden=0.3)["version_space"]
    alone, both = 0.3 * 0.7, 0.7 * 0.7 / 4
    np.testing.assert_allclose(rows[5], [both / 2 / (alone + both), (alone + both / 2) / (alone + both)])


def test_a_longer_sequence_starts_with_the_shorter_under_the_parry_law() -> None:
    long, short = (FACTORS.sample(n, philox(7), k=3) for n in (200, 50))
    np.testing.assert_array_equal(long.symbols[:50], short.symbols)
    np.testing.assert_array_equal(long.law[:51], short.law)
    np.testing.assert_allclose(long.observers["factors"][:51], short.observers["factors"], rtol=1e-12)
