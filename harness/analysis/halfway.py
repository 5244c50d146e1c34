"""Where a mean curve is 10, 50 and 90 % of the way between its plateaus, without assuming its shape."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from harness.analysis.evidence import Weighed
from harness.analysis.prepare import Prepared
from harness.analysis.refine import refined
from harness.analysis.replicates import MeanLikelihood
from harness.analysis.shapes import Shapes
from harness.analysis.skewed_shapes import ReadShapes, read_shapes
from harness.types import Floats, Ints

RIDGE = 1e-6  # on plateaus, so that one without levels of its own stays defined
ARRIVED = 0.95  # share of a plateau in a level from which the level is one of those that show the plateau
UNSEEN = 0.2  # a plateau of which this much is left beyond the range counts as not observed


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Crossings of one or several mean curves, on the axis, and the plateaus they are relative to."""

    half: Floats  # (n,)
    start: Floats  # (n,), 10 % of the way
    end: Floats  # (n,), 90 % of the way
    before: Floats  # (n,), plateau before the change
    after: Floats  # (n,)
    width: Floats  # (n,), 10-90 % width of the shape that fits best, on the axis


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Shapes that explain a curve, ready to be refitted to resampled means of the same curve."""

    prepared: Prepared
    rising: bool
    levels: Floats  # (n_shapes, 2, n_bins), plateaus = levels @ (binned mean)
    score: Floats  # (n_shapes, 2, n_bins), explained = plateaus . (score @ binned mean)
    shapes: ReadShapes
    narrower: Ints  # (n_shapes,), the shape next to it in width only; itself where there is none
    wider: Ints  # (n_shapes,)
    seen: tuple[bool, bool]  # whether the plateau before and after was observed

    def read(self, means: Floats) -> Points:
        """Return the crossings of each mean curve: (n, n_levels) -> points (n,)."""
        axis, values = self.prepared.axis, self.prepared.values
        binned = axis.binned(means)
        plateaus = np.tensordot(binned, self.levels, axes=(1, 2))
        explained = np.sum(plateaus * np.tensordot(binned, self.score, axes=(1, 2)), axis=2)
        best = np.argmax(explained, axis=1)
        level = np.clip(
            self._on_the_points(binned, plateaus[np.arange(len(best)), best], best), values.low, values.high
        )
        sign = 1.0 if self.rising else -1.0
        fitted = np.array([isotonic_regression(sign * row).x for row in means])
        before = sign * level[:, 0] if self.seen[0] else fitted[:, 0]
        after = sign * level[:, 1] if self.seen[1] else fitted[:, -1]
        after = np.maximum(after, before + 1e-6)
        at = self.shapes.location[best]
        wide = self._between(explained, best)
        half, start, end = (
            _crossing(axis.x, fitted, before + q * (after - before), at + (q - 0.5) * wide)
            for q in (0.5, 0.1, 0.9)
        )
        return Points(half, np.minimum(start, half), np.maximum(end, half), sign * before, sign * after, wide)

    def _on_the_points(self, binned: Floats, level: Floats, best: Ints) -> Floats:
        """Return plateaus (n, 2) moved by the mean of what is left over at the levels that show them.

        Fitted under the full covariance they can lie off the points they describe:
        with noise that is shared along the curve its differences carry the fit.
        """
        weights = self.shapes.weights[best]
        left = binned - np.matmul(level[:, None, :], weights)[:, 0, :]
        shows = (weights >= ARRIVED) * self.prepared.axis.size
        total = np.sum(shows, axis=2)
        return np.asarray(level + np.sum(shows * left[:, None, :], axis=2) / np.maximum(total, 1))

    def _between(self, explained: Floats, best: Ints) -> Floats:
        """Return the width at the top of the parabola through the best shape and its neighbours in log width."""
        rows, below, above = np.arange(len(best)), self.narrower[best], self.wider[best]
        inner = (below != best) & (above != best)
        left, top, right = (explained[rows, i] for i in (below, best, above))
        bend = np.where(inner, left - 2 * top + right, -1.0)
        share = np.where(inner, (left - right) / np.minimum(2 * bend, -1e-300), 0.0)
        width = self.shapes.width
        ratio = np.where(inner, width[above] / np.maximum(width[below], 1e-300), 1.0)
        return np.asarray(width[best] * ratio ** (np.clip(share, -0.5, 0.5) / 2))


def make_reader(prepared: Prepared, weighed: Weighed, sharp_width: float) -> Reader:
    """Prepare the refitting of the plausible single changes of a curve."""
    likelihood, axis = prepared.likelihood, prepared.axis
    assert isinstance(likelihood, MeanLikelihood)
    shapes = read_shapes(axis, refined(axis, weighed, sharp_width))
    fit = likelihood.fit(Shapes.of(shapes.weights))
    best = int(np.argmax(fit.log_evidence))
    whitened = shapes.weights @ np.linalg.inv(likelihood.covariance)
    gram = np.matmul(whitened, shapes.weights.transpose(0, 2, 1)) + np.eye(2) * RIDGE
    edge = shapes.rise_at(axis.x[[0, -1]], best)
    return Reader(
        prepared=prepared,
        rising=bool(fit.level[best, 1] > fit.level[best, 0]),
        levels=np.linalg.solve(gram, whitened),
        score=whitened,
        shapes=shapes,
        narrower=_beside(shapes, -1),
        wider=_beside(shapes, 1),
        seen=(bool(edge[0] <= UNSEEN), bool(edge[1] >= 1 - UNSEEN)),
    )


def _beside(shapes: ReadShapes, step: int) -> Ints:
    """Return the index of each shape's neighbour in width at the same place and of the same kind, else its own."""
    index = np.arange(len(shapes.width))
    other = np.clip(index + step, 0, len(index) - 1)
    same = (shapes.location[other] == shapes.location) & (shapes.kind[other] == shapes.kind)
    return np.where(same & (shapes.width > 0) & (shapes.width[other] > 0), other, index)


def _crossing(x: Floats, fitted: Floats, target: Floats, otherwise: Floats) -> Floats:
    """Return where each rising curve reaches its target, between levels; `otherwise` where it never does."""
    above = fitted >= target[:, None]
    right = np.argmax(above, axis=1)
    found = above.any(axis=1) & (right > 0)
    rows, left = np.arange(len(fitted)), np.maximum(right - 1, 0)
    low, high = fitted[rows, left], fitted[rows, right]
    share = np.clip((target - low) / np.maximum(high - low, 1e-300), 0, 1)
    between = x[left] + share * (x[right] - x[left])
    ends = np.where(above.any(axis=1), np.minimum(otherwise, x[0]), np.maximum(otherwise, x[-1]))
    return np.asarray(np.where(found, between, ends))
