"""Exact match in the report: its sentence, its marks in the figure and its columns."""

from dataclasses import replace

import numpy as np
import pytest

from harness.reporting.captions import caption, figure_note
from harness.reporting.html import html_report
from harness.reporting.latex import latex_report
from harness.reporting.matches import match_sentence
from harness.reporting.sections import entries
from harness.reporting.tables import positions_df, transitions_df
from harness.types import CountCurve, CurveResult, Delay, ExactMatch, RunResult, SequenceCurve
from tests.reporting.examples import curve_result, logistic, run_of, sharp_at, transition

LEVEL = np.arange(5.0, 120, 7)


def answered(*, drawn: bool = False) -> CurveResult:
    """An answer whose probability rises slowly and whose match rises at once, scored nowhere at the last level."""
    truth = logistic(LEVEL, 60, 60, 0.5, 0.95)
    level = LEVEL[:-1]
    matches = (level > 60).astype(float)
    rows = np.tile(matches, (24, 1))
    ids = tuple(f"s{i}" for i in range(24))
    hits = (24 * matches).astype(np.int64)
    curve = (
        CountCurve("m", level, hits, np.full(level.size, 24))
        if drawn
        else SequenceCurve("m", level, rows, ids)
    )
    match = ExactMatch(
        curve=curve,
        mean=matches,
        low=np.clip(matches - 0.1, 0, 1),
        high=np.clip(matches + 0.1, 0, 1),
        scored=np.full(level.size, 24.0),
        transition=sharp_at(61.0, 5.0, 0.0, 1.0, level),
        chance=0.5,
        log_p=np.full(level.size, np.nan) if drawn else np.linspace(-0.69, -0.05, level.size),
        observers={"bayes": SequenceCurve("bayes", level, rows, ids)},
        observer_transitions={"bayes": sharp_at(40.0, 5.0, 0.5, 1.0, level)},
        delay=Delay("bayes", 21.0, 19.0, 23.0, None),
    )
    found = sharp_at(60.0, 60.0, 0.5, 0.95, LEVEL)
    made = curve_result("answers", truth, found, rng=np.random.default_rng(3), level=LEVEL, readout="answer")
    return replace(made, match=match)


@pytest.fixture(scope="module")
def run() -> RunResult:
    plain = curve_result(
        "plain",
        np.full(LEVEL.size, 0.5),
        transition("none"),
        rng=np.random.default_rng(4),
        level=LEVEL,
    )
    return run_of(answered(), plain)


def test_the_sentence_gives_match_ideal_delay_chance_and_log_probability() -> None:
    assert match_sentence(answered()) == (
        "Exact match, whether the gold answer is the most probable declared symbol: sharp: exact match rises from "
        "0.00 to 1.00, half-way at n = 61.0 [54.9, 67.1], 10-90 % width 5.0 [3.5, 7.0] symbols; ideal observer: "
        "sharp at 40.0; excess delay 21.0 [19.0, 23.0] symbols; chance 0.5; mean ln p(gold) -0.69 nat at first, "
        "-0.05 at last."
    )


def test_drawn_answers_are_said_to_be_drawn_and_have_no_log_probability() -> None:
    sentence = match_sentence(answered(drawn=True))
    assert sentence.startswith("Exact match, the share of all draws that is the gold answer: sharp")
    assert sentence.endswith("chance 0.5.")


def test_a_curve_of_another_readout_says_nothing_of_matches(run: RunResult) -> None:
    _, plain = entries([run])
    assert caption(plain).match == ""
    assert "violet" not in figure_note(plain)


def test_every_report_shows_the_sentence_and_the_marks(run: RunResult) -> None:
    page = html_report([run]).decode()
    assert page.count("Exact match, whether") == 1
    assert page.count("violet squares: exact match") == 1
    assert page.count(">exact match</text>") == 1  # the label of the marks, in one figure of two
    fragment = latex_report([run])["latex/transitions.tex"].decode()
    assert fragment.count("Exact match, whether") == fragment.count("violet squares") == 1


def test_the_tables_hold_both_curves_beside_each_other(run: RunResult) -> None:
    first, plain = (row for _, row in transitions_df([run]).iterrows())
    assert (first["verdict"], first["match_verdict"], first["ideal_match_verdict"]) == (
        "gradual",
        "sharp",
        "sharp",
    )
    assert (first["match_location"], first["match_delay"], first["match_chance"]) == (61.0, 21.0, 0.5)
    assert plain[["match_verdict", "match_location", "match_chance"]].isna().all()
    table = positions_df([run])
    match = answered().match
    assert match is not None
    rows = table[table["id"] == "answers"]
    np.testing.assert_array_equal(rows["match"], [*match.mean, np.nan])
    np.testing.assert_array_equal(rows["log_p"], [*match.log_p, np.nan])
    np.testing.assert_array_equal(rows["ideal_match"], [*match.mean, np.nan])
    assert table[table["id"] == "plain"][["match", "log_p", "match_scored"]].isna().all(axis=None)
