from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from harness.cognitive import (
    Alternation,
    DiscountedFilter,
    Markov,
    RepeatMixture,
    WindowAverage,
    bernoulli,
    generated,
)
from harness.cognitive.fitting import log_likelihoods, simulate
from harness.errors import SpecError
from harness.prompts.observers.window import discounted, window_average
from tests.cognitive.models import CASES, CONCEPTS, FIVE, flips, law_of


def ints(*words: str) -> np.ndarray:
    return np.array([[int(c) for c in word] for word in words])


@pytest.mark.parametrize("name", CASES)
def test_all_words_of_a_length_have_probability_one(name: str) -> None:
    words = np.array(list(product(range(2), repeat=8)))
    model, values = CASES[name]
    total = np.exp(log_likelihoods(model, np.array(values), generated(words, 2, given=0))).sum()
    assert total == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_no_row_sees_the_symbol_it_predicts(name: str) -> None:
    symbols = flips(1, (20, 12))
    law = law_of(name, symbols)
    for n in range(12):
        changed = symbols.copy()
        changed[:, n:] = 1 - changed[:, n:]
        np.testing.assert_array_equal(law_of(name, changed)[:, : n + 1], law[:, : n + 1])


def test_bernoulli_is_the_probability_of_the_sequence_and_not_of_its_count() -> None:
    behaviour = generated(ints("0010110"), 2, given=0)
    likelihood = np.exp(log_likelihoods(bernoulli(), np.array([0.4]), behaviour))[0]
    assert likelihood == pytest.approx(float(Fraction(2, 5) ** 4 * Fraction(3, 5) ** 3), rel=1e-13)


@pytest.mark.parametrize("width", [1, 5, 10])
@pytest.mark.parametrize("p", [0.5, 0.35])
def test_window_average_without_lapses_is_the_observer(width: int, p: float) -> None:
    symbols = flips(2, (5, 40))
    law = WindowAverage().bind(symbols)(np.array([width, p, 0.0]))
    expected = [window_average(row, 2, width=width, p=p) for row in symbols]
    np.testing.assert_allclose(law, expected, atol=1e-14)


def test_lapses_are_uniform() -> None:
    law = WindowAverage().bind(ints("000001"))(np.array([5, 0.5, 0.2]))[0]
    assert law[5, 0] == pytest.approx(0.8 * 0 + 0.1)
    assert law[6, 0] == pytest.approx(0.8 * 0.2 + 0.1)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.88, 1.0])
def test_the_filter_with_an_even_prior_is_the_observer(gamma: float) -> None:
    symbols = flips(3, (5, 60))
    law = DiscountedFilter().bind(symbols)(np.array([gamma, 1.5, 1.5, 0.0]))
    expected = [discounted(row, 2, gamma, alpha=1.5) for row in symbols]
    np.testing.assert_allclose(law, expected, rtol=1e-12, atol=1e-300)


def test_the_filter_is_its_recursion() -> None:
    symbols = flips(4, (1, 30))
    law = DiscountedFilter().bind(symbols)(np.array([0.7, 3.0, 1.0, 0.1]))[0]
    count = np.array([3.0, 1.0])
    for n in range(31):
        np.testing.assert_allclose(law[n], 0.9 * count / count.sum() + 0.05, rtol=1e-12)
        if n < 30:
            count = 0.7 * count + np.eye(2)[symbols[0, n]]


def test_the_alternation_chain_is_its_formula() -> None:
    p0, a = Fraction(3, 5), Fraction(7, 10)
    to_one = a * (1 - p0) / ((1 - a) * p0 + a * (1 - p0))
    to_zero = a * p0 / (a * p0 + (1 - a) * (1 - p0))
    assert (to_one, to_zero) == (Fraction(14, 23), Fraction(7, 9))
    law = Alternation().bind(ints("01"))(np.array([0.6, 0.7]))[0]
    np.testing.assert_allclose(law[:, 0], [0.6, float(1 - to_one), float(to_zero)], rtol=1e-14)


def test_without_a_bias_to_alternate_the_chain_is_a_coin() -> None:
    symbols = flips(5, (3, 20))
    np.testing.assert_allclose(
        Alternation().bind(symbols)(np.array([0.3, 0.5])),
        bernoulli().bind(symbols)(np.array([0.3])),
        rtol=1e-14,
    )


@pytest.mark.parametrize(("order", "m"), [(0, 3), (1, 2), (2, 3), (4, 2)])
def test_a_markov_chain_is_its_table(order: int, m: int) -> None:
    rng = np.random.default_rng(6)
    rows = rng.dirichlet([1] * m, size=m**order)
    table = dict(zip(product(range(m), repeat=order), rows, strict=True))
    word = rng.integers(m, size=30)
    law = Markov(order, m).bind(word[None])(rows[:, :-1].ravel())[0]
    for n in range(31):
        expected = table[tuple(word[n - order : n].tolist())] if n >= order else np.full(m, 1 / m)
        np.testing.assert_allclose(law[n], expected, atol=1e-14)


def test_markov_parameters_are_named_by_their_context() -> None:
    assert [p.name for p in Markov(2).parameters] == ["p(0|00)", "p(0|01)", "p(0|10)", "p(0|11)"]
    assert [p.name for p in bernoulli(3).parameters] == ["p(0)", "p(1)"]


