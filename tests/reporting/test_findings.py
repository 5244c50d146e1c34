"""What stands beside a verdict: found from the curves of a run, said in the report, remembered with the judgments."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analysis import individuals, mirage, transition
from harness.findings import families_of, shifts_of, with_findings
from harness.judgments import Judgments
from harness.reporting.captions import caption, figure_note
from harness.reporting.finding_tables import shifts_df
from harness.reporting.findings import SHIFT_COLUMNS, compared, finding_sentences
from harness.reporting.html import html_report
from harness.reporting.latex import latex_report
from harness.reporting.numbers import with_interval
from harness.reporting.sections import entries
from harness.reporting.tables import csv_report, transitions_df
from harness.types import AnalysisOptions, CurveResult, Floats, Mirage, RunResult, SequenceCurve
from tests.reporting.examples import curve_result, run_of

LEVEL = np.arange(0.0, 65)
OPTIONS = AnalysisOptions()


def steps(spread: float, rng: np.random.Generator) -> Floats:
    at = rng.normal(30, spread, 24)
    return np.clip(np.where(at[:, None] < LEVEL, 0.9, 0.1) + 0.04 * rng.standard_normal((24, 65)), 0, 1)


def result(name: str, p: Floats, **fields: Any) -> CurveResult:
    """A curve of these rows, judged."""
    made = curve_result(
        name, p.mean(axis=0), transition(curve(name, p)), rng=np.random.default_rng(0), level=LEVEL, **fields
    )
    return replace(made, curve=curve(name, p))


def curve(name: str, p: Floats) -> SequenceCurve:
    return SequenceCurve(name, LEVEL, p, tuple(f"{name[:3]}-{i}" for i in range(len(p))))


@pytest.fixture(scope="module")
def run() -> RunResult:
    """Two models on the same sequences, a control that moves the change and one that destroys it."""
    rng = np.random.default_rng(1)
    smeared = steps(7.0, rng)
    moved = np.clip(np.roll(smeared, 12, axis=1), 0, 1)
    moved[:, :12] = smeared[:, :1]
    flat = np.clip(0.5 + 0.05 * rng.standard_normal((24, 65)), 0, 1)
    curves = [
        result("aaa-one", smeared, title="plain"),
        result(
            "aaa-two",
            np.clip(smeared + 0.02 * rng.standard_normal((24, 65)), 0, 1),
            title="plain",
            model="local/b",
        ),
        result("moved", moved, title="plain", control="swap", expects="moved"),
        result("gone", flat, title="plain", control="shuffle", expects="gone"),
    ]
    judgments = Judgments(None)
    found = tuple(with_findings(r, OPTIONS, judgments) for r in curves)
    return run_of(*found, families=families_of(found, OPTIONS), shifts=shifts_of(found, OPTIONS, judgments))


def test_plain_curves_and_controls_of_each_model_are_families(run: RunResult) -> None:
    assert [(f.name, [m.curve for m in f.members]) for f in run.families] == [
        ("local/icl-mixture", ["aaa-one"]),
        ("local/b", ["aaa-two"]),
        ("local/icl-mixture, under controls", ["moved", "gone"]),
    ]


def test_a_control_is_compared_by_replicate_and_models_by_sequence(run: RunResult) -> None:
    control, models = run.shifts
    assert (control.first, control.second) == ("aaa-one", "moved")
    assert (models.first, models.second) == ("aaa-one", "aaa-two")
    assert control.paired
    assert control.location is not None
    assert control.location.value == pytest.approx(12, abs=1)
    assert control.discovered
    assert models.paired
    assert models.location is not None
    assert models.location.value == pytest.approx(0, abs=1)


def test_a_control_that_should_destroy_the_change_is_not_asked_where_it_is(run: RunResult) -> None:
    assert not any("gone" in (shift.first, shift.second) for shift in run.shifts)


def test_only_curves_without_a_control_are_scored_again(run: RunResult) -> None:
    assert [r.mirage is not None for r in run.curves] == [True, True, False, False]


def test_smeared_steps_are_said_to_be_sharp_individually(run: RunResult) -> None:
    said = finding_sentences(run.curves[0])
    assert any(text.startswith("Sharp individually, smeared on average: 24 of 24 sequences") for text in said)
    assert any("in logit p" in text and "0.01" in text for text in said)


def test_every_caption_with_findings_carries_the_thresholds(run: RunResult) -> None:
    for entry in entries([run])[:2]:
        assert caption(entry).findings
        assert "at most 0.1 of the range" in figure_note(entry)
        assert "below 0.1 is no transition" in figure_note(entry)
    assert all("at most 0.1 of the range" in block.note for block in compared([run]))


def test_the_page_shows_families_and_shifts(run: RunResult) -> None:
    page = html_report([run]).decode()
    assert page.count('<th scope="col" class="number">shift of half-way</th>') == 1
    for name in SHIFT_COLUMNS:
        assert f">{name}</th>" in page
    assert "confirming: under any dependence" in page
    assert "Sharp individually, smeared on average" in page


def test_latex_says_the_same(run: RunResult) -> None:
    text = latex_report([run])["latex/transitions.tex"].decode()
    assert "Sharp individually, smeared on average" in text
    (moved,) = [s.location for s in run.shifts if s.location is not None and s.location.value > 6]
    place = with_interval(moved.value, moved.low, moved.high)
    assert f"shift of half{{-}}way {place.replace('[', '{[}')}" in text


def test_the_tables_hold_what_was_found(run: RunResult) -> None:
    table = transitions_df([run]).set_index("id")
    one = run.curves[0].individuals
    assert one is not None
    assert table.loc["aaa-one", "individual_spread"] == one.spread
    assert table["individual_smeared"].tolist()[:2] == [True, True]
    assert table.loc["gone", "exploratory"] == False  # noqa: E712, a numpy bool
    shifts = shifts_df([run])
    assert shifts["location"].tolist() == [s.location.value for s in run.shifts if s.location is not None]
    assert set(shifts["sharp_width"]) == {0.1}
    assert set(shifts["min_change"]) == {0.1}
    assert "shifts.csv" in csv_report([run])


def test_what_was_found_is_remembered_to_the_last_bit(run: RunResult, tmp_path: Path) -> None:
    first = Judgments(tmp_path)
    found = [with_findings(r, OPTIONS, first) for r in run.curves]
    shifts = shifts_of(found, OPTIONS, first)
    first.save()
    written = (tmp_path / "judgments.json").read_bytes()
    again = Judgments(tmp_path)
    kept = [with_findings(r, OPTIONS, again) for r in run.curves]
    assert [(r.mirage, r.individuals) for r in kept] == [(r.mirage, r.individuals) for r in found]
    assert shifts_of(kept, OPTIONS, again) == shifts == run.shifts
    again.save()
    assert (tmp_path / "judgments.json").read_bytes() == written
    one = run.curves[0].curve
    assert isinstance(one, SequenceCurve)
    assert found[0].mirage == mirage(one)
    assert found[0].individuals == individuals(one)


def test_that_nothing_was_found_is_remembered_too(tmp_path: Path) -> None:
    asked = []

    def find() -> Mirage | None:
        asked.append(1)
        return None

    flat = curve("flat", np.full((12, 65), 0.5))
    for _ in range(2):
        judgments = Judgments(tmp_path)
        assert judgments.finding(Mirage, OPTIONS, (flat,), find) is None
        judgments.save()
    assert len(asked) == 1
