"""Information emergence as a pandas table, a row a network, block and token."""

from collections.abc import Sequence
from dataclasses import asdict, fields

import pandas as pd

from harness.types import RunResult
from harness.types.emergence import EmergenceCell, EmergenceReading
from harness.types.whitebox import WhiteBoxResult


def emergence_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a model, task, network, block (0-based) and token (0-based after BOS), all in bits.

    The columns are those of `EmergenceCell`, where each is said to be what.
    """
    same = ["run", "model", "task", "entities", "shots", "separator", "n"]
    columns = [*same, *(f.name for f in fields(EmergenceCell) if f.name != "distinct")]
    rows = [
        {"run": run.name, "model": result.model, "task": result.title, **row}
        for run in results
        for result in run.whitebox
        if "emergence" in result.findings
        for row in _rows(result)
    ]
    return pd.DataFrame(rows, columns=[*columns, "distinct_in", "distinct_out", "above_ceiling"])


def _rows(result: WhiteBoxResult) -> list[dict[str, object]]:
    found = result.findings["emergence"]
    assert isinstance(found, EmergenceReading)
    same: dict[str, object] = {
        "entities": found.entities, "shots": found.shots, "separator": found.separator, "n": found.n
    }  # fmt: skip
    rows = []
    for cell in found.cells:
        row: dict[str, object] = asdict(cell)
        del row["distinct"]
        row["distinct_in"], row["distinct_out"] = cell.distinct or (None, None)
        rows.append(same | row | {"above_ceiling": cell.above_ceiling})
    return rows
