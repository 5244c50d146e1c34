"""`icl transitions`: the analyzer alone, on anyone's curves."""

import json
from pathlib import Path

import click

from harness.analysis import transitions
from harness.commands.display import say, spanned, table_of, wide_console
from harness.curve_files import read_curves, read_series, segmentation_json, transition_json
from harness.types import AnalysisOptions, Segmentation, SegmentationOptions, Transition


def print_transitions(file: Path, options: AnalysisOptions, *, goodness: int, as_json: bool) -> None:
    """Analyse the curves of a CSV file and print a table or JSON lines."""
    found = transitions(read_curves(file), options=options, goodness=goodness)
    if as_json:
        for t in found:
            click.echo(json.dumps(transition_json(t)))
        return
    heads: tuple[str, ...] = ("curve", "verdict", "none", "gradual", "sharp", "multiple")
    heads = (*heads, "half-way at", "width 10-90 %", *(["fit p"] if goodness else []))
    console = wide_console()
    console.print(table_of(heads, (_row(t)[: len(heads)] for t in found)))
    for t in found:
        for warning in t.warnings:
            say(console, f"{t.curve}: {warning}")


def print_segmentations(file: Path, options: SegmentationOptions, *, as_json: bool) -> None:
    """Segment the series of a CSV file and print a table or JSON lines."""
    found = transitions(read_series(file), options=options, method="segmentation")
    if as_json:
        for s in found:
            click.echo(json.dumps(segmentation_json(s)))
        return
    heads = ("curve", "verdict", "P(none)", "changes", "at", "from", "to")
    console = wide_console()
    console.print(table_of(heads, (row for s in found for row in _change_rows(s))))
    for s in found:
        for warning in s.warnings:
            say(console, f"{s.curve}: {warning}")


def _change_rows(s: Segmentation) -> list[tuple[str, ...]]:
    head = (s.curve, s.verdict, f"{s.p_changes[0]:.3f}", str(s.n_changes))
    rows = [(spanned(c.location, c.low, c.high), f"{c.before:.4g}", f"{c.after:.4g}") for c in s.changes]
    return [(*(head if i == 0 else ("",) * len(head)), *row) for i, row in enumerate(rows or [("",) * 3])]


def _row(t: Transition) -> tuple[str, ...]:
    posterior = (f"{p:.3f}" for p in (t.p_none, t.p_gradual, t.p_sharp, t.p_multiple))
    location = spanned(t.location, t.location_low, t.location_high)
    width = spanned(t.width, t.width_low, t.width_high)
    return (t.curve, t.verdict, *posterior, location, width, "" if t.fit_p is None else f"{t.fit_p:.3f}")
