"""A model against its observer: the excess over it, and the delay behind it."""

import numpy as np
import pytest

from harness.analysis import beyond, excess_delay, transition
from harness.errors import CurveError
from harness.registry import load_family
from harness.types import AnalysisOptions, Floats, SequenceCurve
from tests.analysis.simulation import counts, levels, logistic, replicates, sequences

OPTIONS = AnalysisOptions()


def noisy(p: Floats, rng: np.random.Generator, *, n: int = 40, noise: float = 0.05) -> SequenceCurve:
    return sequences(np.clip(p + noise * rng.standard_normal((n, p.shape[-1])), 0, 1))


def test_a_model_that_learns_what_the_observer_cannot_goes_beyond_it() -> None:
    rng = np.random.default_rng(0)
    x = levels(128)
    model, unigram = noisy(logistic(x, 20.5, 0, 0.5, 0.95), rng), noisy(0.5 + 0 * x, rng)
    found = beyond(model, unigram, options=OPTIONS)
    assert found.verdict == "sharp"
    assert found.direction == "increasing"
    assert found.location == pytest.approx(20.5, abs=0.5)
    assert (found.lower, found.upper) == pytest.approx((0, 0.45), abs=0.03)


def test_a_model_equal_to_the_observer_but_for_noise_is_not_beyond_it() -> None:
    """Both rise together, and both vary with the target of each level: only the difference is judged."""
    rng = np.random.default_rng(1)
    target = rng.choice([-0.3, 0.3], size=(40, 128))
    observer = logistic(levels(128), 15, 10, 0.4, 0.6) + target
    model = np.clip(observer + 0.03 * rng.standard_normal(observer.shape), 0, 1)
    found = beyond(sequences(model), sequences(np.clip(observer, 0, 1)), options=OPTIONS)
    assert found.verdict == "none"
    assert found.p_none > 0.99


def test_a_model_that_falls_behind_the_observer_is_not_beyond_it_and_said_to_be_worse() -> None:
    rng = np.random.default_rng(2)
    x = levels(128)
    found = beyond(noisy(0.5 + 0 * x, rng), noisy(logistic(x, 20.5, 0, 0.5, 0.9), rng), options=OPTIONS)
    assert found.verdict == "none"
    assert (found.p_none, found.location) == (1.0, None)
    assert any("worse than the observer" in w for w in found.warnings)


def test_a_model_that_only_catches_up_is_not_beyond_the_observer() -> None:
    rng = np.random.default_rng(3)
    x = levels(128)
    found = beyond(noisy(logistic(x, 40.5, 0, 0.5, 0.9), rng), noisy(0.9 + 0 * x, rng), options=OPTIONS)
    assert found.verdict == "none"
    late = beyond(
        noisy(logistic(x, 60.5, 0, 0.5, 0.9), rng),
        noisy(logistic(x, 20.5, 0, 0.5, 0.9), rng),
        options=OPTIONS,
    )
    assert late.verdict == "none"
    assert any("worse" in w for w in late.warnings)


def test_sequences_are_paired_by_id_and_not_by_place() -> None:
    rng = np.random.default_rng(4)
    own = rng.choice([0.2, 0.7], size=(40, 1)) * np.ones(
        (1, 64)
    )  # sequences differ more than the model gains
    gain = logistic(levels(64), 30.5, 0, 0.0, 0.15)
    model = sequences(own + gain)
    order = rng.permutation(40)
    shuffled = SequenceCurve("observer", levels(64), own[order], tuple(f"s{i}" for i in order))
    found = beyond(model, shuffled, options=OPTIONS)
    assert found.verdict == "sharp"
    assert (found.lower, found.upper) == pytest.approx((0, 0.15), abs=1e-6)


def test_sequences_without_a_counterpart_are_left_out_and_said() -> None:
    rng = np.random.default_rng(5)
    model, other = noisy(0.5 + np.zeros(32), rng), noisy(0.5 + np.zeros(32), rng, n=30)
    assert any("10 of 40 sequences" in w for w in beyond(model, other, options=OPTIONS).warnings)
    stranger = SequenceCurve("observer", levels(32), model.p, tuple(f"t{i}" for i in range(40)))
    with pytest.raises(CurveError, match="share no sequence id"):
        beyond(model, stranger, options=OPTIONS)
    twin = SequenceCurve("observer", levels(32), model.p[:2], ("s1", "s1"))
    with pytest.raises(CurveError, match="id 's1' occurs twice"):
        beyond(model, twin, options=OPTIONS)


