"""What tokens cost: a dated table that a suite may override. An unknown price is unknown, not zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import yaml
from pydantic import ConfigDict

from harness.spec import Price

PER = 1_000_000  # prices are per million tokens


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one or more calls, as they are billed."""

    prompt: int
    completion: int  # hidden reasoning included
    cached: int = 0  # of the prompt's, those read from the provider's cache
    cache_written: int = 0  # of the prompt's, those written to it


class Entry(Price):
    """A price of the shipped table, with where it comes from."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    date: date
    source: str
    note: str = ""


def price_of(model: str, overrides: Mapping[str, Price]) -> Price | None:
    """Return the price of a model, the suite's own before the shipped one, or None if unknown.

    What follows a question mark in a model's name are options, which do not change its price.
    """
    table = {**shipped_prices(), **overrides}
    for name in (model, model.partition("?")[0]):
        if name in table:
            return table[name]
    patterns = [key for key in table if key.endswith("*") and model.startswith(key[:-1])]
    return table[max(patterns, key=len)] if patterns else None


def price_source(model: str, overrides: Mapping[str, Price]) -> str:
    """Return where the price of a model comes from, with its date, in words."""
    price = price_of(model, overrides)
    if price is None:
        return "price unknown"
    return (
        f"{price.source}, {price.date.isoformat()}" if isinstance(price, Entry) else "the suite's own price"
    )


def cost_of(price: Price | None, tokens: Tokens, *, batch: bool = False) -> float | None:
    """Return US dollars, or None if the price is unknown."""
    if price is None:
        return None
    per_input, per_output = price.input, price.output
    cached, written = price.cached_input, price.cache_write
    if batch and price.batch_input is not None and price.batch_output is not None:
        per_input, per_output = price.batch_input, price.batch_output
        # A cache discount beside a batch discount is not known to be given: the larger price is assumed.
        cached, written = None, None
    plain = tokens.prompt - tokens.cached - tokens.cache_written
    total = per_input * plain + per_output * tokens.completion
    total += (per_input if cached is None else cached) * tokens.cached
    total += (per_input if written is None else written) * tokens.cache_written
    return total / PER


def most_cost(price: Price | None, tokens: Tokens) -> float:
    """Return the most that a call of so many tokens can cost, whatever is cached or written; 0 if unknown."""
    if price is None:
        return 0.0
    dearest = max(price.input, price.cache_write or 0.0)
    return (dearest * tokens.prompt + price.output * tokens.completion) / PER


@cache
def shipped_prices() -> Mapping[str, Entry]:
    """Return the prices of `data/prices.yaml` by model name."""
    text = (resources.files("harness.data") / "prices.yaml").read_text(encoding="utf-8")
    return {name: Entry.model_validate(entry) for name, entry in yaml.safe_load(text).items()}
