"""Find sharp transitions in what language models do as their context grows.

`import harness as icl` loads nothing heavy: each public name is imported when
it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.analysis import beyond, excess_delay, transitions
    from harness.frames import positions_df, runs_df, transitions_df, trials_df
    from harness.registry import family_names, load_family, load_model
    from harness.runs import Run, open_run, run
    from harness.types import AnalysisOptions, CountCurve, SequenceCurve, Transition

__version__ = "0.1.0"

_HOMES = {
    "AnalysisOptions": "harness.types",
    "CountCurve": "harness.types",
    "Run": "harness.runs",
    "SequenceCurve": "harness.types",
    "Transition": "harness.types",
    "beyond": "harness.analysis",
    "excess_delay": "harness.analysis",
    "family_names": "harness.registry",
    "load_family": "harness.registry",
    "load_model": "harness.registry",
    "open_run": "harness.runs",
    "positions_df": "harness.frames",
    "run": "harness.runs",
    "runs_df": "harness.frames",
    "transitions": "harness.analysis",
    "transitions_df": "harness.frames",
    "trials_df": "harness.frames",
}

__all__ = [
    "AnalysisOptions",
    "CountCurve",
    "Run",
    "SequenceCurve",
    "Transition",
    "__version__",
    "beyond",
    "excess_delay",
    "family_names",
    "load_family",
    "load_model",
    "open_run",
    "positions_df",
    "run",
    "runs_df",
    "transitions",
    "transitions_df",
    "trials_df",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
