"""The planner on simulated models of known truth: calls until it stops, and whether it is right then.

33 levels; location at .1 to .9 of the range, plateaus at .02 to .25 and .80
to .98, 10-90 % widths 0 (a step anywhere in a gap), .05 and .2 of the range;
constants at .05 to .95. The fixed grid is 33 x 20 = 660 calls. The
two uniform samplers stop by the planner's own rule: "drawn" takes each level
at random, "in turn" asks every level once, in random order, before any again,
and is the harder one to beat. With `icc`, the p of each level is drawn from a
beta distribution around the curve.
"""

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks._analyzer_rows import Row, RowFunction, share_row, value_row
from harness.analysis import AdaptivePlanner

Floats = NDArray[np.float64]
TRUTHS = 60
MANY = 300  # truths where a figure lies near its target: a share of .93 is then known to .03
LEVELS = 33
GRID = LEVELS * 20
WIDTHS = (0.0, 0.05, 0.2)
SEED = 1000
DECLARED = ((0.0, 0.3), (0.75, 1.0))  # a little wider than where the plateaus are drawn from
Sampler = Literal["planner", "drawn", "in turn"]
SAMPLERS: tuple[Sampler, ...] = ("drawn", "in turn")  # the uniform ones


@dataclass(frozen=True, slots=True)
class Course:
    """How one truth was explored."""

    calls: int
    stopped: str | None
    covered: bool  # the location lies in the planner's interval
    judged: bool | None  # in the analyzer's, None where it gives none
    seconds: float  # spent asking and telling


@dataclass(frozen=True, slots=True)
class Setting:
    """What is simulated."""

    width: float | None  # None: no change
    batch: int = 1
    icc: float = 0.0
    sampler: Sampler = "planner"
    until: str = "located"
    declared: bool = False  # in which ranges the plateaus lie, to planner and uniform sampler alike


def explore(setting: Setting, seed: int) -> Course:
    """Ask until the planner stops, each call a draw of the truth at its level."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, LEVELS)
    location, p = _truth(setting.width, x, rng)
    if setting.icc:
        a = 1 / setting.icc - 1
        p = rng.beta(p * a, (1 - p) * a)
    known = {"plateaus": DECLARED} if setting.declared else {}
    planner = AdaptivePlanner(x, seed=seed, until=setting.until, **known)  # type: ignore[arg-type]
    waiting: list[float] = []
    start = time.process_time()
    while not planner.done:
        if setting.sampler == "drawn":
            asked = [float(rng.choice(x))]
        elif setting.sampler == "in turn":
            waiting = waiting or rng.permutation(x).tolist()
            asked = [waiting.pop()]
        else:
            asked = planner.ask(setting.batch)
        for level in asked:
            planner.tell(level, int(rng.random() < p[np.searchsorted(x, level)]))
    seconds = time.process_time() - start
    report, found = planner.report, planner.transition
    judged = None
    if found.location_low is not None and found.location_high is not None:
        judged = found.location_low <= location <= found.location_high
    return Course(report.calls, report.stopped, report.low <= location <= report.high, judged, seconds)


def _truth(width: float | None, x: Floats, rng: np.random.Generator) -> tuple[float, Floats]:
    location = float(rng.uniform(0.1, 0.9))
    low, high = rng.uniform(0.02, 0.25), 1 - rng.uniform(0.02, 0.20)
    if width is None:
        return location, np.full(len(x), rng.uniform(0.05, 0.95))
    if width == 0:
        return location, np.where(x >= location, high, low)
    return location, low + (high - low) / (1 + np.exp(-(x - location) * 2 * np.log(9) / width))


def _courses(setting: Setting, truths: int = TRUTHS) -> list[Course]:
    return [explore(setting, SEED + i) for i in range(truths)]


def _ratio_row(figure: str, ours: list[Course], theirs: list[Course], *, most: float) -> Row:
    """Return the ratio of mean calls on the same truths, with the delta method's 95 % interval."""
    a, b = (np.array([c.calls for c in courses], dtype=np.float64) for courses in (ours, theirs))
    ratio = float(a.mean() / b.mean())
    half = 1.96 * float(np.std(a - ratio * b, ddof=1)) / (np.sqrt(len(a)) * float(b.mean()))
    return Row(f"{figure} (n={len(a)})", f"<= {most:g}", ratio, ratio - half, ratio + half, ratio <= most)


def _named(width: float | None) -> str:
    return "no change" if width is None else "a step" if width == 0 else f"width {width:g}"


