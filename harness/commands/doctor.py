"""`icl doctor`: what a model was seen to do, and what that means for a suite."""

import asyncio

from rich.console import Console

from harness.conditions import Condition, expand
from harness.errors import ContextTooLong, RenderError, TokenizationError
from harness.execute import probe_symbols
from harness.plan import choose_way, plan_model
from harness.prices import price_of
from harness.registry import load_model
from harness.spec import SuiteSpec
from harness.suite_files import load_suite
from harness.types import Capabilities, Model

_WAYS = {
    "prefixes": "one request scores every context length of a sequence, exactly",
    "next_token": "one request per context length, exactly",
    "samples": "one request per context length, by drawn symbols with intervals",
}


def examine(model_name: str, suite_name: str) -> None:
    """Probe a model and print what was found, then whether each task of the suite can be measured."""
    suite = load_suite(suite_name)
    asyncio.run(_examine(model_name, suite, Console()))


async def _examine(model_name: str, suite: SuiteSpec, console: Console) -> None:
    conditions = [c for c in expand(suite, limit=1) if c.control is None]
    model = load_model(model_name)
    try:
        capabilities = await model.probe(*probe_symbols(conditions))
        _print_model(console, model, capabilities)
        for condition in conditions:
            _print_condition(console, model, capabilities, condition, suite)
    finally:
        await model.close()


def _print_model(console: Console, model: Model, capabilities: Capabilities) -> None:
    console.print(model.name, style="bold", highlight=False)
    for key, value in model.settings.items():
        console.print(f"  {key}: {value}", markup=False, highlight=False)
    for finding in capabilities.findings:
        console.print(f"  {finding}", markup=False, highlight=False)
    way = choose_way(capabilities)
    console.print(f"measured by {way}: {_WAYS[way]}", highlight=False)


def _print_condition(
    console: Console, model: Model, capabilities: Capabilities, condition: Condition, suite: SuiteSpec
) -> None:
    price = price_of(model.name, suite.budget.prices)
    try:
        plan = plan_model(model, capabilities, [condition], price)
    except (TokenizationError, ContextTooLong, RenderError) as error:
        console.print(f"  no   {condition.title}: {error}", markup=False, highlight=False)
        return
    cost = "price unknown" if plan.cost_usd is None else f"{plan.cost_usd:.6f} USD"
    item = plan.items[0]
    console.print(
        f"  yes  {condition.title}: {item.requests} requests, {item.prompt_tokens} prompt tokens, {cost} a sequence",
        markup=False,
        highlight=False,
    )
