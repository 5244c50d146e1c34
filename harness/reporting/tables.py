"""Finished runs as pandas tables, one row a model, a curve, a context length or a trial, and as CSV.

Numbers are written with as many digits as
they hold, so that a table read back equals the one written, and the same run
gives the same bytes.
"""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.reporting.explained_tables import cognitive_df, mixtures_df
from harness.reporting.finding_tables import finding_columns, shifts_df
from harness.reporting.generation_tables import generations_df
from harness.reporting.levels import (
    failures_per_level,
    fitted,
    ideal_observer,
    ideal_transition,
    lowest_mass,
    mean_over_sequences,
)
from harness.reporting.matches import match_columns, match_positions
from harness.reporting.phases_table import passages_df, phases_df
from harness.reporting.sections import Entry, entries
from harness.reporting.trained_table import series_df
from harness.reporting.whitebox import inside_tables
from harness.types import CountCurve, CurveResult, Floats, RunResult, SequenceCurve, Transition


def runs_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a run and model: how it was measured and what it cost (`cost_usd` absent if unknown)."""
    columns = [
        "run", "suite_digest", "seed", "created", "model", "fingerprint", "served_models", "curves",
        "requests", "failed_requests", "prompt_tokens", "completion_tokens", "cached_tokens", "hidden_tokens",
        "cost_usd", "doubtful_usd", "settings", "versions",
    ]  # fmt: skip
    rows = [
        {
            "run": run.name,
            "suite_digest": run.suite_digest,
            "seed": run.seed,
            "created": run.created,
            "model": model.name,
            "fingerprint": model.fingerprint,
            "served_models": _json(list(model.served_models)),
            "curves": sum(curve.model == model.name for curve in run.curves),
            "requests": model.requests,
            "failed_requests": model.failed_requests,
            "prompt_tokens": model.prompt_tokens,
            "completion_tokens": model.completion_tokens,
            "cached_tokens": model.cached_tokens,
            "hidden_tokens": model.hidden_tokens,
            "cost_usd": model.cost_usd,
            "doubtful_usd": model.doubtful_usd,
            "settings": _json(dict(model.settings)),
            "versions": _json(dict(run.versions)),
        }
        for run in results
        for model in run.models
    ]
    table = pd.DataFrame(rows, columns=columns)
    whole = ["prompt_tokens", "completion_tokens"]
    return table.astype(dict.fromkeys(whole, "Int64")).astype({"cost_usd": "float64"})


def transitions_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a curve: what it is, the analyzer's fields, excess delay, captured mass and failures.

    `ideal_*` is the transition of the first observer, `beyond_*` that of p_model
    - p_baseline; `delay` is a lower bound where `delay_censored` is "model". Under a
    control, `expects` says what it does to a transition about the concept and
    `survives` whether one is there. `finding_columns` says what stands beside the
    transition: scorings, single sequences, family. Each parameter has a column `param_<name>`.
    """
    found = entries(results)
    names = sorted({name for entry in found for name in entry.result.params})
    rows = [_transition_row(entry, names) for entry in found]
    table = pd.DataFrame(rows, columns=None if rows else ["run", "id", "curve", "verdict"])
    numbers = [c for c in table.columns if c in _NUMERIC or c.endswith(("_location", "_width"))]
    return table.astype(dict.fromkeys(numbers, "float64"))


