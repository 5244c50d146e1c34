"""Where levels lie on the axis a transition is judged on, and how many levels are joined to bins."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.types import Floats, Ints

MAX_BINS = 64
FINEST_CAP = 40  # the coarsest bin holds at most 1/40 of the levels: a quarter of the default sharp width


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Levels on the linear or the log2 axis, and the bins they are joined to.

    On the log2 axis a level is placed at log2(level), or at log2(level + 1) for
    all levels if level 0 is among them.
    """

    level: Floats  # (n_levels,)
    x: Floats  # (n_levels,), the levels on the axis
    start: Ints  # (n_bins,), index of the first level of each bin
    shift: float | None  # added before log2; None on the linear axis

    @property
    def range(self) -> float:
        """Distance from the first to the last level on the axis."""
        return float(self.x[-1] - self.x[0])

    @property
    def size(self) -> Ints:
        """Return the number of levels in each bin: shape (n_bins,)."""
        return np.diff(np.append(self.start, len(self.x)))

    def key(self) -> tuple[bytes, bytes, bytes, float | None]:
        """Return what tells axes apart, for caches; `axis_of` is the way back."""
        return self.level.tobytes(), self.x.tobytes(), self.start.tobytes(), self.shift

    def binned(self, values: Floats) -> Floats:
        """Return the mean over the levels of each bin: (..., n_levels) -> (..., n_bins)."""
        if len(self.start) == len(self.x):
            return values
        return np.asarray(np.add.reduceat(values, self.start, axis=-1) / self.size)

    def to_level(self, x: float) -> float:
        """Return the level at a point of the axis."""
        return float(x if self.shift is None else 2.0**x - self.shift)

    def from_level(self, level: Floats) -> Floats:
        """Return where levels lie on the axis, between those that are known by interpolation."""
        return np.interp(level, self.level, self.x)

    def gap(self, x: float) -> tuple[float, float]:
        """Return the two neighbouring levels, on the axis, that a point lies between."""
        right = int(np.clip(np.searchsorted(self.x, x, side="right"), 1, len(self.x) - 1))
        return float(self.x[right - 1]), float(self.x[right])

    def bin_span(self, x: float) -> float:
        """Return the distance between the first and the last level of the bin a point lies in, 0 for one level."""
        i = int(np.clip(np.searchsorted(self.x[self.start], x, side="right") - 1, 0, len(self.start) - 1))
        first = int(self.start[i])
        return float(self.x[first + int(self.size[i]) - 1] - self.x[first])


def axis_of(level: bytes, x: bytes, start: bytes, shift: float | None) -> Axis:
    """Return the axis of a key."""
    return Axis(np.frombuffer(level), np.frombuffer(x), np.frombuffer(start, np.int64), shift)


def make_axis(level: Floats, kind: Literal["linear", "log2"]) -> Axis:
    """Place ascending levels on an axis and choose their bins."""
    if kind == "linear":
        return Axis(level, level, bin_starts(len(level)), None)
    shift = 1.0 if level[0] == 0 else 0.0
    return Axis(level, np.log2(level + shift), bin_starts(len(level)), shift)


def bin_starts(n_levels: int, at_most: int = MAX_BINS) -> Ints:
    """Return the index of the first level of each of at most `at_most` bins.

    Bins grow in proportion to the index up to 1/40 of the levels. Equal bins
    would swallow a transition within the first few of hundreds of levels, where
    in-context transitions are; growing without bound would smear a step at the
    end. Of 257 levels the first twenty or so stay single and no bin holds more than 7.
    """
    if n_levels <= at_most:
        return np.arange(n_levels)
    cap = -(-n_levels // FINEST_CAP)
    growth = 0.02
    while True:
        starts = [0]
        while (following := starts[-1] + int(np.clip(growth * starts[-1], 1, cap))) < n_levels:
            starts.append(following)
        if len(starts) <= at_most:
            return np.asarray(starts, dtype=np.int64)
        growth *= 1.1
