"""What a token costs: a dated table that a suite may override. An unknown price is unknown, not zero."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from harness.spec import Price


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    input: float
    output: float


def price_of(model: str, overrides: Mapping[str, Price]) -> Price | None:
    """Return the price of a model, the suite's own before the shipped one, or None if unknown."""
    table = {**_shipped(), **overrides}
    if model in table:
        return table[model]
    patterns = [key for key in table if key.endswith("*") and model.startswith(key[:-1])]
    return table[max(patterns, key=len)] if patterns else None


def cost_of(price: Price | None, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
    """Return US dollars, or None if the price or a token count is unknown. Free is 0 whatever the count."""
    if price is None:
        return None
    if price.input == price.output == 0:
        return 0.0
    if prompt_tokens is None or completion_tokens is None:
        return None
    return (price.input * prompt_tokens + price.output * completion_tokens) / 1e6


@cache
def _shipped() -> dict[str, Price]:
    text = (resources.files("harness.data") / "prices.yaml").read_text(encoding="utf-8")
    entries = {name: _Entry.model_validate(entry) for name, entry in yaml.safe_load(text).items()}
    return {name: Price(input=entry.input, output=entry.output) for name, entry in entries.items()}
