"""Concept decodability as a pandas table, a row a layer and context length."""

from collections.abc import Sequence

import pandas as pd

from harness.types import RunResult
from harness.types.decodability import Decodability, ProbeReading
from harness.types.whitebox import WhiteBoxResult


def decodability_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a model, task, decoder, layer and context length.

    `accuracy`, `chance`, `chance_high` and `p_value` are of all sequences;
    `held_out` is the accuracy and `behaviour` the mean p(target) of the held-out
    ones; `location`, `lag` (of p(target)), `choice_lag` (of p(target) above one
    half) and `association` are of the whole layer.
    """
    columns = [
        "run", "model", "task", "concept", "probe", "layer", "chosen", "context_length", "accuracy", "chance",
        "chance_high", "p_value", "held_out", "behaviour", "verdict", "location", "location_low", "location_high",
        "lag", "lag_low", "lag_high", "lag_censored", "choice_lag", "choice_lag_low", "choice_lag_high",
        "choice_lag_censored", "association", "association_low", "association_high",
        "sharp_width", "min_change",
    ]  # fmt: skip
    rows = [
        dict(zip(columns[:4], (run.name, result.model, result.title, result.concept), strict=True)) | cell
        for run in results
        for result in run.whitebox
        if "decodability" in result.findings
        for reading in _record(result).probes
        for cell in _cells(_record(result), reading)
    ]
    return pd.DataFrame(rows, columns=columns)


def _record(result: WhiteBoxResult) -> Decodability:
    found = result.findings["decodability"]
    assert isinstance(found, Decodability)
    return found


def _cells(found: Decodability, reading: ProbeReading) -> list[dict[str, object]]:
    shown = found.behaviour
    behaviour = {} if shown is None else dict(zip(shown.level, shown.p.mean(axis=0), strict=True))
    rows: list[dict[str, object]] = []
    for k, layer in enumerate(found.layers):
        t, lag, together = reading.transitions[k], reading.lags[k], reading.associations[k]
        choice = reading.choice_lags[k]
        held = reading.curves[k].p.mean(axis=0)
        for i, n in enumerate(found.context_lengths):
            rows.append(
                {
                    "probe": reading.probe,
                    "layer": layer,
                    "chosen": k == reading.chosen,
                    "context_length": int(n),
                    "accuracy": reading.accuracy[k, i],
                    "chance": reading.chance[k, i],
                    "chance_high": reading.chance_high[k, i],
                    "p_value": reading.p_value[k, i],
                    "held_out": held[i],
                    "behaviour": behaviour.get(n),
                    "verdict": t.verdict,
                    "location": t.location,
                    "location_low": t.location_low,
                    "location_high": t.location_high,
                    "lag": None if lag is None else lag.value,
                    "lag_low": None if lag is None else lag.low,
                    "lag_high": None if lag is None else lag.high,
                    "lag_censored": None if lag is None else lag.censored,
                    "choice_lag": None if choice is None else choice.value,
                    "choice_lag_low": None if choice is None else choice.low,
                    "choice_lag_high": None if choice is None else choice.high,
                    "choice_lag_censored": None if choice is None else choice.censored,
                    "association": together.value,
                    "association_low": together.low,
                    "association_high": together.high,
                    "sharp_width": t.options.sharp_width,
                    "min_change": t.options.min_change,
                }
            )
    return rows
