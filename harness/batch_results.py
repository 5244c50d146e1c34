"""The results of ended batches written into the run, each at the place of its request in the plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from harness.ledger import Ledger
from harness.plan import ModelPlan, most_tokens, pieces
from harness.prices import cost_of
from harness.runner import Work, answer_of, money, work_of
from harness.store import Answer, Store, StoredBatch
from harness.types import Failure, Reply

_MISSING = Failure("truncated", "the batch ended without a result for this request", doubtful=1)


@dataclass(slots=True)
class Ended:
    """A batch that has ended, and what came of its requests as far as they are found in the plan."""

    batch: StoredBatch
    outcomes: dict[str, Reply | Failure]  # by digest in hex
    answers: list[Answer] = field(default_factory=list)
    bound_usd: float = 0.0  # most that those could cost

    @property
    def left(self) -> int:
        """How many of its requests are not in the plan."""
        return len(self.batch.digests) - len(self.answers)


def store_results(plan: ModelPlan, ended: Sequence[Ended], store: Store, ledger: Ledger) -> None:
    """Commit the results of each batch together with the fact that it was collected.

    One walk through the plan, up to the last request that is wanted. Requests
    that are not in this plan, since they were handed in under another --limit,
    remain open for a run that knows them.
    """
    wanted = {digest: one for one in ended for digest in one.batch.digests}
    for work in _work(plan) if wanted else ():
        one = wanted.pop(work.digest, None)
        if one is not None:
            work = at_batch_price(plan, work)
            outcome = one.outcomes.get(work.digest.hex(), _MISSING)
            one.answers.append(answer_of(plan, work, outcome, batch=True))
            one.bound_usd += work.bound_usd
            if not one.left:
                _commit(one, store, ledger)
        if not wanted:
            break
    for one in ended:
        if one.left:
            _commit(one, store, ledger)


def at_batch_price(plan: ModelPlan, work: Work) -> Work:
    """Return a request whose bound is the most that it can cost in a batch."""
    tokens = most_tokens(work.piece.request, plan.capabilities)
    return replace(work, bound_usd=cost_of(plan.price, tokens, batch=True) or 0.0)


def _commit(one: Ended, store: Store, ledger: Ledger) -> None:
    known = {answer.digest for answer in one.answers}
    rest = tuple(digest for digest in one.batch.digests if digest not in known)
    bound = one.bound_usd if rest else one.batch.bound_usd
    left = replace(one.batch, digests=rest, bound_usd=max(0.0, one.batch.bound_usd - bound))
    store.add(one.answers, left=left)
    ledger.collect(bound, sum(map(money, one.answers)))


def _work(plan: ModelPlan) -> Iterator[Work]:
    for item in plan.items:
        for replicate in range(item.condition.sequences):
            for piece in pieces(item, replicate, plan.capabilities.max_samples):
                yield work_of(plan, piece)
