"""Phases of training as pandas tables: the nearest observer of each cell, and where the lead passes."""

from collections.abc import Sequence

import pandas as pd

from harness.types import RunResult
from harness.types.phases import PhaseMap

_PLACE = ("location", "location_low", "location_high", "width", "width_low", "width_high")


def phases_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a series, condition, training step and context length.

    `nearest` is the observer with the least divergence KL(observer, model), in
    bits, `rival` the one hardest to tell from it, `margin` the difference of the
    two with its interval; `decided` says whether the interval is above 0. Each
    observer's divergence has a column `kl_<name>`.
    """
    columns = [
        "run", "series", "id", "title", "control", "step", "context_length", "sequences", "nearest", "rival", "margin",
        "low", "high", "decided",
    ]  # fmt: skip
    rows = [row for run in results for found in run.phases for row in _cells(run.name, found)]
    names = dict.fromkeys(f"kl_{name}" for run in results for found in run.phases for name in found.observers)
    return pd.DataFrame(rows, columns=[*columns, *names])


def passages_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a passage of the lead from observer `before` to `after`, at one context length.

    `step` is where their mean divergences cross, between checkpoints
    `last_before` and `first_after`, with the interval over sequences. `verdict`,
    `location` and `width` (steps) are the analyzer's of the closeness to `after`
    rather than `before`, from where another observer led before to where another does.
    """
    columns = [
        "run", "series", "id", "title", "control", "context_length", "before", "after", "last_before", "first_after",
        "step", "step_low", "step_high", "verdict", *_PLACE,
    ]  # fmt: skip
    rows = [row for run in results for found in run.phases for row in _passages(run.name, found)]
    return pd.DataFrame(rows, columns=columns)


def _head(run: str, found: PhaseMap) -> dict[str, object]:
    return {
        "run": run,
        "series": found.series,
        "id": found.id,
        "title": found.title,
        "control": found.control,
    }


def _cells(run: str, found: PhaseMap) -> list[dict[str, object]]:
    rows = []
    for i, step in enumerate(found.step):
        for j, n in enumerate(found.level):
            measured = found.nearest[i, j] >= 0
            row: dict[str, object] = {
                **_head(run, found),
                "step": int(step),
                "context_length": n,
                "sequences": found.sequences,
                "nearest": found.observers[found.nearest[i, j]] if measured else None,
                "rival": found.observers[found.rival[i, j]] if measured else None,
                "margin": found.margin[i, j],
                "low": found.low[i, j],
                "high": found.high[i, j],
                "decided": bool(found.decided[i, j]),
            }
            row |= {
                f"kl_{name}": value
                for name, value in zip(found.observers, found.divergence[i, j], strict=True)
            }
            rows.append(row)
    return rows


def _passages(run: str, found: PhaseMap) -> list[dict[str, object]]:
    return [
        {
            **_head(run, found),
            "context_length": p.context_length,
            "before": p.before,
            "after": p.after,
            "last_before": int(p.last_before),
            "first_after": int(p.first_after),
            "step": p.location,
            "step_low": p.low,
            "step_high": p.high,
            "verdict": None if p.transition is None else p.transition.verdict,
            **{name: None if p.transition is None else getattr(p.transition, name) for name in _PLACE},
        }
        for p in found.passages
    ]
