"""Training series as pandas tables: p by context length and step, and where it changes over training."""

from collections.abc import Sequence

import pandas as pd

from harness.types import RunResult
from harness.types.training import CheckpointSeries


def series_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a series, condition, training step and context length.

    `p` is the mean over sequences with `low` and `high`, `ideal` that of the
    ideal observer. `verdict`, `location` and its interval are of the step's curve
    over context length; `training_verdict`, `training_location` and its interval
    (in steps) of p at that context length over training, absent where it was not
    followed.
    """
    columns = [
        "run", "series", "id", "title", "control", "step", "context_length", "p", "low", "high", "ideal", "chance",
        "verdict", "location", "location_low", "location_high", "training_verdict", "training_location",
        "training_location_low", "training_location_high", "training_width", "training_width_low",
        "training_width_high",
    ]  # fmt: skip
    rows = [row for run in results for series in run.series for row in _rows(run.name, series)]
    return pd.DataFrame(rows, columns=columns)


def _rows(run: str, series: CheckpointSeries) -> list[dict[str, object]]:
    followed = {a.context_length: a.transition for a in series.over_training}
    rows = []
    for i, (step, curve) in enumerate(zip(series.step, series.over_context, strict=True)):
        for j, n in enumerate(series.level):
            found = followed.get(float(n))
            row: dict[str, object] = {
                "run": run,
                "series": series.series,
                "id": series.id,
                "title": series.title,
                "control": series.control,
                "step": int(step),
                "context_length": n,
                "p": series.mean[i, j],
                "low": series.low[i, j],
                "high": series.high[i, j],
                "ideal": series.ideal[j],
                "chance": series.chance,
                "verdict": curve.verdict,
                "location": curve.location,
                "location_low": curve.location_low,
                "location_high": curve.location_high,
                "training_verdict": None if found is None else found.verdict,
            }
            for name in ("location", "location_low", "location_high", "width", "width_low", "width_high"):
                row[f"training_{name}"] = None if found is None else getattr(found, name)
            rows.append(row)
    return rows
