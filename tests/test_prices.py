"""The shipped price table holds together: nothing in it is cheaper than it can be, and every entry can be used."""

import datetime
from importlib import resources

import pytest
import yaml

from harness.prices import price_of
from harness.registry import provider_names

TABLE: dict[str, dict[str, object]] = yaml.safe_load(
    (resources.files("harness.data") / "prices.yaml").read_text(encoding="utf-8")
)
PAID = [name for name in TABLE if not name.endswith("*")]
FIELDS = {"input", "output", "cached_input", "cache_write", "batch_input", "batch_output"}


def dollars(name: str, field: str) -> float:
    value = TABLE[name][field]
    assert isinstance(value, int | float)
    return value


def test_only_what_is_free_covers_more_than_one_name() -> None:
    """`openai/gpt-4o*` would price an audio model at a fraction of what it costs."""
    for name in set(TABLE) - set(PAID):
        assert (dollars(name, "input"), dollars(name, "output")) == (0, 0), name


@pytest.mark.parametrize("name", TABLE)
def test_every_entry_names_a_provider_there_is_and_says_where_and_when(name: str) -> None:
    entry = TABLE[name]
    assert name.partition("/")[0] in provider_names()
    assert isinstance(entry["date"], datetime.date)
    assert entry["date"] <= datetime.date(2026, 11, 21)
    assert entry["source"]
    assert set(entry) - FIELDS <= {"date", "source", "note"}


@pytest.mark.parametrize("name", PAID)
def test_discounts_lower_a_price_and_nothing_is_free_by_mistake(name: str) -> None:
    """A zero or a slip of the decimal point would let a run spend past its cap."""
    present = FIELDS & set(TABLE[name])
    assert {"input", "output"} <= present
    assert all(0.01 <= dollars(name, field) <= 200 for field in present - {"cached_input"})
    assert dollars(name, "input") <= dollars(name, "output")
    assert ("batch_input" in present) == ("batch_output" in present)
    below = {"cached_input": "input", "batch_input": "input", "batch_output": "output"}
    for field in present & set(below):
        assert 0.01 <= dollars(name, field) / dollars(name, below[field]) <= 1, field
    if "cache_write" in present:
        assert dollars(name, "cache_write") >= dollars(name, "input")


@pytest.mark.parametrize(
    ("name", "paid_in", "paid_out"),
    # One entry of each shape in the source table, where they stand as 2.5e-06, 1e-05 and 1e-06, 5e-06 a token.
    [("openai/gpt-4o-2024-08-06", 2.5, 10.0), ("anthropic/claude-haiku-4-5-20251001", 1.0, 5.0)],
)
def test_prices_are_dollars_per_million_tokens(name: str, paid_in: float, paid_out: float) -> None:
    price = price_of(name, {})
    assert price is not None
    assert (price.input, price.output) == (paid_in, paid_out)


@pytest.mark.parametrize(
    "name",
    [
        "openai/gpt-4o-audio-preview-2024-12-17",  # audio costs sixteen times as much
        "openai/gpt-5.5",  # dearer above 272k tokens
        "google/gemini-2.5-pro",  # dearer above 200k tokens
        "mistral/mistral-small-latest",  # another model tomorrow
        "openai-api/my-server/gpt-4o",
    ],
)
def test_a_model_without_one_certain_price_has_none(name: str) -> None:
    assert price_of(name, {}) is None
