"""What a run remembers of a model, so that it can be resumed and replayed without opening it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from harness.expansion import expand
from harness.plan import ModelPlan, make_item
from harness.prices import price_of
from harness.spec import SuiteSpec
from harness.types import Capabilities


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model as it was when it was asked."""

    fingerprint: str
    settings: Mapping[str, str]
    capabilities: Capabilities
    learned: str = ""  # how the model wants to be asked, as its provider writes it


def write_record(record: ModelRecord) -> str:
    """Return the record as JSON, keys in order."""
    return json.dumps(asdict(record), sort_keys=True)


def read_record(text: str) -> ModelRecord:
    """Return the record that `write_record` wrote."""
    data = json.loads(text)
    known = data["capabilities"]
    known = {key: tuple(value) if isinstance(value, list) else value for key, value in known.items()}
    return ModelRecord(data["fingerprint"], data["settings"], Capabilities(**known), data.get("learned", ""))


def plan_from_record(name: str, record: ModelRecord, suite: SuiteSpec, limit: int | None) -> ModelPlan:
    """Return the plan that was carried out, from what was recorded; token numbers are left at 0."""
    items = tuple(make_item(c, record.capabilities) for c in expand(suite, limit=limit))
    price = price_of(name, suite.budget.prices)
    return ModelPlan(name, record.fingerprint, record.capabilities, items, price, exact_tokens=False)
