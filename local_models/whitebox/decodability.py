"""Concept decodability: how well a simple decoder reads a hidden concept from activations (Han et al. 2024).

The decoder is leave-one-out k-nearest-neighbours or a logistic probe on held-out
folds. Both leave out every point of the same group (the same sequence, say), and
both come with what the same decoder makes of shuffled labels: a leave-one-out
vote among balanced classes is right less often than 1 in C by chance, because
the point that is left out is missing from its own class.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.types import Bools, Ints

Features = NDArray[np.float32]
_SHUFFLES = 200  # of the labels, for kNN: the spread of the mean is then known to 5 %
_REFITS = 5  # the same for the logistic probe, which is fitted anew each time
_FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What a decoder read: accuracy is the mean of `hits`."""

    hits: Bools  # (n,), whether each point's label was read rightly from the others
    chance: float  # mean accuracy on shuffled labels
    chance_high: float  # 95 % quantile of it over shuffles (the largest, where they are few)
    p_value: float  # share of shuffles that do as well, one added to both sides (Phipson & Smyth 2010)

    @property
    def accuracy(self) -> float:
        """Share of points whose label was read."""
        return float(self.hits.mean())


def knn(
    x: Features,
    labels: Ints,
    groups: Ints,
    rng: np.random.Generator,
    *,
    k: int = 10,
    shuffles: int = _SHUFFLES,
) -> Decoded:
    """Decode labels by a majority vote of the k nearest points of other groups (Han et al. 2024, section 4).

    `x` (n, width) by Euclidean distance, `labels` (n,), `groups` (n,): points of
    one group never vote on each other. A tied vote goes to the class of the
    nearest among the tied. Raises WhiteBoxError for fewer than two classes or
    too few other points.
    """
    from sklearn.metrics import pairwise_distances

    classes = _check(x, labels, groups)
    distance = pairwise_distances(x.astype(np.float64))
    distance[groups[:, None] == groups[None, :]] = np.inf
    others = np.isfinite(distance).sum(axis=1)
    if k < 1 or others.min() < k:
        raise WhiteBoxError(
            f"k={k!r} neighbours of other groups are wanted where some point has {others.min()}"
        )
    # Points as near as each other come in an order drawn anew for each point, not in that of the labels.
    near = np.lexsort((rng.random(distance.shape), distance), axis=1)[:, :k]
    return _against_shuffles(
        lambda y: _vote(y[near], len(classes)) == y, _coded(labels, classes), groups, rng, shuffles
    )


def logistic(
    x: Features, labels: Ints, groups: Ints, rng: np.random.Generator, *, shuffles: int = _REFITS
) -> Decoded:
    """Decode labels by a logistic probe (ridge penalty, C = 1) fitted on four fifths of the groups.

    Features are scaled by the training folds alone; no group is in both sides.
    """
    classes = _check(x, labels, groups)
    return _against_shuffles(lambda y: _probe(x, y, groups), _coded(labels, classes), groups, rng, shuffles)


def _probe(x: Features, y: Ints, groups: Ints) -> Bools:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = min(_FOLDS, len(np.unique(groups)))
    hits = np.zeros(len(y), dtype=np.bool_)
    with warnings.catch_warnings():  # a class of fewer points than folds is known, and no fault
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        parts = list(StratifiedGroupKFold(folds).split(x, y, groups))
    for train, test in parts:
        if len(np.unique(y[train])) < 2:
            hits[test] = y[test] == y[train[0]]
            continue
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        hits[test] = probe.fit(x[train], y[train]).predict(x[test]) == y[test]
    return hits


def _vote(votes: Ints, n_classes: int) -> Ints:
    """Return the class most neighbours have, nearest first among ties: votes (n, k), nearest first."""
    counts = (votes[:, :, None] == np.arange(n_classes)).sum(axis=1)  # (n, n_classes)
    tied = counts == counts.max(axis=1, keepdims=True)
    first = np.take_along_axis(tied, votes, axis=1).argmax(
        axis=1
    )  # the nearest whose class is among the tied
    return np.take_along_axis(votes, first[:, None], axis=1)[:, 0]


def _against_shuffles(
    decode: Callable[[Ints], Bools], y: Ints, groups: Ints, rng: np.random.Generator, shuffles: int
) -> Decoded:
    """Decode the labels, and labels shuffled between groups: points of one group keep one label if they had one."""
    hits = decode(y)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    whole = all(len(np.unique(y[m])) == 1 for m in members)
    shuffled = []
    for _ in range(shuffles):
        other = y.copy()
        if whole:
            order = rng.permutation(len(members))
            for source, target in zip(order, members, strict=True):
                other[target] = y[members[source][0]]
        else:
            other = rng.permutation(y)
        shuffled.append(float(decode(other).mean()))
    as_good = sum(s >= hits.mean() for s in shuffled)
    return Decoded(
        hits=hits,
        chance=float(np.mean(shuffled)) if shuffled else float("nan"),
        chance_high=float(np.quantile(shuffled, 0.95)) if shuffled else float("nan"),
        p_value=(as_good + 1) / (shuffles + 1),
    )


def _check(x: Features, labels: Ints, groups: Ints) -> Ints:
    if x.ndim != 2 or not len(x) == len(labels) == len(groups):
        raise WhiteBoxError(
            f"activations {x.shape}, {len(labels)} labels and {len(groups)} groups do not belong together: "
            "one label and one group a point are needed"
        )
    if not np.isfinite(x).all():
        raise WhiteBoxError("activations hold a number that is not finite")
    classes = np.unique(labels)
    if len(np.unique(groups)) < 2:
        raise WhiteBoxError("all points are one group: none is left to decode it from")
    if len(classes) < 2:
        raise WhiteBoxError("all points have one label: there is nothing to decode")
    return np.asarray(classes)


def _coded(labels: Ints, classes: Ints) -> Ints:
    return np.asarray(np.searchsorted(classes, labels), dtype=np.int64)
