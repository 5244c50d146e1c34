import re
from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from harness.types import Params

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
TOMITA = load_family("tomita")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def odd_runs(word: str) -> list[str]:
    """The first symbol of each run of odd length, "" for an even run."""
    return [run[0] if len(run) % 2 else "" for run in re.findall("0+|1+", word)]


def no_odd_pair_later(word: str) -> bool:
    odd = "".join(odd_runs(word))
    return "1" not in odd or "0" not in odd[odd.index("1") :]


def no_odd_pair_adjacent(word: str) -> bool:
    runs = odd_runs(word)
    return ("1", "0") not in set(pairwise(runs))


MEMBER: list[tuple[Params, Callable[[str], object]]] = [
    ({"language": 1}, lambda w: re.fullmatch("1*", w)),
    ({"language": 2}, lambda w: re.fullmatch("(10)*", w)),
    ({"language": 3}, no_odd_pair_adjacent),
    ({"language": 3, "reading": "later"}, no_odd_pair_later),
    ({"language": 4}, lambda w: "000" not in w),
    ({"language": 5}, lambda w: w.count("0") % 2 == w.count("1") % 2 == 0),
    ({"language": 6}, lambda w: (w.count("0") - w.count("1")) % 3 == 0),
    ({"language": 7}, lambda w: re.fullmatch("0*1*0*1*", w)),
]
every_language = pytest.mark.parametrize(("params", "member"), MEMBER)


def text(params: Params, length: int, key: int) -> str:
    sequence = TOMITA.sample(length, philox(key), **params)
    return "".join(sequence.alphabet[s] for s in sequence.symbols)


@every_language
def test_every_word_of_a_stream_is_whole_and_in_the_language(
    params: Params, member: Callable[[str], object]
) -> None:
    for key in range(20):
        for word in text(params, 100 + key, key).split("|"):
            assert word
            assert member(word)


@every_language
def test_one_word_is_uniform_in_the_language(params: Params, member: Callable[[str], object]) -> None:
    n = 6
    words = ["".join(w) for w in product("01", repeat=n) if member("".join(w))]
    rng = philox(1)
    drawn = [TOMITA.sample(n, rng, stream="word", **params).symbols for _ in range(10 * len(words))]
    seen = ["".join(map(str, word.tolist())) for word in drawn]
    assert set(seen) <= set(words)
    assert stats.chisquare([seen.count(word) for word in words]).pvalue > RARE or len(words) == 1


@every_language
def test_the_law_of_a_stream_is_that_of_all_streams_of_its_length(
    params: Params, member: Callable[[str], object]
) -> None:
    n, mean = 7, 2.0
    words = {size: ["".join(w) for w in product("01", repeat=size)] for size in range(1, n + 1)}
    words = {size: inside for size, every in words.items() if (inside := [w for w in every if member(w)])}
    rank = {size: i for i, size in enumerate(words)}

    def streams(left: int) -> list[tuple[str, float]]:
        """Every stream of so many symbols with the probability of its words."""
        found = []
        for size, inside in words.items():
            share = (1 - 1 / mean) ** rank[size] / mean / len(inside)
            if size == left:
                found += [(word, share) for word in inside]
            elif size < left - 1:
                found += [(f"{w}|{rest}", share * p) for rest, p in streams(left - size - 1) for w in inside]
        return found

    every = streams(n)
    sequence = TOMITA.sample(n, philox(2), mean_size=mean, **params)
    drawn = "".join(sequence.alphabet[s] for s in sequence.symbols)
    for t in range(n):
        weight = [sum(p for s, p in every if s.startswith(drawn[:t] + a)) for a in "01|"]
        np.testing.assert_allclose(sequence.law[t], np.array(weight) / sum(weight), rtol=1e-12)
    assert np.isnan(sequence.law[n]).all()


@every_language
def test_the_language_of_a_stream_is_found(params: Params, member: Callable[[str], object]) -> None:
    # some 65 words: a larger language that holds them all loses a factor with each
    del member
    sequence = TOMITA.sample(600, philox(3), **params)
    np.testing.assert_allclose(
        sequence.observers["tomita"][-100:], sequence.observers["language"][-100:], atol=1e-3
    )


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_one_word_has_the_law_of_who_knows_language_and_length(length: int) -> None:
    sequence = TOMITA.sample(length, philox(4), language=7, stream="word")
    np.testing.assert_allclose(sequence.observers["language"][:length], sequence.law[:length], rtol=1e-12)


def test_one_word_is_weighed_under_all_eight_languages() -> None:
    n = 6
    words = ["".join(w) for w in product("01", repeat=n)]
    inside = [[w for w in words if member(w)] for _, member in MEMBER]
    sequence = TOMITA.sample(n, philox(5), language=5, stream="word")
    drawn = "".join(map(str, sequence.symbols.tolist()))
    for t in range(n):
        weight = np.array(
            [
                sum(sum(w.startswith(drawn[:t] + a) for w in every) / len(every) for every in inside)
                for a in "01"
            ]
        )
        np.testing.assert_allclose(sequence.observers["tomita"][t], weight / weight.sum(), rtol=1e-12)


def test_the_stream_of_a_language_of_pairs_names_its_lengths() -> None:
    with pytest.raises(ValueError, match="nearest possible lengths: 2 and 4"):
        TOMITA.sample(3, philox(6), language=2)
