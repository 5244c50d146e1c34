"""The changes of a curve that has more than one: where each lies, with its interval."""

from dataclasses import dataclass

import numpy as np

from harness.analysis.evidence import Weighed
from harness.analysis.prepare import Prepared
from harness.analysis.segmentation import CHANGES_PRIOR, Cuts, large_changes, most_drawn, shortest_plateau
from harness.analysis.templates import make_pairs
from harness.types import AnalysisOptions, Bools, Changepoint, Floats

PLACES = 13  # of either change on the finer grid of pairs


@dataclass(frozen=True, slots=True, eq=False)
class Several:
    """Changes in ascending order and the mean they leave between them."""

    changes: tuple[Changepoint, ...]
    fit: Floats  # (n_levels,) of the prepared curve


def locate_changes(prepared: Prepared, weighed: Weighed, options: AnalysisOptions) -> Several:
    """Return the changes under the better explanation: two of any width, or cuts between constant runs."""
    if weighed.paired > 0.5:
        return _from_pair(prepared, weighed, options)
    return _from_cuts(
        prepared, _best_cuts(weighed.cuts, options.min_change, len(prepared.axis.start)), options
    )


def _from_pair(prepared: Prepared, weighed: Weighed, options: AnalysisOptions) -> Several:
    """Place the most probable pair of widths on a finer grid and take quantiles of its locations."""
    axis = prepared.axis
    best = int(np.argmax(weighed.pair_weight))
    location, width = weighed.pairs.location[best], weighed.pairs.width[best]
    near = np.unique(weighed.pairs.location[:, 0])
    grids = []
    for at in location:
        i = int(np.searchsorted(near, at))
        ends = near[max(i - 1, 0)], near[min(i + 1, len(near) - 1)]
        grids.append(np.linspace(min(ends[0], at), max(ends[1], at), PLACES))
    grid = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1).reshape(-1, 2)
    pairs = make_pairs(axis, grid, np.tile(width, (len(grid), 1)))
    fit = prepared.likelihood.fit(pairs.shapes)
    weight = np.exp(fit.log_evidence - fit.log_evidence.max())
    weight /= weight.sum()
    tail = (1 - options.confidence) / 2
    changes = []
    for i in range(2):
        order = np.argsort(pairs.location[:, i], kind="stable")
        total = np.cumsum(weight[order])
        low, at, high = (
            float(pairs.location[order, i][np.searchsorted(total, q)]) for q in (tail, 0.5, 1 - tail)
        )
        changes.append(_changepoint(prepared, at, low, high))
    mean = np.interp(
        axis.x,
        axis.binned(axis.x),
        (weight @ np.matmul(fit.level[:, None, :], pairs.shapes.weights)[:, 0, :]),
    )
    return Several(tuple(changes), mean)


def _best_cuts(cuts: list[Cuts], least: float, n_bins: int) -> Cuts:
    def score(cut: Cuts) -> float:
        twice = float(np.mean(large_changes(cut.start, cut.level, least, n_bins) >= 2))
        prior = np.log(CHANGES_PRIOR[cut.start.shape[1]])
        return cut.log_evidence + float(np.log(max(twice, 1e-9)) + prior)

    return max(cuts, key=score)


def _from_cuts(prepared: Prepared, cuts: Cuts, options: AnalysisOptions) -> Several:
    """Take the most often drawn segmentation; a cut's interval is that of its rank in all draws."""
    axis = prepared.axis
    tail = (1 - options.confidence) / 2
    start = most_drawn(cuts)
    level = cuts.level[:, np.all(cuts.start == start, axis=1)].mean(axis=(0, 1))
    low, high = np.quantile(cuts.start, [tail, 1 - tail], axis=0, method="inverted_cdf")
    large = np.flatnonzero(np.abs(np.diff(level)) >= options.min_change)
    changes = [
        _changepoint(prepared, *(_before(prepared, int(b)) for b in (start[i], low[i], high[i])))
        for i in large
    ]
    joined = _join_stairs(
        changes, np.diff(level)[large], np.diff(start[large]) < shortest_plateau(len(axis.start))
    )
    run = np.searchsorted(axis.start[start], np.arange(len(axis.x)), side="right")
    return Several(tuple(joined if len(joined) > 1 else changes), level[run])


def _join_stairs(changes: list[Changepoint], size: Floats, short: Bools) -> list[Changepoint]:
    """Return the changes, those in one direction without a plateau between them taken as one slope."""
    joined = [(changes[0], float(size[0]))] if changes else []
    for change, step, near in zip(changes[1:], size[1:], short, strict=True):
        last, before = joined[-1]
        if near and step * before > 0:
            total = before + float(step)
            at = (last.location * before + change.location * float(step)) / total
            joined[-1] = Changepoint(at, last.low, max(last.high, change.high)), total
        else:
            joined.append((change, float(step)))
    return [change for change, _ in joined]


def _before(prepared: Prepared, bin_index: int) -> float:
    """Return the point on the axis half-way between a bin's first level and the level before it."""
    first = int(prepared.axis.start[bin_index])
    return float(prepared.axis.x[first - 1] + prepared.axis.x[first]) / 2


def _changepoint(prepared: Prepared, at: float, low: float, high: float) -> Changepoint:
    axis = prepared.axis
    return Changepoint(
        location=axis.to_level(at),
        low=axis.to_level(min(axis.gap(low)[0], axis.gap(at)[0])),
        high=axis.to_level(max(axis.gap(high)[1], axis.gap(at)[1])),
    )
