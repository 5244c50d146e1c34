from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers import dirichlet
from harness.prompts.observers.window import alternation, discounted, window_average
from tests.prompts.observers.words import Word, assert_ratio_of_evidences, ints, multinomial_evidence

RANDOM = tuple(np.random.default_rng(7).integers(2, size=40).tolist())


@pytest.mark.parametrize(
    ("prefix", "p", "expected"),  # width 5; expected p(0)
    [
        ("", 0.5, 0.5),
        ("", 0.3, 0.3),
        ("0", 0.5, 0.0),
        ("1", 0.5, 1.0),
        ("01", 0.5, 0.5),
        ("0011", 0.7, 0.9),
        ("00000", 0.5, 0.0),
        ("00010", 0.5, 0.2),
        ("111110", 0.5, 0.8),  # the first symbol has left the window
        ("01010", 0.7, 0.8),
        ("11111", 0.7, 1.0),  # 1.4 clipped
    ],
)
def test_window_average_evens_out(prefix: str, p: float, expected: float) -> None:
    law = window_average(ints(prefix), 2, width=5, p=p)
    assert law[-1] == pytest.approx([expected, 1 - expected], abs=1e-15)


@pytest.mark.parametrize("width", [1, 5, 10, 100])
def test_the_window_ends_before_what_it_predicts(width: int) -> None:
    law = window_average(ints(RANDOM), 2, width=width, p=0.4)
    for n in range(len(RANDOM) + 1):
        window = RANDOM[max(n - width, 0) : n]
        share = window.count(0) / len(window) if window else 0.4
        assert law[n, 0] == pytest.approx(min(max(0.8 - share, 0), 1), abs=1e-14)


def test_window_average_treats_both_symbols_alike() -> None:
    law = window_average(ints(RANDOM), 2, width=5, p=0.4)
    swapped = window_average(1 - ints(RANDOM), 2, width=5, p=0.6)
    np.testing.assert_allclose(law, swapped[:, ::-1], atol=1e-15)


@pytest.mark.parametrize(("gamma", "alpha"), [(0.0, 1.0), (0.31, 0.5), (0.88, 1.0), (1.0, 2.0)])
@pytest.mark.parametrize("m", [2, 4])
def test_discounted_is_its_recursion(m: int, gamma: float, alpha: float) -> None:
    word = np.random.default_rng(8).integers(m, size=67)
    law = discounted(word, m, gamma, alpha=alpha)
    count = np.full(m, alpha)
    for n in range(68):
        np.testing.assert_allclose(law[n], count / count.sum(), rtol=1e-12)
        if n < 67:
            count = gamma * count + np.eye(m)[word[n]]


def test_without_discount_the_filter_is_dirichlet() -> None:
    np.testing.assert_allclose(discounted(ints(RANDOM), 2, 1.0), dirichlet(ints(RANDOM), 2, 1.0), rtol=1e-13)


def test_discounted_stays_a_law_when_the_past_underflows() -> None:
    law = discounted(np.array([0] * 3000 + [1] * 3000), 2, 0.3)
    np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize(("m", "a", "b"), [(2, 1, 1), (2, 3, 2), (4, 1, 2)])
def test_alternation_is_the_ratio_of_evidences(m: int, a: int, b: int) -> None:
    def evidence(word: Word) -> Fraction:
        """Uniform start; a Beta(a, b)-binomial for changes; the new symbol uniform among the others."""
        if not word:
            return Fraction(1)
        changes = sum(x != y for x, y in pairwise(word))
        stays = len(word) - 1 - changes
        lengthened = multinomial_evidence([a - 1 + changes, b - 1 + stays], Fraction(1))
        return (
            Fraction(1, m * (m - 1) ** changes)
            * lengthened
            / multinomial_evidence([a - 1, b - 1], Fraction(1))
        )

    for word in [(0, 0, 1, 1, 0, 1, 0, 1, 1), (0,), (0, 1) * 6]:
        assert_ratio_of_evidences(alternation(ints(word), m, a=a, b=b), word, evidence)


def test_alternation_gives_all_words_of_a_length_probability_one() -> None:
    total = 0.0
    for word in product(range(3), repeat=6):
        law = alternation(ints(word), 3, a=0.5, b=2.5)
        total += float(np.prod(law[np.arange(6), ints(word)]))
    assert total == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: window_average(ints("01"), 3, width=5), "n_symbols=3"),
        (lambda: window_average(ints("01"), 2, width=0), "width=0"),
        (lambda: window_average(ints("01"), 2, width=5, p=1.5), r"p=1\.5"),
        (lambda: discounted(ints("01"), 2, 1.1), r"gamma=1\.1"),
        (lambda: discounted(ints("01"), 2, float("nan")), "gamma=nan"),
        (lambda: discounted(ints("01"), 2, 0.5, alpha=0.0), r"alpha=0\.0"),
        (lambda: alternation(ints("01"), 2, a=0.0), r"alternation: a=0\.0"),
        (lambda: alternation(ints("01"), 2, b=float("inf")), "alternation: b=inf"),
    ],
)
def test_a_parameter_out_of_range_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        call()
