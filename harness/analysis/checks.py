"""What makes numbers a curve: every refusal names the curve, the level and what is allowed."""

import numpy as np

from harness.errors import CurveError, SpecError
from harness.types import AnalysisOptions, CountCurve, Curve, Floats, SequenceCurve

DEFAULTS = AnalysisOptions()
MIN_LEVELS = 3
ROUNDING = 1e-6  # a probability renormalised in single precision may miss [0, 1] by this much


def check_options(options: AnalysisOptions) -> None:
    """Raise SpecError unless every threshold is one a verdict can be made under."""
    for name, value in (
        ("sharp_width", options.sharp_width),
        ("min_change", options.min_change),
        ("confidence", options.confidence),
    ):
        if not 0 < value < 1:
            raise SpecError(f"{name}={value!r}: must be above 0 and below 1")
    if options.axis not in ("linear", "log2"):
        raise SpecError(f"axis={options.axis!r}: must be 'linear' or 'log2'")


def check_curve(curve: Curve) -> None:
    """Raise CurveError unless levels ascend and every value is possible."""
    _check_levels(curve)
    match curve:
        case CountCurve():
            _check_counts(curve)
        case SequenceCurve():
            check_table(curve)
            _check_range(curve.name, curve.level, curve.p)


def check_table(curve: SequenceCurve) -> None:
    """Raise CurveError unless there is one row per sequence and one column per level."""
    expected = (len(curve.sequence_ids), len(curve.level))
    if curve.p.ndim != 2 or curve.p.shape != expected or expected[0] == 0:
        raise CurveError(
            f"curve {curve.name!r}: p has shape {curve.p.shape!r}; "
            f"{expected!r} is needed, one row per sequence id (at least one) and one column per level"
        )


def _check_levels(curve: Curve) -> None:
    level = curve.level
    if level.ndim != 1:
        raise CurveError(f"curve {curve.name!r}: level has shape {level.shape!r}; one dimension is needed")
    bad = np.flatnonzero(~np.isfinite(level))
    if bad.size:
        i = int(bad[0])
        raise CurveError(
            f"curve {curve.name!r}: level[{i}]={float(level[i])!r}; levels must be finite numbers"
        )
    steps = np.flatnonzero(np.diff(level) <= 0)
    if steps.size:
        i = int(steps[0])
        raise CurveError(
            f"curve {curve.name!r}: level[{i + 1}]={float(level[i + 1])!r} is not above "
            f"level[{i}]={float(level[i])!r}; sort the levels and join duplicates"
        )
    if len(level) < MIN_LEVELS:
        raise CurveError(
            f"curve {curve.name!r}: {len(level)} level(s) {level.tolist()!r}; "
            f"a transition needs at least {MIN_LEVELS}"
        )


def check_axis(curve: Curve, options: AnalysisOptions) -> None:
    """Raise CurveError if a level cannot be placed on the axis."""
    if options.axis == "log2" and curve.level[0] < 0:
        raise CurveError(
            f"curve {curve.name!r}: level {float(curve.level[0])!r} has no place on a log2 axis; "
            "levels must be 0 or above, or use axis 'linear'"
        )


def _check_counts(curve: CountCurve) -> None:
    k, n = curve.successes, curve.trials
    if k.shape != curve.level.shape or n.shape != curve.level.shape:
        raise CurveError(
            f"curve {curve.name!r}: {k.shape!r} successes and {n.shape!r} trials "
            f"at {curve.level.shape!r} levels; one of each per level is needed"
        )
    for values, what in ((k, "successes"), (n, "trials")):
        broken = np.flatnonzero(~np.isfinite(values) | (values != np.round(values)))
        if broken.size:
            i = int(broken[0])
            raise CurveError(
                f"curve {curve.name!r}: {what}={values[i].item()!r} at level {float(curve.level[i])!r}; "
                "counts must be whole numbers"
            )
    for wrong, allowed in (
        (n <= 0, "trials must be above 0: drop the level or run it again"),
        ((k < 0) | (k > n), "successes must be between 0 and trials"),
    ):
        if wrong.any():
            i = int(np.argmax(wrong))
            raise CurveError(
                f"curve {curve.name!r}: successes={k[i].item()!r}, trials={n[i].item()!r} "
                f"at level {float(curve.level[i])!r}; {allowed}"
            )


def _check_range(name: str, level: Floats, p: Floats) -> None:
    outside = (
        (p < -ROUNDING) | (p > 1 + ROUNDING) | np.isinf(p)
    )  # NaN compares false: a failed cell is allowed
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        raise CurveError(
            f"curve {name!r}: p={float(p[row, column])!r} in row {row} at level {float(level[column])!r}; "
            "a probability is between 0 and 1, or NaN where it was not measured"
        )
