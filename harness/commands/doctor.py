"""`icl doctor`: what a model was seen to do, and what that means for a suite."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rich.console import Console

from harness.commands.audit import print_audits
from harness.commands.display import say, table_of, wide_console
from harness.commands.possible_ways import DRAWS, Effort, Measurable, measurable
from harness.conditions import Condition
from harness.errors import HarnessError, RenderError
from harness.expansion import expand
from harness.plan import choose_way
from harness.prices import Tokens, cost_of, price_of, price_source
from harness.probing import establish
from harness.registry import load_model
from harness.spec import Price, SuiteSpec
from harness.suite_files import load_suite
from harness.token_audit import Audited, audit_conditions, refusal
from harness.types import Capabilities, Model, Way

_WAYS: dict[Way, str] = {
    "prefixes": "one request scores every context length of a sequence, exactly",
    "next_token": "one request per context length, exactly",
    "samples": "one request per context length, by drawn symbols with intervals",
    "generation": "one request per sequence that the model writes freely",
}
_EXACT: tuple[Way, ...] = ("prefixes", "next_token")
_HEADS = ("requests", "prompt tokens", "completion tokens", "price")


def examine(model_name: str, suite_name: str) -> None:
    """Probe a model and print what was found, then what each way of measuring the suite would take."""
    suite = load_suite(suite_name)
    asyncio.run(print_examination(load_model(model_name), suite, wide_console()))


@dataclass(frozen=True, slots=True)
class _Terms:
    """What numbers of requests and tokens are printed with."""

    capabilities: Capabilities
    price: Price | None
    exact_tokens: bool  # whether prompt tokens are counted, and not bounded by bytes

    def columns(self, effort: Effort) -> tuple[str, str, str, str]:
        """Return requests, prompt tokens, completion tokens and price as text."""
        hidden = self.capabilities.hidden_tokens > 0  # the whole allowance is counted
        prompt, completion = ("" if exact else "at most " for exact in (self.exact_tokens, not hidden))
        tokens = effort.tokens
        cost = cost_of(self.price, tokens)
        return (
            f"{effort.requests:,}",
            f"{prompt}{tokens.prompt:,}",
            f"{completion}{tokens.completion:,}",
            _usd(cost, prompt or completion),
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the probe found, and the conditions of the suite by whether they can be measured."""

    capabilities: Capabilities
    found: Sequence[Measurable]
    refused: Sequence[tuple[Condition, HarnessError]]
    audits: Sequence[Audited]

    def reasons(self) -> dict[str, list[str]]:
        """Return the titles of the conditions that cannot be measured, by the reason."""
        by_reason: dict[str, list[str]] = {}
        for condition, error in self.refused:
            by_reason.setdefault(str(error), []).append(_title(condition))
        return by_reason


async def print_examination(model: Model, suite: SuiteSpec, console: Console) -> None:
    """Probe a model, close it, and print what it does and what each condition of the suite would take.

    A suite of completions is examined as chats where the model answers no others.
    """
    price = price_of(model.name, suite.budget.prices)
    say(console, model.name, "bold")
    try:
        conditions = expand(suite)
        seen = await _seen(model, conditions)
        if isinstance(seen, RenderError):
            say(console, f"  {seen}; examined here in that form")
            seen = await _seen(model, [_as_chat(condition) for condition in conditions])
        if isinstance(seen, RenderError):
            raise seen
        exact_tokens = model.count_tokens("") is not None
        settings = dict(model.settings)
    finally:
        await model.close()
    terms = _Terms(seen.capabilities, price, exact_tokens)
    _print_model(console, settings, terms)
    say(
        console,
        f"suite {suite.name}: {len(seen.found)} of {len(conditions)} conditions can be measured",
        "bold",
    )
    source = f"prices: {price_source(model.name, suite.budget.prices)}"
    unknown = f'no price is known: give it under budget: {{prices: {{"{model.name}": {{input: ..., output: ...}}}}}}'
    say(console, source if price else f"{unknown} in US dollars per million tokens")
    if seen.found:
        _print_ways(console, seen.found, terms)
        _print_conditions(console, seen.found, terms)
    for reason, titles in seen.reasons().items():
        more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
        say(console, f"  cannot be measured: {titles[0]}{more}: {reason}")
    print_audits(console, seen.audits)


