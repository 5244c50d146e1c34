"""The runner asks each request once, keeps every reply, holds the cap, and stops in order."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from harness.curves import measure
from harness.expansion import expand
from harness.ledger import Ledger
from harness.plan import ModelPlan, plan_model
from harness.results import selection_warning
from harness.runner import Tally, catching_interrupts, run_model
from harness.spec import Price
from harness.store import Store
from harness.store_files import write_store
from harness.types import Failure
from tests.synthetic import SyntheticModel, read, small_suite

FREE = Price(input=0, output=0)


def plan_for(model: SyntheticModel, price: Price = FREE) -> ModelPlan:
    capabilities = asyncio.run(model.probe((), ""))
    return plan_model(model, capabilities, expand(small_suite()), price)


def run(
    model: SyntheticModel, store: Store, plan: ModelPlan, connections: int = 16, cap: float | None = None
) -> Tally:
    tally = Tally(total=sum(item.requests for item in plan.items))
    ledger = Ledger(store, [model.name], cap)
    asyncio.run(run_model(model, plan, store, tally, ledger, lambda: None, connections=connections))
    ledger.close()
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
        run(model, store, plan_for(model), connections)
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
        run(model, store, plan, 1)
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
        first = run(model, store, plan, 8, cap)
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
            ledger = Ledger(store, [model.name], None)
            await run_model(model, plan, store, tally, ledger, tick, connections=4)

    with write_store(tmp_path, "s", "d") as store:
        asyncio.run(interrupted(store))
        assert tally.stopped == "interrupted"
        assert len(model.asked) == store.spending(model.name).replies < plan.items[0].requests * 4


def test_a_refused_key_stops_the_run_and_the_next_run_asks_again(tmp_path: Path) -> None:
    model = SyntheticModel(fail={i: Failure("auth", "HTTP 401") for i in range(4, 1000)})
    plan = plan_for(model)
    with write_store(tmp_path, "s", "d") as store:
        first = run(model, store, plan, 1)
        assert first.stopped == "refused"
        assert first.failed == {"auth": 5}
        model.fail = {}
        again = run(model, store, plan)
    assert (again.stopped, again.failed) == (None, {})
    assert again.stored + again.answered == again.total


def test_a_server_that_reports_no_tokens_is_charged_the_bound_and_stays_charged(tmp_path: Path) -> None:
    model = SyntheticModel(silent=True)
    plan = plan_for(model, Price(input=1000, output=1000))
    with write_store(tmp_path, "s", "d") as store:
        first = run(model, store, plan, 4, 1.0)
        assert first.stopped == "budget"
        assert 0 < first.spent_usd <= 1.0
        assert store.spending(model.name).cost_usd is None
        again = run(model, store, plan, 4, 1.0)
    assert (again.answered, again.stopped) == (0, "budget")
    assert again.spent_usd == pytest.approx(first.spent_usd)


def test_attempts_that_may_have_been_billed_count_against_the_cap(tmp_path: Path) -> None:
    model = SyntheticModel(fail={i: Failure("timeout", "slow", 5, doubtful=5) for i in range(1000)})
    plan = plan_for(model, Price(input=1000, output=1000))
    with write_store(tmp_path, "s", "d") as store:
        tally = run(model, store, plan, 1, 5.0)
        spent = store.spending(model.name)
    assert tally.stopped == "budget"
    assert 0 < tally.spent_usd == pytest.approx(spent.doubtful_usd)
    assert tally.spent_usd <= 5.0


def test_calls_that_fail_more_often_at_long_contexts_are_said_to(tmp_path: Path) -> None:
    model = SyntheticModel(too_long=9)
    plan = plan_for(model)
    with write_store(tmp_path, "s", "d") as store:
        run(model, store, plan)
        measured = measure(plan, plan.items[0], store, read)
    (warning,) = selection_warning(measured)
    assert warning.startswith("calls fail more often as the context grows: 0.0% in the shortest third")
