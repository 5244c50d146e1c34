"""One row of the analyzer's table: what was aimed at, what was measured, and how sure that is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with its target. `low` and `high` are a 95 % interval of `measured`; equal where none is meant."""

    figure: str
    target: str  # as it is printed, "<= .01"
    measured: float
    low: float
    high: float
    met: bool


RowFunction = Callable[[], list[Row]]


def share_row(
    figure: str, hits: int, of: int, *, least: float | None = None, most: float | None = None
) -> Row:
    """Return the row of a share, with Clopper and Pearson's interval; met is a matter of the point estimate.

    `least` and `most` bound the share; either, both or (for a figure beside the
    targets) neither. Nothing counted is never met.
    """
    share = hits / of if of else float("nan")
    interval = binomtest(hits, of).proportion_ci(0.95, method="exact") if of else None
    low, high = (float(interval.low), float(interval.high)) if interval else (float("nan"), float("nan"))
    met = of > 0 and (least is None or share >= least) and (most is None or share <= most)
    return Row(f"{figure} (n={of})", _target(least, most), share, low, high, met)


def value_row(figure: str, value: float, *, least: float | None = None, most: float | None = None) -> Row:
    """Return the row of a number that is no share: a speed, a median."""
    met = (least is None or value >= least) and (most is None or value <= most)
    return Row(figure, _target(least, most), value, value, value, met)


def _target(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"{least:g} - {most:g}"
    if least is not None:
        return f">= {least:g}"
    return "" if most is None else f"<= {most:g}"


def table(rows: Iterable[Row]) -> str:
    """Return the rows as the lines of one table."""
    lines = [f"{'figure':78s} {'target':>12s} {'measured':>9s} {'95 % interval':>17s}  met"]
    for row in rows:
        interval = "" if row.low == row.high else f"{row.low:8.4g}-{row.high:.4g}"
        verdict = "" if not row.target else "met" if row.met else "MISSED"
        lines.append(f"{row.figure:78s} {row.target:>12s} {row.measured:9.4g} {interval:>17s}  {verdict}")
    return "\n".join(lines)
