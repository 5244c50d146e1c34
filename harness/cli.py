"""The command line. Each command imports what it needs when it is run: `icl --help` loads nothing heavy."""

import sys
from pathlib import Path

import click

from harness import __version__
from harness.errors import HarnessError, SpecError

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Group(click.Group):
    """A group that prints our own errors as one message and exits with 2, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except HarnessError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("interrupted; the same command goes on from here", err=True)
            ctx.exit(130)


@click.group(cls=_Group, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="icl")
def cli() -> None:
    """Find sharp transitions in what language models do as their context grows.

    Run a suite (icl run quickstart), look at the report (icl report RUN_DIR), or give the analyzer
    your own curves (icl transitions FILE.csv).

    Exit status: 0 complete; 2 bad usage or suite; 3 complete with failures recorded; 4 stopped at
    the budget; 5 waiting for a batch; 130 interrupted. Every run that stopped goes on with the same
    command.
    """


@cli.command("run")
@click.argument("suite")
@click.option(
    "-m", "--model", "models", multiple=True, metavar="PROVIDER/NAME", help="Replaces the suite's models."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="RUN_DIR", help="Default: runs/SUITE-...."
)
@click.option("--limit", type=click.IntRange(1), help="Most sequences per condition.")
@click.option("--dry-run", is_flag=True, help="Print the plan and its price; ask nothing of the suite.")
@click.option(
    "--max-cost", type=click.FloatRange(0), metavar="USD", help="Hard cap on what the whole run spends."
)
@click.option(
    "--max-connections", type=click.IntRange(1), default=16, show_default=True, help="Calls in flight."
)
@click.option("--seed", type=int, help="Replaces the suite's seed.")
@click.option(
    "--batch", is_flag=True, help="Hand in to the provider's batch API and leave; run again to collect."
)
@click.option("--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True)
def run_command(
    suite: str,
    models: tuple[str, ...],
    out: Path | None,
    limit: int | None,
    dry_run: bool,
    max_cost: float | None,
    max_connections: int,
    seed: int | None,
    batch: bool,
    executor: str,
) -> None:
    """Run SUITE, a .yaml file or the name of a shipped suite, and print its transitions.

    What the run directory already holds is not asked again: stop it at any point and repeat the
    command to go on.
    """
    from harness.commands.run import run_suite
    from harness.execute import RunOptions

    if executor == "ray":
        raise SpecError("--executor ray is not available in this version; leave it out")
    options = RunOptions(models, out, limit, max_cost, max_connections, seed, dry_run, batch)
    sys.exit(run_suite(suite, options))


@cli.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
def analyze(run_dir: Path) -> None:
    """Analyse a run anew and print its transitions."""
    from harness.commands.results import analyze_run

    analyze_run(run_dir)


@cli.command()
@click.argument("run_dirs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN_DIR...")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Default: reports/RUN.")
@click.option("--format", "formats", default="html,csv", show_default=True, help="Any of html,pdf,latex,csv.")
def report(run_dirs: tuple[Path, ...], out: Path | None, formats: str) -> None:
    """Write a self-contained report of one or more runs."""
    from harness.commands.results import report_runs

    report_runs(run_dirs, out, formats)


@cli.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Default: reports/RUN.")
def replay(run_dir: Path, out: Path | None) -> None:
    """Rebuild every table and figure of a run offline and say whether each is unchanged."""
    from harness.commands.results import replay_run

    sys.exit(replay_run(run_dir, out))


@cli.command()
@click.argument("model", metavar="PROVIDER/NAME")
@click.option("--suite", default="quickstart", show_default=True, help="The suite whose symbols are tried.")
def doctor(model: str, suite: str) -> None:
    """Spend a few tokens to find out what MODEL can measure, and how."""
    from harness.commands.doctor import examine

    examine(model, suite)


@cli.command("ls")
@click.argument("what", type=click.Choice(["suites", "tasks", "models", "runs"]))
def list_command(what: str) -> None:
    """List shipped suites, task families, model providers, or the runs below this folder."""
    from harness.commands.listing import list_things

    list_things(what)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per curve, a line each.")
@click.option("--sharp-width", type=click.FloatRange(0, 1, min_open=True), default=0.10, show_default=True)
@click.option("--min-change", type=click.FloatRange(0, 1, min_open=True), default=0.10, show_default=True)
@click.option("--axis", type=click.Choice(["linear", "log2"]), default="linear", show_default=True)
@click.option(
    "--method", type=click.Choice(["verdict", "segmentation"]), default="verdict", show_default=True
)
@click.option(
    "--goodness",
    type=click.IntRange(1),
    metavar="N",
    help="Judge N curves simulated from each fit, for deviance and fit_p (e.g. 200).",
)
@click.option(
    "--max-changes", type=click.IntRange(1), default=8, show_default=True, help="Of a segmentation."
)
@click.pass_context
def transitions(
    ctx: click.Context,
    file: Path,
    as_json: bool,
    sharp_width: float,
    min_change: float,
    axis: str,
    method: str,
    goodness: int | None,
    max_changes: int,
) -> None:
    """Find the transitions in FILE.csv, with columns x,k,n[,curve] or sequence,x,p[,curve].

    With --method segmentation: the changes of level of any real-valued series, columns x,y[,curve].
    """
    from harness.commands.transitions import print_segmentations, print_transitions
    from harness.types import AnalysisOptions, SegmentationOptions

    other = (
        ("sharp_width", "min_change", "axis", "goodness") if method == "segmentation" else ("max_changes",)
    )
    for name in other:
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            raise SpecError(f"--{name.replace('_', '-')} says nothing to --method {method}; leave it out")
    if method == "segmentation":
        print_segmentations(file, SegmentationOptions(max_changes), as_json=as_json)
        return
    options = AnalysisOptions(sharp_width, min_change, axis="log2" if axis == "log2" else "linear")
    print_transitions(file, options, goodness=goodness or 0, as_json=as_json)


@cli.command()
@click.argument("spec", metavar="SPEC")
@click.option(
    "-m", "--model", "models", multiple=True, metavar="local/NAME", help="Replaces the suite's models."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="RUN_DIR", help="Default: runs/SUITE-...."
)
@click.option("--limit", type=click.IntRange(1), help="Most sequences per condition.")
@click.option("--dry-run", is_flag=True, help="Print what will be measured.")
def whitebox(spec: str, models: tuple[str, ...], out: Path | None, limit: int | None, dry_run: bool) -> None:
    """Run a suite on local models and look inside them, as the whitebox: sections of SPEC say.

    Behaviour and what is inside are measured on the same sequences and stored in one run; `icl run`
    does the same where a model is local. What the run holds is not measured again.
    """
    from harness.commands.run import run_suite
    from harness.execute import RunOptions

    sys.exit(run_suite(spec, RunOptions(models, out, limit, dry_run=dry_run, whitebox=True)))


@cli.command()
@click.argument("recipe")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Default: models/RECIPE.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--steps", type=click.IntRange(1), help="Another number of steps than the recipe's.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda (bfloat16).")
def train(recipe: str, out: Path | None, seed: int, steps: int | None, device: str) -> None:
    """Train a local checkpoint series from RECIPE; the same command goes on after any interruption.

    A recipe may have options: `markov-mixture?chains=64`.
    """
    from harness.commands.train import train_recipe

    train_recipe(recipe, out or Path("models") / recipe, seed=seed, steps=steps, device=device)


def main() -> None:
    """Run the command line."""
    cli(prog_name="icl")
