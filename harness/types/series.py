"""Real-valued series and their segmentation into runs of constant level."""

from dataclasses import dataclass, field
from typing import Literal

from harness.types.sequence import Floats


@dataclass(frozen=True, slots=True)
class SegmentationOptions:
    """What counts as a change, and what the noise about a level may look like.

    `change`: "level" lets the mean change and holds the spread of the noise to
    be about the same everywhere; "level or spread" lets the variance change, too.
    `noise`: "ar1" averages over the correlation of neighbouring values,
    0 <= rho < 1; "independent" takes it to be 0. `shortest` is the least number
    of values in a run.
    """

    max_changes: int = 8
    change: Literal["level", "level or spread"] = "level"
    noise: Literal["ar1", "independent"] = "ar1"
    shortest: int = 2
    confidence: float = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One value at each level, in any unit."""

    name: str
    level: Floats  # (n_values,), strictly ascending
    values: Floats  # (n_values,)


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """One change: half-way between the last level before it and the first after it, with its interval.

    `before` and `after` are the mean values of the two runs that meet here.
    """

    location: float
    low: float
    high: float
    before: float
    after: float


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """What the segmentation says of one series.

    `changes` are those of the most probable number of changes. `place[i]` is the
    posterior probability that a run begins at value i, all numbers of changes
    averaged; `place[0]` is 0.
    """

    curve: str
    verdict: Literal["none", "changes", "undetermined"]  # P(0 changes) >= .5, < .05, between
    p_changes: tuple[float, ...]  # posterior of 0, 1, ..., max_changes changes
    n_changes: int  # the most probable number
    changes: tuple[SeriesChange, ...]
    noise_correlation: float  # posterior mean of rho; 0 where the noise was declared independent
    options: SegmentationOptions
    place: Floats = field(repr=False)  # (n_values,)
    fit: Floats = field(repr=False)  # (n_values,), mean of the run each value is in
    warnings: tuple[str, ...] = ()
