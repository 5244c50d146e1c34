"""Runs of the program with batch mode on one run directory: what the tests of it share."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path

from harness.batch_sizes import MOST_BYTES
from harness.batches import Collected, Submitted, collect_all, submit_all
from harness.expansion import expand
from harness.ledger import Ledger
from harness.plan import ModelPlan, pieces, plan_model
from harness.runner import Tally, Work, run_model, work_of
from harness.spec import Price
from harness.store import Store
from harness.store_files import write_store
from tests.synthetic import SyntheticModel, small_suite
from tests.synthetic_batches import Provider, SyntheticBatchModel

PRICE = Price(input=100, output=100, batch_input=50, batch_output=50)


def plan_for(model: SyntheticModel, price: Price = PRICE, limit: int | None = None) -> ModelPlan:
    capabilities = asyncio.run(model.probe((), ""))
    return plan_model(model, capabilities, expand(small_suite(sequences="sequences: 4"), limit=limit), price)


class Session:
    """One run of the program on one run directory."""

    def __init__(
        self, path: Path, model: SyntheticBatchModel, *, cap: float | None = None, limit: int | None = None
    ) -> None:
        self.path, self.model, self.cap = path, model, cap
        self.plan = plan_for(model, limit=limit)
        self.tally = Tally(total=sum(item.requests for item in self.plan.items))
        self.now = 1_000_000.0
        self.most_bytes, self.at_once = MOST_BYTES, 10**6

    def use(self, work: Callable[[Store, Ledger], None]) -> None:
        with write_store(self.path, "s", "d") as store:
            ledger = Ledger(store, [self.model.name], self.cap)
            try:
                work(store, ledger)
            finally:
                ledger.close()

    def batch(self) -> tuple[Collected, Submitted]:
        """Collect what has ended, then hand in the rest."""
        done: list[tuple[Collected, Submitted]] = []

        def work(store: Store, ledger: Ledger) -> None:
            collected = asyncio.run(
                collect_all(self.model, self.plan, store, ledger, now=lambda: self.now, at_once=self.at_once)
            )
            submitted = asyncio.run(
                submit_all(
                    self.model,
                    self.plan,
                    store,
                    self.tally,
                    ledger,
                    now=lambda: self.now,
                    most_bytes=self.most_bytes,
                )
            )
            done.append((collected, submitted))

        self.use(work)
        return done[0]

    def direct(self) -> None:
        """Ask directly what is left."""
        self.use(
            lambda store, ledger: asyncio.run(
                run_model(self.model, self.plan, store, self.tally, ledger, lambda: None)
            )
        )

    def stored(self) -> tuple[int, int]:
        """Return how many replies and failures stand in the run directory."""
        found: list[tuple[int, int]] = []

        def work(store: Store, _: Ledger) -> None:
            spending = store.spending(self.model.name)
            found.append((spending.replies, spending.failures))

        self.use(work)
        return found[0]


@cache
def everything() -> int:
    """The number of different requests of the small suite."""
    model = SyntheticBatchModel(Provider())
    return len({work.digest for work in all_work(plan_for(model))})


def all_work(plan: ModelPlan) -> list[Work]:
    return [
        work_of(plan, piece)
        for item in plan.items
        for replicate in range(item.condition.sequences)
        for piece in pieces(item, replicate, plan.capabilities.max_samples)
    ]
