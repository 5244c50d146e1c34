"""`icl analyze`, `icl report` and `icl replay`: from what is stored to what is shown."""

from collections.abc import Sequence
from pathlib import Path

import click

from harness.commands.display import print_transitions_table
from harness.reporting import FORMATS, write_report
from harness.runs import open_run


def analyze_run(run_dir: Path) -> None:
    """Judge every curve of a run anew and print its transitions."""
    print_transitions_table(open_run(run_dir).recompute())


def report_runs(run_dirs: Sequence[Path], out: Path | None, formats: str) -> None:
    """Write a report of one or more runs and print the files it is made of."""
    wanted = frozenset(f.strip() for f in formats.split(",") if f.strip())
    results = [open_run(path).result for path in run_dirs]
    for path in write_report(results, out or _default_out(run_dirs), wanted):
        click.echo(path)


def replay_run(run_dir: Path, out: Path | None) -> int:
    """Rebuild every file of the report; return 0 if those that were there before are unchanged, else 3."""
    folder = out or _default_out([run_dir])
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} if folder.is_dir() else {}
    changed = 0
    for path in write_report([open_run(run_dir).recompute()], folder, FORMATS):
        same = before.get(path) == path.read_bytes()
        state = "new" if path not in before else "identical" if same else "changed"
        changed += state == "changed"
        click.echo(f"{state:9}  {path}")
    return 3 if changed else 0


def _default_out(run_dirs: Sequence[Path]) -> Path:
    return Path("reports") / "+".join(path.resolve().name for path in run_dirs)
