"""Which level to ask next: the one whose answer is expected to say most, for its price, about where the change is."""

from typing import Literal

import numpy as np

from harness.analysis.planner_grid import Grid
from harness.analysis.planner_posterior import Belief
from harness.types import Floats

About = Literal["location", "width"]
TINY = 1e-300


def target_shares(grid: Grid, about: About) -> Floats:
    """Return the share of each shape in what is asked about: (n_targets, n_shapes)."""
    if about == "location":
        return grid.cell
    return np.asarray(grid.width == np.unique(grid.width)[:, None], dtype=np.float64)


def expected_gain(grid: Grid, belief: Belief, shares: Floats) -> Floats:
    """Return the expected drop of entropy (nats) about the target by one call at each level asked for.

    H(T) - sum_y P(y | x) H(T | y, x), the plateaus and what else is not asked
    about summed out (psi-marginal: Kontsevich & Tyler 1999; Prins 2013). "No
    change" is one more value of T. p is linear in the plateaus, so their two
    mean heights per shape are all that is needed: shape (n_asked,).
    """
    rise = grid.rise[:, grid.asked]
    mass = belief.change.sum(axis=1, dtype=np.float64)
    before, after = belief.change @ grid.before, belief.change @ grid.after
    success = shares @ (before[:, None] * (1 - rise) + after[:, None] * rise)
    hits = np.vstack([success, np.full(rise.shape[1], float(belief.constant @ grid.constant))])
    prior = np.append(shares @ mass, belief.none)[:, None]
    return _entropy(prior) - _entropy(hits) - _entropy(np.maximum(prior - hits, 0))


def assumed(grid: Grid, belief: Belief, i: int, hit: bool) -> Belief:
    """Return the belief after one more call at level i, were its outcome known."""
    p, constant = grid.p(i), grid.constant
    if not hit:
        p, constant = 1 - p, 1 - constant
    change, none = belief.change * p, belief.constant * constant
    total = float(change.sum(dtype=np.float64)) + float(none.sum())
    return Belief(change / np.float32(total), none / total)


def success_chance(grid: Grid, belief: Belief, i: int) -> float:
    """Return the probability that the next call at level i succeeds."""
    rise = grid.rise[:, i]
    before, after = belief.change @ grid.before, belief.change @ grid.after
    return float(np.sum(before * (1 - rise) + after * rise)) + float(belief.constant @ grid.constant)


def _entropy(table: Floats) -> Floats:
    """Return -sum P log(P / column sum) of each column of a joint table."""
    total = table.sum(axis=0)
    inside = np.sum(table * np.log(np.maximum(table, TINY)), axis=0)
    return np.asarray(total * np.log(np.maximum(total, TINY)) - inside)
