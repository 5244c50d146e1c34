from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.prompts.questions import OPTIONS, draw_question, questions
from harness.prompts.rendering import render
from harness.registry import load_family
from harness.types import Sequence

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
DISTRACTION = load_family("distraction")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def test_there_are_ten_questions_two_of_each_of_five_subjects() -> None:
    known = questions().values()
    assert len({q.text for q in known}) == 10
    assert sorted(Counter(q.subject for q in known).values()) == [2] * 5
    for q in known:
        assert len(set(q.options)) == len(OPTIONS) == 4
        assert q.text.endswith("?")
        assert not any("\n" in part for part in (q.text, *q.options))


def test_every_question_and_every_place_of_the_right_option_are_equally_frequent() -> None:
    rng = philox(1)
    drawn = Counter((q.name, right) for q, _, right in (draw_question("any", rng) for _ in range(4000)))
    assert len(drawn) == 40
    assert stats.chisquare(list(drawn.values())).pvalue > RARE


def test_the_letter_that_is_right_stands_before_the_right_option() -> None:
    rng = philox(2)
    for name, q in questions().items():
        found, text, right = draw_question(name, rng)
        lines = text.split("\n")
        assert (found.name, lines[0], lines[-1]) == (name, q.text, "Answer:")
        assert f"{right}. {q.options[0]}" in lines
        assert sorted(line[3:] for line in lines[1:-1]) == sorted(q.options)


def test_no_question_leaves_the_flips_and_nothing_before_them() -> None:
    asked, plain = (DISTRACTION.sample(20, philox(3), question=q) for q in ("any", "none"))
    np.testing.assert_array_equal(asked.symbols, plain.symbols)
    assert plain.before == ""
    assert render(plain, separator=", ").text(2) == " T, H,"
    assert render(asked, separator=", ").text(2) == asked.before + " T, H,"
    np.testing.assert_array_equal(plain.observers["answer_or_flips"], plain.observers["flips"])


def test_a_sequence_begins_at_every_place_of_its_pattern_equally_often() -> None:
    rng = philox(8)
    starts = Counter(
        tuple(DISTRACTION.sample(3, rng, question="none", pattern="HTT").symbols.tolist()) for _ in range(600)
    )
    assert set(starts) == {(0, 1, 1), (1, 1, 0), (1, 0, 1)}
    assert stats.chisquare(list(starts.values())).pvalue > RARE


def test_a_question_drawn_is_the_same_for_ever() -> None:
    sequence = DISTRACTION.sample(4, philox(1))
    assert sequence.concept == "TH repeated after biology_2, whose answer is B"
    assert sequence.before == (
        "Which vessels bring blood back to the heart?\nA. arteries\nB. veins\nC. airways\nD. nerves\nAnswer:"
    )


def test_no_option_ever_comes() -> None:
    sequence = DISTRACTION.sample(30, philox(4))
    assert sequence.alphabet[-4:] == OPTIONS
    assert (sequence.law[:, -4:] == 0).all()
    assert (sequence.observers["flips"][:, -4:] == 0).all()


def by_hand(sequence: Sequence, n: int, prior_answer: float, p_answer: float) -> list[float]:
    """The law after n flips from the joint probability of each hypothesis, symbol by symbol."""
    flips, coins = sequence.observers["flips"], len(sequence.alphabet) - 4
    answered, went_on = prior_answer, 1 - prior_answer
    for t, s in enumerate(sequence.symbols[:n].tolist()):
        answered *= (1 - p_answer) / coins
        went_on *= float(flips[t, s])
    letters = [p_answer / 4] * 4
    rows = zip([(1 - p_answer) / coins] * coins + letters, flips[n].tolist(), strict=True)
    return [(answered * a + went_on * f) / (answered + went_on) for a, f in rows]


@pytest.mark.parametrize(("prior_answer", "p_answer"), [(0.9, 0.9), (0.5, 0.2)])
def test_the_ideal_observer_is_bayes_rule_over_answering_and_going_on(
    prior_answer: float, p_answer: float
) -> None:
    sequence = DISTRACTION.sample(25, philox(5), pattern="HTT", prior_answer=prior_answer, p_answer=p_answer)
    for n in (0, 1, 2, 5, 25):
        expected = by_hand(sequence, n, prior_answer, p_answer)
        np.testing.assert_allclose(sequence.observers["answer_or_flips"][n], expected, rtol=1e-10)


def test_the_answer_is_expected_first_and_given_up_for_the_flips() -> None:
    sequence = DISTRACTION.sample(40, philox(6))
    options = sequence.observers["answer_or_flips"][:, -4:].sum(axis=1)
    assert options[0] == pytest.approx(0.81)  # prior_answer * p_answer
    assert (np.diff(options) < 0).all()
    assert options[-1] < 1e-9


def test_after_a_letter_all_observers_count_symbols() -> None:
    sequence = DISTRACTION.sample(10, philox(7))
    answered = sequence.symbols.copy()
    answered[4] = 3  # B
    rows = DISTRACTION.observe(answered, sequence.alphabet)
    for name in ("answer_or_flips", "flips"):
        np.testing.assert_array_equal(rows[name][:5], sequence.observers[name][:5])
        np.testing.assert_array_equal(rows[name][5:], rows["kt"][5:])
