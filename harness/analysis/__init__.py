"""The analyzer: curves in, transitions out; numpy and scipy only, no files.

`prepare` checks a curve and builds its likelihood (`counts`, with `laplace`, or
`replicates`); `screen` tells count curves that are plainly flat from the rest, many
at a time; `evidence` weighs no change, one change (`templates`, as `shapes`) and
several (`segmentation`); `verdict` decides and `estimate` measures, with `halfway`
and `bootstrap`; `goodness` asks on request whether the fit explains the data;
`compare` sets a curve against an observer; `missing` asks whether
calls fail more often as the context grows. `series` segments real values of any
unit; `methods` is the door to both. Beside the transition of a curve stand its
`families`, its `shift` against another condition, the scorings it is seen under
(`mirage`) and its single sequences (`individuals`).
"""

from harness.analysis.band import mean_band
from harness.analysis.compare import beyond
from harness.analysis.counterbalance import Spread, spread
from harness.analysis.delay import excess_delay
from harness.analysis.families import discover
from harness.analysis.individuals import individuals
from harness.analysis.methods import transitions
from harness.analysis.mirage import mirage
from harness.analysis.missing import FailureTrend, failure_trend
from harness.analysis.planner import AdaptivePlanner, PlannerReport
from harness.analysis.rounding import whole_counts
from harness.analysis.scorings import sharp_in_logit
from harness.analysis.series import segment
from harness.analysis.shift import compare_conditions, corrected_shifts
from harness.analysis.verdict import transition

__all__ = [
    "AdaptivePlanner",
    "FailureTrend",
    "PlannerReport",
    "Spread",
    "beyond",
    "compare_conditions",
    "corrected_shifts",
    "discover",
    "excess_delay",
    "failure_trend",
    "individuals",
    "mean_band",
    "mirage",
    "segment",
    "sharp_in_logit",
    "spread",
    "transition",
    "transitions",
    "whole_counts",
]
