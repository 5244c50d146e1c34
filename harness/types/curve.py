"""Curves of behaviour against a level, and the transitions found in them."""

from dataclasses import dataclass, field
from typing import Literal

from harness.types.sequence import Floats, Ints

Verdict = Literal["none", "gradual", "sharp", "multiple", "undetermined"]


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """The declared thresholds every verdict is made under.

    `sharp_width`: largest 10-90 % width called sharp, as a fraction of the range
    of levels. `min_change`: smallest change of p called a transition. `fdr`:
    false discovery rate within a family of curves.
    """

    sharp_width: float = 0.10
    min_change: float = 0.10
    fdr: float = 0.05
    axis: Literal["linear", "log2"] = "linear"
    confidence: float = 0.95
    seed: int = 0  # of the bootstrap


@dataclass(frozen=True, slots=True, eq=False)
class CountCurve:
    """Success counts at each level of a swept factor."""

    name: str
    level: Floats  # (n_levels,), strictly ascending
    successes: Ints  # (n_levels,)
    trials: Ints  # (n_levels,), scored trials only, all > 0


@dataclass(frozen=True, slots=True, eq=False)
class SequenceCurve:
    """Exact probabilities at each level, one row per sequence.

    The levels of one row share a sequence, so the points of the mean curve are
    correlated; the rows are independent.
    """

    name: str
    level: Floats  # (n_levels,), strictly ascending
    p: Floats  # (n_sequences, n_levels), NaN where a level failed
    sequence_ids: tuple[str, ...]  # (n_sequences,), the same id in two conditions pairs them


Curve = CountCurve | SequenceCurve


@dataclass(frozen=True, slots=True)
class Changepoint:
    """One change among several, with its interval, in units of the level."""

    location: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Transition:
    """What the analyzer says of one curve. Absent values are None.

    `location` is the point half-way between the asymptotes and `width` the
    distance between the points 10 % and 90 % of the way; both are in units of
    the level, with intervals at `options.confidence`. `lower` and `upper` are
    the smaller and the larger asymptote.
    """

    curve: str
    verdict: Verdict
    p_none: float
    p_gradual: float
    p_sharp: float
    p_multiple: float
    options: AnalysisOptions
    location: float | None = None
    location_low: float | None = None
    location_high: float | None = None
    width: float | None = None
    width_low: float | None = None
    width_high: float | None = None
    lower: float | None = None
    upper: float | None = None
    direction: Literal["increasing", "decreasing"] | None = None
    changes: tuple[Changepoint, ...] = ()
    warnings: tuple[str, ...] = ()
    fit: tuple[float, ...] = field(default=(), repr=False)  # fitted p at each level of the curve, () if none
    resolution: float | None = None  # distance between the two levels that the location lies between
    deviance: float | None = None  # of the data from `fit`, where goodness of fit was asked for
    fit_p: float | None = None  # share of curves simulated from `fit` that deviate from their own fit as much


@dataclass(frozen=True, slots=True)
class Delay:
    """How much later the model is half-way than its ideal observer: n*_model - n*_ideal.

    Where one of the two curves has no transition the delay is a bound and
    `censored` says which side: "model" (the delay is at least `value`) or
    "observer" (there is no delay to speak of; `value` is None). The two
    half-way points are read from the mean curves without assuming a shape, so
    they exist where a verdict is undetermined, too.
    """

    observer: str
    value: float | None
    low: float | None
    high: float | None
    censored: Literal["model", "observer"] | None
    model_half: float | None = None  # n*_model, in units of the level
    observer_half: float | None = None  # n*_ideal
