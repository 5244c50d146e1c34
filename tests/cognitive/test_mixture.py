import numpy as np
import pytest
from scipy import stats

from harness.cognitive import Mixture, leader_switch, mixture_weights
from harness.errors import SpecError
from harness.prompts.observers import kt, markov, period
from harness.types import Floats
from tests.cognitive.models import RARE, flips

LENGTHS = np.arange(1, 41)


def observer_bank(seed: int, *, n_sequences: int = 40) -> dict[str, Floats]:
    """Real observers along random flips, at 1..40 symbols of context."""
    symbols = flips(seed, (n_sequences, 40))
    laws = {
        "kt": [kt(row, 2) for row in symbols],
        "markov": [markov(row, 2, order=2, alpha=0.5) for row in symbols],
        "period": [period(row, 2, max_period=8, prior_random=0.5, distinct=False) for row in symbols],
    }
    return {name: np.array(rows)[:, LENGTHS] for name, rows in laws.items()}


def combined(bank: dict[str, Floats], weights: Floats) -> Floats:
    """Weights (n_lengths, n_observers)."""
    return np.asarray(np.einsum("slak,lk->sla", np.stack(list(bank.values()), axis=-1), weights))


def drawn(law: Floats, rng: np.random.Generator) -> Floats:
    """One symbol from each row, as a law of its own: what is seen of a model that only generates."""
    zero = rng.random(law.shape[:2]) < law[..., 0]
    return np.stack([zero, ~zero], axis=-1).astype(np.float64)


def mixed(law: Floats, bank: dict[str, Floats], seed: int, *, draws: int = 60) -> Mixture:
    return mixture_weights(
        law, bank, context_lengths=LENGTHS[: law.shape[1]], rng=np.random.default_rng(seed), draws=draws
    )


def random_bank(rng: np.random.Generator, *, n_sequences: int, n_lengths: int) -> dict[str, Floats]:
    return {name: rng.dirichlet([1, 1], size=(n_sequences, n_lengths)) for name in "ab"}


def test_a_known_mixture_is_recovered_at_every_length() -> None:
    rng = np.random.default_rng(1)
    bank = observer_bank(2)
    truth = rng.dirichlet([0.7, 0.7, 0.7], size=40)
    found = mixed(combined(bank, truth), bank, 3)
    known = np.all(found.determined, axis=1)
    assert known[5:].all()
    # a divergence within 1e-12 of 0 puts weights within sqrt(2e-12 / curvature); observers differ by .1 or so
    np.testing.assert_allclose(found.weights[known], truth[known], atol=1e-4)
    assert np.abs(found.divergence).max() < 1e-9
    assert found.gap.max() <= 1e-12


def test_divergences_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(4)
    bank = random_bank(rng, n_sequences=30, n_lengths=3)
    law = rng.dirichlet([1, 1], size=(30, 3))
    found = mixed(law, bank, 5)
    for i in range(3):
        for k, name in enumerate("ab"):
            expected = np.mean(
                [stats.entropy(p, q) for p, q in zip(law[:, i], bank[name][:, i], strict=True)]
            )
            assert found.alone[i, k] == pytest.approx(expected, rel=1e-12)
    assert (found.divergence <= found.alone.min(axis=1)).all()


def test_intervals_cover_known_weights_when_symbols_are_drawn() -> None:
    # percentile intervals of 50 to 60 sequences, nominally 95 %, were measured to cover 91-93 %
    rng, covered = np.random.default_rng(6), []
    truth = np.tile([0.7, 0.3], (3, 1))
    for i in range(25):
        bank = random_bank(rng, n_sequences=60, n_lengths=3)
        found = mixed(drawn(combined(bank, truth), rng), bank, i, draws=80)
        covered += ((found.low <= truth) & (truth <= found.high))[:, 0].tolist()
    assert sum(covered) >= stats.binom.ppf(RARE, 75, 0.91)


def test_whole_sequences_are_resampled() -> None:
    # two kinds of sequence, each of one observer at all lengths: the weight is the share of the one kind drawn,
    # the same at every length
    rng = np.random.default_rng(7)
    hit, miss = np.tile([0.99, 0.01], (40, 6, 1)), np.tile([0.01, 0.99], (40, 6, 1))
    law = np.where((np.arange(40) < 20)[:, None, None], hit, miss)
    found = mixture_weights(law, {"a": hit, "b": miss}, context_lengths=np.arange(6), rng=rng, draws=200)
    np.testing.assert_allclose(found.resampled - found.resampled[:, :1], 0, atol=1e-3)
    assert found.resampled[:, 0, 0].std() == pytest.approx((0.25 / 40) ** 0.5, rel=0.25)


def test_observers_that_say_the_same_have_no_weight_of_their_own() -> None:
    bank = observer_bank(8)
    bank["kt again"] = bank["kt"].copy()
    found = mixed(bank["kt"], bank, 9)
    assert not found.determined[10:, [0, 3]].any()
    assert found.determined[10:, [1, 2]].all()
    assert (found.low[10:, 0] == 0).all()
    assert (found.high[10:, 0] == 1).all()
    np.testing.assert_allclose(found.weights[10:, [0, 3]], 0.5, atol=1e-4)