async def _seen(model: Model, conditions: Sequence[Condition]) -> "_Seen | RenderError":
    """Return what the probe found, or the error of completions that the model does not answer at all."""
    completions = all(condition.render.form == "completion" for condition in conditions)
    try:
        capabilities = await establish(model, conditions, None)
    except RenderError as error:
        if completions:
            return error
        raise
    found, refused = measurable(model, capabilities, conditions)
    errors = [error for _, error in refused if isinstance(error, RenderError)]
    if completions and not found and len(errors) == len(refused):
        return errors[0]
    audits = await audit_conditions(model, conditions)
    wrong = [(m.condition, reason) for m in found if (reason := refusal(m.condition, audits))]
    sound = [m for m in found if all(m.condition is not condition for condition, _ in wrong)]
    return _Seen(capabilities, sound, [*refused, *wrong], tuple(audits.values()))


def _as_chat(condition: Condition) -> Condition:
    return replace(condition, render=condition.render.model_copy(update={"form": "chat"}))


def _print_model(console: Console, settings: Mapping[str, str], terms: _Terms) -> None:
    for key, value in settings.items():
        say(console, f"  {key}: {value}")
    for finding in terms.capabilities.findings:
        say(console, f"  {finding}")
    if any(terms.capabilities.probe_tokens):
        spent = Tokens(*terms.capabilities.probe_tokens)
        words = f"{spent.prompt} prompt and {spent.completion} completion tokens"
        say(console, f"  finding this out took {words}: {_usd(cost_of(terms.price, spent), '')}")
    way = choose_way(terms.capabilities)
    say(console, f"measured by {way}: {_WAYS[way]}")


def _print_ways(console: Console, found: Sequence[Measurable], terms: _Terms) -> None:
    """Print what the conditions that can be measured take together, a line for each way."""
    texts = [m for m in found if "generation" in m.by_way]
    if texts:
        effort = sum((m.by_way["generation"] for m in texts), Effort())
        console.print(table_of(("how", *_HEADS), [(_WAYS["generation"], *terms.columns(effort))]))
    found = [m for m in found if "generation" not in m.by_way]
    if not found:
        return
    rows = []
    for way in _EXACT:
        if all(way in m.by_way for m in found):
            effort = sum((m.by_way[way] for m in found), Effort())
            rows.append((_WAYS[way], *terms.columns(effort), "none"))
    most = terms.capabilities.max_samples
    if most:
        fewest = min(m.condition.sequences for m in found)
        among = "among the symbols alone" if terms.capabilities.logit_bias else "of any token"
        own = {m.condition.samples for m in found} if not rows else set()
        for n in sorted({*DRAWS, *own}):
            how = f"{n} draw{'s' if n > 1 else ''} per context length, {among}"
            effort = sum((m.by_draws(n, most) for m in found), Effort())
            error = f"{_error(n)}; {_error(n * fewest)} over {fewest} sequences"
            rows.append((how, *terms.columns(effort), error))
    console.print(table_of(("how", *_HEADS, "standard error of p at one length"), rows))


def _print_conditions(console: Console, found: Sequence[Measurable], terms: _Terms) -> None:
    """Print what each condition takes in the way that a run would choose."""
    rows = []
    for m in found:
        way: Way = "generation" if "generation" in m.by_way else choose_way(terms.capabilities)
        drawn = m.by_draws(m.condition.samples, terms.capabilities.max_samples) if way == "samples" else None
        rows.append((_title(m.condition), way, *terms.columns(drawn or m.by_way[way])))
    console.print(table_of(("what", "how", *_HEADS), rows))


def _error(draws: int) -> str:
    """Return the largest standard error of a frequency in so many independent draws, reached at p = 1/2."""
    return f"up to {0.5 / math.sqrt(draws):.3f}"


def _usd(cost: float | None, bound: str) -> str:
    return "price unknown" if cost is None else f"{bound}{cost:.4f} USD" if cost else "free"


def _title(condition: Condition) -> str:
    return condition.title if condition.control is None else f"{condition.title}, control {condition.control}"
