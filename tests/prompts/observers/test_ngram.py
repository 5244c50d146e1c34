from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers import kt, markov
from harness.prompts.observers.ngram import backoff, ngram, witten_bell
from tests.prompts.observers.words import Word, ints


def seen_after(prefix: Word, context: Word) -> Counter[int]:
    """What followed each earlier occurrence of a context, by search."""
    k = len(context)
    return Counter(prefix[i + k] for i in range(len(prefix) - k) if prefix[i : i + k] == context)


def suffix(prefix: Word, n: int) -> Word | None:
    return prefix[len(prefix) - n :] if n <= len(prefix) else None


def of_ngram(prefix: Word, m: int, k: int, alpha: Fraction) -> list[Fraction]:
    context = suffix(prefix, k - 1)
    seen = Counter[int]() if context is None else seen_after(prefix, context)
    return [(seen[a] + alpha) / (seen.total() + m * alpha) for a in range(m)]


def of_backoff(prefix: Word, m: int, k: int, alpha: Fraction) -> list[Fraction]:
    for n in range(k - 1, -1, -1):
        context = suffix(prefix, n)
        if context is not None and seen_after(prefix, context):
            return of_ngram(prefix, m, n + 1, alpha)
    return [Fraction(1, m)] * m


def of_witten_bell(prefix: Word, m: int, k: int) -> list[Fraction]:
    if k == 0:
        return [Fraction(1, m)] * m
    shorter = of_witten_bell(prefix, m, k - 1)
    context = suffix(prefix, k - 1)
    seen = Counter[int]() if context is None else seen_after(prefix, context)
    if not seen:
        return shorter
    return [(seen[a] + len(seen) * shorter[a]) / (seen.total() + len(seen)) for a in range(m)]


@pytest.mark.parametrize("m", [2, 3, 5])
@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_k_grams_are_those_found_by_search(m: int, k: int) -> None:
    word = tuple(np.random.default_rng(10 * m + k).integers(m, size=30).tolist())
    symbols, prefixes = ints(word), [word[:n] for n in range(31)]
    third, one = Fraction(1, 3), Fraction(1)
    for law, exact in [
        (ngram(symbols, m, k=k), [of_ngram(p, m, k, Fraction(1, 2)) for p in prefixes]),
        (ngram(symbols, m, k=k, alpha=1 / 3), [of_ngram(p, m, k, third) for p in prefixes]),
        (backoff(symbols, m, k=k), [of_backoff(p, m, k, one) for p in prefixes]),
        (backoff(symbols, m, k=k, alpha=1 / 3), [of_backoff(p, m, k, third) for p in prefixes]),
        (witten_bell(symbols, m, k=k), [of_witten_bell(p, m, k) for p in prefixes]),
    ]:
        np.testing.assert_allclose(law, np.array(exact, np.float64), rtol=1e-12)


@pytest.mark.parametrize(("m", "k"), [(16, 40), (3, 60), (2, 200)])  # more contexts than 64 bits can number
def test_long_contexts_are_told_apart(m: int, k: int) -> None:
    block = tuple(np.random.default_rng(4).integers(m, size=k + 10).tolist())
    word = block * 3
    law = ngram(ints(word), m, k=k)
    for n in (0, k - 1, k, len(block), len(block) + k - 2, len(block) + k - 1, len(word)):
        exact = of_ngram(word[:n], m, k, Fraction(1, 2))
        np.testing.assert_allclose(law[n], np.array(exact, np.float64), rtol=1e-12)


def test_the_1_gram_is_kt_and_the_k_gram_a_markov_chain() -> None:
    word = np.random.default_rng(5).integers(3, size=40)
    np.testing.assert_array_equal(ngram(word, 3, k=1), kt(word, 3))
    np.testing.assert_array_equal(ngram(word, 3, k=3), markov(word, 3, order=2, alpha=0.5))


def test_a_pattern_whose_factors_differ_is_learnt_by_its_k_gram_only() -> None:
    """The cyclic pairs of 0010111 do not decide what follows, its triples do."""
    word = ints("0010111" * 40)
    rows = np.arange(200, 280)
    pairs, triples = (ngram(word, 2, k=k)[rows, word[rows]] for k in (3, 4))
    assert triples.min() > 0.95
    assert pairs.min() < 0.75


def test_a_repeated_de_bruijn_word_is_random_to_shorter_k_grams() -> None:
    word = ints("0000100110101111" * 30)  # each 4-gram once a round, so that all 4-gram laws are even
    rows = np.arange(300, 400)
    assert np.abs(ngram(word, 2, k=4)[rows] - 0.5).max() < 0.05
    assert ngram(word, 2, k=5)[rows, word[rows]].min() > 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ngram(ints("01"), 2, k=0), "observer ngram: k=0"),
        (lambda: backoff(ints("01"), 2, k=0), "observer backoff: k=0"),
        (lambda: witten_bell(ints("01"), 2, k=-1), "observer witten_bell: k=-1"),
        (lambda: ngram(ints("01"), 2, k=2, alpha=0.0), r"observer ngram: alpha=0\.0"),
        (lambda: backoff(ints("01"), 2, k=2, alpha=-1.0), r"observer backoff: alpha=-1\.0"),
    ],
)
def test_a_parameter_out_of_range_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        call()
