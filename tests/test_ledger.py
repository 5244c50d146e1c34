"""Money: reserved before, settled after, and never forgotten, whatever happens in between."""

from pathlib import Path

import pytest

from harness.ledger import Ledger
from harness.store import Store, StoredBatch
from harness.store_files import write_store

MODEL = "mock/m"


def ledger(store: Store, cap: float | None = 1.0) -> Ledger:
    return Ledger(store, [MODEL], cap)


def test_what_is_in_flight_counts_against_the_cap(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        money = ledger(store)
        assert money.reserve(MODEL, 0.6)
        assert not money.reserve(MODEL, 0.5)
        money.settle(MODEL, 0.6, 0.1)
        assert money.reserve(MODEL, 0.5)
        assert money.spent_usd == pytest.approx(0.1)


def test_what_was_in_flight_when_the_process_died_counts_as_spent(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        money = ledger(store)
        for _ in range(3):
            assert money.reserve(MODEL, 0.1)
        money.settle(MODEL, 0.1, 0.05)
    with write_store(tmp_path, "s", "d") as store:  # not closed: as after a SIGKILL
        again = ledger(store)
        assert 0.2 <= again.spent_usd <= 0.5
        assert not again.reserve(MODEL, 0.9)
        assert store.spending(MODEL).doubtful_usd == pytest.approx(again.spent_usd)
        again.close()
        assert ledger(store).spent_usd == pytest.approx(again.spent_usd)  # once, not at every start


def test_an_orderly_end_leaves_nothing_in_doubt_but_calls_broken_off(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        money = ledger(store)
        assert money.reserve(MODEL, 0.3)
        assert money.reserve(MODEL, 0.2)
        money.settle(MODEL, 0.3, 0.3)
        money.close()
        assert ledger(store).spent_usd == pytest.approx(0.2)


def test_an_open_batch_holds_its_money_across_runs(tmp_path: Path) -> None:
    batch = StoredBatch("n", MODEL, None, 0.7, (b"x" * 32,), 0.0)
    with write_store(tmp_path, "s", "d") as store:
        money = ledger(store)
        assert money.hand_in(0.7)
        store.plan_batch(batch)
    with write_store(tmp_path, "s", "d") as store:
        money = ledger(store)
        assert not money.reserve(MODEL, 0.4)
        assert money.reserve(MODEL, 0.2)
        store.drop_batch("n")
        money.collect(0.7, 0.1)
        assert money.reserve(MODEL, 0.6)


def test_without_a_cap_everything_goes_and_free_calls_leave_no_mark(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        money = ledger(store, None)
        assert money.reserve(MODEL, 1e9)
        assert ledger(store, 0.0).reserve(MODEL, 0.0)
