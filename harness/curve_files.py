"""Curves and series read from CSV text, and what the analyzer says of them written as JSON objects."""

import csv
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from harness.errors import CurveError
from harness.types import CountCurve, Curve, Segmentation, SequenceCurve, Series, Transition

COUNTS = ("x", "k", "n")
PROBABILITIES = ("sequence", "x", "p")
VALUES = ("x", "y")
ALLOWED = "x,k,n[,curve] for counts or sequence,x,p[,curve] for probabilities of sequences"
ALLOWED_SERIES = "x,y[,curve] for segmentation"
ONLY = "curve"  # name of the curve of a file that names none

Row = dict[str, str]
Json = str | float | None | list[dict[str, float]] | dict[str, float] | list[str] | list[float]


def read_curves(path: Path) -> list[Curve]:
    """Read every curve of a CSV file, in the order they first appear; rows may come in any order.

    Counts: `x,k,n[,curve]`, one row per level. Probabilities:
    `sequence,x,p[,curve]`, one row per sequence and level; a cell that has no row,
    or an empty or "nan" p, is NaN. Other columns are ignored.

    Raises CurveError naming the file and line for anything else.
    """
    layout, by_curve = _read(path, (COUNTS, PROBABILITIES), ALLOWED)
    build = _counts if layout == COUNTS else _probabilities
    return [build(path, name, rows) for name, rows in by_curve.items()]


def read_series(path: Path) -> list[Series]:
    """Read every series of a CSV file `x,y[,curve]`, one row per value, in the order they first appear.

    Rows may come in any order and other columns are ignored. Raises CurveError
    naming the file and line for a missing, doubled or not finite number.
    """
    _, by_curve = _read(path, (VALUES,), ALLOWED_SERIES)
    return [_values(path, name, rows) for name, rows in by_curve.items()]


def transition_json(t: Transition) -> dict[str, Json]:
    """Return a transition under the keys `icl transitions --json` promises; what is absent is None."""
    return {
        "curve": t.curve,
        "verdict": t.verdict,
        "p_none": t.p_none,
        "p_gradual": t.p_gradual,
        "p_sharp": t.p_sharp,
        "p_multiple": t.p_multiple,
        "location": t.location,
        "location_low": t.location_low,
        "location_high": t.location_high,
        "width": t.width,
        "width_low": t.width_low,
        "width_high": t.width_high,
        "lower": t.lower,
        "upper": t.upper,
        "direction": t.direction,
        "resolution": t.resolution,
        "deviance": t.deviance,
        "fit_p": t.fit_p,
        "changes": [asdict(change) for change in t.changes],
        "options": {"sharp_width": t.options.sharp_width, "min_change": t.options.min_change},
        "warnings": list(t.warnings),
    }


def segmentation_json(s: Segmentation) -> dict[str, Json]:
    """Return a segmentation as a JSON object; `p_changes[m]` is the posterior of m changes."""
    return {
        "curve": s.curve,
        "verdict": s.verdict,
        "p_changes": list(s.p_changes),
        "n_changes": s.n_changes,
        "changes": [asdict(change) for change in s.changes],
        "noise_correlation": s.noise_correlation,
        "options": asdict(s.options),
        "warnings": list(s.warnings),
    }


def _read(
    path: Path, layouts: tuple[tuple[str, ...], ...], allowed: str
) -> tuple[tuple[str, ...], dict[str, list[tuple[int, Row]]]]:
    """Return the layout a file has and its rows by curve, each with its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            header = tuple((name or "").strip() for name in reader.fieldnames or ())
            reader.fieldnames = list(header)
            fitting = [layout for layout in layouts if set(layout) <= set(header)]
            if len(fitting) != 1 or len(set(header)) < len(header):
                raise CurveError(
                    f"{path}:1: header {','.join(header)!r} is not a curve's; allowed: {allowed}"
                )
            by_curve: dict[str, list[tuple[int, Row]]] = {}
            for line, row in _rows(path, reader, fitting[0]):
                by_curve.setdefault(row.get("curve") or ONLY, []).append((line, row))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CurveError(f"{path}: cannot be read as CSV text in UTF-8: {error}") from error
    if not by_curve:
        raise CurveError(f"{path}:2: no rows after the header {','.join(header)!r}")
    return fitting[0], by_curve


def _rows(path: Path, reader: "csv.DictReader[str]", layout: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    for row in reader:
        line = reader.line_num
        if None in row or None in row.values():
            raise CurveError(
                f"{path}:{line}: found more or fewer columns than the header's {len(reader.fieldnames or ())}"
            )
        stripped = {name: value.strip() for name, value in row.items()}
        for name in layout:
            if not stripped[name] and name != "p":
                raise CurveError(f"{path}:{line}: column {name!r} is empty; only p may be left out")
        yield line, stripped


def _number(path: Path, line: int, row: Row, column: str) -> float:
    text = row[column]
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise CurveError(f"{path}:{line}: {column}={text!r} is not a number") from None


def _finite(path: Path, line: int, row: Row, column: str) -> float:
    value = _number(path, line, row, column)
    if not np.isfinite(value):
        raise CurveError(f"{path}:{line}: {column}={row[column]!r}; it must be finite")
    return value


def _counts(path: Path, name: str, rows: list[tuple[int, Row]]) -> CountCurve:
    found: dict[float, tuple[int, int]] = {}
    for line, row in rows:
        x, k, n = (_finite(path, line, row, column) for column in COUNTS)
        if x in found:
            raise CurveError(f"{path}:{line}: level x={x!r} of curve {name!r} occurs twice; join its counts")
        if k != int(k) or n != int(n) or not 0 <= k <= n or n == 0:
            raise CurveError(
                f"{path}:{line}: k={row['k']!r}, n={row['n']!r}; whole numbers with 0 <= k <= n, n > 0"
            )
        found[x] = (int(k), int(n))
    level = sorted(found)
    return CountCurve(
        name,
        np.array(level),
        np.array([found[x][0] for x in level], dtype=np.int64),
        np.array([found[x][1] for x in level], dtype=np.int64),
    )


def _probabilities(path: Path, name: str, rows: list[tuple[int, Row]]) -> SequenceCurve:
    found: dict[tuple[str, float], float] = {}
    for line, row in rows:
        sequence, x, p = row["sequence"], _finite(path, line, row, "x"), _number(path, line, row, "p")
        if (sequence, x) in found:
            raise CurveError(
                f"{path}:{line}: sequence {sequence!r} has level x={x!r} of curve {name!r} twice"
            )
        if not (np.isnan(p) or 0 <= p <= 1):
            raise CurveError(f"{path}:{line}: p={row['p']!r}; a probability is between 0 and 1, or empty")
        found[sequence, x] = p
    ids = tuple(dict.fromkeys(sequence for sequence, _ in found))
    level = sorted({x for _, x in found})
    row_of, column_of = {s: i for i, s in enumerate(ids)}, {x: i for i, x in enumerate(level)}
    table = np.full((len(ids), len(level)), np.nan)
    for (sequence, x), p in found.items():
        table[row_of[sequence], column_of[x]] = p
    return SequenceCurve(name, np.array(level), table, ids)


def _values(path: Path, name: str, rows: list[tuple[int, Row]]) -> Series:
    found: dict[float, float] = {}
    for line, row in rows:
        x, y = (_finite(path, line, row, column) for column in VALUES)
        if x in found:
            raise CurveError(
                f"{path}:{line}: level x={x!r} of series {name!r} occurs twice; one value per level"
            )
        found[x] = y
    level = sorted(found)
    return Series(name, np.array(level), np.array([found[x] for x in level]))
