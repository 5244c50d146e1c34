from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy import stats

from harness.cognitive import WindowAverage, gamblers_fallacy, generated, predicted, reversals, simulate
from harness.errors import SpecError
from tests.cognitive.models import FIVE, RARE, flips, law_of

HAND = np.array([[0, 0, 1, 1, 1, 0, 1, 0, 0, 0]])  # runs 2, 3, 1, 1, 3; the last one is not broken


def test_reversals_count_what_follows_runs_of_exactly_one_length() -> None:
    found = reversals(generated(HAND, 2, given=0), max_run=4)
    assert found.n_scored.tolist() == [5, 3, 1, 0]
    np.testing.assert_allclose(found.rate, [2 / 5, 1 / 3, 1, np.nan])


def test_reversals_of_given_symbols_are_not_counted_but_their_runs_are() -> None:
    found = reversals(generated(HAND, 2, given=2), max_run=2)
    assert found.n_scored.tolist() == [4, 3]
    np.testing.assert_allclose(found.rate, [2 / 4, 1 / 3])


def test_reversals_of_predicted_laws_are_mean_probabilities() -> None:
    symbols = flips(1, (30, 25))
    law = law_of("markov 3", symbols)
    found = reversals(predicted(symbols, law, given=0), max_run=3)
    by_run: dict[int, list[float]] = {1: [], 2: [], 3: []}
    for row, rows in zip(symbols.tolist(), law, strict=True):
        for n in range(1, 26):
            run = next((r for r in range(1, n) if row[n - 1 - r] != row[n - 1]), n)
            if run <= 3:
                by_run[run].append(rows[n, 1 - row[n - 1]])
    np.testing.assert_allclose(found.rate, [np.mean(by_run[r]) for r in (1, 2, 3)], rtol=1e-12)


def test_a_markov_chain_reverses_at_its_own_rates() -> None:
    # an order-2 chain that breaks a run of one with probability .4 and a longer one with .8
    rng, symbols = np.random.default_rng(3), flips(2, (400, 2))
    while symbols.shape[1] < 30:
        breaks = rng.random(400) < np.where(symbols[:, -2] == symbols[:, -1], 0.8, 0.4)
        symbols = np.column_stack([symbols, np.where(breaks, 1 - symbols[:, -1], symbols[:, -1])])
    found = reversals(generated(symbols, 2, given=2), max_run=3)
    for rate, error, expected in zip(found.rate, found.standard_error, [0.4, 0.8, 0.8], strict=True):
        assert abs(rate - expected) < FIVE * error


def test_the_null_is_that_of_all_orders() -> None:
    # all 7!/(3! 4!) orders of one sequence, by brute force; 20,000 shuffles have a relative error below 1 %
    word = (0, 0, 0, 1, 1, 1, 1)
    orders = sorted(set(permutations(word)))
    wander, changes, after = [], [], Counter[str]()
    for order in orders:
        means = [sum(order[: t + 1]) / (t + 1) for t in range(7)]
        wander.append(float(np.std(means)))
        changes.append(sum(a != b for a, b in pairwise(order)))
        for n in range(1, 7):
            if n == 1 or order[n - 2] != order[n - 1]:
                after["runs"] += 1
                after["broken"] += order[n] != order[n - 1]
    found = gamblers_fallacy(np.array([word]), max_run=1, shuffles=20_000, rng=np.random.default_rng(4))
    assert found.alternation == pytest.approx(1 / 6)
    assert found.alternation_expected == pytest.approx(np.mean(changes) / 6, rel=0.02)
    assert np.mean(changes) / 6 == pytest.approx(2 * 3 * 4 / (7 * 6))
    assert found.wander_expected == pytest.approx(np.mean(wander), rel=0.02)
    assert found.wander == pytest.approx(wander[orders.index(word)])
    assert found.alternation_p == 1
    as_little = np.mean(np.array(wander) <= found.wander + 1e-12)
    assert found.wander_p == pytest.approx(as_little, abs=FIVE * 0.5 / 20_000**0.5)


def test_coins_of_any_bias_rarely_show_the_fallacy() -> None:
    # p <= .1 in at most a tenth of coins, give or take what 120 of them allow with odds 1e-6
    rng, seen = np.random.default_rng(5), []
    for _ in range(120):
        bias = rng.uniform(0.2, 0.8, size=(8, 1))
        coins = (rng.random((8, 20)) > bias).astype(np.int64)
        found = gamblers_fallacy(coins, max_run=1, shuffles=99, rng=rng)
        seen.append([found.alternation_p, found.wander_p, found.reversal_p[0]])
    assert (np.sum(np.array(seen) <= 0.1, axis=0) <= stats.binom.isf(RARE, 120, 0.1)).all()


def test_evening_out_within_a_window_shows_in_every_statistic() -> None:
    rng = np.random.default_rng(6)
    symbols = simulate(WindowAverage(), np.array([5, 0.5, 0.1]), begin=flips(7, (60, 1)), length=40, rng=rng)
    found = gamblers_fallacy(symbols, max_run=3, shuffles=500, rng=rng)
    assert found.alternation > found.alternation_expected
    assert found.wander < found.wander_expected
    assert (found.reversal > found.reversal_expected).all()
    # after a run of one the window is even: that reversal is as good as chance
    assert [found.alternation_p, found.wander_p, *found.reversal_p[1:]] == [1 / 501] * 4


def test_sticky_flips_show_the_opposite() -> None:
    rng = np.random.default_rng(8)
    switch = rng.random((40, 40)) < 0.3
    found = gamblers_fallacy(np.cumsum(switch, axis=1) % 2, max_run=2, shuffles=200, rng=rng)
    assert min(found.alternation_p, found.wander_p, *found.reversal_p) > 0.9


def test_sequences_that_ended_early_count_as_far_as_they_go() -> None:
    symbols = flips(9, (6, 20))
    padded = np.pad(symbols, ((0, 0), (0, 7)), constant_values=-1)
    one, other = (
        gamblers_fallacy(s, max_run=2, shuffles=50, rng=np.random.default_rng(10)) for s in (symbols, padded)
    )
    assert (one.alternation, one.wander_expected) == (other.alternation, other.wander_expected)


@pytest.mark.parametrize(
    ("symbols", "max_run", "shuffles", "message"),
    [
        (HAND, 0, 10, "max_run=0"),
        (HAND, 1, 0, "shuffles=0"),
        (HAND + 1, 1, 10, "0 or 1"),
        (HAND[0], 1, 10, "shape"),
        (HAND[:, :1], 1, 10, "two flips"),
    ],
)
def test_flips_that_cannot_be_tested_are_named(
    symbols: np.ndarray, max_run: int, shuffles: int, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        gamblers_fallacy(symbols, max_run=max_run, shuffles=shuffles, rng=np.random.default_rng(11))
