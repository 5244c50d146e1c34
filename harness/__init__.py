"""Find sharp transitions in what language models do as their context grows.

`import harness as icl` loads nothing heavy: each public name is imported when
it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.analysis import (
        AdaptivePlanner,
        beyond,
        compare_conditions,
        discover,
        excess_delay,
        individuals,
        mirage,
        segment,
        transitions,
    )
    from harness.frames import (
        capability_df,
        cognitive_df,
        decodability_df,
        emergence_df,
        generations_df,
        geometry_df,
        induction_df,
        mixtures_df,
        passages_df,
        phases_df,
        positions_df,
        runs_df,
        series_df,
        shifts_df,
        steering_df,
        transitions_df,
        trials_df,
    )
    from harness.registry import family_names, load_family, load_model
    from harness.runs import Run, open_run, run
    from harness.types import (
        AnalysisOptions,
        CountCurve,
        Segmentation,
        SegmentationOptions,
        SequenceCurve,
        Series,
        Transition,
    )

__version__ = "0.1.0"

_HOMES = {
    "AdaptivePlanner": "harness.analysis",
    "AnalysisOptions": "harness.types",
    "CountCurve": "harness.types",
    "Run": "harness.runs",
    "Segmentation": "harness.types",
    "SegmentationOptions": "harness.types",
    "SequenceCurve": "harness.types",
    "Series": "harness.types",
    "Transition": "harness.types",
    "beyond": "harness.analysis",
    "compare_conditions": "harness.analysis",
    "discover": "harness.analysis",
    "capability_df": "harness.frames",
    "cognitive_df": "harness.frames",
    "decodability_df": "harness.frames",
    "emergence_df": "harness.frames",
    "excess_delay": "harness.analysis",
    "family_names": "harness.registry",
    "generations_df": "harness.frames",
    "geometry_df": "harness.frames",
    "induction_df": "harness.frames",
    "individuals": "harness.analysis",
    "load_family": "harness.registry",
    "load_model": "harness.registry",
    "mirage": "harness.analysis",
    "mixtures_df": "harness.frames",
    "open_run": "harness.runs",
    "passages_df": "harness.frames",
    "phases_df": "harness.frames",
    "positions_df": "harness.frames",
    "run": "harness.runs",
    "runs_df": "harness.frames",
    "segment": "harness.analysis",
    "series_df": "harness.frames",
    "shifts_df": "harness.frames",
    "steering_df": "harness.frames",
    "transitions": "harness.analysis",
    "transitions_df": "harness.frames",
    "trials_df": "harness.frames",
}

__all__ = [
    "AdaptivePlanner",
    "AnalysisOptions",
    "CountCurve",
    "Run",
    "Segmentation",
    "SegmentationOptions",
    "SequenceCurve",
    "Series",
    "Transition",
    "__version__",
    "beyond",
    "capability_df",
    "cognitive_df",
    "compare_conditions",
    "decodability_df",
    "discover",
    "emergence_df",
    "excess_delay",
    "family_names",
    "generations_df",
    "geometry_df",
    "individuals",
    "induction_df",
    "load_family",
    "load_model",
    "mirage",
    "mixtures_df",
    "open_run",
    "passages_df",
    "phases_df",
    "positions_df",
    "run",
    "runs_df",
    "segment",
    "series_df",
    "shifts_df",
    "steering_df",
    "transitions",
    "transitions_df",
    "trials_df",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
