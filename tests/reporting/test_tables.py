import csv
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.reporting.tables import csv_bytes, csv_report, positions_df, runs_df, transitions_df, trials_df
from harness.types import CountCurve, RunResult, SequenceCurve
from tests.reporting.examples import NASTY, run_of
from tests.reporting.kinds import all_kinds


@pytest.fixture(scope="module")
def run() -> RunResult:
    return all_kinds()


def read(content: bytes) -> dict[str, list[str]]:
    """Columns of a CSV file as text, by the standard library's reader."""
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    return {name: [row[k] for row in rows] for k, name in enumerate(head)}


@pytest.mark.parametrize("table", ["runs.csv", "transitions.csv", "positions.csv"])
def test_a_table_read_back_equals_the_one_written(table: str, run: RunResult) -> None:
    makers = {
        "runs.csv": runs_df,
        "transitions.csv": transitions_df,
        "positions.csv": positions_df,
    }
    written = makers[table]([run]).reset_index(drop=True)
    back = read(csv_report([run])[table])
    assert list(back) == list(written.columns)
    for column in map(str, written.columns):
        expected = written[column]
        if pd.api.types.is_numeric_dtype(expected.dtype) and expected.dtype != bool:
            values = [float(text) if text else np.nan for text in back[column]]
            np.testing.assert_array_equal(
                values, expected.to_numpy(np.float64, na_value=np.nan)
            )  # to the last bit
        else:
            assert back[column] == ["" if pd.isna(value) else str(value) for value in expected]


def test_transitions_hold_every_field_of_the_contract(run: RunResult) -> None:
    table = transitions_df([run]).set_index("id")
    assert len(table) == len(run.curves)
    for result in run.curves:
        row, t = table.loc[result.id], result.transition
        for name in ("verdict", "p_none", "p_gradual", "p_sharp", "p_multiple", "direction"):
            assert row[name] == getattr(t, name) or (getattr(t, name) is None and pd.isna(row[name]))
        for name in (
            "location",
            "location_low",
            "location_high",
            "width",
            "width_low",
            "width_high",
            "lower",
            "upper",
        ):
            expected = getattr(t, name)
            assert row[name] == (pytest.approx(np.nan, nan_ok=True) if expected is None else expected)
        assert [c["location"] for c in json.loads(str(row["changes"]))] == [c.location for c in t.changes]
        assert (row["sharp_width"], row["min_change"], row["axis"]) == (0.1, 0.1, t.options.axis)
        assert json.loads(str(row["warnings"])) == list(t.warnings)


def test_a_censored_delay_stays_marked(run: RunResult) -> None:
    table = transitions_df([run]).set_index("id")
    assert table.loc["undetermined", "delay"] == 40.0
    assert table.loc["undetermined", "delay_censored"] == "model"
    assert table["delay"].isna()["bernoulli"]
    assert table.loc["bernoulli", "delay_censored"] == "observer"


def test_positions_repeat_the_arrays_of_the_curve(run: RunResult) -> None:
    table = positions_df([run])
    for result in run.curves:
        rows = table[table["id"] == result.id]
        for column, values in {
            "context_length": result.curve.level,
            "mean": result.mean,
            "low": result.low,
            "high": result.high,
            "raw": result.raw,
            "mass": result.mass,
            "scored": result.scored,
        }.items():
            np.testing.assert_array_equal(rows[column].to_numpy(np.float64), values)
        if isinstance(result.curve, CountCurve):
            np.testing.assert_array_equal(rows["k"].to_numpy(np.int64), result.curve.successes)


def test_failures_stand_at_their_context_length(run: RunResult) -> None:
    rows = positions_df([run]).query("id == 'failing'").set_index("context_length")
    assert rows["failed_refused"][64.0] == 1
    assert rows["failures"][101.0] == 3
    assert rows["failures"].sum() == 85  # 28 levels of 3 and one of 1, as simulated


def test_trials_are_the_probabilities_of_every_sequence(run: RunResult) -> None:
    table = trials_df([run])
    for result in run.curves:
        if isinstance(result.curve, SequenceCurve):
            p = table[table["curve"] == result.id].pivot_table(
                index="sequence", columns="x", values="p", sort=False
            )
            np.testing.assert_array_equal(p.to_numpy(), result.curve.p)


def test_a_failed_level_is_no_trial(run: RunResult) -> None:
    curve = run.curves[0].curve
    assert isinstance(curve, SequenceCurve)
    p = curve.p.copy()
    p[2, 5] = np.nan
    table = trials_df([run_of(replace(run.curves[0], curve=replace(curve, p=p)))])
    assert len(table) == p.size - 1
    assert table.query("sequence == 's2' and x == 5").empty


def test_an_unknown_cost_is_empty_and_not_zero(run: RunResult) -> None:
    text = csv_bytes(runs_df([run])[["model", "cost_usd"]]).decode()
    assert text.splitlines()[1] == "local/icl-mixture,0.0"
    assert text.endswith(",\n")
    assert NASTY.replace('"', '""') in text


def test_a_run_without_curves_gives_empty_tables() -> None:
    for content in csv_report([run_of()]).values():
        assert content.startswith(b"run,")


def test_controls_say_what_they_expect_and_whether_the_transition_survives(run: RunResult) -> None:
    main = next(c for c in run.curves if c.control is None and c.transition.verdict == "sharp")
    gone = replace(
        main, id="gone", control="shuffle", expects="gone", beyond=replace(main.transition, verdict="none")
    )
    kept = replace(main, id="kept", control="swap?at=4", expects="moved", beyond=None)
    table = transitions_df([replace(run, curves=(main, gone, kept))])
    rows = dict(zip(table["control"], zip(table["expects"], table["survives"], strict=True), strict=True))
    assert rows["shuffle"] == ("gone", "no")
    assert rows["swap?at=4"] == ("moved", "yes")
    assert table["survives"].isna().sum() == 1
