"""Readout "answer": the gold answer of an in-context task, its probability and whether it is the most probable."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from harness.answers import log_probability, matched, mean_log_probability, most_probable
from harness.conditions import Condition
from harness.errors import SpecError
from harness.execute import RunOptions, execute
from harness.expansion import expand
from harness.plan import make_item, pieces
from harness.runs import open_run
from harness.suite_files import parse_suite
from harness.types import Capabilities, CountCurve, CurveResult, Response, SequenceCurve

SUITE = """\
name: answers
seed: 6
models: ["mock/observer?family={family}{options}"]
tasks:
  - family: {family}
    params: {{{params}}}
    context_lengths: {lengths}
    sequences: {sequences}
    readout: answer
    nested: {nested}
    samples: {samples}
    controls: [{controls}]
"""


def suite_text(**fields: object) -> str:
    """The text of a suite of four-bit parities, but for what is given."""
    given: dict[str, object] = {
        "family": "parity",
        "params": "n_bits: 4",
        "options": "&n_bits=4",
        "lengths": "{from: 0, to: 60}",
        "sequences": 12,
        "nested": "true",
        "samples": 1,
        "controls": "",
    }
    return SUITE.format(**{**given, **fields})


def conditions(**fields: object) -> list[Condition]:
    return expand(parse_suite(suite_text(**fields), "answers"))


def curves(out: Path, **fields: object) -> list[CurveResult]:
    suite = parse_suite(suite_text(**fields), "answers")
    assert execute(suite, RunOptions(out=out)).exit_status == 0
    return list(open_run(out).result.curves)


def response(p: list[list[float]], covered: list[float] | None = None) -> Response:
    rows = np.array(p)
    with np.errstate(divide="ignore"):
        logprob = np.where(rows < 0, np.nan, np.log(np.maximum(rows, 0)))
    return Response(
        np.arange(len(rows)), logprob=logprob, covered=None if covered is None else np.array(covered)
    )


def test_the_most_probable_symbol_is_the_match_and_ties_are_shared() -> None:
    law = np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2], [1 / 3, 1 / 3, 1 / 3], [0.4, 0.4 * (1 + 1e-12), 0.2]])
    assert most_probable(law, np.array([0, 1, 2, 0])).tolist() == [1, 0.5, pytest.approx(1 / 3), 0.5]
    assert most_probable(law[:2], np.array([1, 2])).tolist() == [0, 0]


def test_a_symbol_that_was_not_reported_leaves_the_match_open_only_if_it_could_be_the_greatest() -> None:
    # -1 stands for a symbol not among the reported tokens; 0.9 of the probability is covered in all
    found = response([[0.6, 0.3, -1], [0.05, 0.04, -1], [-1, -1, -1]], covered=[0.9, 0.9, 0.9])
    np.testing.assert_array_equal(matched(found, np.array([0, 0, 0])), [1, np.nan, np.nan])
    np.testing.assert_array_equal(matched(found, np.array([2, 2, 2])), [0, np.nan, np.nan])


def test_the_log_probability_is_over_the_declared_symbols_and_has_no_floor() -> None:
    found = response([[0.2, 0.6, 0.0], [-1, 0.5, 0.2]])
    np.testing.assert_allclose(log_probability(found, np.array([0, 0])), [np.log(0.25), np.nan])
    tiny = Response(np.array([0]), logprob=np.array([[-2000.0, 0.0]]))
    np.testing.assert_allclose(log_probability(tiny, np.array([0])), [-2000.0])


def test_a_mean_log_probability_needs_every_scored_sequence() -> None:
    p = np.array([[0.5, 0.5, np.nan], [0.1, 0.1, 0.2]])
    log_p = np.array([[-1.0, np.nan, np.nan], [-2.0, -2.0, -3.0]])
    np.testing.assert_array_equal(mean_log_probability(log_p, p), [-1.5, np.nan, -3.0])


def test_parities_reach_the_accuracy_of_bayes_after_4_8_and_12_examples(tmp_path: Path) -> None:
    # 1/2 + E[2**(rank - 8)]/2 (see family parity). An ideal p is 1/2 or 1, so that 200 sequences have a standard error
    # of at most 0.25 / sqrt(200) in p, and of 0.5 / sqrt(200) in matches of 0 and 1; 4.9 of those: odds 1e-6
    (found,) = curves(
        tmp_path / "run",
        params="n_bits: 8",
        options="&ways=next_token",
        lengths="[9, 53, 97, 141]",
        sequences=200,
    )
    truth = np.array([0.502, 0.530, 0.806, 0.985])
    assert found.match is not None
    np.testing.assert_allclose(found.mean, truth, atol=4.9 * 0.25 / 200**0.5)
    np.testing.assert_allclose(found.match.mean, truth, atol=4.9 * 0.5 / 200**0.5)
    assert (found.chance, found.match.chance) == (0.5, 0.5)
    assert isinstance(found.curve, SequenceCurve)
    expected = np.log(found.curve.p).mean(axis=0)
    np.testing.assert_allclose(found.match.log_p, expected, atol=1e-6)


def test_the_observer_beside_it_is_judged_by_the_same_answers(tmp_path: Path) -> None:
    (found,) = curves(tmp_path / "run", lengths="{from: 0, to: 120}")
    match = found.match
    assert match is not None
    assert isinstance(match.curve, SequenceCurve)
    ideal = match.observers["parity"].p
    known = np.isin(ideal, (0, 1))  # where the ideal observer's two labels do not tie
    np.testing.assert_allclose(match.curve.p[known], ideal[known])
    assert (ideal[~known] == 0.5).all()
    assert match.mean[-1] == match.observers["format"].p.mean() * 2 == 1
    assert list(match.observer_transitions) == list(found.observers)


def test_context_lengths_are_those_before_a_label() -> None:
    (condition,) = conditions()
    assert condition.levels == tuple(range(5, 61, 7))
    assert condition.context_lengths == tuple(range(61))
    part = condition.first
    assert part.lengths == condition.levels
    labels = [part.sequence.alphabet[part.sequence.target[n]] for n in part.lengths]
    assert set(labels) <= {"0", "1"}
    assert [part.sequence.alphabet[part.sequence.symbols[n - 1]] for n in part.lengths] == ["="] * 8


def test_answers_at_places_of_their_own_are_asked_where_each_sequence_has_them(tmp_path: Path) -> None:
    fields = {
        "family": "group_words",
        "params": "",
        "options": "&ways=next_token",
        "lengths": "{from: 0, to: 40}",
    }
    done = execute(parse_suite(suite_text(**fields), "answers"), RunOptions(out=tmp_path / "run"))
    (found,), (condition,) = open_run(tmp_path / "run").result.curves, conditions(**fields)
    assert isinstance(found.curve, SequenceCurve)
    asked = 0
    for row in range(12):
        sequence = condition.sequence(row)
        text = "".join(sequence.alphabet[s] for s in sequence.symbols)
        due = [i + 1 for i, symbol in enumerate(text) if symbol == "=" and i + 1 <= 40]
        measured = found.curve.level[~np.isnan(found.curve.p[row])]
        assert measured.tolist() == due
        asked += len(due)
    assert done.plans[0].items[0].requests == asked  # the plan counts every sequence, not the first of them
    assert not found.failures
    assert found.chance == pytest.approx(1 / 6)


def test_a_fresh_sequence_ends_in_an_answer_at_every_length() -> None:
    (condition,) = conditions(
        family="group_words", params="", options="", nested="false", lengths="[8, 20, 33]"
    )
    assert condition.levels == (8, 20, 33)
    assert [part.lengths for part in condition.parts(5)] == [(8,), (20,), (33,)]


def test_drawn_answers_count_as_the_share_that_is_gold(tmp_path: Path) -> None:
    (found,) = curves(
        tmp_path / "run", options="&n_bits=4&ways=samples", samples=8, lengths="[5, 40, 82]", sequences=40
    )
    match = found.match
    assert match is not None
    assert isinstance(match.curve, CountCurve)
    assert match.curve.trials.tolist() == [320] * 3
    np.testing.assert_allclose(match.curve.successes / 320, match.mean)
    assert match.mean[0] == pytest.approx(0.53, abs=4.9 * 0.5 / 40**0.5)  # 1/2 + 2**-4/2: the word of no bit
    assert match.mean[-1] > 0.95
    assert np.isnan(match.log_p).all()


def test_flipped_labels_are_missed_and_shifted_ones_are_found(tmp_path: Path) -> None:
    main, flipped, late = curves(
        tmp_path / "run", lengths="{from: 0, to: 80}", controls='"label_flip?at=45", "distractor?length=10"'
    )
    assert flipped.match is not None
    after = flipped.match.curve.level >= 50  # a few sets are still open there
    assert flipped.match.mean[after].max() < 0.3 < 0.9 < main.mean[after].min()
    assert late.curve.level.tolist() == [n + 10 for n in main.curve.level if n + 10 <= 80]
    assert all(example.example_target in "01" for example in (main, flipped, late))


def test_swapped_generators_have_answers_of_their_own() -> None:
    _, swapped = conditions(controls='"swap?at=30"')
    (part,) = swapped.parts(0)
    assert part.lengths == (5, 12, 19, 26, 35, 42, 49, 56)
    assert all(b - a in (7, 9) for a, b in pairwise(part.lengths))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"family": "periodic", "params": "", "options": ""},
            "periodic, answers has no answers at known places",
        ),
        (
            {"family": "periodic", "params": "", "options": ""},
            r"modular_counting \(task: answer\), parity \(always\)",
        ),
        ({"controls": "shuffle"}, "control 'shuffle' leaves no answers at known places"),
        ({"lengths": "[4, 5, 6, 7, 8]"}, "1 stand just before an answer and at least 3 must"),
        (
            {"lengths": "[4, 6, 7, 8, 20]"},
            "n_bits 4, answers has them, in its first sequence, at 5, 12, 19",
        ),
        ({"family": "group_words", "params": "form: identity", "options": ""}, "no answers at known places"),
    ],
)
def test_what_has_no_answers_is_refused_with_what_has(fields: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        conditions(**fields)


def test_answers_leave_the_digest_and_the_symbols_of_other_readouts_as_they_are() -> None:
    (asked,) = conditions(lengths="[5, 12, 19]")
    text = suite_text(lengths="[5, 12, 19]").replace("readout: answer", "readout: next_symbol")
    (plain,) = expand(parse_suite(text, "answers"))
    assert plain.digest.startswith("f80507977e26")
    assert asked.digest != plain.digest
    can = Capabilities(
        prefixes=True,
        top_logprobs=4,
        full=True,
        max_samples=0,
        seed=True,
        max_context_tokens=None,
        findings=(),
    )
    first, second = (next(pieces(make_item(c, can), 0, 0)).request for c in (asked, plain))
    assert first == second  # one request of the store serves both
