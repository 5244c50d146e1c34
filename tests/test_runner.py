"""The runner asks each request once, keeps every reply, holds the cap, and stops in order."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from harness.conditions import expand
from harness.curves import measure
from harness.plan import ModelPlan, plan_model
from harness.runner import Limits, Tally, catching_interrupts, run_model
from harness.spec import Price
from harness.store import Store, write_store
from harness.types import Failure
from tests.synthetic import SyntheticModel, read, small_suite

FREE = Price(input=0, output=0)


def plan_for(model: SyntheticModel, price: Price = FREE) -> ModelPlan:
    capabilities = asyncio.run(model.probe((), ""))
    return plan_model(model, capabilities, expand(small_suite()), price)


def run(model: SyntheticModel, store: Store, plan: ModelPlan, limits: Limits | None = None) -> Tally:
    tally = Tally(total=sum(item.requests for item in plan.items))
    asyncio.run(run_model(model, plan, store, tally, limits or Limits(), lambda: None))
    return tally


def test_every_request_is_asked_once_and_never_again(tmp_path: Path) -> None:
    model = SyntheticModel()
    plan = plan_for(model)
    with write_store(tmp_path, "s", "d") as store:
        first = run(model, store, plan)
        asked = len(model.asked)
        again = run(model, store, plan)
    assert first.done == first.total == 4 * 6 * 4
    assert len(set(model.asked)) == asked == first.answered
    assert (again.answered, again.stored, len(model.asked)) == (0, again.total, asked)


@pytest.mark.parametrize(("connections", "batch_size"), [(1, 1), (5, 1), (16, 8)])
def test_calls_in_flight_are_bounded(tmp_path: Path, connections: int, batch_size: int) -> None:
    model = SyntheticModel(batch_size=batch_size)
    with write_store(tmp_path, "s", "d") as store:
        run(model, store, plan_for(model), Limits(connections))
    assert model.most_in_flight <= (connections if batch_size == 1 else 2 * batch_size)


def test_a_transient_failure_is_asked_again_next_time_and_a_final_one_is_not(tmp_path: Path) -> None:
    failures = {3: Failure("timeout", "slow"), 10: Failure("refused", "no")}
    model = SyntheticModel(fail=failures)
    plan = plan_for(model)
    with write_store(tmp_path, "s", "d") as store:
        first = run(model, store, plan)
        assert first.failed == {"timeout": 1, "refused": 1}
        again = run(model, store, plan)
    assert again.answered == 1
    assert again.failed["refused"] == 1
    assert "timeout" not in again.failed
    assert model.asked[-1] == model.asked[3]


def test_a_failure_is_in_neither_k_nor_n(tmp_path: Path) -> None:
    model = SyntheticModel(fail={i: Failure("overflow", "too long") for i in range(12)})
    plan = plan_for(model)
    with write_store(tmp_path, "s", "d") as store:
        run(model, store, plan, Limits(1))
        measured = measure(plan, plan.items[0], store, read)
    failed = np.array(measured.failures["overflow"])
    assert failed.sum() > 0
    np.testing.assert_array_equal(measured.scored() + failed, 6)
    scored = measured.p[~np.isnan(measured.p)]
    assert set(np.round(scored, 12)) <= {0.5, 0.9}


def test_the_cap_is_never_overshot_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    price = Price(input=1000, output=1000)  # 0.001 USD a token
    model = SyntheticModel()
    plan = plan_for(model, price)
    assert plan.cost_usd is not None
    cap = plan.cost_usd / 3
    with write_store(tmp_path, "s", "d") as store:
        first = run(model, store, plan, Limits(8, cap))
        assert first.stopped == "budget"
        assert 0 < first.spent_usd <= cap
        assert store.spending(model.name).cost_usd == pytest.approx(first.spent_usd)
        rest = run(model, store, plan)
    assert rest.stopped is None
    assert len(set(model.asked)) == len(model.asked)


def test_one_interrupt_finishes_what_is_in_flight_and_saves_it(tmp_path: Path) -> None:
    model = SyntheticModel()
    plan = plan_for(model)
    tally = Tally()

    def tick() -> None:
        if tally.answered == 5:
            os.kill(os.getpid(), signal.SIGINT)

    async def interrupted(store: Store) -> None:
        async with catching_interrupts(tally):
            await run_model(model, plan, store, tally, Limits(4), tick)

    with write_store(tmp_path, "s", "d") as store:
        asyncio.run(interrupted(store))
        assert tally.stopped == "interrupted"
        assert len(model.asked) == store.spending(model.name).replies < plan.items[0].requests * 4
