"""What makes numbers a series that can be segmented: every refusal names the series and what is allowed."""

from collections.abc import Sequence

import numpy as np

from harness.errors import CurveError, SpecError
from harness.types import Floats, SegmentationOptions

RUNS = 3  # runs of the shortest length that a series must have room for


def checked(
    values: Sequence[float] | Floats,
    level: Sequence[float] | Floats | None,
    options: SegmentationOptions,
    name: str,
) -> tuple[Floats, Floats]:
    """Return values and levels as arrays. Raises CurveError or SpecError."""
    _check_options(options)
    y = _numbers(values, "values", name)
    x = np.arange(len(y), dtype=np.float64) if level is None else _numbers(level, "level", name)
    if len(x) != len(y):
        raise CurveError(
            f"series {name!r}: {len(y)} values at {len(x)} levels; one value per level is needed"
        )
    down = np.flatnonzero(np.diff(x) <= 0)
    if down.size:
        i = int(down[0])
        raise CurveError(
            f"series {name!r}: level[{i + 1}]={float(x[i + 1])!r} is not above level[{i}]={float(x[i])!r}; "
            "sort the series and keep one value per level"
        )
    if len(y) < RUNS * options.shortest:
        raise CurveError(
            f"series {name!r}: {len(y)} value(s); segmentation needs at least {RUNS * options.shortest}, "
            f"{RUNS} runs of shortest={options.shortest!r}"
        )
    return y, x


def _numbers(given: Sequence[float] | Floats, what: str, name: str) -> Floats:
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CurveError(f"series {name!r}: {what} must be numbers: {error}") from error
    if array.ndim != 1:
        raise CurveError(f"series {name!r}: {what} has shape {array.shape!r}; one dimension is needed")
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        i = int(bad[0])
        raise CurveError(
            f"series {name!r}: {what}[{i}]={float(array[i])!r}; it must be finite: leave out what was not measured"
        )
    return array


def _check_options(options: SegmentationOptions) -> None:
    for what, number, least in (
        ("max_changes", options.max_changes, 1),
        ("shortest", options.shortest, 1),
    ):
        if type(number) is not int or number < least:
            raise SpecError(f"{what}={number!r}: must be a whole number of at least {least}")
    for what, word, allowed in (
        ("change", options.change, ("level", "level or spread")),
        ("noise", options.noise, ("ar1", "independent")),
    ):
        if word not in allowed:
            raise SpecError(f"{what}={word!r}: must be {' or '.join(map(repr, allowed))}")
    if not 0 < options.confidence < 1:
        raise SpecError(f"confidence={options.confidence!r}: must be above 0 and below 1")
