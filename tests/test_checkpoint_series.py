"""Checkpoints as an axis: what @* stands for, p by context length and step, and known onsets over training."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import harness as icl
from harness.checkpoint_series import followed, seed_spreads, series_of, without_inner
from harness.errors import CheckpointError, SpecError
from harness.judgments import Judgments
from harness.local_models.checkpoints import resolve_checkpoint, series_names
from harness.model_names import in_order, step_of
from harness.registry import model_names
from harness.reporting import write_report
from harness.reporting.trained import training_blocks
from harness.suite_files import parse_suite
from harness.types import AnalysisOptions, Curve, CurveResult, Floats, SequenceCurve
from harness.types.training import Appearance, CheckpointSeries
from tests.reporting.examples import curve_result, run_of, transition

STEPS = (0, 16, 32, 64, 91, 128, 181, 256, 362, 512, 724, 1024)
LEVEL = np.arange(0.0, 40.0, 2)
OPTIONS = AnalysisOptions()


def folder(root: Path, *steps: int, last: int | None = None, named: bool = True) -> Path:
    """A series without weights: enough to be listed, not to be loaded."""
    for step in steps:
        (root / f"step-{step:06d}").mkdir(parents=True)
    if last is not None:
        (root / "config.json").write_text("{}")
        if named:
            (root / "training.json").write_text(json.dumps({"steps": last}))
    return root


def test_the_bundled_series_is_listed_with_its_last_checkpoint() -> None:
    names = model_names("local/icl-mixture@*")
    assert names == tuple(f"local/icl-mixture@{step}" for step in (0, 64, 128, 256, 1024, 3000))
    assert resolve_checkpoint("icl-mixture@3000").directory == resolve_checkpoint("icl-mixture").directory


def test_a_training_in_progress_is_the_steps_it_has_in_order(tmp_path: Path) -> None:
    here = folder(tmp_path, 1000000, 2, 10)
    assert series_names(str(here)) == tuple(f"{here}@{step}" for step in (2, 10, 1000000))


def test_a_last_step_with_a_folder_of_its_own_comes_once(tmp_path: Path) -> None:
    here = folder(tmp_path, 2, 10, last=10)
    assert series_names(str(here)) == (f"{here}@2", f"{here}@10")


def test_what_is_no_series_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no folder step-XXXXXX"):
        series_names(str(tmp_path))
    with pytest.raises(CheckpointError, match=r'training\.json there as \{"steps": N\}'):
        series_names(str(folder(tmp_path, 3, last=7, named=False)))
    with pytest.raises(CheckpointError, match="revisions of a Hub model are not listed"):
        series_names("organisation/model")
    with pytest.raises(SpecError, match="mock has no checkpoints to list"):
        model_names("mock/flat@*")
    with pytest.raises(CheckpointError, match=r"@\* stands for all of them in a run"):
        resolve_checkpoint("icl-mixture@*")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("local/a@64", ("local/a", 64)), ("local/a", None), ("local/o/m@main", None), ("openai/gpt@1.5", None)],
)
def test_a_step_is_read_from_a_name_only_where_it_is_a_number(name: str, expected: object) -> None:
    assert step_of(name) == expected


def test_checkpoints_come_in_order_of_step_and_other_models_in_order_of_name() -> None:
    names = ["openai/b", "local/a@1024", "local/a", "local/a@64", "local/b@2", "anthropic/c"]
    ordered = ["anthropic/c", "local/a", "local/a@64", "local/a@1024", "local/b@2", "openai/b"]
    assert sorted(names, key=in_order) == ordered


def truth(step: int, *, at: float = 128, onset: float = 20) -> Floats:
    """p over context length: a step at `onset` whose height appears over training, half-way at step `at`."""
    learned = 1 / (1 + (at / max(step, 1e-9)) ** 4)
    return np.asarray(0.5 + 0.4 * learned / (1 + np.exp(-(LEVEL - onset) / 1.5)))


def checkpoints(series: str = "local/a", **known: float) -> list[CurveResult]:
    rng = np.random.default_rng(3)
    none = transition("none")
    return [
        curve_result("c", truth(step, **known), none, rng=rng, level=LEVEL, model=f"{series}@{step}")
        for step in STEPS
    ]


def test_the_onset_over_training_is_recovered_where_p_depends_on_it_and_none_where_not() -> None:
    results = checkpoints()
    (series,) = series_of(results, OPTIONS, Judgments(None))
    assert series.series == "local/a"
    assert series.step.tolist() == list(STEPS)
    assert series.mean.shape == (len(STEPS), len(LEVEL))
    for row, result in zip(series.mean, results, strict=True):
        np.testing.assert_array_equal(row, result.mean)
    first, last = series.over_training[0], series.over_training[-1]
    assert (first.context_length, last.context_length) == (0.0, 38.0)
    assert first.transition.verdict == "none"  # p at n = 0 is 0.5 at every step
    assert last.transition.p_none < 0.01
    found = last.transition.location
    assert found is not None
    assert abs(np.log2(found / 128)) < 0.5  # steps are half an octave apart there
    assert last.transition.options.axis == "log2"


def first_rows(curve: Curve, n: int) -> SequenceCurve:
    assert isinstance(curve, SequenceCurve)
    return replace(curve, p=curve.p[:n], sequence_ids=curve.sequence_ids[:n])


def test_sequences_are_paired_by_id_whatever_their_order_and_only_where_all_have_them() -> None:
    results = checkpoints()
    shuffled = list(results)
    curve = results[4].curve
    assert isinstance(curve, SequenceCurve)
    order = np.random.default_rng(0).permutation(len(curve.p))
    ids = tuple(curve.sequence_ids[i] for i in order)
    shuffled[4] = replace(results[4], curve=replace(curve, p=curve.p[order], sequence_ids=ids))
    judged = [series_of(given, OPTIONS, Judgments(None))[0].over_training for given in (results, shuffled)]
    assert judged[0] == judged[1]
    fewer = [replace(r, curve=first_rows(r.curve, 15)) for r in results]
    one_short = [fewer[0], *results[1:]]
    judged = [series_of(given, OPTIONS, Judgments(None))[0].over_training for given in (fewer, one_short)]
    assert judged[0] == judged[1]


def test_two_checkpoints_are_no_series_and_conditions_are_kept_apart() -> None:
    results = checkpoints()[:2]
    assert series_of(results, OPTIONS, Judgments(None)) == ()
    other = [replace(r, id=f"{r.id}-{i}") for i, r in enumerate(checkpoints())]
    assert series_of(other, OPTIONS, Judgments(None)) == ()


def test_of_a_series_only_the_last_checkpoint_is_compared_with_others() -> None:
    results = [*checkpoints(), replace(checkpoints()[0], model="local/b")]
    series = series_of(results, OPTIONS, Judgments(None))
    assert [r.model for r in without_inner(results, series)] == ["local/a@1024", "local/b"]


@pytest.mark.parametrize("n", [1, 9, 10, 257])
def test_context_lengths_followed_are_among_those_measured_and_end_with_the_last(n: int) -> None:
    level = np.arange(n, dtype=np.float64)
    chosen = followed(level)
    assert len(chosen) <= 9
    assert set(chosen) <= set(level)
    assert chosen[-1] == level[-1]


def placed(series: str, location: float | None) -> CheckpointSeries:
    (known,) = series_of(checkpoints(), OPTIONS, Judgments(None))
    found = replace(known.over_training[-1].transition, location=location, width=10.0)
    return replace(known, series=series, over_training=(Appearance(38.0, found),))


def test_seeds_are_series_that_differ_in_numbers_and_their_spread_is_in_octaves() -> None:
    (spread,) = seed_spreads(
        [placed(f"local/run-seed{s}", at) for s, at in enumerate((64.0, 128.0, 256.0))]
        + [placed("local/other", 32.0)],
        OPTIONS,
    )
    assert spread.location == (64.0, 128.0, 256.0)
    assert spread.mean == pytest.approx(128)
    assert spread.octaves == pytest.approx(1)
    student = stats.t.ppf(0.975, 2) / np.sqrt(
        3
    )  # octaves to either side; the stretched bootstrap is a little longer
    assert spread.low is not None
    assert spread.high is not None
    assert student < np.log2(spread.high / 128) < 1.2 * student
    assert student < np.log2(128 / spread.low) < 1.2 * student


def test_a_seed_that_was_not_placed_is_counted_and_two_seeds_have_no_interval() -> None:
    (spread,) = seed_spreads([placed(f"local/s{s}", at) for s, at in enumerate((64.0, None, 256.0))], OPTIONS)
    assert spread.location == (64.0, None, 256.0)
    assert spread.mean == pytest.approx(128)
    assert spread.low is None
    assert seed_spreads([placed(f"local/s{s}", None) for s in range(2)], OPTIONS) == ()


SUITE = """\
name: training
seed: 5
tasks:
  - family: periodic
    params: {period: 3, symbols: binary}
    context_lengths: [0, 4, 16, 48]
    sequences: 8
