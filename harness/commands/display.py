"""What commands show: a progress bar on a terminal, plain lines elsewhere, and the table of transitions."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from harness.runner import Tally
from harness.types import CurveResult, RunResult, Transition

_LINE_EVERY_S = 10.0


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print one line as it is: no markup, no colours of rich's own choosing, no wrapping."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(console: Console) -> Iterator[Callable[[Tally], None]]:
    """Show how a run stands; yields what to call when it changes."""
    if not console.is_terminal:
        yield _line_printer(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("asking", total=None, note="")

        def tick(tally: Tally) -> None:
            failed = sum(tally.failed.values())
            note = f"{tally.spent_usd:.2f} USD" + (f", {failed} failed" if failed else "")
            bar.update(task, total=tally.total, completed=tally.done, note=note)

        yield tick


def _line_printer(console: Console) -> Callable[[Tally], None]:
    last = time.monotonic()

    def tick(tally: Tally) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            failed = sum(tally.failed.values())
            say(console, f"{tally.done} of {tally.total}, {failed} failed, {tally.spent_usd:.4f} USD")

    return tick


def print_transitions_table(result: RunResult) -> None:
    """Print one line a curve: verdict, location, width, and the delay against the ideal observer."""
    console = wide_console()
    for model in result.models:
        rows = [_row(curve) for curve in result.curves if curve.model == model.name]
        heads = ("curve", "verdict", "P", "half-way at", "width 10-90 %", "p from, to", "excess delay")
        console.print(table_of(heads, rows, title=model.name))
    for sentence in result.unjudged:
        say(console, f"no curve: {sentence}")
    options = result.options
    say(
        console,
        f"sharp: width at most {options.sharp_width:g} of the range; smallest change {options.min_change:g}; "
        "intervals 95 %; controls are judged by what they show beyond the unigram observer",
        "dim",
    )


def wide_console() -> Console:
    """Return a console whose tables are not squeezed: a narrow terminal wraps lines, a file keeps them."""
    console = Console()
    return Console(width=max(console.width, 200))


def table_of(heads: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> Table:
    """Return a plain table without lines, one line a row."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in heads:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _row(curve: CurveResult) -> tuple[str, ...]:
    found = curve.transition if curve.beyond is None else curve.beyond
    delay = ""
    if curve.delay is not None and curve.delay.value is not None:
        sign = "≥ " if curve.delay.censored == "model" else ""
        delay = sign + spanned(curve.delay.value, curve.delay.low, curve.delay.high)
    return (
        curve.title if curve.control is None else f"  control {curve.control}",
        found.verdict,
        f"{_probability(found):.2f}",
        spanned(found.location, found.location_low, found.location_high),
        spanned(found.width, found.width_low, found.width_high),
        _ends(found),
        delay,
    )


def _ends(found: Transition) -> str:
    if found.lower is None or found.upper is None:
        return ""
    ends = (found.upper, found.lower) if found.direction == "decreasing" else (found.lower, found.upper)
    return f"{ends[0]:.2f}, {ends[1]:.2f}"


def _probability(found: Transition) -> float:
    each = {
        "none": found.p_none,
        "gradual": found.p_gradual,
        "sharp": found.p_sharp,
        "multiple": found.p_multiple,
    }
    return each.get(found.verdict, max(each.values()))


def spanned(value: float | None, low: float | None, high: float | None) -> str:
    """Return a number with its interval, e.g. "10.3 [9.1, 11.2]"; empty if there is none."""
    if value is None:
        return ""
    if low is None or high is None:
        return f"{value:.1f}"
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"
