"""The changes that the planner holds for possible: where, how wide, between which levels, with their prior."""

from dataclasses import dataclass

import numpy as np

from harness.analysis.axis import Axis, bin_starts, make_axis
from harness.analysis.templates import STEP_SHARE, rises
from harness.errors import SpecError
from harness.types import AnalysisOptions, Floats, Ints

WIDTHS = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0)  # 10-90 %, in ranges, besides an exact step
PLATEAUS = 17  # heights of a plateau: 0.05 apart in arcsin(sqrt p), two s.d. of 100 draws
MOST_ASKED = 65  # levels that are asked for; of more, those that the analyzer's bins begin with
Range = tuple[float, float]
ANYWHERE: tuple[Range, Range] = (
    (0.0, 1.0),
    (0.0, 1.0),
)  # plateaus before and after, of which nothing is known
CELLS = 48  # places of a change, at least, so that few levels make no coarser grid


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Every combination of a shape (location, width) and a pair of plateaus: p = before (1 - rise) + after rise.

    psi(x) = guess + (1 - guess - lapse) F(x) (Wichmann & Hill 2001) with guess
    and lapse as the two plateaus, in either direction. Plateaus are uniform in
    arcsin(sqrt p), Jeffreys' prior of a rate, and at least `min_change` apart.
    """

    axis: Axis
    asked: Ints  # (n_asked,), index of the levels that are asked for
    edges: Floats  # (n_cells + 1,), on the axis
    rise: Floats  # (n_shapes, n_levels), float32
    width: Floats  # (n_shapes,), in ranges
    cell: Floats  # (n_cells, n_shapes), share of a shape's location in each cell; columns sum to one
    log_prior: Floats  # (n_shapes,), sums to one
    before: Floats  # (n_pairs,), float32
    after: Floats  # (n_pairs,), float32
    constant: Floats  # (n_constants,), heights of a curve without a change, float32

    def p(self, i: int) -> Floats:
        """Return p at one level under every change: shape (n_shapes, n_pairs)."""
        rise = self.rise[:, i, None]
        return np.asarray(self.before * (1 - rise) + self.after * rise)

    @property
    def spacing(self) -> Floats:
        """Return the distances on the axis between neighbouring levels that are asked for."""
        return np.diff(self.axis.x[self.asked])


def make_grid(level: Floats, options: AnalysisOptions, plateaus: tuple[Range, Range] = ANYWHERE) -> Grid:
    """Build the grid for ascending levels, heights before and after the change within `plateaus`.

    Exact steps lie anywhere in the gap between two levels; they hold a quarter
    of the prior, the two narrowest widths another and the wider ones half, as
    the analyzer's do (`templates`). Raises SpecError for ranges that hold no two heights `min_change` apart.
    """
    axis = make_axis(level, options.axis)
    asked = np.arange(len(level))
    if len(level) > MOST_ASKED:
        asked = np.unique(np.append(bin_starts(len(level)), len(level) - 1))
    x = axis.x[asked]
    gaps = len(x) - 1
    each = -(-CELLS // gaps)
    edges = np.interp(np.arange(each * gaps + 1) / each, np.arange(gaps + 1), x)
    middle, share = (edges[:-1] + edges[1:]) / 2, np.diff(edges) / axis.range
    gap_share = np.diff(x) / axis.range
    widths = np.asarray(WIDTHS)
    location = np.concatenate([(x[:-1] + x[1:]) / 2, np.tile(middle, len(widths))])
    width = np.concatenate([np.zeros(gaps), np.repeat(widths, len(middle))])
    step_cell = np.repeat(np.eye(gaps), each, axis=0) * (share / np.repeat(gap_share, each))[:, None]
    cell = np.concatenate([step_cell, np.tile(np.eye(len(middle)), len(widths))], axis=1)
    mass = np.concatenate(
        [STEP_SHARE * gap_share, np.tile(share * (1 - STEP_SHARE) / len(widths), len(widths))]
    )
    heights = np.sin(np.pi / 2 * (np.arange(PLATEAUS) + 0.5) / PLATEAUS) ** 2
    before, after = (a.ravel() for a in np.meshgrid(heights, heights, indexing="ij"))
    apart = np.abs(after - before) >= options.min_change
    for height, (low, high) in zip((before, after), plateaus, strict=True):
        apart &= (height >= low) & (height <= high)
    if not apart.any():
        raise SpecError(
            f"plateaus={plateaus!r}: a (low, high) within 0 to 1 before and after the change is wanted, wide enough to "
            f"hold two heights {options.min_change:g} apart; heights are taken about 0.05 to 0.1 from each other"
        )
    return Grid(
        axis=axis,
        asked=asked,
        edges=edges,
        rise=rises(axis.x, location, width * axis.range).astype(np.float32),
        width=width,
        cell=cell,
        log_prior=np.log(mass),
        before=before[apart].astype(np.float32),
        after=after[apart].astype(np.float32),
        constant=heights.astype(np.float32),
    )