def _grid_row(what: str, courses: list[Course], *, most: float | None = None) -> Row:
    """Return the mean calls over those of the fixed grid, with its normal 95 % interval."""
    share = np.array([c.calls for c in courses], dtype=np.float64) / GRID
    mean, half = float(share.mean()), 1.96 * float(share.std(ddof=1)) / np.sqrt(len(share))
    target = "" if most is None else f"<= {most:g}"
    met = most is None or mean <= most
    return Row(f"{what}: calls / grid (n={len(share)})", target, mean, mean - half, mean + half, met)


def one_at_a_time() -> list[Row]:
    """Measure calls against the fixed grid and uniform sampling, coverage at the stop, and the time of an ask."""
    rows = []
    for width in WIDTHS:
        courses = _courses(Setting(width), TRUTHS if width == 0.05 else MANY)
        what = f"planner, one at a time, {_named(width)}"
        rows.append(_grid_row(what, courses, most=0.25))
        rows.append(share_row(f"{what}: coverage", sum(c.covered for c in courses), len(courses), least=0.93))
        if width == 0:
            for sampler in SAMPLERS:
                uniform = _courses(Setting(width, sampler=sampler), MANY)
                figure = f"{what}: calls / uniform, {sampler}, same stop"
                rows.append(_ratio_row(figure, courses, uniform, most=1 / 3))
            total = sum(c.seconds for c in courses) / sum(c.calls for c in courses)
            rows.append(value_row("planner, 33 levels: CPU ms a call", 1e3 * total, most=30))
    return rows


def with_plateaus_declared() -> list[Row]:
    """Measure the same with the ranges of both plateaus known, as psychometrics declares guess and lapse rates."""
    rows = []
    for width in (0.0, 0.2):
        courses = _courses(Setting(width, declared=True), MANY)
        what = f"planner, one at a time, plateaus declared, {_named(width)}"
        rows.append(_grid_row(what, courses, most=0.25))
        rows.append(share_row(f"{what}: coverage", sum(c.covered for c in courses), len(courses), least=0.93))
        if width == 0:
            for sampler in SAMPLERS:
                uniform = _courses(Setting(width, sampler=sampler, declared=True), MANY)
                rows.append(_ratio_row(f"{what}: calls / uniform, {sampler}", courses, uniform, most=1 / 3))
    return rows


def in_batches() -> list[Row]:
    """Measure the same, eight calls at once."""
    rows = []
    for width in WIDTHS:
        courses = _courses(Setting(width, batch=8))
        what = f"planner, batches of 8, {_named(width)}"
        rows.append(_grid_row(what, courses, most=1 / 3))
        rows.append(share_row(f"{what}: coverage", sum(c.covered for c in courses), TRUTHS, least=0.93))
    return rows


def without_a_change() -> list[Row]:
    """How often a flat curve is given up, and after how many calls."""
    courses = _courses(Setting(None, batch=8))
    none = sum(c.stopped == "none" for c in courses)
    return [
        share_row("planner, batches of 8, no change: stopped as none", none, TRUTHS),
        _grid_row("planner, batches of 8, no change", courses),
    ]


def overdispersed() -> list[Row]:
    """Measure calls and coverage where the calls at a level are correlated at .05, and flat curves of that kind."""
    rows = []
    for width in WIDTHS:
        courses = _courses(Setting(width, batch=8, icc=0.05), MANY if width == 0.2 else TRUTHS)
        what = f"planner, batches of 8, icc .05, {_named(width)}"
        rows.append(_grid_row(what, courses))
        rows.append(share_row(f"{what}: coverage", sum(c.covered for c in courses), len(courses), least=0.93))
    flat = _courses(Setting(None, batch=8, icc=0.05))
    wrong = sum(c.stopped == "precise" for c in flat)
    rows.append(share_row("planner, batches of 8, icc .05, no change: located all the same", wrong, TRUTHS))
    return rows


def until_judged() -> list[Row]:
    """Measure what a run asks: on, until the analyzer gives a location too."""
    rows = []
    for width in WIDTHS:
        courses = _courses(Setting(width, batch=8, until="judged"))
        what = f"planner, batches of 8, until judged, {_named(width)}"
        rows.append(_grid_row(what, courses))
        known = [c.judged for c in courses if c.judged is not None]
        rows.append(share_row(f"{what}: the analyzer's coverage", sum(known), len(known), least=0.93))
    return rows


ROWS: tuple[RowFunction, ...] = (
    one_at_a_time, with_plateaus_declared, in_batches, without_a_change, overdispersed, until_judged
)  # fmt: skip