@pytest.mark.parametrize("delay", [0, 12])
@pytest.mark.parametrize("width", [0.0, 10.0])
def test_the_delay_between_two_rises_is_recovered_within_its_interval(delay: int, width: float) -> None:
    rng = np.random.default_rng([6, delay, int(width)])
    x = levels(96)
    observer = replicates(logistic(x, 20.5, width, 0.5, 0.95), 40, 0.8, rng)
    model = replicates(logistic(x, 20.5 + delay, width, 0.45, 0.85), 40, 0.8, rng)
    found = excess_delay(model, observer, options=OPTIONS, name="bayes")
    assert (found.observer, found.censored) == ("bayes", None)
    assert found.value == pytest.approx(delay, abs=0.1 * width + 0.1)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= delay <= found.high
    assert found.high - found.low < 6


def test_sequences_that_are_late_together_make_the_paired_interval_short() -> None:
    """Each sequence steps where it likes, the model exactly 5 levels after the observer."""
    rng = np.random.default_rng(7)
    x, step = levels(128), rng.normal(40, 8, size=(60, 1)).round()
    observer, model = sequences(np.where(x < step, 0.5, 0.95)), sequences(np.where(x < step + 5, 0.5, 0.95))
    found = excess_delay(model, observer, options=OPTIONS, name="bayes")
    assert found.value == pytest.approx(5, abs=0.5)
    assert found.high is not None
    assert found.low is not None
    assert found.low <= 5 <= found.high
    assert found.high - found.low < 2.5  # 4 x 8 x sqrt(2 / 60) = 5.8 if the two were independent


def test_a_sequence_that_failed_altogether_does_not_shift_the_pairing() -> None:
    rng = np.random.default_rng(7)
    x, step = levels(128), rng.normal(40, 8, size=(60, 1)).round()
    model = np.where(x < step + 5, 0.5, 0.95)
    model[0] = np.nan
    observer = sequences(np.where(x < step, 0.5, 0.95))
    found = excess_delay(sequences(model), observer, options=OPTIONS, name="bayes")
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 5 <= found.high
    assert found.high - found.low < 3  # as short as when none failed, but for the sequence one of them lacks


def test_a_model_without_a_rise_gives_a_lower_bound_and_an_observer_without_one_no_delay() -> None:
    rng = np.random.default_rng(8)
    x = levels(64)
    flat, rise = noisy(0.5 + 0 * x, rng), noisy(logistic(x, 10.5, 0, 0.5, 0.9), rng)
    bound = excess_delay(flat, rise, options=OPTIONS, name="bayes")
    assert (bound.censored, bound.low, bound.high) == ("model", None, None)
    assert bound.value == pytest.approx(63 - 10.5, abs=0.5)
    none = excess_delay(rise, flat, options=OPTIONS, name="bayes")
    assert (none.censored, none.value) == ("observer", None)


def test_a_counted_model_has_a_delay_too() -> None:
    rng = np.random.default_rng(9)
    x = levels(48)
    observer = noisy(logistic(x, 10.5, 0, 0.5, 0.95), rng)
    model = counts(logistic(x, 22.5, 0, 0.45, 0.9), 60, rng)
    found = excess_delay(model, observer, options=OPTIONS, name="bayes")
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 12 <= found.high
    assert found.value == pytest.approx(12, abs=1)


def test_a_model_that_rises_and_falls_again_is_read_at_its_rise() -> None:
    rng = np.random.default_rng(10)
    x = levels(64)
    bump = np.where((x > 20) & (x < 45), 0.9, 0.5)
    found = excess_delay(
        noisy(bump, rng), noisy(logistic(x, 10.5, 0, 0.5, 0.9), rng), options=OPTIONS, name="bayes"
    )
    assert found.value == pytest.approx(10, abs=1)


def test_few_sequences_give_a_delay_without_an_interval() -> None:
    rng = np.random.default_rng(11)
    x = levels(64)
    observer = noisy(logistic(x, 10.5, 0, 0.5, 0.9), rng, n=5)
    found = excess_delay(
        noisy(logistic(x, 30.5, 0, 0.5, 0.9), rng, n=5), observer, options=OPTIONS, name="bayes"
    )
    assert (found.low, found.high) == (None, None)
    assert found.value == pytest.approx(20, abs=1)


def test_an_observer_that_rises_in_one_crooked_step_is_not_said_to_change_more_than_once() -> None:
    """The period observer on letters goes from 1/16 by small steps to 0.09 and then at once to 0.9."""
    family = load_family("periodic")
    rows = []
    for seed in range(20):
        rng = np.random.Generator(np.random.Philox(key=seed))
        sequence = family.sample(257, rng, period=8, symbols="letters")
        rows.append(sequence.observers["period"][np.arange(257), sequence.target])
    curve = SequenceCurve("ideal", np.arange(257.0), np.stack(rows), tuple(map(str, range(20))))
    found = transition(curve)
    assert found.verdict != "none"
    assert found.verdict != "multiple" or len(found.changes) >= 2