def test_rows_that_were_not_measured_do_not_count() -> None:
    rng = np.random.default_rng(10)
    bank = random_bank(rng, n_sequences=30, n_lengths=2)
    law = rng.dirichlet([1, 1], size=(30, 2))
    law[20:, 1] = np.nan
    found = mixed(law, bank, 11)
    alone = mixed(law[:20], {name: rows[:20] for name, rows in bank.items()}, 11)
    assert found.weights[1] == pytest.approx(alone.weights[1], abs=1e-6)
    assert found.divergence[1] == pytest.approx(alone.divergence[1], rel=1e-9)


def test_one_observer_has_all_the_weight() -> None:
    rng = np.random.default_rng(12)
    found = mixed(rng.dirichlet([1, 1], size=(5, 2)), {"a": rng.dirichlet([1, 1], size=(5, 2))}, 13)
    assert found.weights.tolist() == [[1], [1]]
    assert leader_switch(found) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda law, bank: (law[0], bank), "n_sequences, n_lengths"),
        (lambda law, _: (law, {}), "no observer"),
        (lambda law, bank: (law, bank | {"b": bank["b"][:, :1]}), "observer 'b' has shape"),
        (lambda law, bank: (law + 0.1, bank), "model_law: every row"),
        (lambda law, bank: (law, bank | {"b": bank["b"] * 2}), "observer 'b': every row"),
        (lambda law, bank: (law, bank | {"b": bank["b"] * np.nan}), "no law at 10 rows"),
        (lambda law, bank: (law * [[[1], [np.nan]]], bank), "length 2: no sequence was measured"),
        (
            lambda law, _: (law, dict.fromkeys("ab", np.tile([1.0, 0.0], (5, 2, 1)))),
            "every observer excludes",
        ),
    ],
)
def test_what_cannot_be_mixed_is_named(change: object, message: str) -> None:
    rng = np.random.default_rng(14)
    assert callable(change)
    bank = random_bank(rng, n_sequences=5, n_lengths=2)
    law, bank = change(rng.dirichlet([1, 1], size=(5, 2)), bank)
    with pytest.raises(SpecError, match=message):
        mixture_weights(law, bank, context_lengths=np.array([1, 2]), rng=rng)


def handover(at: float, width: float) -> Floats:
    """Weights of kt, markov and period where period takes over from kt at one length; markov keeps a tenth."""
    late = 0.9 / (1 + np.exp(-(LENGTHS - at) / width))
    return np.stack([0.9 - late, np.full(40, 0.1), late], axis=1)


@pytest.mark.parametrize(("at", "width"), [(20.0, 3.0), (12.3, 0.5), (30.0, 1.0)])
def test_a_known_switch_is_located(at: float, width: float) -> None:
    bank = observer_bank(20)
    switch = leader_switch(mixed(combined(bank, handover(at, width)), bank, 21))
    assert switch is not None
    assert (switch.before, switch.after) == ("kt", "period")
    assert switch.location == pytest.approx(at, abs=0.3)  # straight lines between lengths
    assert switch.agreement == 1


def test_the_interval_of_a_switch_covers_it_when_symbols_are_drawn() -> None:
    rng, covered, n = np.random.default_rng(22), 0, 6
    weights = handover(6.5, 1)[:12, [0, 2]] + 0.05
    for i in range(n):
        bank = random_bank(rng, n_sequences=100, n_lengths=12)
        switch = leader_switch(mixed(drawn(combined(bank, weights), rng), bank, i, draws=40))
        assert switch is not None
        assert (switch.before, switch.after) == ("a", "b")
        covered += switch.low <= 6.5 <= switch.high
    assert covered >= stats.binom.ppf(RARE, n, 0.9)  # nominally 0.95


def test_one_leader_throughout_is_no_switch() -> None:
    bank = observer_bank(23)
    assert leader_switch(mixed(combined(bank, np.tile([0.6, 0.3, 0.1], (40, 1))), bank, 24)) is None


def test_equal_weights_rarely_pass_for_a_switch() -> None:
    # measured: 7 in 300 with equal weights, 6 in 100 with .55 and .45
    rng, found, n = np.random.default_rng(25), 0, 20
    for i in range(n):
        bank = random_bank(rng, n_sequences=30, n_lengths=5)
        law = drawn(combined(bank, np.full((5, 2), 0.5)), rng)
        found += leader_switch(mixed(law, bank, i, draws=40)) is not None
    assert found <= stats.binom.isf(RARE, n, 0.06)


def test_lengths_where_observers_coincide_do_not_make_a_switch() -> None:
    rng = np.random.default_rng(26)
    bank = random_bank(rng, n_sequences=40, n_lengths=6)
    bank["a"][:, :3] = bank["b"][:, :3]
    found = mixed(combined(bank, np.tile([0.2, 0.8], (6, 1))), bank, 27)
    assert not found.determined[:3].any()
    assert leader_switch(found) is None
