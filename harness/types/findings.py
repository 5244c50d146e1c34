"""What is said beside the transition of a curve: of its family, of two conditions, of metrics, of single sequences."""

from dataclasses import dataclass
from typing import Literal

from harness.types.curve import AnalysisOptions


@dataclass(frozen=True, slots=True)
class Discovery:
    """One curve as a member of a family that was judged together."""

    curve: str
    evidence: float  # Bayes factor of any change against none, an e-value under "none"
    p_none: float  # posterior of none, re-weighted by the null share of the family where that is known
    exploratory: bool  # in the largest set whose mean p_none is at most q
    confirmatory: bool  # found by e-BH at q, whatever the dependence between the curves


@dataclass(frozen=True, slots=True)
class Family:
    """Curves judged together, so that at most a share q of what is discovered is expected to be false."""

    name: str
    q: float
    null_share: float | None  # estimated share of curves without a change, None for a small family
    null_low: float | None  # 95 % likelihood interval
    null_high: float | None
    members: tuple[Discovery, ...]  # in the order given
    note: str = ""  # what could not be estimated, and what was done instead


@dataclass(frozen=True, slots=True)
class Difference:
    """A quantity of the second condition less that of the first, with its interval at `confidence`."""

    value: float
    low: float | None
    high: float | None
    p_above: float | None  # probability that it is above 0
    p_within: float | None  # probability that it is practically none: within -region and +region
    region: float


@dataclass(frozen=True, slots=True)
class Shift:
    """How the change of one curve differs from that of another, on the same levels.

    Where one curve has no change, or one in the other direction, `censored` says
    which and the differences are None; `bound` is then what is known of the shift
    of the location: at least `bound` where the second is censored, at most where
    the first is.
    """

    first: str
    second: str
    paired: bool  # by sequence id
    sequences: int | None  # shared, where paired
    location: Difference | None  # in units of the level; practically none: within the level spacing
    log2_width: Difference | None  # practically none: widths that differ by less than the level spacing
    lower: Difference | None  # asymptotes, in units of p; practically none: within min_change
    upper: Difference | None
    censored: Literal["first", "second", "both", "direction", "several"] | None
    bound: float | None
    p_value: float | None  # two-sided, of no shift of the location
    options: AnalysisOptions
    p_holm: float | None = None  # the same, adjusted by Holm's method to the conditions compared together
    discovered: bool | None = None  # by e-BH at options.fdr among the conditions compared together


@dataclass(frozen=True, slots=True)
class Scored:
    """The change of a curve under one scoring of the same answers, in units of the level."""

    location: float
    width: float
    width_low: float | None
    width_high: float | None
    sharp: bool  # the upper bound of the width (the width, where there is no bound) is within the sharp limit


@dataclass(frozen=True, slots=True)
class Mirage:
    """The width of one change under several scorings, and what the scoring alone would make of it.

    `accuracy_alone` is the width of the mean of thresholded *continuous* fits of
    the sequences: what thresholding makes without any sharpness in p.
    `exact_match` holds, per number of symbols L, location and width of the fit to
    the power L: what scoring by exact match of L symbols makes of this curve.
    """

    curve: str
    p: Scored
    logit: Scored | None  # None where p does not leave the floor
    floor: float  # p is taken to be between this and one minus this before the logit
    accuracy: Scored | None  # None for counts, and where the threshold is not crossed
    accuracy_alone: float | None
    exact_match: tuple[tuple[int, float, float], ...]  # (L, location, width)
    sharp_only_under: tuple[str, ...]  # of "p", "logit p", "accuracy": those that are sharp, if not all are
    options: AnalysisOptions


@dataclass(frozen=True, slots=True)
class Individuals:
    """The changes of the single sequences of one curve, in units of the level, with 95 % intervals."""

    curve: str
    sequences: int
    changing: int  # those with a change of at least min_change
    width: float  # median of the widths of single sequences
    width_low: float
    width_high: float
    spread: float  # standard deviation of the locations of single sequences, noise taken off
    spread_low: float
    spread_high: float
    sharp_share: float  # estimated share of changing sequences whose own width is within the sharp limit
    smeared: bool  # sharp individually, smeared on average
    options: AnalysisOptions
