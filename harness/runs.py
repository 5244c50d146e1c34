"""Runs from Python: start one, open one, hand it to tables and reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BudgetError
from harness.spec import SuiteSpec
from harness.store_files import open_store
from harness.types import RunResult

if TYPE_CHECKING:
    from harness.predictions import Predictions
    from harness.types import Generated


@dataclass(frozen=True)
class Run:
    """A run directory. Everything shown of it is computed from what it stores."""

    path: Path

    @cached_property
    def result(self) -> RunResult:
        """Return the run analysed; what was judged before is not judged again."""
        return self._analysed(remember=True)

    def recompute(self) -> RunResult:
        """Return the run analysed from its stored replies alone, nothing remembered."""
        return self._analysed(remember=False)

    def predictions(self) -> "list[Predictions]":
        """Return the next-symbol laws of each model and observer along every sequence, as arrays.

        For `harness.cognitive`; conditions that were measured by drawn symbols are left out.
        """
        from harness.predictions import predictions

        store = open_store(self.path)
        try:
            return list(predictions(store))
        finally:
            store.close()

    def generations(self) -> "list[Generated]":
        """Return the sequences that each model wrote under each condition, as arrays.

        For `harness.cognitive.generated`, which fits cognitive models to them, and
        for statistics of one's own.
        """
        from harness.generations import run_generations

        store = open_store(self.path)
        try:
            return list(run_generations(store))
        finally:
            store.close()

    def _analysed(self, *, remember: bool) -> RunResult:
        from harness.judgments import Judgments
        from harness.results import analyse

        store = open_store(self.path)
        try:
            return analyse(store, Judgments(self.path if remember else None))
        finally:
            store.close()


def run(
    suite: str | Path | SuiteSpec,
    models: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    max_cost: float | None = None,
    limit: int | None = None,
    seed: int | None = None,
) -> Run:
    """Run a suite and return the run; what the run directory already holds is not asked again.

    `suite` is a path, the name of a shipped suite or a SuiteSpec; `models`
    replaces its models; `limit` caps the sequences of each condition. Works
    where an event loop already runs, as in a notebook. Raises BudgetError if
    the run stopped at `max_cost` (US dollars) or a price is unknown; the
    replies so far are kept. Failed calls do not raise: the result counts them.
    """
    from harness.execute import RunOptions, execute
    from harness.suite_files import load_suite

    spec = suite if isinstance(suite, SuiteSpec) else load_suite(suite)
    options = RunOptions(
        models=tuple(models), out=Path(out) if out else None, limit=limit, max_cost_usd=max_cost, seed=seed
    )
    outcome = execute(spec, options)
    if outcome.tally.stopped == "budget":
        raise BudgetError(
            f"{outcome.path}: stopped at the cap after {outcome.tally.spent_usd:.4f} USD; the replies so far are "
            "kept, and the same call with a higher max_cost goes on"
        )
    return Run(outcome.path)


def open_run(path: str | Path) -> Run:
    """Open an existing run directory. Raises StoreError if there is no run."""
    open_store(Path(path)).close()
    return Run(Path(path))
