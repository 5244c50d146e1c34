"""`icl run`: the plan, the progress, and the transitions at the end."""

from rich.console import Console

from harness.commands.adaptive import plan_words
from harness.commands.display import print_transitions_table, say
from harness.commands.progress import progress
from harness.commands.whitebox import inside_words, whitebox_words
from harness.execute import BatchReport, Outcome, RunOptions, execute
from harness.plan import Item, ModelPlan
from harness.prices import cost_of, price_source
from harness.runner import Tally
from harness.runs import Run
from harness.spec import SuiteSpec
from harness.suite_files import load_suite
from harness.types import BatchState, Failure, RunResult

_STOPS = {
    "budget": "stopped at the budget: ",
    "interrupted": "interrupted: ",
    "refused": "stopped, since the key or the account is refused call after call: ",
}


def run_suite(suite_name: str, options: RunOptions) -> int:
    """Run a suite with a display; return the exit status."""
    console = Console(stderr=True)
    suite = load_suite(suite_name)
    with progress(console) as tick:
        outcome = execute(
            suite, options, on_plan=lambda plans: print_plan(console, plans, suite, options), on_tick=tick
        )
    if options.dry_run:
        say(console, "dry run: nothing was asked of the suite")
        return 0
    for report in outcome.batches:
        _print_batches(console, report)
    say(console, _ending(outcome.tally))
    say(console, f"run directory: {outcome.path}")
    if _unfinished(outcome):
        say(console, "the same command goes on from here")
        return outcome.exit_status
    result = Run(outcome.path).result
    print_transitions_table(result)
    for line in inside_words(result):
        say(console, line)
    say(console, f"report: icl report {outcome.path}")
    return outcome.exit_status or (3 if _unscored(result) else 0)


def _unscored(result: RunResult) -> bool:
    """Return whether any answer could not be scored: it was answered and paid for, and is a failure all the same."""
    failed = any(g.failures or g.endings.get("unread") for g in result.generations)
    return (
        failed
        or bool(result.unjudged)
        or any(c.lost_levels or any(map(sum, c.failures.values())) for c in result.curves)
    )


def print_plan(console: Console, plans: tuple[ModelPlan, ...], suite: SuiteSpec, options: RunOptions) -> None:
    """Print what will be asked, of whom, how and for how much."""
    for plan in plans:
        ways = sorted({_way(item) for item in plan.items})
        requests = sum(item.requests for item in plan.items)
        bound = "" if plan.exact_tokens else "at most "
        cost = "price unknown"
        usd = cost_of(plan.price, plan.tokens, batch=options.batch)
        if usd is not None:
            cost = f"{bound}{usd:.4f} USD ({price_source(plan.model, suite.budget.prices)})"
        say(
            console,
            f"{plan.model}: {len(plan.items)} conditions by {', '.join(ways)}; {requests} requests, "
            f"{bound}{plan.tokens.prompt} prompt and {plan.tokens.completion} completion tokens, {cost}",
        )
        if plan.capabilities.hidden_tokens:
            say(
                console,
                f"  reasons before it answers: up to {plan.capabilities.hidden_tokens} hidden tokens a draw, "
                "paid for as completion tokens and counted in full above",
            )
        more = (*plan_words(plan), *whitebox_words(plan, suite, options.limit))
        for line in (*more, *(f"  {finding}" for finding in plan.capabilities.findings)):
            say(console, line)


def _way(item: Item) -> str:
    return f"{item.way} among the symbols alone" if item.restricted else item.way


def _unfinished(outcome: Outcome) -> bool:
    return outcome.tally.stopped is not None or outcome.tally.batched > 0 or outcome.not_handed_in


def _print_batches(console: Console, report: BatchReport) -> None:
    collected, submitted = report.collected, report.submitted
    if collected.batches:
        say(console, f"{report.model}: {collected.batches} batches collected, {collected.answered} answers")
    for kind, count in sorted((collected.failed or {}).items()):
        say(console, f"  {count} {kind}")
    for batch in collected.open:
        match batch.state:
            case BatchState() as state:
                words = f"{state.status}, {state.done} of {state.total} done"
            case Failure() as failure:
                words = f"{failure.kind}: {failure.detail}"
            case None:
                words = "ended; its other requests belong to a run without --limit"
        say(console, f"{report.model}: batch {batch.name}, {batch.requests} requests: {words}")
    if submitted is None:
        return
    if submitted.batches:
        say(
            console, f"{report.model}: {submitted.requests} requests handed in as {submitted.batches} batches"
        )
    if submitted.problem is not None:
        say(console, f"{report.model}: not handed in: {submitted.problem.kind}: {submitted.problem.detail}")


def _ending(tally: Tally) -> str:
    failed = sum(tally.failed.values())
    words = [f"{tally.answered} answered", f"{tally.stored} already stored"]
    if tally.batched:
        words.append(f"{tally.batched} in batches not collected yet")
    if failed:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(tally.failed.items()))
        words.append(f"{failed} failed ({kinds})")
    cap = "" if tally.cap_usd is None else f" of {tally.cap_usd:g}"
    words.append(f"{tally.spent_usd:.4f}{cap} USD spent")
    if tally.measurements:
        words.append(f"{tally.measured} of {tally.measurements} measurements inside made")
    return _STOPS.get(tally.stopped or "", "") + ", ".join(words)
