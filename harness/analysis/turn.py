"""Where a trajectory changes its direction: two straight stretches against one, whatever the speed along them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import isotonic_regression

from harness.analysis.checks import DEFAULTS
from harness.errors import CurveError
from harness.types import Floats

_SHORTEST = 3  # points of a stretch: two always lie on a line
_STRONG = 6.0  # difference of BIC called strong evidence (Kass & Raftery 1995)
_ASIDE = 30.0  # degrees below which two stretches are one that wavers, bends or jumps aside


@dataclass(frozen=True, slots=True)
class Turn:
    """The change of direction of one trajectory. Indices count points from 0."""

    verdict: Literal["turn", "none", "undetermined"]
    index: int  # last point of the first stretch
    low: int
    high: int
    angle_deg: float  # between the two directions, in [0, 180]
    delta_bic: float  # BIC of one stretch less that of two: above 0 speaks for a turn


def find_turn(points: Floats, *, noise: float = 0.01, confidence: float = DEFAULTS.confidence) -> Turn:
    """Find where the path through `points` (n, d), in the order of training, turns.

    A stretch is a line that the points follow in one sense: what counts as
    misfit is the distance from the line and steps back along it, found by
    isotonic regression; how fast, and where they rest, does not count. BIC with
    n (d - 1) residuals weighs two stretches, split anywhere, against one; the
    interval is that of the split's weights exp(-BIC / 2). A turn is a difference
    of 6 and an angle of 30 degrees or more. `noise` is the deviation of a point
    below which nothing is told, in units of the points. A curved path is cut
    where two lines fit it best.
    Raises CurveError for fewer than six points, one dimension or numbers that are not finite.
    """
    points = np.asarray(points, dtype=np.float64)
    if (
        points.ndim != 2
        or len(points) < 2 * _SHORTEST
        or points.shape[1] < 2
        or not np.isfinite(points).all()
    ):
        raise CurveError(
            f"a trajectory of shape {points.shape} has no turn to find: it needs at least {2 * _SHORTEST} points "
            "in two dimensions or more, all finite"
        )
    n, d = points.shape
    residuals, line = n * (d - 1), 2 * (d - 1)  # a line in d dimensions has 2 (d - 1) parameters
    last = np.arange(_SHORTEST - 1, n - _SHORTEST)

    def bic(misfit: Floats | float, parameters: int) -> Floats:
        each = np.log(np.asarray(misfit) / residuals + noise**2)
        return np.asarray(residuals * each + parameters * np.log(residuals))

    two = bic(np.array([_misfit(points[: k + 1]) + _misfit(points[k + 1 :]) for k in last]), 2 * line + 1)
    weight = np.exp(-(two - two.min()) / 2)
    reached = np.cumsum(weight) / weight.sum()
    tail = (1 - confidence) / 2
    best = int(last[np.argmin(two)])
    delta = float(bic(_misfit(points), line) - two.min())
    cosine = float(_direction(points[: best + 1]) @ _direction(points[best + 1 :]))
    angle = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    turns = delta >= _STRONG and angle >= _ASIDE
    return Turn(
        "turn" if turns else "none" if delta <= 0 else "undetermined",
        best,
        int(last[np.searchsorted(reached, tail)]),
        int(last[min(int(np.searchsorted(reached, 1 - tail)), len(last) - 1)]),
        angle,
        delta,
    )


def _misfit(points: Floats) -> float:
    """Return the sum of squares about the line that the points follow in one sense."""
    along, off = _split(points)
    return off + min(_steps_back(along), _steps_back(-along))


def _direction(points: Floats) -> Floats:
    """Return the unit vector in which the points move."""
    axis = _axis(points)
    along = (points - points.mean(axis=0)) @ axis
    return axis if _steps_back(along) <= _steps_back(-along) else -axis


def _axis(points: Floats) -> Floats:
    centred = points - points.mean(axis=0)
    return np.asarray(np.linalg.svd(centred, full_matrices=False)[2][0])


def _split(points: Floats) -> tuple[Floats, float]:
    centred = points - points.mean(axis=0)
    along = centred @ _axis(points)
    return along, max(0.0, float((centred**2).sum() - (along**2).sum()))


def _steps_back(along: Floats) -> float:
    return float(((along - isotonic_regression(along).x) ** 2).sum())
