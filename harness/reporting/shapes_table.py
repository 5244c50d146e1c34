"""The geometry of states as a pandas table, a row a layer and context length."""

from collections.abc import Sequence

import pandas as pd

from harness.types import RunResult
from harness.types.geometry import Geometry

_OF_CELLS = ("energy", "low", "high", "null_low", "p_value", "explained", "class_explained")
_OF_LENGTHS = ("least", "nodes", "edges", "told")


def geometry_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a model, task, layer and context length.

    `energy` with `low` and `high`, `null_low`, `p_value` and `behaviour` are of the sequences
    that the layer was not chosen on, `told` how many of them have a graph;
    `least` is the smallest energy that is possible.
    """
    columns = [
        "run", "model", "task", "concept", "layer", "chosen", "context_length", "window", *_OF_CELLS, *_OF_LENGTHS,
        "parallelogram", "behaviour",
    ]  # fmt: skip
    rows = []
    for run in results:
        for result in run.whitebox:
            found = result.findings.get("geometry")
            if not isinstance(found, Geometry):
                continue
            named = {"run": run.name, "model": result.model, "task": result.title, "concept": result.concept}
            rows += [named | cell for cell in _cells(found)]
    return pd.DataFrame(rows, columns=columns)


def _cells(found: Geometry) -> list[dict[str, object]]:
    shown = found.behaviour
    behaviour = {} if shown is None else dict(zip(shown.level, shown.p.mean(axis=0), strict=True))
    return [
        {"layer": layer, "chosen": k == found.chosen, "context_length": int(n), "window": found.window}
        | {name: getattr(found, name)[k, i] for name in _OF_CELLS}
        | {name: getattr(found, name)[i] for name in _OF_LENGTHS}
        | {
            "parallelogram": None if found.parallelogram is None else found.parallelogram[k, i],
            "behaviour": behaviour.get(n),
        }
        for k, layer in enumerate(found.layers)
        for i, n in enumerate(found.context_lengths)
    ]
