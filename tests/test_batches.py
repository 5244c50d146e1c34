"""Batch mode asks for everything once, keeps the cap, and outlives its process."""

from pathlib import Path

import pytest

from harness.batches import Collected, Submitted
from harness.ledger import Ledger
from harness.prices import cost_of
from harness.store import Store
from harness.types import Failure, Reply, Request
from tests.batch_sessions import PRICE, Session, everything
from tests.synthetic_batches import Provider, SyntheticBatchModel


def _tokens(request: Request) -> int:
    """The tokens that `SyntheticModel` reports: none are drawn after an empty prompt."""
    prompt = len(request.prompt.text(request.context_lengths[-1]))
    return prompt + bool(prompt)


def test_a_batch_handed_in_by_one_run_is_collected_by_the_next(tmp_path: Path) -> None:
    provider = Provider()
    first = Session(tmp_path, SyntheticBatchModel(provider))
    nothing, handed = first.batch()
    assert nothing == Collected()
    assert (handed.batches, handed.requests, handed.problem) == (1, everything() - 1, None)
    assert (first.tally.batched, first.tally.answered) == (handed.requests, 1)

    later = Session(tmp_path, SyntheticBatchModel(provider))
    collected, again = later.batch()
    assert (collected.batches, collected.answered, collected.open) == (1, handed.requests, ())
    assert again == Submitted()
    assert later.model.asked == []
    assert later.stored() == (everything(), 0)
    assert later.tally.done == later.tally.total
    assert set(provider.carried.values()) == {1}


def test_an_open_batch_is_asked_again_by_nobody(tmp_path: Path) -> None:
    provider = Provider(ended=False)
    first = Session(tmp_path, SyntheticBatchModel(provider))
    _, handed = first.batch()
    later = Session(tmp_path, SyntheticBatchModel(provider))
    collected, again = later.batch()
    (left,) = collected.open
    assert (left.name, left.requests) == ("batch-0", handed.requests)
    assert again == Submitted()
    later.direct()
    assert later.model.asked == []
    assert len(provider.batches) == 1
    assert (later.tally.batched, later.tally.answered) == (handed.requests, 0)


@pytest.mark.parametrize(("limit", "at_once"), [(7, 1), (30, 700), (30, 10**6)])
def test_requests_are_split_by_the_limit_of_a_batch(tmp_path: Path, limit: int, at_once: int) -> None:
    session = Session(tmp_path, SyntheticBatchModel(Provider(), batch_limit=limit))
    session.at_once = at_once
    _, handed = session.batch()
    assert handed.requests == sum(session.model.submitted) == everything() - 1
    assert max(session.model.submitted) <= limit
    collected, _ = session.batch()
    assert (collected.batches, collected.answered) == (handed.batches, handed.requests)
    assert session.stored() == (everything(), 0)


def test_requests_are_split_by_size(tmp_path: Path) -> None:
    session = Session(tmp_path, SyntheticBatchModel(Provider()))
    session.most_bytes = 5_000  # about ten requests of 512 bytes and more
    session.batch()
    assert max(session.model.submitted) < 10
    assert sum(session.model.submitted) == everything() - 1


def test_a_batch_too_large_for_its_service_is_halved_until_it_fits(tmp_path: Path) -> None:
    session = Session(tmp_path, SyntheticBatchModel(Provider(most=20)), cap=1.0)
    _, handed = session.batch()
    assert handed.problem is None
    assert handed.requests == everything() - 1
    assert handed.batches == len([n for n in session.model.submitted if n <= 20])
    session.batch()
    assert session.stored() == (everything(), 0)


def test_what_was_not_carried_out_is_asked_again_and_the_rest_is_not(tmp_path: Path) -> None:
    expired = Failure("timeout", "the batch expired")
    provider = Provider()
    provider.result = lambda key: expired if key < "8" and provider.carried[key] == 1 else None
    session = Session(tmp_path, SyntheticBatchModel(provider))
    session.batch()
    later = Session(tmp_path, SyntheticBatchModel(provider))
    collected, again = later.batch()
    assert collected.failed == {"timeout": again.requests + later.tally.answered}
    last = Session(tmp_path, SyntheticBatchModel(provider))
    last.batch()
    assert last.stored() == (everything(), 0)
    assert max(provider.carried.values()) == 2  # an expired one, which the provider did not bill


def test_a_final_failure_is_stored_and_never_asked_again(tmp_path: Path) -> None:
    refused = Failure("refused", "no")
    provider = Provider(result=lambda key: refused if key < "8" else None)
    session = Session(tmp_path, SyntheticBatchModel(provider))
    session.batch()
    _, again = session.batch()
    assert again == Submitted()
    replies, failures = session.stored()
    assert replies + failures == everything()
    assert failures > 0


def test_the_cap_counts_open_batches_and_is_settled_at_batch_prices(tmp_path: Path) -> None:
    provider = Provider(ended=False)
    session = Session(tmp_path, SyntheticBatchModel(provider))
    full = cost_of(PRICE, session.plan.tokens, batch=True)
    assert full is not None
    small = Session(tmp_path, SyntheticBatchModel(provider), cap=full / 3)
    _, handed = small.batch()
    assert small.tally.stopped == "budget"
    assert 0 < handed.requests < everything() - 1
    bounds: list[float] = []
    small.use(lambda store, _: bounds.extend(batch.bound_usd for batch in store.batches()))
    assert sum(bounds) + small.tally.spent_usd <= full / 3
    again = Session(tmp_path, SyntheticBatchModel(provider), cap=sum(bounds))
    assert again.batch()[1].batches == 0  # what is open fills the cap
    provider.ended = True
    last = Session(tmp_path, SyntheticBatchModel(provider))
    last.batch()
    last.batch()

    batched = [r for results in provider.results.values() for r in results.values() if isinstance(r, Reply)]
    expected = 50e-6 * sum((r.prompt_tokens or 0) + (r.completion_tokens or 0) for r in batched)
    directly = [request for model in (small.model, last.model) for request in model.asked]
    expected += 100e-6 * sum(_tokens(request) for request in directly)

    def spent(store: Store, ledger: Ledger) -> None:
        assert ledger.spent_usd == pytest.approx(expected, rel=1e-12)
        assert store.batches() == []

    last.use(spent)
    assert last.stored() == (everything(), 0)


def test_a_batch_of_a_longer_plan_is_kept_for_it(tmp_path: Path) -> None:
    provider = Provider()
    Session(tmp_path, SyntheticBatchModel(provider)).batch()
    short = Session(tmp_path, SyntheticBatchModel(provider), limit=2)
    collected, handed = short.batch()
    assert handed == Submitted()
    assert collected.open[0].state is None
    assert short.stored()[0] < everything()
    whole = Session(tmp_path, SyntheticBatchModel(provider))
    whole.batch()
    assert whole.stored() == (everything(), 0)
    assert set(provider.carried.values()) == {1}


def test_an_interrupt_hands_in_nothing_more(tmp_path: Path) -> None:
    session = Session(tmp_path, SyntheticBatchModel(Provider(), batch_limit=7))
    session.model.crash = lambda: session.tally.stop("interrupted")
    _, handed = session.batch()
    assert handed.batches == 1
