"""When in training an ability is there, how long before another, and whether that falls with a factor."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.stats import rankdata

from harness.analysis.bootstrap import interval
from harness.analysis.checks import DEFAULTS
from harness.errors import CurveError
from harness.types import Bools, Floats

_RESAMPLES = 10_000


def learning_time(
    step: Floats,
    accuracy: Floats,
    *,
    threshold: float,
    consecutive: int = 3,
    smoothing: float = 1.5,
) -> float | None:
    """Return the first step from which the smoothed accuracy stays above `threshold` for `consecutive` checkpoints.

    After Park et al. 2024, whose code smooths with a Gaussian of s.d. 1.5
    checkpoints and asks for three in a row. Its time is one of `step`, so that it
    is known to the distance between two checkpoints. None where it is never reached.
    Raises CurveError for steps that do not ascend or lengths that differ.
    """
    step, accuracy = np.asarray(step, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    if step.shape != accuracy.shape or step.ndim != 1 or (np.diff(step) <= 0).any():
        raise CurveError(
            f"{len(step)} steps and {len(accuracy)} accuracies: one of each, steps ascending, is needed"
        )
    (time,) = learning_times(
        step, accuracy[None], threshold=threshold, consecutive=consecutive, smoothing=smoothing
    )
    return None if np.isnan(time) else float(time)


def learning_times(
    step: Floats, accuracy: Floats, *, threshold: float, consecutive: int, smoothing: float
) -> Floats:
    """Return `learning_time` of each row of `accuracy` (n, n_steps), NaN where it is never reached: shape (n,)."""
    if accuracy.shape[1] < consecutive:
        return np.full(len(accuracy), np.nan)
    smooth = gaussian_filter1d(accuracy, smoothing, axis=1, mode="nearest") if smoothing else accuracy
    above = np.lib.stride_tricks.sliding_window_view(smooth > threshold, consecutive, axis=1)
    in_a_row: Bools = np.all(above, axis=2)
    return np.asarray(np.where(np.any(in_a_row, axis=1), step[np.argmax(in_a_row, axis=1)], np.nan))


@dataclass(frozen=True, slots=True)
class Lead:
    """By how many octaves of training a capability comes before the behaviour, over seeds."""

    mean: float  # log2(T_behaviour / T_capability); above 0: the capability is first
    low: float  # NaN of a single seed
    high: float
    seeds: int  # that it rests on
    bounds: (
        int  # of these, how many never came to the behaviour: their lead is at least that to the last step
    )
    without: int  # seeds left out: the capability never came


def lead(
    capability: Sequence[float | None],
    behaviour: Sequence[float | None],
    *,
    last: float,
    confidence: float = DEFAULTS.confidence,
    seed: int = DEFAULTS.seed,
) -> Lead | None:
    """Return the lead of learning times paired by seed, with a bootstrap over seeds; None without a capability.

    Times are above 0; None is never, within `last` steps. The interval is
    `mean_interval`'s, NaN of a single seed.
    """
    pairs = [(c, b) for c, b in zip(capability, behaviour, strict=True) if c is not None]
    if not pairs:
        return None
    octaves = np.array([np.log2((last if b is None else b) / c) for c, b in pairs])
    alone = len(octaves) < 2
    low, high = (np.nan, np.nan) if alone else mean_interval(octaves, confidence=confidence, seed=seed)
    return Lead(
        float(octaves.mean()),
        low,
        high,
        len(pairs),
        sum(b is None for _, b in pairs),
        len(capability) - len(pairs),
    )


def mean_interval(
    values: Floats, *, confidence: float = DEFAULTS.confidence, seed: int = DEFAULTS.seed
) -> tuple[float, float]:
    """Return the bootstrap interval of the mean of independent values (n,), of seeds or of sequences.

    Stretched as `bootstrap.interval` is: that of three to five seeds alone would
    hold the mean four times in five. Raises CurveError for fewer than two values.
    """
    if len(values) < 2:
        raise CurveError(f"{len(values)} values have no interval of their mean; at least 2 are needed")
    rows = np.random.default_rng(seed).integers(len(values), size=(_RESAMPLES, len(values)))
    return interval(values[rows].mean(axis=1), float(values.mean()), confidence, len(values))


@dataclass(frozen=True, slots=True)
class FallingTrend:
    """Whether values fall along an ordered factor, within blocks."""

    statistic: float  # Page's L: sum over levels of level number times rank sum; small where values fall
    p_value: float  # one-sided and exact: P(L <= observed) if levels were exchangeable within each block
    least: float  # the smallest p-value this many blocks and levels could give


def falling_trend(values: Floats) -> FallingTrend:
    """Test whether `values` (blocks, levels in ascending order) fall (Page 1963), by all permutations within blocks.

    Ties take their mean rank; infinity, for what never came, ranks last. No
    shape is assumed. Raises CurveError for NaN or fewer than two levels.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or np.isnan(values).any():
        raise CurveError(
            f"values of shape {values.shape} with {int(np.isnan(values).sum())} NaN: blocks x levels (2 or more) "
            "without NaN are needed; write infinity for what never came"
        )
    level = np.arange(1, values.shape[1] + 1)
    twice = (2 * rankdata(values, axis=1)).astype(np.int64)  # whole numbers also where ranks are tied
    total: Counter[int] = Counter({0: 1})
    for ranks in twice:
        block = Counter(int(level @ order) for order in permutations(ranks.tolist()))
        joined: Counter[int] = Counter()
        for (a, n), (b, m) in ((x, y) for x in total.items() for y in block.items()):
            joined[a + b] += n * m
        total = joined
    observed, count = int((twice @ level).sum()), sum(total.values())
    below = sum(n for value, n in total.items() if value <= observed)
    return FallingTrend(observed / 2, below / count, total[min(total)] / count)
