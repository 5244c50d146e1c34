"""Two models asked the same suite, compared sequence by sequence and context length by context length."""

from pathlib import Path

import numpy as np

from harness.curves import Measured, measure
from harness.execute import RunOptions, execute
from harness.expansion import expand
from harness.model_records import plan_from_record, read_record
from harness.registry import load_reader
from harness.spec import SuiteSpec
from harness.store_files import open_store


def run_both(suite: SuiteSpec, models: tuple[str, str], out: Path) -> tuple[list[Measured], list[Measured]]:
    """Run a suite on two models and return what was measured, condition by condition."""
    outcome = execute(suite, RunOptions(models=models, out=out))
    assert outcome.exit_status == 0, outcome.tally
    store = open_store(out)
    found = []
    for name in models:
        plan = plan_from_record(name, read_record(store.models()[name]), suite, None)
        found.append([measure(plan, item, store, load_reader(name)) for item in plan.items])
    store.close()
    assert len(found[0]) == len(expand(suite))
    return found[0], found[1]


def largest_difference(first: Measured, second: Measured) -> float:
    """Return the largest |log p(target) - log p(target)| where both report one, in nat."""
    with np.errstate(divide="ignore"):
        gap = np.abs(np.log(first.raw) - np.log(second.raw))
    return float(np.nanmax(gap))
