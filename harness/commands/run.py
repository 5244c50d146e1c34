"""`icl run`: the plan, the progress, and the transitions at the end."""

from rich.console import Console

from harness.commands.display import print_transitions_table, progress, say
from harness.execute import RunOptions, execute
from harness.plan import ModelPlan
from harness.runner import Tally
from harness.runs import Run
from harness.suite_files import load_suite


def run_suite(suite_name: str, options: RunOptions) -> int:
    """Run a suite with a display; return the exit status."""
    console = Console(stderr=True)
    suite = load_suite(suite_name)
    with progress(console) as tick:
        outcome = execute(suite, options, on_plan=lambda plans: print_plan(console, plans), on_tick=tick)
    if options.dry_run:
        say(console, "dry run: nothing was asked of the suite")
        return 0
    say(console, _ending(outcome.tally))
    say(console, f"run directory: {outcome.path}")
    if outcome.tally.stopped:
        say(console, "the same command goes on from here")
        return outcome.exit_status
    print_transitions_table(Run(outcome.path).result)
    say(console, f"report: icl report {outcome.path}")
    return outcome.exit_status


def print_plan(console: Console, plans: tuple[ModelPlan, ...]) -> None:
    """Print what will be asked, of whom, how and for how much."""
    for plan in plans:
        ways = sorted({item.way for item in plan.items})
        requests = sum(item.requests for item in plan.items)
        tokens_in = sum(item.prompt_tokens for item in plan.items)
        tokens_out = sum(item.completion_tokens for item in plan.items)
        bound = "" if plan.exact_tokens else "at most "
        cost = "price unknown" if plan.cost_usd is None else f"{bound}{plan.cost_usd:.4f} USD"
        say(
            console,
            f"{plan.model}: {len(plan.items)} conditions by {', '.join(ways)}; {requests} requests, "
            f"{bound}{tokens_in} prompt and {tokens_out} completion tokens, {cost}",
        )
        for finding in plan.capabilities.findings:
            say(console, f"  {finding}")


def _ending(tally: Tally) -> str:
    failed = sum(tally.failed.values())
    words = [f"{tally.answered} answered", f"{tally.stored} already stored"]
    if failed:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(tally.failed.items()))
        words.append(f"{failed} failed ({kinds})")
    words.append(f"{tally.spent_usd:.4f} USD spent")
    stop = {"budget": "stopped at the budget: ", "interrupted": "interrupted: "}.get(tally.stopped or "", "")
    return stop + ", ".join(words)
