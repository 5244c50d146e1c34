"""Whether calls fail more often as the context grows: then what is left at long contexts is a selection."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.errors import CurveError
from harness.types import Floats, Ints

# A trend is named when it would come by chance once in a thousand runs and moves the failure rate by a hundredth.
P_VALUE = 1e-3
RISE = 0.01


@dataclass(frozen=True, slots=True)
class FailureTrend:
    """How the failure rate moves with the level."""

    p_value: float  # one-sided, of no rise
    low_rate: float  # failure rate of the lower third of the levels
    high_rate: float  # of the upper third

    @property
    def grows(self) -> bool:
        """Whether failures grow with the level beyond chance and beyond what could matter."""
        return self.p_value < P_VALUE and self.high_rate - self.low_rate > RISE


def failure_trend(failed: Ints, asked: Ints) -> FailureTrend:
    """Test whether the share of failed calls rises with the level; both arrays (n_levels,), levels ascending.

    Cochran (1954) and Armitage (1955): the trend statistic of binomial
    proportions, with the rank of the level as its score so that a log axis
    changes nothing, and a one-sided normal p-value. Calls that fail together
    (a sequence at all its levels at once) add nothing to a trend.

    Raises CurveError if a count is negative or more failed than were asked.
    """
    if failed.shape != asked.shape or np.any(failed < 0) or np.any(failed > asked):
        raise CurveError(
            f"failed {failed.tolist()} of {asked.tolist()}: not counts of calls at the same levels"
        )
    keep = asked > 0
    x, n = np.flatnonzero(keep).astype(np.float64), asked[keep].astype(np.float64)
    k = failed[keep].astype(np.float64)
    third = max(1, len(n) // 3)
    low, high = _rate(k[:third], n[:third]), _rate(k[-third:], n[-third:])
    pooled = _rate(k, n)
    spread = float(np.sum(n * np.square(x - np.average(x, weights=n)))) if len(n) else 0.0
    if not 0 < pooled < 1 or spread == 0:
        return FailureTrend(1.0, low, high)
    z = float(np.sum((k - n * pooled) * x)) / np.sqrt(pooled * (1 - pooled) * spread)
    return FailureTrend(float(stats.norm.sf(z)), low, high)


def _rate(k: Floats, n: Floats) -> float:
    return float(k.sum() / n.sum()) if n.sum() else 0.0
