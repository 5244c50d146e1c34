"""A run from Python and from the command line: known curves are recovered, and a replay changes no byte."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import harness as icl
from harness.cli import cli
from harness.errors import BudgetError, CurveError
from harness.suite_files import parse_suite
from harness.types import CountCurve

SUITE = """\
name: known
seed: 5
tasks:
  - family: bernoulli
    params: {p: 0.5}
    context_lengths: {from: 0, to: 96, step: 4}
    sequences: 60
"""
KNOWN = "mock/logistic?location=40&width=12&low=0.5&high=0.95&noise=0.3"


def invoke(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [str(a) for a in args], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.mark.parametrize("ways", ["prefixes", "next_token", "samples"])
def test_a_known_transition_is_recovered_however_it_is_measured(tmp_path: Path, ways: str) -> None:
    """The truth is half-way at 40 with width 12 of a range of 96, not sharp at 0.10 of it."""
    model = f"{KNOWN}&ways={ways}"
    found = icl.run(parse_suite(SUITE, "known"), [model], out=tmp_path / "run")
    (curve,) = found.result.curves
    assert isinstance(curve.curve, CountCurve) == (ways == "samples")
    t = curve.transition
    assert t.p_none < 1e-3
    assert t.location == pytest.approx(40, abs=6)
    assert t.location_low is not None
    assert t.location_high is not None
    assert t.location_low - 2 <= 40 <= t.location_high + 2
    assert t.direction == "increasing"


def test_a_flat_model_has_no_transition_and_a_step_is_sharp(tmp_path: Path) -> None:
    models = ["mock/flat?p=0.7", "mock/step?location=30&low=0.5&high=0.9"]
    found = icl.run(parse_suite(SUITE, "known"), models, out=tmp_path / "run")
    by_model = {curve.model: curve.transition for curve in found.result.curves}
    assert by_model[models[0]].verdict == "none"
    assert by_model[models[1]].verdict == "sharp"
    assert by_model[models[1]].location == pytest.approx(30, abs=4)
    (compared,) = icl.shifts_df(found).to_dict("records")
    assert compared["censored"] in ("first", "second")  # only one of the two models changes


def test_tables_have_a_row_a_curve_a_level_and_a_trial(tmp_path: Path) -> None:
    found = icl.run(parse_suite(SUITE, "known"), [KNOWN], out=tmp_path / "run")
    assert len(icl.runs_df(found)) == 1
    assert list(icl.transitions_df(found)["model"]) == [KNOWN]
    assert len(icl.positions_df(found)) == 25
    trials = icl.trials_df(found)
    assert len(trials) == 60 * 25
    assert trials["p"].between(0, 1).all()
    trials.to_csv(tmp_path / "trials.csv", index=False)
    status, output = invoke("transitions", tmp_path / "trials.csv", "--json")
    assert status == 0
    again = json.loads(output)
    assert again["location"] == pytest.approx(found.result.curves[0].transition.location, abs=1e-6)
    assert again["options"] == {"sharp_width": 0.1, "min_change": 0.1}


def test_a_run_works_where_an_event_loop_already_runs(tmp_path: Path) -> None:
    async def notebook() -> icl.Run:
        return icl.run(parse_suite(SUITE, "known"), [KNOWN], out=tmp_path / "run", limit=2)

    assert len(asyncio.run(notebook()).result.curves) == 1


def test_failed_calls_are_counted_and_end_with_status_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("known.yaml").write_text(SUITE)
    status, output = invoke(
        "run", "known.yaml", "-m", "mock/flat?p=0.7&fail=0.2&ways=next_token", "-o", "run"
    )
    assert status == 3
    assert "failed (" in output
    (curve,) = icl.open_run("run").result.curves
    failed = sum(sum(per_level) for per_level in curve.failures.values())
    assert curve.scored.sum() + failed == 60 * 25
    assert curve.mean == pytest.approx(0.7, abs=1e-9)
    assert curve.transition.verdict == "none"


def test_a_condition_without_a_curve_is_named_and_not_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("known.yaml").write_text(SUITE)
    status, output = invoke("run", "known.yaml", "-m", "mock/flat?p=0.7&fail=1&ways=next_token", "-o", "run")
    assert status == 3
    assert "no curve: mock/flat?p=0.7&fail=1&ways=next_token: bernoulli, p 0.5: answers at 0 of 25" in output
    result = icl.open_run("run").result
    assert result.curves == ()
    assert len(result.unjudged) == 1
    assert invoke("report", "run", "-o", "out", "--format", "html,pdf,latex,csv")[0] == 0
    assert "No curve: mock/flat" in Path("out/report.html").read_text()


def test_controls_of_a_drawn_curve_are_judged_beyond_the_unigram_observer(tmp_path: Path) -> None:
    """A flat model has the same excess at every length; one that steps goes beyond, whatever the order was."""
    models = [f"mock/{name}&ways=samples" for name in ("flat?p=0.6", "step?location=30&low=0.5&high=0.95")]
    suite = parse_suite(SUITE.replace("sequences: 60", "sequences: 60\n    controls: [shuffle]"), "known")
    found = icl.run(suite, models, out=tmp_path / "run").result
    flat, step = (c.beyond for c in found.curves if c.control == "shuffle")
    assert flat is not None
    assert step is not None
    assert flat.p_none > 0.5
    assert step.p_none < 0.01
    assert step.direction in (None, "increasing")


def test_the_budget_stops_a_run_that_a_higher_one_finishes(tmp_path: Path) -> None:
    priced = SUITE + 'budget: {prices: {"mock/flat?p=0.7&ways=next_token": {input: 1000, output: 1000}}}\n'
    model = "mock/flat?p=0.7&ways=next_token"
    suite = parse_suite(priced, "known")
    with pytest.raises(BudgetError, match="stopped at the cap"):
        icl.run(suite, [model], out=tmp_path / "run", max_cost=5.0)
    spent = icl.open_run(tmp_path / "run").result.models[0].cost_usd
    assert spent is not None
    assert 0 < spent <= 5.0
    finished = icl.run(suite, [model], out=tmp_path / "run", max_cost=500.0)
    assert finished.result.curves[0].scored.sum() == 60 * 25


@pytest.mark.slow
def test_a_replay_rebuilds_every_file_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    icl.run(parse_suite(SUITE, "known"), [KNOWN], out="run")
    assert invoke("report", "run", "-o", "out", "--format", "html,pdf,latex,csv")[0] == 0
    status, output = invoke("replay", "run", "-o", "out")
    assert status == 0
    states = {line.split()[0] for line in output.splitlines()}
    assert states == {"identical"}
    (tmp_path / "out" / "transitions.csv").write_text("tampered")
    status, output = invoke("replay", "run", "-o", "out")
    assert status == 3
    assert [line for line in output.splitlines() if line.startswith("changed")] == [
        "changed    out/transitions.csv"
    ]


def test_curves_from_python_are_checked() -> None:
    curve = icl.SequenceCurve("c", np.arange(4.0), np.full((3, 4), 1.5), ("a", "b", "c"))
    with pytest.raises(CurveError, match=r"1\.5"):
        icl.transitions([curve])
