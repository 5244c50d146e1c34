"""CSV in, JSON out."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harness.analysis import transitions
from harness.cli import cli
from harness.curve_files import read_curves, read_series, transition_json
from harness.errors import CurveError, SpecError
from harness.types import CountCurve, SequenceCurve
from tests.analysis.simulation import counts, levels, logistic


def write(folder: Path, text: str) -> Path:
    path = folder / "curves.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_counts_are_read_in_any_order_of_rows_and_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "n,x,k,curve,note\n10,4,9,b,\n10,1,2,a,hm\n10,2,3,a,\n5,1,0,b,\n")
    first, second = read_curves(path)
    assert isinstance(first, CountCurve)
    assert isinstance(second, CountCurve)
    assert (first.name, first.level.tolist(), first.successes.tolist()) == ("b", [1, 4], [0, 9])
    assert (second.name, second.trials.tolist(), second.trials.dtype) == ("a", [10, 10], np.dtype(np.int64))


def test_probabilities_are_a_table_with_nan_where_nothing_was_measured(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffsequence, x, p\ns1,0,.5\ns1,2,1\ns2,1,\ns2,0,0.25\ns2,2,nan\n")
    (curve,) = read_curves(path)
    assert isinstance(curve, SequenceCurve)
    assert (curve.name, curve.sequence_ids, curve.level.tolist()) == ("curve", ("s1", "s2"), [0, 1, 2])
    np.testing.assert_array_equal(curve.p, [[0.5, np.nan, 1], [0.25, np.nan, np.nan]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"csv:1: header '' is not a curve's; allowed: x,k,n\[,curve\]"),
        ("x,k\n1,2\n", r"csv:1: header 'x,k' is not"),
        ("x,k,n,p,sequence\n", r"csv:1: header"),
        ("x,k,n,n\n", r"csv:1: header"),
        ("x,k,n\n", r"csv:2: no rows"),
        ("x,k,n\n1,2,3\n2,four,5\n", r"csv:3: k='four' is not a number"),
        ("x,k,n\n1,2,3\n2,4\n", r"csv:3: found more or fewer columns"),
        ("x,k,n\n1,2,3,4\n", r"csv:2: found more or fewer columns"),
        ("x,k,n\n1,,3\n", r"csv:2: column 'k' is empty"),
        ("x,k,n\n1,2,1\n", r"csv:2: k='2', n='1'"),
        ("x,k,n\n1,0.5,1\n", r"csv:2: k='0\.5'"),
        ("x,k,n\n1,0,0\n", r"csv:2: k='0', n='0'"),
        ("x,k,n\ninf,0,1\n", r"csv:2: x='inf'; it must be finite"),
        ("x,k,n\n1,0,1\n1,1,1\n", r"csv:3: level x=1\.0 of curve 'curve' occurs twice"),
        ("sequence,x,p\na,1,.5\na,1,.5\n", r"csv:3: sequence 'a' has level x=1\.0 of curve 'curve' twice"),
        ("sequence,x,p\na,1,1.5\n", r"csv:2: p='1\.5'"),
        ("sequence,x,p\n,1,.5\n", r"csv:2: column 'sequence' is empty"),
    ],
)
def test_anything_else_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CurveError, match=message):
        read_curves(write(tmp_path, text))


def test_a_file_that_is_missing_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CurveError, match="cannot be read"):
        read_curves(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00x,k,n\n")
    with pytest.raises(CurveError, match="UTF-8"):
        read_curves(tmp_path / "binary.csv")


KEYS = [
    "curve",
    "verdict",
    "p_none",
    "p_gradual",
    "p_sharp",
    "p_multiple",
    "location",
    "location_low",
    "location_high",
    "width",
    "width_low",
    "width_high",
    "lower",
    "upper",
    "direction",
    "resolution",
    "deviance",
    "fit_p",
    "changes",
    "options",
    "warnings",
]


def test_a_transition_is_written_under_the_promised_keys_without_nan() -> None:
    rng = np.random.default_rng(0)
    bump = np.where((levels(24) > 7) & (levels(24) < 16), 0.9, 0.2)
    curves = [counts(p, 60, rng) for p in (np.full(24, 0.5), logistic(levels(24), 9.5, 0, 0.1, 0.9), bump)]
    for t in transitions(curves):
        written = transition_json(t)
        assert list(written) == KEYS
        assert json.loads(json.dumps(written, allow_nan=False)) == written
        assert written["options"] == {"sharp_width": 0.10, "min_change": 0.10}
    none, sharp, multiple = (transition_json(t) for t in transitions(curves))
    assert (none["verdict"], none["location"], none["direction"], none["changes"]) == ("none", None, None, [])
    assert (sharp["verdict"], sharp["direction"]) == ("sharp", "increasing")
    assert isinstance(multiple["changes"], list)
    assert [set(c) for c in multiple["changes"] if isinstance(c, dict)] == [{"location", "low", "high"}] * 2


def test_series_are_read_segmented_and_written(tmp_path: Path) -> None:
    rows = [f"{x},{(3.0 if x >= 20 else 0.0) + 0.1 * (x % 3)},a" for x in range(40)]
    path = write(tmp_path, "x,y,curve\n" + "\n".join(rows[::-1]) + "\n")
    done = CliRunner().invoke(cli, ["transitions", str(path), "--method", "segmentation", "--json"])
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert (found["curve"], found["verdict"], found["n_changes"]) == ("a", "changes", 1)
    assert [(c["location"], c["low"], c["high"]) for c in found["changes"]] == [(19.5, 19.0, 20.0)]
    assert sum(found["p_changes"]) == pytest.approx(1)
    table = CliRunner().invoke(cli, ["transitions", str(path), "--method", "segmentation"])
    assert "19.5" in table.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,k,n\n1,2,3\n", r":1: header 'x,k,n' is not a curve's; allowed: x,y\[,curve\]"),
        ("x,y\n1,\n", ":2: column 'y' is empty"),
        ("x,y\n1,2\n1,3\n", r":3: level x=1.0 of series 'curve' occurs twice"),
        ("x,y\n1,inf\n", ":2: y='inf'; it must be finite"),
    ],
)
def test_a_file_that_holds_no_series_is_refused_by_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CurveError, match=message):
        read_series(write(tmp_path, text))


def test_an_option_of_the_other_method_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "x,y\n1,2\n")
    done = CliRunner().invoke(
        cli, ["transitions", str(path), "--method", "segmentation", "--min-change", ".2"]
    )
    assert done.exit_code == 2
    assert "--min-change says nothing to --method segmentation" in done.output


def test_a_method_is_given_what_it_reads() -> None:
    curve = counts(np.full(8, 0.5), 20, np.random.default_rng(0))
    with pytest.raises(SpecError, match="does not read a CountCurve"):
        transitions([curve], method="segmentation")  # type: ignore[call-overload]
