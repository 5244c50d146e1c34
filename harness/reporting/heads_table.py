"""Induction heads as a pandas table, a row a head."""

from collections.abc import Sequence

import pandas as pd

from harness.types import RunResult
from harness.types.induction import Induction

_SCORES = ("repeated", "distance", "reordered", "control", "error", "copying")
_BLOCKS = ("block", "copies", "rows", "uniform", "first", "last", "loss_drop", "loss_drop_error")


def induction_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a model, task and head.

    `repeated` is prefix matching; `error` the standard error of reordered - control;
    `nearby` the largest difference of the places around what followed, `nearby_offset` symbols after it;
    `rank` the place of the head in the order of ablation, from 1, and `ablated` mean
    p(target) along the last copy once it and those before it are ablated, where that was measured;
    `first`, `last` and `loss_drop` are of the whole model.
    """
    columns = [
        "run",
        "model",
        "task",
        "layer",
        "head",
        *_SCORES,
        "nearby",
        "nearby_offset",
        "rank",
        "ablated",
        *_BLOCKS,
    ]
    rows = []
    for run in results:
        for result in run.whitebox:
            found = result.findings.get("induction")
            if not isinstance(found, Induction):
                continue
            named = {"run": run.name, "model": result.model, "task": result.title}
            rows += [named | cell for cell in _cells(found)]
    return pd.DataFrame(rows, columns=columns)


def _cells(found: Induction) -> list[dict[str, object]]:
    rank = {head: i for i, head in enumerate(found.order, start=1)}
    ablated = dict(zip(found.counts.tolist(), found.ranked, strict=True))
    best = found.around.argmax(axis=0)
    whole = {name: getattr(found, name) for name in _BLOCKS}
    return [
        {"layer": layer, "head": head}
        | {name: getattr(found, name)[k, head] for name in _SCORES}
        | {
            "nearby": found.around[best[k, head], k, head],
            "nearby_offset": int(found.offsets[best[k, head]]),
        }
        | {"rank": rank.get((layer, head)), "ablated": ablated.get(rank.get((layer, head), -1))}
        | whole
        for k, layer in enumerate(found.layers)
        for head in range(found.repeated.shape[1])
    ]
