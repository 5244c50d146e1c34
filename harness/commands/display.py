"""What commands show: lines as they are, and the table of transitions."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.commands.adaptive import use_words
from harness.results import SELECTION
from harness.types import CurveResult, GenerationResult, ModelInfo, RunResult, Transition

_STATISTICS = ("alternation rate",)  # of written sequences, besides the share of the first symbol


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print one line as it is: no markup, no colours of rich's own choosing, no wrapping."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def print_transitions_table(result: RunResult) -> None:
    """Print one line a curve: verdict, location, width, and the delay against the ideal observer."""
    console = wide_console()
    for model in result.models:
        rows = [_row(curve) for curve in result.curves if curve.model == model.name]
        heads = (
            *("curve", "verdict", "P", "half-way at", "width 10-90 %", "p from, to", "excess delay"),
            "survives",
        )
        texts = [_text_row(g) for g in result.generations if g.model == model.name]
        if rows or not texts:
            console.print(table_of(heads, rows, title=model.name))
        if texts:
            written = ("sequences", "given", "came", "whole", *_statistic_heads(result), "unlike ideal")
            console.print(table_of(written, texts, title=model.name))
        for sentence in served_words(model):
            say(console, f"caution: {sentence}")
    for sentence in selections(result):
        say(console, f"caution: {sentence}")
    for sentence in result.unjudged:
        say(console, f"no curve: {sentence}")
    for sentence in use_words(result):
        say(console, sentence)
    options = result.options
    say(
        console,
        f"sharp: width at most {options.sharp_width:g} of the range; smallest change {options.min_change:g}; "
        "intervals 95 %; a control that destroys order is judged by what is left beyond an observer of what it keeps",
        "dim",
    )


def served_words(model: ModelInfo) -> list[str]:
    """Return the warning that several models answered under one name, if they did."""
    if len(model.served_models) < 2:
        return []
    ids = ", ".join(model.served_models)
    return [f"{model.name} was served by {len(model.served_models)} models ({ids}); its curves mix them"]


def selections(result: RunResult) -> list[str]:
    """Return the curves whose calls fail more often as the context grows, a sentence each."""
    found = []
    for curve in result.curves:
        first = next(iter(curve.transition.warnings), "")
        if first.startswith(SELECTION):
            control = f", control {curve.control}" if curve.control else ""
            found.append(f"{curve.model}: {curve.title}{control}: {first}")
    return found


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
        curve.survives or "",
    )


def _text_row(g: GenerationResult) -> tuple[str, ...]:
    shown = [s for s in g.statistics if s.name in _STATISTICS or s is g.statistics[0]]
    cells = [f"{s.mean:.2f} [{s.low:.2f}, {s.high:.2f}], ideal {s.ideal:.2f}" for s in shown]
    apart = sum(s.p < 0.05 for s in g.statistics)
    came, whole = f"{g.read} of {g.asked}", str(g.endings.get("length", 0))
    return g.title, str(g.context_length), came, whole, *cells, f"{apart} of {len(g.statistics)} statistics"


def _statistic_heads(result: RunResult) -> list[str]:
    first = {g.statistics[0].name for g in result.generations}
    return [first.pop() if len(first) == 1 else "share of the first symbol", *_STATISTICS]


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
