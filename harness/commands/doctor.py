"""`icl doctor`: what a model was seen to do, and what that means for a suite."""

import asyncio

from rich.console import Console

from harness.commands.display import say
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
    say(console, model.name, "bold")
    for key, value in model.settings.items():
        say(console, f"  {key}: {value}")
    for finding in capabilities.findings:
        say(console, f"  {finding}")
    way = choose_way(capabilities)
    say(console, f"measured by {way}: {_WAYS[way]}")


def _print_condition(
    console: Console, model: Model, capabilities: Capabilities, condition: Condition, suite: SuiteSpec
) -> None:
    price = price_of(model.name, suite.budget.prices)
    try:
        plan = plan_model(model, capabilities, [condition], price)
    except (TokenizationError, ContextTooLong, RenderError) as error:
        say(console, f"  no   {condition.title}: {error}")
        return
    cost = "price unknown" if plan.cost_usd is None else f"{plan.cost_usd:.6f} USD"
    item = plan.items[0]
    tokens = f"{'' if plan.exact_tokens else 'at most '}{item.prompt_tokens} prompt tokens"
    say(console, f"  yes  {condition.title}: {item.requests} requests, {tokens}, {cost} a sequence")
