"""AdaptivePlanner: which level to ask next, so that calls go where the transition is (ask and tell)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.analysis.checks import DEFAULTS, MIN_LEVELS, check_axis, check_curve, check_options
from harness.analysis.planner_choice import About, assumed, expected_gain, success_chance, target_shares
from harness.analysis.planner_grid import ANYWHERE, Range, make_grid
from harness.analysis.planner_posterior import Posterior, location_interval
from harness.analysis.planner_rules import (
    allowed_levels,
    eighths,
    least_asked,
    level_costs,
    most_useful,
    pilot,
)
from harness.analysis.rounding import whole_counts
from harness.analysis.verdict import transition
from harness.errors import CurveError, SpecError
from harness.types import AnalysisOptions, CountCurve, Floats, Transition

GRID_TRIALS = 20  # calls per level of the fixed design that a planner is compared with, and never exceeds
SURE = 0.95  # posterior of "no change", or of a change, that a stop needs

Until = Literal["located", "judged"]
Stop = Literal["precise", "several", "none", "calls", "levels"]


@dataclass(frozen=True, slots=True)
class PlannerReport:
    """How a planner stands, and what asking every level equally often would have taken."""

    calls: int  # failed ones included
    cost: float  # of those calls, in the unit of `cost`
    grid_calls: int
    grid_cost: float
    stopped: Stop | None  # precise, several changes, none, no calls left, or no level left that may be asked
    p_none: float
    low: float  # interval of the location, in units of the level, given that there is a change
    high: float


class AdaptivePlanner:
    """Choose where to ask next, from what was told so far.

        planner = AdaptivePlanner(range(0, 257, 8), cost=lambda n: 20 + n)
        while not planner.done:
            for x in planner.ask(8):
                planner.tell(x, *outcome_at(x))
        planner.transition

    Each call goes where its outcome is expected to lower the entropy about
    the location (or the width) of a change most, per unit of `cost`:
    psi-marginal (Kontsevich & Tyler 1999; Prins 2013) on a grid of locations,
    widths with an exact step, two free plateaus and "no change". The later
    calls of a batch are chosen as if the earlier ones had come out in a way drawn
    from what is believed, with equal draws for equal histories.

    It stops once the interval of the location at `options.confidence` is at most
    `precision` of the range to either side, or as wide as the gap between two
    levels ("precise"); once no change is 0.95 probable after four calls in
    each eighth of the levels ("none"); after `max_calls`; or when every level was
    asked `per_level` times.

    `until` "located" is the end of that. It takes the fewest calls, too few for
    the analyzer, which also weighs several changes, to give a verdict or a
    location of its own. With "judged" the calls that follow are spread over all
    levels until its own interval is as precise, or it finds several changes
    ("several"): a second change that lies where no call went is then seen, and
    "located" would not see it.

    The state is what was told, in order: `observations`, given back with the same
    arguments, rebuild it, and the same questions follow.

    Arguments: `levels` ascending, at least 3; of more than 65 those are asked
    that the analyzer's bins begin with. `cost` per call at each level, as an
    array or a function, default 1. `grid_trials` is the number of calls per
    level of the fixed design in the report; `max_calls` is as many by default.
    `plateaus`, ((low, high), (low, high)), says where p is known to lie before and
    after the change, as guess and lapse rates are in psychometrics: a step then
    takes a quarter fewer calls. Declared wrongly it misleads where calls go and when
    they end, not `transition`, which makes no use of it.
    Raises SpecError or CurveError for arguments that cannot be meant.
    """

    def __init__(
        self,
        levels: Iterable[float],
        *,
        cost: Sequence[float] | Floats | Callable[[float], float] | None = None,
        precision: float = 0.05,
        about: About = "location",
        until: Until = "located",
        plateaus: tuple[Range, Range] = ANYWHERE,
        max_calls: int | None = None,
        per_level: int | None = None,
        grid_trials: int = GRID_TRIALS,
        options: AnalysisOptions = DEFAULTS,
        seed: int = 0,
        observations: Iterable[tuple[float, float, int]] = (),
    ) -> None:
        self.levels = np.asarray([float(x) for x in levels])
        ones = np.ones(len(self.levels), dtype=np.int64)
        check_options(options)
        blank = CountCurve("planner", self.levels, 0 * ones, ones)
        check_curve(blank)
        check_axis(blank, options)
        self._cost = level_costs(cost, self.levels)
        for name, value in (("max_calls", max_calls), ("per_level", per_level), ("grid_trials", grid_trials)):
            if value is not None and value < 1:
                raise SpecError(f"{name}={value!r}: must be 1 or above")
        if not 0 < precision < 0.5:
            raise SpecError(f"precision={precision!r}: a share of the range above 0 and below 0.5")
        if about not in ("location", "width"):
            raise SpecError(f"about={about!r}: must be 'location' or 'width'")
        if until not in ("located", "judged"):
            raise SpecError(f"until={until!r}: must be 'located' or 'judged'")
        self.options, self.precision, self.seed = options, precision, seed
        self._grid = make_grid(self.levels, options, plateaus)
        self._shares = target_shares(self._grid, about)
        self._posterior = Posterior(self._grid)
        self._told: list[tuple[float, float, int]] = []
        self._calls = np.zeros(len(self.levels), dtype=np.int64)
        self._grid_trials = grid_trials
        self._max_calls = grid_trials * len(self.levels) if max_calls is None else max_calls
        self._per_level, self._until = per_level, until
        self._judgment: tuple[int, Stop | None] = (-1, None)  # at which number of outcomes, and what it was
        self._blocks = eighths(self._grid)
        for x, k, n in observations:
            self.tell(x, k, n)

    @property
    def observations(self) -> tuple[tuple[float, float, int], ...]:
        """Return everything told, in order, as (x, k, n)."""
        return tuple(self._told)

    def ask(self, batch: int = 1) -> list[float]:
        """Return the levels to ask next, at most `batch`, one call each; none once done. Changes nothing."""
        if batch < 1:
            raise SpecError(f"batch={batch!r}: must be 1 or above")
        asked: list[int] = []
        grid, belief = self._grid, self._posterior.belief
        spread = self._until == "judged" and self._located()
        rng = np.random.default_rng([self.seed, len(self._told)])
        left = min(batch, self._max_calls - int(self._calls.sum())) if not self.done else 0
        for j in range(left):
            waiting = np.bincount(asked, minlength=len(self.levels))
            used = self._calls + waiting
            allowed = allowed_levels(grid, used, self._per_level)
            if not len(allowed):
                break
            i = pilot(self._blocks, used, allowed) if belief.none >= SURE else None
            if spread:
                i = least_asked(grid, used, allowed)
            if i is None:
                gain = expected_gain(grid, belief, self._shares)
                useful = np.maximum(gain, 0) * self._posterior.information(waiting)[grid.asked]
                i = most_useful(grid, useful, self._cost, allowed, len(self._told) + j)
            asked.append(i)
            if j + 1 < left:
                hit = bool(rng.random() < success_chance(self._grid, belief, i))
                belief = assumed(self._grid, belief, i, hit)
        return [float(self.levels[i]) for i in asked]

    def tell(self, x: float, k: float, n: int = 1) -> None:
        """Enter the outcome of n calls at level x, k of them successes.

        k may be a fraction: a probability p, told as k = p, counts as one draw.
        That is a quasi-likelihood (Papke & Wooldridge 1996) with the right mean
        and at least the right variance, since no distribution on [0, 1] with
        mean p varies more than a draw of it. n = 0 says that one call failed:
        it is counted as a call and as nothing else.
        """
        at = np.flatnonzero(self.levels == x)
        if not at.size:
            near = self.levels[np.argsort(np.abs(self.levels - x))[:2]].tolist()
            raise CurveError(f"level {x!r} is not one of the planner's; the nearest are {near!r}")
        if n < 0 or n != int(n):
            raise CurveError(
                f"n={n!r} at level {x!r}; a whole number of calls is wanted, 0 for one that failed"
            )
        if not 0 <= k <= n:
            raise CurveError(f"k={k!r}, n={n!r} at level {x!r}; k must be between 0 and n")
        self._told.append((float(x), float(k), int(n)))
        self._calls[at[0]] += max(int(n), 1)
        if n:
            self._posterior.tell(int(at[0]), float(k), float(n))

    @property
    def stopped(self) -> Stop | None:
        """Return why nothing more is asked, None while something is."""
        none = self._posterior.belief.none
        if none >= SURE and pilot(self._blocks, self._calls, self._grid.asked) is None:
            return "none"
        if self._located():
            found = "precise" if self._until == "located" else self._judged()
            if found is not None:
                return found
        if self._calls.sum() >= self._max_calls:
            return "calls"
        return None if len(allowed_levels(self._grid, self._calls, self._per_level)) else "levels"

    @property
    def done(self) -> bool:
        """Return whether enough is known, or no call is left."""
        return self.stopped is not None

    @property
    def curve(self) -> CountCurve:
        """Return what was told as counts, levels without an outcome left out.

        Fractions are added up per level and rounded up or down at random, in
        proportion: without bias, and with no more variance than draws have.
        """
        seen = self._posterior.n > 0
        return CountCurve(
            "adaptive",
            self.levels[seen],
            whole_counts(self._posterior.k, self.seed)[seen],
            self._posterior.n[seen].astype(np.int64),
        )

    @property
    def transition(self) -> Transition:
        """Return what the analyzer says of everything told. Raises CurveError below 3 levels."""
        return transition(self.curve, options=self.options)

    @property
    def report(self) -> PlannerReport:
        """Return the calls used, what a fixed grid would have used, and what is known."""
        low, high = location_interval(self._grid, self._posterior.belief, self.options.confidence)
        to_level = self._grid.axis.to_level
        return PlannerReport(
            calls=int(self._calls.sum()),
            cost=float(self._calls @ self._cost),
            grid_calls=self._grid_trials * len(self.levels),
            grid_cost=self._grid_trials * float(self._cost.sum()),
            stopped=self.stopped,
            p_none=self._posterior.belief.none,
            low=to_level(low),
            high=to_level(high),
        )

    def _located(self) -> bool:
        if self._posterior.belief.none > 1 - SURE:
            return False
        low, high = location_interval(self._grid, self._posterior.belief, self.options.confidence)
        return high - low <= self._wanted() * (1 + 1e-9)

    def _wanted(self) -> float:
        """Return the length of an interval that is precise enough, on the axis: never below the level spacing."""
        return max(2 * self.precision * self._grid.axis.range, float(self._grid.spacing.min()))

    def _judged(self) -> Stop | None:
        """Return how the analyzer's own verdict ends it, None while that is open; looked up where nothing was told."""
        if self._judgment[0] != len(self._told):
            found: Stop | None = None
            if np.count_nonzero(self._posterior.n) >= MIN_LEVELS:
                judged = self.transition
                low, high = judged.location_low, judged.location_high
                if judged.verdict == "multiple":
                    found = "several"
                elif low is not None and high is not None:
                    length = float(np.ptp(self._grid.axis.from_level(np.array([low, high]))))
                    # The analyzer's interval spans both neighbours of a place, two spacings, however sure it is.
                    wanted = max(self._wanted(), 2 * float(self._grid.spacing.min()))
                    found = "precise" if length <= wanted * (1 + 1e-9) else None
            self._judgment = (len(self._told), found)
        return self._judgment[1]
