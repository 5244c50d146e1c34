"""A suite carried out: models opened, plans made, everything unsettled asked, all of it resumable."""

import asyncio
import platform
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from harness.adaptive import run_adaptive
from harness.batches import Collected, Submitted, collect_all, submit_all
from harness.conditions import Condition, symbols_digest
from harness.errors import BudgetError, SpecError, TokenizationError
from harness.expansion import expand
from harness.ledger import Ledger
from harness.model_records import ModelRecord, write_record
from harness.plan import ModelPlan, plan_model
from harness.prices import Tokens, cost_of, price_of
from harness.probing import establish, recorded
from harness.registry import load_model, load_reader, model_names
from harness.runner import Tally, catching_interrupts, run_model
from harness.spec import SuiteSpec
from harness.store import Store
from harness.store_files import has_run, open_store, write_store
from harness.suite_files import dump_suite, suite_digest
from harness.token_audit import audit_conditions, refusal
from harness.types import BatchModel, Learner, Model
from harness.whitebox import refuse_closed
from harness.whitebox_run import look_inside
from harness.whitebox_studies import studies_of

OnPlan = Callable[[tuple[ModelPlan, ...]], None]
OnTick = Callable[[Tally], None]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run may be told besides its suite."""

    models: tuple[str, ...] = ()  # replaces the suite's own
    out: Path | None = None
    limit: int | None = None  # most sequences per condition
    max_cost_usd: float | None = None
    max_connections: int = 16
    seed: int | None = None
    dry_run: bool = False
    batch: bool = False  # hand requests to the provider's batch API instead of asking directly
    whitebox: bool = False  # refuse a suite or a model that nothing can be looked into of


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What batch mode did for one model."""

    model: str
    collected: Collected
    submitted: Submitted | None  # None where nothing was handed in


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    path: Path
    tally: Tally
    plans: tuple[ModelPlan, ...]
    batches: tuple[BatchReport, ...] = ()

    @property
    def exit_status(self) -> int:
        """Return 0 complete, 3 with failures, 4 stopped at the budget, 5 waiting for a batch, 130 interrupted."""
        if self.tally.stopped == "budget":
            return 4
        if self.tally.stopped == "interrupted":
            return 130
        if self.tally.batched:
            return 5
        return 3 if self.tally.failed or self.not_handed_in else 0

    @property
    def not_handed_in(self) -> bool:
        """Whether a provider took no batch, so that requests of the plan were not asked."""
        return any(r.submitted is not None and r.submitted.problem is not None for r in self.batches)


def execute(
    suite: SuiteSpec,
    options: RunOptions,
    *,
    on_plan: OnPlan = lambda _: None,
    on_tick: OnTick = lambda _: None,
) -> Outcome:
    """Plan, then ask. `on_plan` is called before anything is asked, `on_tick` as the tally changes.

    Raises KeyboardInterrupt at a second Ctrl-C; what is stored by then is kept.
    """
    suite = _with_options(suite, options)
    try:
        return _outside_any_loop(lambda: asyncio.run(_execute(suite, options, on_plan, on_tick)))
    except asyncio.CancelledError:  # by the second Ctrl-C: nothing else cancels it
        raise KeyboardInterrupt from None


def default_run_dir(suite: SuiteSpec) -> Path:
    """Return runs/<suite>-<models>-<digest>: the same command finds its run again."""
    models = re.sub(r"[^A-Za-z0-9.]+", "-", "+".join(suite.models))[:60].strip("-")
    return Path("runs") / f"{suite.name}-{models}-{suite_digest(suite)[:8]}"


def _with_options(suite: SuiteSpec, options: RunOptions) -> SuiteSpec:
    named = options.models or suite.models
    changes: dict[str, object] = {"models": [m for name in named for m in model_names(name)]}
    if options.seed is not None:
        changes["seed"] = options.seed
    # Validated again, so that what the command line says is checked like what a file says.
    suite = SuiteSpec.model_validate(suite.model_dump(by_alias=True) | changes)
    if not suite.models:
        raise SpecError(f"suite {suite.name} names no model; add models: [...] or give -m provider/name")
    return suite


async def _execute(suite: SuiteSpec, options: RunOptions, on_plan: OnPlan, on_tick: OnTick) -> Outcome:
    conditions = expand(suite, limit=options.limit)
    cap = options.max_cost_usd if options.max_cost_usd is not None else suite.budget.max_cost_usd
    _refuse_unknown_prices(suite, cap)
    if options.batch and any(c.design == "adaptive" for c in conditions):
        raise SpecError("--batch: design: adaptive needs each answer before it asks on; leave one out")
    inside = studies_of(suite, limit=options.limit)
    if options.whitebox and not inside:
        raise SpecError(
            f"suite {suite.name} has no task with a whitebox: section; icl run measures its behaviour"
        )
    path, tally = options.out or default_run_dir(suite), Tally(cap_usd=cap)
    async with AsyncExitStack() as stack:
        models = []
        for name in suite.models:
            models.append(load_model(name))
            stack.push_async_callback(models[-1].close)
            if options.batch and not isinstance(models[-1], BatchModel):
                raise SpecError(f"--batch: {name} has no batch API; leave it out, or take another model")
        if options.whitebox:
            refuse_closed(models)
        if options.dry_run:
            known = open_store(path) if has_run(path) else None  # what was probed there is not probed again
            if known is not None:
                stack.callback(known.close)
            plans = [await _plan(model, conditions, suite, known) for model in models]
            on_plan(tuple(plans))
            return Outcome(path, tally, tuple(plans))
        store = stack.enter_context(write_store(path, suite.name, suite_digest(suite)))
        plans = [await _plan(model, conditions, suite, store) for model in models]
        on_plan(tuple(plans))
        _remember(store, suite, options, conditions, models, plans)
        tally.total = sum(item.requests for plan in plans for item in plan.items)
        ledger = Ledger(store, [model.name for model in models], cap)
        stack.callback(ledger.close)
        tally.spent_usd = ledger.spent_usd
        await stack.enter_async_context(catching_interrupts(tally))
        reports = []
        for model, plan in zip(models, plans, strict=True):
            reports.append(
                await _ask_model(model, plan, store, tally, ledger, suite, options, lambda: on_tick(tally))
            )
        await look_inside(models, inside, store, tally, lambda: on_tick(tally))
        return Outcome(path, tally, tuple(plans), tuple(filter(None, reports)))


