"""`icl transitions`: the analyzer alone, on anyone's curves."""

import json
from pathlib import Path

import click

from harness.analysis import transitions
from harness.commands.display import say, spanned, table_of, wide_console
from harness.curve_files import read_curves, transition_json
from harness.types import AnalysisOptions, Transition


def print_transitions(file: Path, options: AnalysisOptions, *, as_json: bool) -> None:
    """Analyse the curves of a CSV file and print a table or JSON lines."""
    found = transitions(read_curves(file), options=options)
    if as_json:
        for t in found:
            click.echo(json.dumps(transition_json(t)))
        return
    heads = ("curve", "verdict", "none", "gradual", "sharp", "multiple", "half-way at", "width 10-90 %")
    console = wide_console()
    console.print(table_of(heads, map(_row, found)))
    for t in found:
        for warning in t.warnings:
            say(console, f"{t.curve}: {warning}")


def _row(t: Transition) -> tuple[str, ...]:
    posterior = (f"{p:.3f}" for p in (t.p_none, t.p_gradual, t.p_sharp, t.p_multiple))
    location = spanned(t.location, t.location_low, t.location_high)
    return (t.curve, t.verdict, *posterior, location, spanned(t.width, t.width_low, t.width_high))
