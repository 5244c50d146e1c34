"""The data law of the bundled model's recipe, recovered from what it draws."""

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.local_models.recipe import BOS
from harness.local_models.recipes import _laws as laws
from harness.local_models.recipes._icl_mixture_behaviour import additive
from harness.local_models.recipes.icl_mixture import KINDS, RECIPE, sample_batch
from harness.types import Ints


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def runs_of(row: Ints, period: int) -> bool:
    return bool(np.all(row[period:] == row[:-period]))


def test_a_batch_is_bos_and_symbols_of_one_kind_each() -> None:
    batch = sample_batch(rng(), 64)
    assert batch.tokens.shape == (64, RECIPE.positions)
    assert batch.mask.shape == (64, RECIPE.positions - 1)
    assert (batch.tokens[:, 0] == BOS).all()
    groups = {symbols for _, symbols, _ in KINDS}
    for row in batch.tokens[:, 1:] - 2:
        used = {RECIPE.symbols[i] for i in row}
        assert sum(used <= set(group) for group in groups) == 1


def test_the_symbols_of_different_kinds_are_apart() -> None:
    groups = sorted({symbols for _, symbols, _ in KINDS})
    for one, other in itertools.combinations(groups, 2):
        assert not set(one) & set(other)
    assert set(RECIPE.symbols) == set("".join(groups))
    assert len(set(RECIPE.symbols)) == len(RECIPE.symbols)


def test_the_shares_add_up_and_every_batch_holds_them() -> None:
    shares = [share for share, _, _ in KINDS]
    assert sum(shares) == pytest.approx(1)
    coins = np.isin(sample_batch(rng(3), 100).tokens[:, 1], [2, 3]).sum()
    assert abs(coins - 100 * shares[0]) <= 1  # systematic sampling: exact up to rounding


def test_the_same_seed_draws_the_same_batch() -> None:
    assert np.array_equal(sample_batch(rng(5), 32).tokens, sample_batch(rng(5), 32).tokens)
    assert not np.array_equal(sample_batch(rng(5), 32).tokens, sample_batch(rng(6), 32).tokens)


@pytest.mark.parametrize(("length", "count"), [(1, 2), (2, 2), (3, 6), (4, 12), (6, 54), (8, 240)])
def test_primitive_words_are_as_many_as_moebius_says(length: int, count: int) -> None:
    words = laws.primitive_words(length, 2)
    assert len(words) == count  # sum over d | n of mu(d) 2^(n/d)
    assert len(np.unique(words, axis=0)) == count


@pytest.mark.parametrize("period", range(1, 9))
def test_a_pattern_has_its_period_and_none_shorter(period: int) -> None:
    for row in laws.periodic(rng(period), 40, 64, [laws.primitive_words(period, 2)]):
        assert runs_of(row, period)
        assert not any(runs_of(row, d) for d in range(1, period))


@pytest.mark.parametrize("period", [2, 5, 8])
def test_letters_within_a_pattern_differ(period: int) -> None:
    for row in laws.periodic_distinct(rng(period), 40, 64, n_symbols=16, periods=(period, period)):
        assert runs_of(row, period)
        assert len(set(row[:period])) == period


def test_letter_periods_are_drawn_evenly() -> None:
    rows = laws.periodic_distinct(rng(1), 4000, 16, n_symbols=16, periods=(2, 8))
    counts = np.bincount([len(set(row)) for row in rows])[2:]
    # Fails for a right sampler once in a thousand seeds; this seed is fixed.
    assert stats.chisquare(counts).pvalue > 1e-3


def test_copies_repeat_their_string_at_irregular_distances() -> None:
    rows = laws.copies(rng(2), 50, 287, n_symbols=8, lengths=(20, 20), max_gap=16)
    for row in rows:
        words = ["".join(map(str, row[i : i + 20])) for i in range(268)]
        repeated, count = Counter(words).most_common(1)[0]
        assert count >= 287 // 36 - 1  # a round takes 20 to 36 symbols
        gaps = np.diff([i for i, word in enumerate(words) if word == repeated])
        assert gaps.min() >= 20
        assert len(set(gaps.tolist())) > 1


def test_coin_probabilities_are_uniform() -> None:
    heads = laws.iid(rng(4), 2000, 400, n_symbols=2, concentration=1.0).mean(axis=1)
    # 400 draws blur p by at most .025, far below what this test resolves at 2000 (KS distance .04).
    assert stats.kstest(heads, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("n_symbols", "concentration"), [(2, 0.5), (16, 0.5), (2, 1.0)])
def test_the_additive_rule_is_calibrated_under_its_own_law(n_symbols: int, concentration: float) -> None:
    sequences = laws.iid(rng(6), 20_000, 12, n_symbols=n_symbols, concentration=concentration)
    predicted = additive(sequences, n_symbols, concentration)[:, -1, 0]
    happened = sequences[:, -1] == 0
    # Three standard errors of a mean of 20 000: below .011.
    for low, high in ((0, 0.2), (0.2, 0.6), (0.6, 1)):
        inside = (predicted > low) & (predicted <= high)
        if inside.sum() > 200:
            error = 3.5 * np.sqrt(predicted[inside].mean() / inside.sum())
            assert happened[inside].mean() == pytest.approx(predicted[inside].mean(), abs=error)


def test_markov_rows_differ_between_sequences_and_hold_within() -> None:
    rows = laws.markov(rng(7), 300, 2000, n_symbols=2)
    first, second = rows[:, :1000], rows[:, 1000:]

    def after_zero(x: Ints) -> np.ndarray:
        zero = x[:, :-1] == 0
        return np.array([r[1:][z].mean() if z.sum() > 50 else np.nan for r, z in zip(x, zero, strict=True)])

    early, late = after_zero(first), after_zero(second)
    both = ~np.isnan(early) & ~np.isnan(late)
    assert np.corrcoef(early[both], late[both])[0, 1] > 0.95
    assert np.std(early[both]) > 0.2  # uniform rows: .289


def test_automata_are_neither_constant_nor_all_alike() -> None:
    rows = laws.automata(rng(8), 400, 200, n_symbols=2, max_states=4)
    rate = rows.mean(axis=1)
    assert 0.2 < np.std(rate) < 0.45
    assert np.mean((rate > 0) & (rate < 1)) > 0.8