async def _ask_model(
    model: Model,
    plan: ModelPlan,
    store: Store,
    tally: Tally,
    ledger: Ledger,
    suite: SuiteSpec,
    options: RunOptions,
    tick: Callable[[], None],
) -> BatchReport | None:
    """Collect what was handed in before, then hand in or ask directly what is left."""

    async def ask() -> None:
        connections = options.max_connections
        await run_model(model, plan, store, tally, ledger, tick, connections=connections)
        await run_adaptive(
            *(model, plan, store, tally, ledger, tick),
            read=load_reader(model.name),
            options=suite.analysis.options(),
            connections=connections,
        )

    if not isinstance(model, BatchModel):
        await ask()
        return None
    collected = await collect_all(model, plan, store, ledger)
    if options.batch:
        submitted = await submit_all(model, plan, store, tally, ledger)
        return BatchReport(model.name, collected, submitted)
    await ask()
    waiting = sum(len(batch.digests) for batch in store.batches() if batch.model == plan.model)
    tally.batched, tally.stored = tally.batched + waiting, max(0, tally.stored - waiting)
    return BatchReport(model.name, collected, None) if collected != Collected() else None


async def _plan(
    model: Model, conditions: Sequence[Condition], suite: SuiteSpec, store: Store | None
) -> ModelPlan:
    fresh = recorded(model, store) is None
    capabilities = await establish(model, conditions, store)
    if fresh:
        await _refuse_wrong_tokens(model, conditions)
    return plan_model(model, capabilities, conditions, price_of(model.name, suite.budget.prices))


async def _refuse_wrong_tokens(model: Model, conditions: Sequence[Condition]) -> None:
    """Raise TokenizationError for symbols that merge, split or collide, where the model shows its tokens."""
    audits = await audit_conditions(model, conditions)
    for condition in conditions:
        refused = refusal(condition, audits)
        if refused is not None:
            raise TokenizationError(f"{model.name}, {condition.title}: {refused}")


def _remember(
    store: Store,
    suite: SuiteSpec,
    options: RunOptions,
    conditions: Sequence[Condition],
    models: Sequence[Model],
    plans: Sequence[ModelPlan],
) -> None:
    """Record what a replay needs: the suite, the versions, the models, the sequences' digests."""
    store.set_meta("suite", suite.name)
    store.set_meta("suite_yaml", dump_suite(suite))
    store.set_meta("limit", "" if options.limit is None else str(options.limit))
    if store.get_meta("created") is None:
        store.set_meta("created", datetime.now(UTC).isoformat(timespec="seconds"))
        store.set_meta("versions", " ".join(f"{k}={v}" for k, v in _versions().items()))
    for condition in conditions:
        store.set_symbols(condition.digest, symbols_digest(condition))
    for model, plan in zip(models, plans, strict=True):
        if recorded(model, store) is not None:
            continue
        learned = model.learned if isinstance(model, Learner) else ""
        record = ModelRecord(model.fingerprint, dict(model.settings), plan.capabilities, learned)
        store.set_model(model.name, write_record(record))
        probing = cost_of(plan.price, Tokens(*plan.capabilities.probe_tokens))
        if probing:
            store.add_doubt(model.name, probing, "probing")


def _versions() -> dict[str, str]:
    packages = {name: metadata.version(name) for name in ("icl-harness", "numpy", "scipy")}
    return {**packages, "python": platform.python_version()}


def _refuse_unknown_prices(suite: SuiteSpec, cap: float | None) -> None:
    unknown = [m for m in suite.models if price_of(m, suite.budget.prices) is None]
    if cap is not None and unknown:
        raise BudgetError(
            f"the price of {', '.join(unknown)} is not known, so a cap of {cap} USD cannot be kept; give it under "
            f'budget: {{prices: {{"{unknown[0]}": {{input: ..., output: ...}}}}}} in US dollars per million tokens'
        )


def _outside_any_loop(work: Callable[[], Outcome]) -> Outcome:
    """Run the work here, or in a thread of its own where an event loop already runs (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    results: list[Outcome] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(work())
        except BaseException as error:  # handed to the caller's thread whatever it is
            errors.append(error)

    thread = threading.Thread(target=target, name="icl-run")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