def averaged(
    word: tuple[int, ...], concepts: tuple[tuple[int, ...], ...], p: Fraction, prior: Fraction
) -> Fraction:
    """P(word) under the mixture, by enumeration of hypotheses."""
    coin = p ** word.count(0) * (1 - p) ** word.count(1)
    total = prior * coin
    for c in concepts:
        rotations = {c[r:] + c[:r] for r in range(len(c))}
        fit = sum((r * len(word))[: len(word)] == word for r in rotations)
        total += (1 - prior) / len(concepts) * Fraction(fit, len(rotations))
    return total


@pytest.mark.parametrize("concepts", [CONCEPTS, ((0, 1),), ((0,), (0, 1, 1), (0, 0, 1, 1))])
@pytest.mark.parametrize("word", ["", "0110110", "0011", "0000", "01101100110", "1111011"])
def test_averaging_is_the_ratio_of_evidences(concepts: tuple[tuple[int, ...], ...], word: str) -> None:
    x, p, prior = tuple(map(int, word)), Fraction(2, 5), Fraction(9, 10)
    model = RepeatMixture(concepts, "average")
    law = model.bind(np.array([x], np.int64).reshape(1, -1))(np.array([0.4, 0.9, 0.0]))[0]
    for n in range(len(x) + 1):
        expected = averaged((*x[:n], 0), concepts, p, prior) / averaged(x[:n], concepts, p, prior)
        assert law[n, 0] == pytest.approx(float(expected), rel=1e-12)


def test_with_the_likelihood_of_the_sequence_the_concept_wins_at_four_symbols() -> None:
    # prior .75 on a fair coin, .25 on 011 in three phases: .75 / 2^n < .25 / 3 from n = 4 on. With the
    # probability of the count in place of the sequence it is 51 or so: the published figure's crossover.
    law = RepeatMixture(CONCEPTS, "map").bind(ints("011011011"))(np.array([0.5, 0.75, 0.0]))[0]
    assert [n for n in range(10) if law[n].max() == 1] == list(range(4, 10))
    assert law[4:].argmax(axis=1).tolist() == [1, 1, 0, 1, 1, 0]


def test_tempered_selection_lies_between_averaging_and_map() -> None:
    symbols = np.concatenate([ints("011011011011"), flips(7, (20, 12))])
    values = [0.45, 0.8, 0.02]
    average, chosen = (RepeatMixture(CONCEPTS, s).bind(symbols)(np.array(values)) for s in ("average", "map"))
    tempered = RepeatMixture(CONCEPTS, "tempered").bind(symbols)
    np.testing.assert_allclose(tempered(np.array([*values, 1.0])), average, rtol=1e-12)
    np.testing.assert_allclose(tempered(np.array([*values, 1e5])), chosen, atol=1e-12)


def test_a_contradicted_concept_is_out_for_good() -> None:
    word = "0" * 3 + "011" * 10
    law = RepeatMixture(CONCEPTS, "average").bind(ints(word))(np.array([0.4, 0.1, 0.0]))[0]
    np.testing.assert_allclose(law[3:, 0], 0.4, rtol=1e-12)


@pytest.mark.parametrize("name", ["alternation", "window 5", "markov 3", "tempered"])
def test_simulated_symbols_follow_the_law(name: str) -> None:
    # the sum of hit - p is a martingale with variance sum of p (1 - p)
    model, values = CASES[name]
    symbols = simulate(
        model, np.array(values), begin=np.zeros((300, 1), np.int64), length=30, rng=np.random.default_rng(8)
    )
    law = law_of(name, symbols)[:, 1:30]
    zero = law[..., 0]
    for bin_ in (zero < 0.4, (zero >= 0.4) & (zero < 0.6), zero >= 0.6):
        surprise = ((symbols[:, 1:] == 0) - zero)[bin_].sum()
        assert abs(surprise) <= FIVE * np.sqrt((zero * (1 - zero))[bin_].sum())


def test_the_long_run_share_of_the_chain_is_p0_only_without_a_bias() -> None:
    p0, a = 0.6, 0.7
    law = Alternation().bind(ints("01"))(np.array([p0, a]))[0]
    to_one, to_zero = law[1, 1], law[2, 0]
    assert to_zero / (to_zero + to_one) == pytest.approx(0.561, abs=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Markov(-1), "order=-1"),
        (lambda: Markov(17), "order=17"),
        (lambda: Markov(1, 1), "n_symbols=1"),
        (lambda: WindowAverage(()), r"widths=\(\)"),
        (lambda: WindowAverage((0, 5)), r"widths=\(0, 5\)"),
        (lambda: RepeatMixture((), "map"), r"concepts=\(\)"),
        (lambda: RepeatMixture(((0, 2),), "map"), "words of 0 and 1"),
        (lambda: RepeatMixture(((0, 1), (1, 0)), "map"), "twice"),
        (lambda: RepeatMixture(((0, 1), (0, 1, 0, 1)), "map"), "twice"),
        (lambda: RepeatMixture(((0, 1),), "best"), "selection='best'"),  # type: ignore[arg-type]
    ],
)
def test_a_setting_out_of_range_is_named(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(SpecError, match=message):
        make()
