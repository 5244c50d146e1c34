"""The analyzer: curves in, transitions out; numpy and scipy only, no files.

`prepare` checks a curve and builds its likelihood (`counts` or `replicates`);
`evidence` weighs no change, one change (`templates`) and several
(`segmentation`); `verdict` decides and `estimate` measures, with `halfway` and
`bootstrap`; `compare` sets a curve against an observer; `missing` asks whether
calls fail more often as the context grows.
"""

from harness.analysis.band import mean_band
from harness.analysis.compare import beyond
from harness.analysis.counterbalance import Spread, spread
from harness.analysis.delay import excess_delay
from harness.analysis.missing import FailureTrend, failure_trend
from harness.analysis.verdict import transition, transitions

__all__ = [
    "FailureTrend",
    "Spread",
    "beyond",
    "excess_delay",
    "failure_trend",
    "mean_band",
    "spread",
    "transition",
    "transitions",
]
