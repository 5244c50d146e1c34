"""What goes wrong around a batch loses nothing and pays nothing twice."""

import asyncio
from pathlib import Path

import pytest

from harness.batch_results import at_batch_price
from harness.batches import LONG_AGO_S, SETTLED_AFTER_S, Submitted, collect_all
from harness.errors import StoreError
from harness.ledger import Ledger
from harness.plan import ModelPlan
from harness.store import Store
from harness.types import Failure
from tests.batch_sessions import Session, all_work, everything
from tests.synthetic_batches import Provider, SyntheticBatchModel


def _doubts(provider: Provider, plan: ModelPlan) -> float:
    failed = {key for r in provider.results.values() for key, o in r.items() if isinstance(o, Failure)}
    works = {w.digest.hex(): at_batch_price(plan, w) for w in all_work(plan)}
    return sum(works[key].bound_usd for key in failed)


class Crash(BaseException):
    """Stands for the death of the process."""


def test_a_request_that_no_batch_can_hold_is_a_problem_and_not_a_loop(tmp_path: Path) -> None:
    session = Session(tmp_path, SyntheticBatchModel(Provider(most=0)))
    _, handed = session.batch()
    assert handed.problem is not None
    assert handed.problem.kind == "overflow"


def test_a_crash_between_making_a_batch_and_recording_it_pays_nothing_twice(tmp_path: Path) -> None:
    provider = Provider()
    first = Session(tmp_path, SyntheticBatchModel(provider))

    def crash() -> None:
        raise Crash

    first.model.crash = crash
    with pytest.raises(Crash):
        first.batch()
    assert len(provider.batches) == 1
    later = Session(tmp_path, SyntheticBatchModel(provider))
    later.now = first.now + 5  # within the time in which a list may lag behind
    collected, again = later.batch()
    assert (collected.batches, again.batches) == (1, 0)
    assert set(provider.carried.values()) == {1}
    assert later.stored() == (everything(), 0)


def test_a_batch_that_is_not_listed_yet_is_not_made_again(tmp_path: Path) -> None:
    provider = Provider(silent=1, listed=False)
    first = Session(tmp_path, SyntheticBatchModel(provider))
    _, handed = first.batch()
    assert handed.problem is not None
    assert handed.problem.doubtful
    soon = Session(tmp_path, SyntheticBatchModel(provider))
    for soon.now in (first.now + 3000, first.now + 3000 + SETTLED_AFTER_S - 1):  # a long upload, then a lag
        collected, again = soon.batch()
        assert len(collected.open) == 1
        assert again == Submitted()
    provider.listed = True
    collected, _ = soon.batch()
    assert collected.batches == 1
    assert set(provider.carried.values()) == {1}


@pytest.mark.parametrize("looks", [(10, 10 + SETTLED_AFTER_S), (LONG_AGO_S,)])
def test_a_batch_that_was_never_made_is_handed_in_again_after_its_time(
    tmp_path: Path, looks: tuple[float, ...]
) -> None:
    provider = Provider(silent=1, listed=False)
    first = Session(tmp_path, SyntheticBatchModel(provider))
    first.batch()
    provider.batches.clear()  # the call never reached the provider
    provider.listed = True
    later = Session(tmp_path, SyntheticBatchModel(provider))
    handed = []
    for after in looks:
        later.now = first.now + after
        handed.append(later.batch()[1].requests)
    assert [count > 0 for count in handed] == [False] * (len(looks) - 1) + [True]
    later.batch()
    assert later.stored() == (everything(), 0)


def test_an_unanswered_making_that_is_listed_goes_on_at_once(tmp_path: Path) -> None:
    session = Session(tmp_path, SyntheticBatchModel(Provider(silent=1)))
    _, handed = session.batch()
    assert handed.problem is None
    session.batch()
    assert session.stored() == (everything(), 0)


def test_a_request_without_a_result_is_a_failure(tmp_path: Path) -> None:
    provider = Provider()
    session = Session(tmp_path, SyntheticBatchModel(provider))
    _, handed = session.batch()
    provider.results["batch-0"] = {}
    collected, _ = session.batch()
    assert collected.failed == {"truncated": handed.requests}


def test_a_refused_batch_is_forgotten_and_its_money_given_back(tmp_path: Path) -> None:
    provider = Provider(refuse=Failure("request", "no such endpoint"))
    session = Session(tmp_path, SyntheticBatchModel(provider), cap=1.0)
    _, handed = session.batch()
    assert handed.problem == provider.refuse
    assert session.tally.batched == 0
    session.direct()
    assert session.stored() == (everything(), 0)


@pytest.mark.parametrize("kind", ["auth", "rate_limit", "server"])
def test_nothing_is_handed_in_where_the_first_request_fails(tmp_path: Path, kind: str) -> None:
    failure = Failure(kind, "no")  # type: ignore[arg-type]
    model = SyntheticBatchModel(Provider(), fail={0: failure})
    _, handed = Session(tmp_path, model).batch()
    assert handed == Submitted(problem=failure)
    assert model.submitted == []


def test_one_refused_request_does_not_stop_a_batch_but_three_do(tmp_path: Path) -> None:
    bad = Failure("request", "empty prompt")
    one = SyntheticBatchModel(Provider(), fail={0: bad})
    handed = Session(tmp_path / "one", one).batch()[1]
    assert (handed.problem, handed.requests, len(one.asked)) == (None, everything() - 2, 2)
    three = SyntheticBatchModel(Provider(), fail=dict.fromkeys(range(3), bad))
    assert Session(tmp_path / "three", three).batch()[1].problem == bad
    assert (len(three.asked), three.submitted) == (3, [])


def test_results_and_the_end_of_their_batch_are_written_in_one_step(tmp_path: Path) -> None:
    """A doubtful failure collected twice would count its money twice."""
    doubtful = Failure("timeout", "may have been billed", doubtful=1)
    provider = Provider(result=lambda key: doubtful if key < "8" else None)
    session = Session(tmp_path, SyntheticBatchModel(provider))
    session.batch()

    def collect(store: Store, ledger: Ledger) -> None:
        store._db.execute("PRAGMA query_only = ON")  # the disk fills up before anything is written
        with pytest.raises(StoreError):
            asyncio.run(collect_all(session.model, session.plan, store, ledger))
        store._db.execute("PRAGMA query_only = OFF")
        assert len(store.batches()) == 1
        asyncio.run(collect_all(session.model, session.plan, store, ledger))
        once = store.spending(session.model.name).doubtful_usd
        assert store.batches() == []
        assert once == pytest.approx(_doubts(provider, session.plan))

    session.use(collect)
