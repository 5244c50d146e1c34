"""Which of several predictors a model is nearest to, and where along training another one takes the lead."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.analysis.checks import DEFAULTS
from harness.errors import CurveError
from harness.types import Bools, Floats, Ints

RESOLVED = 1e-6  # of a divergence in bits: less is rounding, of log-probabilities in single precision
_RESAMPLES = 2000  # of an interval's ends: their own error is then a twentieth of the distance between them
_FEWEST = 2  # sequences
_CELLS = 64  # at a time: what resampling them takes in memory


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest predictor in each cell; all arrays have the shape of the cells."""

    nearest: Ints  # index, -1 where fewer than two sequences were measured
    rival: Ints  # the predictor that is hardest to tell from it
    margin: Floats  # mean divergence of the rival less that of the nearest
    low: Floats  # interval over resampled sequences
    high: Floats

    @property
    def decided(self) -> Bools:
        """Whether the interval of the difference to every other predictor is above 0."""
        return np.asarray(self.low > RESOLVED)

    @property
    def leader(self) -> Ints:
        """The nearest predictor where that is decided, else -1."""
        return np.where(self.decided, self.nearest, -1)


def nearest(
    divergence: Floats, *, confidence: float = DEFAULTS.confidence, seed: int = DEFAULTS.seed
) -> Nearest:
    """Return the nearest of the predictors by `divergence` (n_sequences, n_cells, n_predictors), NaN not measured.

    Whole sequences are resampled, the same in all cells. The rival is the
    predictor whose difference to the nearest has the lowest lower end of its
    percentile interval: where that end is above 0, so are all others. Cells are
    judged one by one. Raises CurveError for fewer than two predictors.
    """
    divergence = np.asarray(divergence, dtype=np.float64)
    if divergence.ndim != 3 or divergence.shape[2] < 2:
        raise CurveError(
            f"divergences of shape {divergence.shape}: sequences x cells x predictors (2 or more) are needed"
        )
    times = _times(len(divergence), seed)
    parts = range(0, divergence.shape[1], _CELLS)
    found = [_cells(divergence[:, i : i + _CELLS], times, confidence) for i in parts]
    return Nearest(*(np.concatenate(column) for column in zip(*found, strict=True)))


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the lead passes from one predictor to another."""

    before: int
    after: int
    last: int  # index of the last step at which `before` leads
    first: int  # index of the first step at which `after` does
    start: int  # index of the first step after another predictor than these led
    stop: int  # index of the last step before another one leads
    location: float  # on the axis of the steps, as are the ends of its interval
    low: float
    high: float


def crossings(
    divergence: Floats,
    leader: Ints,
    x: Floats,
    *,
    confidence: float = DEFAULTS.confidence,
    seed: int = DEFAULTS.seed,
) -> list[Crossing]:
    """Return every passage of the lead along steps at places `x`: (n_sequences, n_steps, n_predictors) divergences.

    `leader` (n_steps,) is -1 where undecided; it is passed over. The place is
    where the mean difference of the two crosses 0, by straight lines between
    steps, for the last time before `after` leads. Resamples of whole sequences
    give the interval, within the two steps that have a leader; it takes in the
    steps on either side of the place, since nothing is known between them.
    """
    known = np.flatnonzero(leader >= 0)
    passed = [(int(a), int(b)) for a, b in pairwise(known) if leader[a] != leader[b]]
    times = _times(len(divergence), seed)
    tail = (1 - confidence) / 2
    found = []
    for k, (last, first) in enumerate(passed):
        before, after = int(leader[last]), int(leader[first])
        part = np.arange(last, first + 1)
        part = part[~np.isnan(divergence[:, part].sum(axis=2)).all(axis=0)]
        ahead = divergence[:, part, before] - divergence[:, part, after]  # above 0 where `after` is nearer
        place = _crossing(_means(ahead, np.ones((1, len(ahead)))), x[part])[0]
        low, high = np.quantile(_crossing(_means(ahead, times), x[part]), [tail, 1 - tail])
        below, above = x[part][x[part] <= place].max(), x[part][x[part] >= place].min()
        found.append(
            Crossing(
                before,
                after,
                last,
                first,
                start=passed[k - 1][0] + 1 if k else 0,
                stop=passed[k + 1][1] - 1 if k + 1 < len(passed) else len(leader) - 1,
                location=float(place),
                low=float(min(low, below)),
                high=float(max(high, above)),
            )
        )
    return found


def closeness(before: Floats, after: Floats) -> Floats:
    """Return d(before) / (d(before) + d(after)), in 0..1: 0 for a model that is `before`, 1 for one that is `after`.

    One half where both are the model; NaN where not measured.
    """
    total = before + after
    same = total < RESOLVED
    return np.where(same, 0.5, before / np.where(same, 1, total))


def _times(n: int, seed: int) -> Floats:
    """Return how often each of n sequences is drawn: (resamples, n)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, np.full(n, 1 / n), size=_RESAMPLES).astype(np.float64)


def _means(values: Floats, times: Floats) -> Floats:
    """Return weighted means over sequences (n, k) -> (resamples, k), of those measured; 0 where none was drawn."""
    measured = ~np.isnan(values)
    total: Floats = times @ np.where(measured, values, 0)
    return np.asarray(total / np.maximum(times @ measured, 1))


def _cells(divergence: Floats, times: Floats, confidence: float) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    n, cells, predictors = divergence.shape
    measured = ~np.isnan(divergence.sum(axis=2))
    known = measured.sum(axis=0) >= _FEWEST
    filled = np.where(measured[..., None], divergence, 0)
    mean = filled.sum(axis=0) / np.maximum(measured.sum(axis=0), 1)[:, None]
    each, best = np.arange(cells), mean.argmin(axis=1)
    difference = filled - filled[:, each, best][..., None]
    drawn = times @ measured  # a resample without a sequence that was measured takes all of them
    total = (times @ difference.reshape(n, -1)).reshape(-1, cells, predictors)
    gap = mean - mean[each, best][:, None]
    means = np.where(drawn[..., None] > 0, total / np.maximum(drawn, 1)[..., None], gap)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    low[each, best] = np.inf
    rival = low.argmin(axis=1)
    margin, below, above = (np.where(known, table[each, rival], np.nan) for table in (gap, low, high))
    return np.where(known, best, -1), np.where(known, rival, -1), margin, below, above


def _crossing(ahead: Floats, x: Floats) -> Floats:
    """Return where rows of `ahead` (n, n_steps) last go from 0 or below to above 0; an end where they do not."""
    above = ahead > 0
    rises = ~above[:, :-1] & above[:, 1:]
    at = rises.shape[1] - 1 - rises[:, ::-1].argmax(axis=1)
    rows = np.arange(len(ahead))
    left, right = ahead[rows, at], ahead[rows, at + 1]
    some = rises.any(axis=1)
    share = left / np.where(some, left - right, 1)
    return np.asarray(np.where(some, x[at] + (x[at + 1] - x[at]) * share, np.where(above[:, 0], x[0], x[-1])))
