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

from harness.conditions import Condition, expand, symbols_digest
from harness.errors import BudgetError, SpecError
from harness.model_records import ModelRecord, read_record, write_record
from harness.plan import ModelPlan, plan_model
from harness.prices import price_of
from harness.registry import load_model
from harness.runner import Limits, Tally, catching_interrupts, run_model
from harness.spec import SuiteSpec
from harness.store import Store, write_store
from harness.suite_files import dump_suite, suite_digest
from harness.types import Capabilities, Form, Model

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    path: Path
    tally: Tally
    plans: tuple[ModelPlan, ...]

    @property
    def exit_status(self) -> int:
        """Return 0 complete, 3 complete with failures, 4 stopped at the budget, 130 interrupted."""
        if self.tally.stopped:
            return 4 if self.tally.stopped == "budget" else 130
        return 3 if self.tally.failed else 0


def execute(
    suite: SuiteSpec,
    options: RunOptions,
    *,
    on_plan: OnPlan = lambda _: None,
    on_tick: OnTick = lambda _: None,
) -> Outcome:
    """Plan, then ask. `on_plan` is called before anything is asked, `on_tick` as the tally changes."""
    suite = _with_options(suite, options)
    return _outside_any_loop(lambda: asyncio.run(_execute(suite, options, on_plan, on_tick)))


def default_run_dir(suite: SuiteSpec) -> Path:
    """Return runs/<suite>-<models>-<digest>: the same command finds its run again."""
    models = re.sub(r"[^A-Za-z0-9.]+", "-", "+".join(suite.models))[:60].strip("-")
    return Path("runs") / f"{suite.name}-{models}-{suite_digest(suite)[:8]}"


def _with_options(suite: SuiteSpec, options: RunOptions) -> SuiteSpec:
    changes: dict[str, object] = {}
    if options.models:
        changes["models"] = list(options.models)
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
    path, tally = options.out or default_run_dir(suite), Tally()
    async with AsyncExitStack() as stack:
        models = []
        for name in suite.models:
            models.append(load_model(name))
            stack.push_async_callback(models[-1].close)
        if options.dry_run:
            plans = [await _plan(model, conditions, suite, None) for model in models]
            on_plan(tuple(plans))
            return Outcome(path, tally, tuple(plans))
        store = stack.enter_context(write_store(path, suite.name, suite_digest(suite)))
        plans = [await _plan(model, conditions, suite, store) for model in models]
        on_plan(tuple(plans))
        _remember(store, suite, options, conditions, models, plans)
        tally.total = sum(item.requests for plan in plans for item in plan.items)
        tally.spent_usd = sum(store.spending(model.name).cost_usd or 0.0 for model in models)
        await stack.enter_async_context(catching_interrupts(tally))
        for model, plan in zip(models, plans, strict=True):
            limits = Limits(options.max_connections, cap)
            await run_model(model, plan, store, tally, limits, lambda: on_tick(tally))
        return Outcome(path, tally, tuple(plans))


async def _plan(
    model: Model, conditions: Sequence[Condition], suite: SuiteSpec, store: Store | None
) -> ModelPlan:
    capabilities = _recorded(model, store) or await model.probe(*probe_symbols(conditions))
    return plan_model(model, capabilities, conditions, price_of(model.name, suite.budget.prices))


def _recorded(model: Model, store: Store | None) -> Capabilities | None:
    """Return what this run already established of the model, unless the model has changed since."""
    text = store.models().get(model.name) if store else None
    record = read_record(text) if text else None
    return record.capabilities if record and record.fingerprint == model.fingerprint else None


def probe_symbols(conditions: Sequence[Condition]) -> tuple[list[str], str, Form]:
    """Return how symbols are written in these conditions, what stands between them, and the form of prompt.

    Raises SpecError if some prompts are completions and some are chats: what a
    model can report differs between the two.
    """
    prompts = [
        condition.prompt(condition.sequence(0)) for condition in conditions if condition.control is None
    ]
    if len({prompt.form for prompt in prompts}) > 1:
        raise SpecError(
            "render: {form: ...} differs between tasks; make one suite of completions, one of chats"
        )
    surfaces = dict.fromkeys(surface for prompt in prompts for surface in prompt.surfaces)
    return list(surfaces), prompts[0].between, prompts[0].form


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
        if _recorded(model, store) is None:
            record = ModelRecord(model.fingerprint, dict(model.settings), plan.capabilities)
            store.set_model(model.name, write_record(record))


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
