"""Which levels the planner may ask, and in which order where an expected gain does not decide alone."""

from collections.abc import Callable, Sequence

import numpy as np

from harness.analysis.planner_grid import Grid
from harness.errors import SpecError
from harness.types import Floats, Ints

BLOCKS, PILOT = 8, 4  # before "no change" is believed, each eighth of the levels is asked four times
EQUAL = 1e-7  # nats: a smaller expected gain is none, and floating point must not choose


def eighths(grid: Grid) -> list[Ints]:
    """Return the levels that are asked for in eighths, each level by itself where there are fewer."""
    return [np.asarray(b) for b in np.array_split(grid.asked, min(BLOCKS, len(grid.asked)))]


def allowed_levels(grid: Grid, used: Ints, per_level: int | None) -> Ints:
    """Return the levels that may be asked once more; `used` (n_levels,) counts calls."""
    return grid.asked if per_level is None else np.asarray(grid.asked[used[grid.asked] < per_level])


def pilot(blocks: list[Ints], used: Ints, allowed: Ints) -> int | None:
    """Return the least asked level of the first eighth that was not asked often enough, None if all were."""
    for block in blocks:
        free = np.intersect1d(block, allowed)
        if used[block].sum() < PILOT and len(free):
            return int(free[np.argmin(used[free])])
    return None


def least_asked(grid: Grid, used: Ints, allowed: Ints) -> int:
    """Return the level asked least often, the first of a spread-out order among equals."""
    order = grid.asked[spread_order(len(grid.asked))]
    return int(min(order[np.isin(order, allowed)], key=lambda i: used[i]))


def most_useful(grid: Grid, useful: Floats, cost: Floats, allowed: Ints, told: int) -> int:
    """Return the allowed level that is most useful for its cost; `useful` (n_asked,) in nats a call.

    Where no call is useful, as the very first, the ends are asked, then what lies between.
    """
    free = np.isin(grid.asked, allowed)
    if np.max(useful[free]) < EQUAL:
        order = [i for i in spread_order(len(useful)) if free[i]]
        return int(grid.asked[order[told % len(order)]])
    score = np.where(free, useful, 0.0) / cost[grid.asked]
    # Rounded, so that which of two equal levels comes first is not decided by the last bit.
    return int(grid.asked[np.argmax(score > score.max() * (1 - 1e-6))])


def spread_order(n: int) -> list[int]:
    """Return 0..n-1 so that every beginning is spread out: the ends, the middle, the quarters ..."""
    order = [0, n - 1]
    step = 1
    while len(order) < n:
        step *= 2
        order += [i for i in (round((n - 1) * j / step) for j in range(1, step, 2)) if i not in order]
    return list(dict.fromkeys(order))[:n]


def level_costs(cost: Sequence[float] | Floats | Callable[[float], float] | None, levels: Floats) -> Floats:
    """Return the cost of a call at each level: shape (n_levels,). Raises SpecError unless all are above 0."""
    if cost is None:
        return np.ones(len(levels))
    found = np.asarray([cost(float(x)) for x in levels] if callable(cost) else cost, dtype=np.float64)
    if found.shape != levels.shape:
        raise SpecError(f"cost has shape {found.shape!r}; one number per level is wanted, {levels.shape!r}")
    bad = np.flatnonzero(~(np.isfinite(found) & (found > 0)))
    if bad.size:
        i = int(bad[0])
        raise SpecError(f"cost={float(found[i])!r} at level {float(levels[i])!r}: must be a number above 0")
    return found
