"""Single changes with unequal tails beside the symmetric ones, to read places and widths with.

Which class a curve is in does not hang on its tails. Where it is half-way does: the
plateaus that a logistic fits to a curve that is slow to arrive lie off those it has.
"""

from dataclasses import dataclass

import numpy as np

from harness.analysis.axis import Axis
from harness.analysis.templates import Singles, shape_rises
from harness.types import Floats, Ints

LOGISTIC, HILL, LATE_TAIL, EARLY_TAIL = range(4)
FARTHEST = 50.0  # exponent beyond which a tail is 0 or 1 in double precision


@dataclass(frozen=True, slots=True, eq=False)
class ReadShapes:
    """One change each, by its half-way point and its 10-90 % width, both on the axis."""

    location: Floats  # (n,)
    width: Floats  # (n,), 0 for an exact step
    kind: Ints  # (n,)
    weights: Floats  # (n, 2, n_bins), of the plateaus before and after

    def rise_at(self, x: Floats, index: int) -> Floats:
        """Return the rise of one of the shapes at other points than its bins: shape (len(x),)."""
        i = slice(index, index + 1)
        kind = int(self.kind[index])
        if kind in (LOGISTIC, HILL):
            return np.asarray(
                shape_rises(x, self.location[i], self.width[i], np.array([kind == HILL], dtype=np.bool_))[0]
            )
        return np.asarray(gompertz_rises(x, self.location[i], self.width[i], early=kind == EARLY_TAIL)[0])


def read_shapes(axis: Axis, singles: Singles) -> ReadShapes:
    """Return the shapes of `singles`, and with each place and width of a logistic one two that are skewed."""
    twice = np.flatnonzero((singles.width > 0) & ~singles.hill)
    location, width = singles.location[twice], singles.width[twice]
    weights = [singles.shapes.weights]
    for early in (False, True):
        rise = axis.binned(gompertz_rises(axis.x, location, width, early=early))
        weights.append(np.stack([1 - rise, rise], axis=1))
    kinds = [np.where(singles.hill, HILL, LOGISTIC)]
    kinds += [np.full(len(twice), kind) for kind in (LATE_TAIL, EARLY_TAIL)]
    return ReadShapes(
        np.concatenate([singles.location, location, location]),
        np.concatenate([singles.width, width, width]),
        np.concatenate(kinds),
        np.concatenate(weights),
    )


def gompertz_rises(x: Floats, location: Floats, width: Floats, *, early: bool) -> Floats:
    """Return Gompertz's curve for each half-way point and 10-90 % width > 0: shape (n, len(x)).

    exp(-ln 2 exp(-b (x - location))), b = ln(ln 10 / -ln 0.9) / width: it sets
    off abruptly and is slow to arrive (Gompertz 1825). With `early` it is turned round:
    slow to set off, abrupt at its end.
    """
    steepness = np.log(np.log(10.0) / -np.log(0.9)) / width[:, None]
    side = -1.0 if early else 1.0
    distance = side * steepness * (x[None, :] - location[:, None])
    rise = np.exp(-np.log(2.0) * np.exp(np.clip(-distance, -FARTHEST, FARTHEST)))
    return np.asarray(1 - rise if early else rise)
