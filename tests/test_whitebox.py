"""The white-box part of a run: measured once, joined to the behaviour by sequence, shown again without the model."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.errors import ModelError, SpecError, StoreError
from harness.execute import RunOptions, execute
from harness.frames import decodability_df
from harness.local_models.adapter import LocalModel
from harness.runs import Run, open_run
from harness.spec import SuiteSpec
from harness.store_files import open_store
from harness.suite_files import load_suite, parse_suite, suite_digest
from harness.types import SequenceCurve
from harness.types.decodability import Decodability
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy
from harness.whitebox_studies import studies_of
from tests.local_models.conftest import save_llama

SUITE = """\
name: inside
seed: 4
models: ["{model}"]
tasks:
  - family: periodic
    params: {{period: {{sweep: [4, 7]}}, symbols: binary}}
    context_lengths: [0, 2, 4, 8, 16, 32]
    sequences: 12
{whitebox}"""
WHITEBOX = """\
    whitebox: {concept: period, decodability: {probes: [knn], k: 3, shuffles: 20, context_lengths: [8, 16, 32]}}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local/{save_llama(tmp_path_factory.mktemp('checkpoint'))}"


def suite(model: str, whitebox: str = WHITEBOX) -> SuiteSpec:
    return parse_suite(SUITE.format(model=model, whitebox=whitebox), "inside")


