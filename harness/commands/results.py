"""`icl analyze`, `icl report`, `icl replay` and `icl transitions`: from what is stored to what is shown."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.analysis import transitions
from harness.commands.display import print_transitions_table, spanned
from harness.curve_files import read_curves, transition_json
from harness.reporting import FORMATS, write_report
from harness.runs import open_run
from harness.types import AnalysisOptions


def analyze_run(run_dir: Path) -> None:
    """Print the transitions of a run."""
    print_transitions_table(Console(), open_run(run_dir).result)


def report_runs(run_dirs: Sequence[Path], out: Path | None, formats: str) -> None:
    """Write a report of one or more runs and print the files it is made of."""
    wanted = frozenset(f.strip() for f in formats.split(",") if f.strip())
    for path in _write(run_dirs, out, wanted):
        click.echo(path)


def replay_run(run_dir: Path, out: Path | None) -> int:
    """Rebuild every file of the report; return 0 if those that were there before are unchanged, else 3."""
    folder = out or _default_out([run_dir])
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} if folder.is_dir() else {}
    changed = 0
    for path in _write([run_dir], folder, FORMATS):
        same = before.get(path) == path.read_bytes()
        state = "new" if path not in before else "identical" if same else "changed"
        changed += state == "changed"
        click.echo(f"{state:9}  {path}")
    return 3 if changed else 0


def print_transitions(file: Path, options: AnalysisOptions, *, as_json: bool) -> None:
    """Analyse the curves of a CSV file and print a table or JSON lines."""
    found = transitions(read_curves(file), options=options)
    if as_json:
        for t in found:
            click.echo(json.dumps(transition_json(t)))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("curve", "verdict", "none", "gradual", "sharp", "multiple", "half-way at", "width 10-90 %"):
        table.add_column(name)
    for t in found:
        posterior = (f"{p:.3f}" for p in (t.p_none, t.p_gradual, t.p_sharp, t.p_multiple))
        location = spanned(t.location, t.location_low, t.location_high)
        table.add_row(t.curve, t.verdict, *posterior, location, spanned(t.width, t.width_low, t.width_high))
    console = Console()
    console.print(table)
    for t in found:
        for warning in t.warnings:
            console.print(f"{t.curve}: {warning}", markup=False)


def _write(run_dirs: Sequence[Path], out: Path | None, formats: frozenset[str]) -> list[Path]:
    results = [open_run(path).result for path in run_dirs]
    return write_report(results, out or _default_out(run_dirs), formats)


def _default_out(run_dirs: Sequence[Path]) -> Path:
    return Path("reports") / "+".join(path.resolve().name for path in run_dirs)
