import re

import numpy as np
import pytest
from scipy import stats

from harness.errors import SpecError
from harness.prompts.controls import apply_control
from harness.registry import load_family
from harness.types import Sequence
from tests.prompts.controls.controlled import RARE, controlled, philox

PARITY = load_family("parity")


def mean_target(sequences: list[Sequence]) -> list[float]:
    """Mean probability that the baseline gives to the target at each context length."""
    p = [s.observers[s.ideal][np.arange(s.target.size), s.target] for s in sequences]
    return [float(x) for x in np.mean(p, axis=0)]


def test_a_distractor_moves_the_curve_of_the_ideal_observer_by_its_length() -> None:
    pairs = [controlled("distractor?length=12", 60, key, period=5) for key in range(20)]
    for before, after in pairs:
        np.testing.assert_array_equal(after.symbols[12:], before.symbols[:48])
        np.testing.assert_array_equal(after.law[12:], before.law[:49])
        assert (after.law[:12] == 0.5).all()
    without, moved = (mean_target([pair[i] for pair in pairs]) for i in (0, 1))
    assert moved[:12] == [0.5] * 12
    assert moved[12:] == without[:48]


@pytest.mark.parametrize("text", ["distractor?length=4000", "truncate?last=1"])
def test_noise_is_uniform_over_the_alphabet(text: str) -> None:
    _, after = controlled(text, 4001, 3, period=2, symbols="digits")
    assert stats.chisquare(np.bincount(after.symbols[:3999], minlength=8)).pvalue > RARE


def test_a_distractor_longer_than_the_sequence_leaves_noise() -> None:
    _, after = controlled("distractor?length=50", 20, 3)
    assert (after.law == 0.5).all()
    assert (after.observers["period"][:20] == 0.5).all()


def test_truncation_keeps_the_last_symbols_before_the_target() -> None:
    before, after = controlled("truncate?last=8", 41, 2, period=3, symbols="letters")
    assert (after.symbols[:32] != before.symbols[:32]).any()
    np.testing.assert_array_equal(after.symbols[32:], before.symbols[32:])
    np.testing.assert_array_equal(after.law[32:], before.law[32:])
    assert (after.law[:32] == 1 / 16).all()


def test_what_is_said_after_truncation_rests_on_the_symbols_left() -> None:
    """Period 3 is known after 8 symbols of its own, and not after 2."""
    told = {
        last: controlled(f"truncate?last={last}", 61, 2, period=3, symbols="letters")[1] for last in (2, 8)
    }
    at_target = {last: s.observers["period"][60, s.target[60]] for last, s in told.items()}
    assert at_target[8] > 0.99
    assert at_target[2] < 0.2


def test_a_swap_draws_another_concept_of_the_family() -> None:
    before, after = controlled("swap?at=25", 60, 4, period=4, symbols="letters")
    np.testing.assert_array_equal(after.symbols[:25], before.symbols[:25])
    np.testing.assert_array_equal(after.law[:25], before.law[:25])
    second = after.symbols[25:]
    assert set(second.tolist()) != set(before.symbols.tolist())
    np.testing.assert_array_equal(second[4:], second[:-4])
    one_hot = np.eye(16)[second]
    np.testing.assert_array_equal(after.law[25:-1], one_hot)
    first_words, _, then = after.concept.partition(", then ")
    assert first_words == before.concept
    assert re.fullmatch(r"[a-p]{4} repeated, control swap\?at=25", then)


def test_the_ideal_observer_starts_anew_at_a_swap() -> None:
    swapped = [controlled("swap?at=30", 60, key, period=4)[1] for key in range(40)]
    family = load_family("periodic")
    for sequence in swapped[:5]:
        alone = family.observe(sequence.symbols[30:], sequence.alphabet, period=4)["period"]
        np.testing.assert_array_equal(sequence.observers["period"][30:], alone)
    curve = mean_target(swapped)
    assert curve[29] > 0.95
    assert curve[30] == 0.5
    assert curve[59] > 0.95


def test_a_swap_that_leaves_no_possible_length_says_so() -> None:
    with pytest.raises(SpecError, match=r"control swap\?at=5, of 20 symbols 15 are drawn anew: "):
        controlled("swap?at=5", 20, 1, "dyck", stream="word")


def test_answers_move_with_the_symbols_that_they_are() -> None:
    sequence = PARITY.sample(60, philox(12), n_bits=3)
    assert sequence.answers is not None
    late = apply_control("distractor?length=4", sequence, PARITY, {"n_bits": 3}, philox(13)).answers
    assert late is not None
    assert (late[:4] == 0).all()
    np.testing.assert_array_equal(late[4:], sequence.answers[:-4])
    last = apply_control("truncate?last=20", sequence, PARITY, {"n_bits": 3}, philox(13)).answers
    assert last is not None
    assert (last[:39] == 0).all()
    np.testing.assert_array_equal(last[39:], sequence.answers[39:])
    swapped = apply_control("swap?at=26", sequence, PARITY, {"n_bits": 3}, philox(13))
    assert swapped.answers is not None
    np.testing.assert_array_equal(swapped.answers[26:], sequence.answers[:34])
    equals = np.flatnonzero(swapped.answers) - 1
    assert (swapped.symbols[equals] == 2).all()  # "="


@pytest.mark.parametrize("text", ["shuffle", "matched_random", "kgram_shuffle?k=2", "block_shuffle?width=3"])
def test_a_shuffle_leaves_no_answers_at_known_places(text: str) -> None:
    sequence = PARITY.sample(60, philox(14), n_bits=3)
    assert apply_control(text, sequence, PARITY, {"n_bits": 3}, philox(15)).answers is None