@pytest.fixture(scope="module")
def run(model: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("run")
    outcome = execute(suite(model), RunOptions(out=out))
    assert (outcome.tally.measured, outcome.tally.measurements) == (3, 3)
    return Run(out)


def test_what_is_inside_stands_beside_the_behaviour_of_the_same_sequences(run: Run) -> None:
    (inside,) = run.result.whitebox
    found = inside.findings["decodability"]
    assert isinstance(found, Decodability)
    assert inside.labels == ("4", "7")
    assert found.layers == (-1, 0, 1)
    assert found.behaviour is not None
    rows: dict[str, np.ndarray] = {}
    for result in run.result.curves:
        assert isinstance(result.curve, SequenceCurve)
        rows |= dict(zip(result.curve.sequence_ids, result.curve.p, strict=True))
    for name, p in zip(found.behaviour.sequence_ids, found.behaviour.p, strict=True):
        np.testing.assert_array_equal(p, rows[name])
    assert found.probes[0].curves[0].sequence_ids == found.behaviour.sequence_ids


def test_nothing_is_measured_twice(run: Run, model: str) -> None:
    again = execute(suite(model), RunOptions(out=run.path))
    assert again.tally.measurements == again.tally.answered == 0


def test_the_table_has_a_row_a_layer_and_context_length(run: Run) -> None:
    table = decodability_df(run)
    assert len(table) == 3 * 3
    assert set(table.context_length) == {8, 16, 32}
    assert table.chosen.sum() == 3
    assert (table.sharp_width == 0.10).all()


def test_a_replay_needs_no_torch(run: Run) -> None:
    code = (
        "import sys; from pathlib import Path; from harness.runs import open_run;"
        f"r = open_run(Path({str(run.path)!r})).recompute(); assert r.whitebox[0].findings;"
        "assert not {'torch', 'transformers', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_interrupted_run_goes_on_at_the_first_measurement_that_is_missing(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    look, looked = LocalModel.look_inside, list[object]()

    def second_breaks(self: LocalModel, kind: str, study: WhiteBoxStudy, job: Job) -> Arrays:
        looked.append(job["context_length"])
        if len(looked) == 2:
            raise KeyboardInterrupt
        return look(self, kind, study, job)

    monkeypatch.setattr(LocalModel, "look_inside", second_breaks)
    with pytest.raises(KeyboardInterrupt):
        execute(suite(model), RunOptions(out=tmp_path))
    (inside,) = open_run(tmp_path).result.whitebox
    assert not inside.findings
    assert "1 of 3 measurements" in inside.missing[0]
    execute(suite(model), RunOptions(out=tmp_path))
    assert looked == [8, 16, 16, 32]
    assert (
        decodability_df(open_run(tmp_path))
        .drop(columns="run")
        .equals(decodability_df(run).drop(columns="run"))
    )


def test_a_run_of_behaviour_gains_what_is_inside(model: str, tmp_path: Path) -> None:
    plain = suite(model, "")
    assert suite_digest(plain) == suite_digest(suite(model))
    assert execute(plain, RunOptions(out=tmp_path)).tally.measurements == 0
    later = execute(suite(model), RunOptions(out=tmp_path))
    assert (later.tally.answered, later.tally.measured) == (0, 3)


def test_a_closed_model_is_measured_from_outside_or_refused(tmp_path: Path) -> None:
    closed = suite("mock/logistic?location=8&width=4")
    assert execute(closed, RunOptions(out=tmp_path)).tally.measurements == 0
    assert open_run(tmp_path).result.whitebox == ()
    with pytest.raises(ModelError, match="not its activations"):
        execute(closed, RunOptions(out=tmp_path, whitebox=True))
    with pytest.raises(SpecError, match="no task with a whitebox"):
        execute(suite("mock/logistic", ""), RunOptions(out=tmp_path, whitebox=True))


def test_a_run_of_an_earlier_store_opens_and_gains_the_table(model: str, tmp_path: Path) -> None:
    execute(suite(model, ""), RunOptions(out=tmp_path))
    db = sqlite3.connect(tmp_path / "run.sqlite")
    with db:
        db.execute("DROP TABLE measurements")
        db.execute("UPDATE meta SET value = '2' WHERE key = 'version'")
    db.close()
    assert open_run(tmp_path).result.whitebox == ()
    assert execute(suite(model), RunOptions(out=tmp_path)).tally.measured == 3


def test_a_damaged_measurement_is_an_error_that_names_the_run(model: str, tmp_path: Path) -> None:
    execute(suite(model), RunOptions(out=tmp_path))
    db = sqlite3.connect(tmp_path / "run.sqlite")
    with db:
        db.execute("UPDATE measurements SET arrays = ?", (b"PK\x03\x04 no arrays",))
    db.close()
    with pytest.raises(StoreError, match="stored measurement of kind 'decodability' is damaged"):
        _ = open_run(tmp_path).result


def test_a_measurement_is_found_by_its_trials(model: str) -> None:
    (whole,) = studies_of(suite(model))
    (half,) = studies_of(suite(model), limit=6)
    (other,) = studies_of(suite(model).model_copy(update={"seed": 5}))
    assert len({whole.study.digest, half.study.digest, other.study.digest}) == 3
    assert len(whole.study.trials) == 24
    assert whole.study.selection.sum() == 12


@pytest.mark.parametrize(
    ("whitebox", "message"),
    [
        ("{concept: colour, decodability: {}}", "'colour' has no values here.*swept parameter.*period"),
        ("{concept: control, decodability: {}}", "'control' has no values here"),
        ("{concept: period}", "asks for nothing"),
        ("{concept: period, decodability: {prob: [knn]}}", "did you mean 'probes'"),
        ("{concept: period, decodability: {context_lengths: [4, 4, 8]}}", "names one twice"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(model: str, whitebox: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        suite(model, f"    whitebox: {whitebox}\n")


def test_under_control_a_sequence_and_its_control_are_one_group(model: str) -> None:
    text = "    controls: [shuffle]\n    whitebox: {concept: control, decodability: {}}\n"
    (asked,) = studies_of(suite(model, text))
    study = asked.study
    assert study.labels == ("as it is", "shuffle")
    assert len(study.trials) == 48
    assert (np.bincount(study.group) == 2).all()
    for group in range(24):
        one, other = (study.trials[i] for i in np.flatnonzero(study.group == group))
        assert one.label != other.label
        assert sorted(one.prompt.symbols) == sorted(other.prompt.symbols)


def test_a_concept_with_one_value_or_few_sequences_is_refused(model: str) -> None:
    with pytest.raises(SpecError, match="with 2 sequences"):
        studies_of(suite(model), limit=2)


def test_runs_without_the_section_keep_their_store_readable(run: Run) -> None:
    store = open_store(run.path)
    assert store.get_meta("version") == "3"
    store.close()


def test_the_plan_says_what_is_measured_inside_and_what_is_skipped(model: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE.format(model=model, whitebox=WHITEBOX))
    asked = ["whitebox", str(path), "--dry-run", "-o", str(tmp_path / "run")]
    said = CliRunner().invoke(cli, asked)
    assert said.exit_code == 0
    assert "concept period: 3 decodability measurements on 24 sequences, 2 layers" in said.output
    assert not (tmp_path / "run").exists()
    closed = ["-m", "mock/logistic?location=8&width=4"]
    refused = CliRunner().invoke(cli, [*asked, *closed])
    assert refused.exit_code == 2
    assert "need a model that runs here" in refused.output
    outside = CliRunner().invoke(cli, ["run", *asked[1:], *closed])
    assert outside.exit_code == 0
    assert "whitebox sections are skipped" in outside.output


def test_the_shipped_suite_is_read() -> None:
    asked = studies_of(load_suite("whitebox"), limit=8)
    assert [(a.study.concept, len(a.study.labels)) for a in asked] == [("period", 2), ("control", 2)]
