import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from tests.prompts.families.calibration import standard_score

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
CHANGING = load_family("changing_bias")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def test_the_coin_of_gupta_et_al_changes_at_flip_50_of_100() -> None:
    rng = philox(1)
    sequences = [CHANGING.sample(100, rng, biases=(0.75, 0.25), changes=(50,)) for _ in range(50)]
    for sequence in sequences:
        assert (sequence.law[:50, 0] == 0.75).all()
        assert (sequence.law[50:, 0] == 0.25).all()
    heads = np.array([sequence.symbols == 0 for sequence in sequences])
    assert stats.binomtest(int(heads[:, :50].sum()), 2500, 0.75).pvalue > RARE
    assert stats.binomtest(int(heads[:, 50:].sum()), 2500, 0.25).pvalue > RARE
    believed = {
        name: np.mean([s.observers[name][99, 0] for s in sequences]) for name in ("change_point", "kt")
    }
    assert believed["change_point"] < 0.35
    assert believed["kt"] > 0.45


def test_changes_come_with_the_hazard_and_each_bias_is_uniform() -> None:
    sequence = CHANGING.sample(4000, philox(2), hazard=0.1)
    bias = sequence.law[:, 0]
    changes = np.flatnonzero(np.diff(bias)) + 1
    assert stats.binomtest(changes.size, 4000, 0.1).pvalue > RARE
    lengths = np.minimum(np.diff(changes), 20)
    law = stats.geom(0.1)
    expected = np.array([*law.pmf(np.arange(1, 20)), law.sf(19)]) * lengths.size
    assert stats.chisquare(np.bincount(lengths, minlength=21)[1:], expected).pvalue > RARE
    assert stats.kstest(bias[changes], "uniform").pvalue > RARE


def test_flips_follow_the_law() -> None:
    sequence = CHANGING.sample(4000, philox(3), hazard=0.1)
    p = sequence.law[:4000, 0]
    weight = np.sign(p - 0.5)  # too bold and too timid must not cancel
    surprise = float((weight * ((sequence.symbols == 0) - p)).sum())
    assert abs(surprise) / float((p * (1 - p)).sum()) ** 0.5 < RARE_SCORE


def test_listed_biases_are_taken_in_turn() -> None:
    bias = CHANGING.sample(400, philox(4), hazard=0.1, biases=(0.9, 0.5, 0.1)).law[:, 0]
    stretches = bias[np.concatenate([[0], np.flatnonzero(np.diff(bias)) + 1])]
    assert stretches.size > 10
    assert stretches.tolist() == [(0.9, 0.5, 0.1)[i % 3] for i in range(stretches.size)]


@pytest.mark.parametrize("changes", [(1,), (1, 2, 3), (10, 60)])
def test_a_listed_change_is_the_first_flip_under_the_new_bias(changes: tuple[int, ...]) -> None:
    bias = CHANGING.sample(70, philox(5), changes=changes).law[:, 0]
    assert (np.flatnonzero(np.diff(bias)) + 1).tolist() == list(changes)


def test_the_ideal_observer_is_calibrated_under_its_own_prior() -> None:
    rng = philox(6)
    score = standard_score(CHANGING.sample(60, rng, hazard=0.05) for _ in range(150))
    assert abs(score) < RARE_SCORE


def test_the_concept_says_the_biases_and_the_changes() -> None:
    given = CHANGING.sample(1, philox(7), biases=(0.75, 0.25), changes=(50,))
    assert given.concept == "p(H) = 0.75, 0.25, changed at 50"
    drawn = CHANGING.sample(1, philox(7))
    assert drawn.concept == f"p(H) = {drawn.law[0, 0]:.2f}, drawn anew now and then"