"""


def test_a_run_of_a_series_has_every_checkpoint_its_map_and_its_tables(tmp_path: Path) -> None:
    """The bundled model learns binary patterns late: after 48 symbols p is near chance at step 0, not at step 3000."""
    run = icl.run(parse_suite(SUITE, "training"), ["local/icl-mixture@*"], out=tmp_path / "run")
    (series,) = run.result.series
    assert series.step.tolist() == [0, 64, 128, 256, 1024, 3000]
    assert series.mean[0, -1] == pytest.approx(0.5, abs=0.1)
    assert series.mean[-1, -1] > 0.8
    assert run.result.shifts == ()
    table = icl.series_df(run)
    assert len(table) == 6 * 4
    np.testing.assert_array_equal(table["p"].to_numpy().reshape(6, 4), series.mean)
    positions = icl.positions_df(run)
    assert sorted(positions["mean"]) == sorted(table["p"])  # the same numbers, checkpoint by checkpoint
    files = write_report([run.result], tmp_path / "report", frozenset({"html", "csv"}))
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Over training" in page
    assert "6 checkpoints, steps 0 to 3000" in page
    assert "series.csv" in {f.name for f in files}


def test_every_format_shows_the_series_with_its_verdicts_and_its_seeds(tmp_path: Path) -> None:
    series = placed("local/run-seed0", 64.0), placed("local/run-seed1", 256.0)
    run = run_of(series=series, seeds=seed_spreads(series, OPTIONS))
    (block, _) = training_blocks([run])
    (shown,) = block.shown
    assert block.model == "local/run-seed0@*"
    assert (
        "Over 2 seeds, n = 38: placed in 2, geometric mean at step 128.0, s.d. between seeds 1.41 octaves; "
        "10-90 % widths 10.0 to 10.0 steps." in (shown.sentences)
    )
    assert [row[0] for row in shown.rows] == ["38"]
    files = write_report([run], tmp_path, frozenset({"latex", "pdf"}))
    assert {"training-0-0-map.pdf", "training-1-0-courses.pdf"} <= {f.name for f in files}
    assert "Training of local/run{-}seed0@" in (tmp_path / "latex" / "transitions.tex").read_text()
