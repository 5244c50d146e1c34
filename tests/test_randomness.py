"""Statistics beside an ideal generator's: its means against exact laws, its p-values against its own draws."""

from math import comb

import numpy as np
import pytest

from harness.prompts.statistics import expected_longest_run, runs_law
from harness.randomness import compare_with_ideal
from harness.types import Floats, GenerationStatistic, Ints

FAIR = np.array([0.5, 0.5])


def drawn(law: Floats, lengths: list[int], rng: np.random.Generator) -> list[Ints]:
    return [rng.choice(len(law), p=law, size=n) for n in lengths]


def by_name(found: tuple[GenerationStatistic, ...]) -> dict[str, GenerationStatistic]:
    return {s.name: s for s in found}


def compared(sequences: list[Ints], law: Floats = FAIR) -> dict[str, GenerationStatistic]:
    return by_name(compare_with_ideal(sequences, law, [f"s{i}" for i in range(len(law))]))


@pytest.mark.parametrize("law", [FAIR, np.array([0.8, 0.2]), np.array([0.5, 0.3, 0.2])])
def test_the_ideal_generator_has_the_exact_means_of_independent_symbols(law: Floats) -> None:
    """600 ideal sequences of 60 symbols: the tolerance is 4 standard errors, passed 1 time in 16,000 by chance."""
    found = compared(drawn(law, [60] * 8, np.random.default_rng(1)), law)
    for i, p in enumerate(law if len(law) > 2 else law[:1]):
        error = (p * (1 - p) / 60 / 600) ** 0.5
        assert found[f"share of s{i}"].ideal == pytest.approx(p, abs=4 * error)
    change = 1 - float(np.sum(law**2))
    assert found["alternation rate"].ideal == pytest.approx(change, abs=4 * 0.09 / 600**0.5)
    assert found["runs"].ideal == pytest.approx(1 + 59 * change, abs=4 * 5.2 / 600**0.5)


def test_runs_of_a_fair_coin_agree_with_their_exact_laws() -> None:
    found = compared(drawn(FAIR, [40] * 6, np.random.default_rng(2)))
    mean = float(sum(r * p for r, p in enumerate(runs_law(40))))
    assert found["runs"].ideal == pytest.approx(mean, abs=4 * 39**0.5 / 2 / 600**0.5)
    assert found["longest run"].ideal == pytest.approx(
        float(expected_longest_run(40)), abs=4 * 1.8 / 600**0.5
    )


def test_the_middle_of_an_ideal_mean_is_that_of_the_binomial() -> None:
    """10 x 50 fair flips: the share of heads is binomial, whose exact 2.5 and 97.5 % points are 0.456 and 0.544."""
    found = compared(drawn(FAIR, [50] * 10, np.random.default_rng(3)))["share of s0"]
    cumulative = np.cumsum([comb(500, k) / 2**500 for k in range(501)])
    low, high = np.searchsorted(cumulative, [0.025, 0.975]) / 500
    assert (found.ideal_low, found.ideal_high) == pytest.approx((low, high), abs=0.006)


def test_an_ideal_generator_is_found_different_as_often_as_p_says() -> None:
    """150 ideal generators, 6 sequences of 30 each: p < 0.1 in 10 % of them.

    Fewer where a statistic takes few values. Of a binomial with 150 and 0.1 one in 1,000 is above 27; for nine
    statistics 29 is passed with odds of about 1 in 300.
    """
    rng = np.random.default_rng(4)
    law, count = np.array([0.6, 0.4]), dict.fromkeys(compared(drawn(FAIR, [9] * 2, rng)), 0)
    for _ in range(150):
        for name, s in compared(drawn(law, [30] * 6, rng), law).items():
            count[name] += s.p < 0.1
    assert max(count.values()) <= 29, count
    assert min(count.values()) >= 2, count


def test_texts_of_different_lengths_are_held_against_the_same_lengths() -> None:
    rng = np.random.default_rng(5)
    lengths = [3, 20, 20, 60, 60, 60, 0]
    found = compared(drawn(FAIR, lengths, rng))
    ideal = sum((1 + (n - 1) / 2) for n in lengths if n) / 6
    assert found["runs"].ideal == pytest.approx(ideal, abs=0.6)
    assert all(s.p > 0.001 for s in found.values())


def test_symbols_that_change_too_often_are_found_where_it_shows() -> None:
    rng = np.random.default_rng(6)
    change = [(rng.random(100) < 0.7).astype(np.int64) for _ in range(12)]
    found = compared([np.cumsum(c) % 2 for c in change])
    assert found["alternation rate"].p < 0.001
    assert found["alternation rate"].low < 0.7 < found["alternation rate"].high
    assert found["alternation rate"].ideal_high < 0.6
    assert found["longest run"].p < 0.01
    assert found["longest run"].mean < found["longest run"].ideal


@pytest.mark.parametrize(("each", "wider"), [("own bias", True), ("evened out", False)])
def test_a_spread_that_is_not_chance_is_found_whatever_the_mean(each: str, wider: bool) -> None:
    rng = np.random.default_rng(7)
    if each == "own bias":
        sequences = [(rng.random(60) < rng.beta(2, 2)).astype(np.int64) for _ in range(20)]
    else:
        sequences = [rng.permutation(np.arange(60) % 2) for _ in range(20)]
    spread = compared(sequences)["spread of share of s0 (SD)"]
    assert spread.p < 0.001
    assert (spread.mean > spread.ideal_high) == wider
    assert spread.ideal == pytest.approx((0.25 / 60) ** 0.5, rel=0.05)


def test_the_same_sequences_give_the_same_numbers() -> None:
    sequences = drawn(FAIR, [25] * 5, np.random.default_rng(8))
    assert compared(sequences) == compared(sequences)


def test_what_is_too_short_for_a_statistic_has_none() -> None:
    found = compared([np.array([0]), np.array([1])])
    assert np.isnan(found["alternation rate"].mean)
    assert np.isnan(found["entropy of pairs (bits)"].p)
    assert found["runs"].mean == 1
    assert all(np.isnan(s.mean) for s in compared([np.array([], dtype=np.int64)]).values())