def positions_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a curve and context length: means, counts and failures.

    `mean` has its 95 % interval `low` to `high`; `fit` is the analyzer's. `k` and
    `n` are set for counted answers alone; `scored` counts the sequences (or
    answers) in the mean, `failures` those that are not, `failed_<kind>` by kind.
    Each observer's mean has a column `observer_<name>`. `match` is the exact match of
    readout "answer" with its interval, `log_p` the mean ln p(gold) in nat.
    """
    found = entries(results)
    kinds = sorted({kind for entry in found for kind in entry.result.failures})
    observers = sorted({name for entry in found for name in entry.result.observers})
    tables = [_positions(entry, kinds, observers) for entry in found]
    return (
        pd.concat(tables, ignore_index=True)
        if tables
        else pd.DataFrame(columns=["run", "id", "context_length"])
    )


def trials_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a sequence and context length: its p, and `ideal_p` of the ideal observer.

    The columns `curve`, `sequence`, `x` (the context length) and `p` are those
    that `icl transitions` reads. Counted answers have no rows here: their k and
    n are in `positions_df`. A level that failed has no row.
    """
    tables = [
        _trials(entry, entry.result.curve)
        for entry in entries(results)
        if isinstance(entry.result.curve, SequenceCurve)
    ]
    columns = ["run", "curve", "model", "sequence", "x", "p", "ideal_p"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8: shortest exact numbers, absent values empty, line feeds."""
    text = table.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8", "backslashreplace")


def csv_report(results: Sequence[RunResult]) -> dict[str, bytes]:
    """Return the tables as CSV files by name; a row a trial is for notebooks (`trials_df`), it can be 100 MB."""
    files = {
        "runs.csv": csv_bytes(runs_df(results)),
        "transitions.csv": csv_bytes(transitions_df(results)),
        "positions.csv": csv_bytes(positions_df(results)),
    }
    asked = {"mixtures.csv": mixtures_df(results), "cognitive.csv": cognitive_df(results)}
    asked["generations.csv"] = generations_df(results)
    asked["shifts.csv"] = shifts_df(results)
    asked["series.csv"] = series_df(results)
    asked["phases.csv"], asked["passages.csv"] = phases_df(results), passages_df(results)
    asked |= inside_tables(results)
    return files | {name: csv_bytes(table) for name, table in asked.items() if len(table)}


_CONTRACT = (
    "curve", "verdict", "p_none", "p_gradual", "p_sharp", "p_multiple", "location", "location_low",
    "location_high", "width", "width_low", "width_high", "lower", "upper", "direction",
)  # fmt: skip
_NUMERIC = {
    *_CONTRACT[2:14], "delay", "delay_low", "delay_high", "cost_usd", "chance", "min_mass", "scored",
    "failures", "match_delay", "match_chance",
}  # fmt: skip


def _transition_row(entry: Entry, names: Sequence[str]) -> dict[str, object]:
    result, t = entry.result, entry.result.transition
    delay, ideal, mass = result.delay, ideal_observer(result), lowest_mass(result)
    row: dict[str, object] = {
        "run": entry.run.name,
        "id": entry.anchor,
        "model": result.model,
        "family": result.family,
        "title": result.title,
        "readout": result.readout,
        "control": result.control,
        "way": result.way,
        "nested": result.nested,
        "chance": result.chance,
    }
    row |= {f"param_{name}": _cell(result.params.get(name)) for name in names}
    row |= {name: getattr(t, name) for name in _CONTRACT}
    row |= {
        "changes": _json([{"location": c.location, "low": c.low, "high": c.high} for c in t.changes]),
        "sharp_width": t.options.sharp_width,
        "min_change": t.options.min_change,
        "fdr": t.options.fdr,
        "axis": t.options.axis,
        "confidence": t.options.confidence,
        "warnings": _json(list(t.warnings)),
        "observer": None if ideal is None else ideal[0],
    }
    row |= (
        _named("ideal", ideal_transition(result))
        | {"baseline": result.baseline}
        | _named("beyond", result.beyond)
        | {"expects": result.expects, "survives": result.survives}
        | match_columns(result)
        | finding_columns(entry.run, result)
    )
    row |= {
        "delay": None if delay is None else delay.value,
        "delay_low": None if delay is None else delay.low,
        "delay_high": None if delay is None else delay.high,
        "delay_censored": None if delay is None else delay.censored,
        "min_mass": None if mass is None else mass[0],
        "scored": float(np.nansum(result.scored)),
        "failures": float(failures_per_level(result).sum()),
        "failure_kinds": _json({kind: int(sum(n)) for kind, n in sorted(result.failures.items()) if sum(n)}),
        "cost_usd": result.cost_usd,
    }
    return row


def _named(prefix: str, t: Transition | None) -> dict[str, object]:
    fields = ("verdict", "location", "width")
    return {f"{prefix}_{name}": None if t is None else getattr(t, name) for name in fields}


def _positions(entry: Entry, kinds: Sequence[str], observers: Sequence[str]) -> pd.DataFrame:
    result = entry.result
    level = result.curve.level
    absent = np.full(len(level), np.nan)
    columns: dict[str, object] = {
        "context_length": level,
        "context_tokens": absent if result.context_tokens is None else result.context_tokens,
        "mean": result.mean,
        "low": result.low,
        "high": result.high,
        "fit": absent if (fit := fitted(result)) is None else fit,
        "raw": result.raw,
        "mass": result.mass,
        "scored": result.scored,
        "k": result.curve.successes if isinstance(result.curve, CountCurve) else absent,
        "n": result.curve.trials if isinstance(result.curve, CountCurve) else absent,
        "failures": failures_per_level(result),
    }
    for kind in kinds:
        columns[f"failed_{kind}"] = result.failures.get(kind, (0,) * len(level))
    columns |= match_positions(result)
    for name in observers:
        columns[f"observer_{name}"] = _observer_mean(result, name, absent)
    return pd.DataFrame({**_identity(entry), **columns})


def _trials(entry: Entry, curve: SequenceCurve) -> pd.DataFrame:
    n_sequences, n_levels = curve.p.shape
    ideal = ideal_observer(entry.result)
    same = ideal is not None and ideal[1].p.shape == curve.p.shape
    table = pd.DataFrame(
        {
            "run": entry.run.name,
            "curve": entry.anchor,
            "model": entry.result.model,
            "sequence": np.repeat(np.asarray(curve.sequence_ids, dtype=object), n_levels),
            "x": np.tile(curve.level, n_sequences),
            "p": curve.p.ravel(),
            "ideal_p": ideal[1].p.ravel() if ideal is not None and same else np.nan,
        }
    )
    return table[table["p"].notna()]


def _identity(entry: Entry) -> dict[str, object]:
    result = entry.result
    return {
        "run": entry.run.name,
        "id": entry.anchor,
        "model": result.model,
        "family": result.family,
        "readout": result.readout,
        "control": result.control,
    }


def _observer_mean(result: CurveResult, name: str, absent: Floats) -> Floats:
    return mean_over_sequences(result.observers[name]) if name in result.observers else absent


def _cell(value: object) -> object:
    return _json(value) if isinstance(value, tuple) else value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
