"""The runner: ask what is not yet settled, commit every reply, survive interruption."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from harness.journal import Journal
from harness.ledger import Ledger
from harness.plan import ModelPlan, Piece, most_tokens, pieces
from harness.prices import Tokens, cost_of, most_cost
from harness.requests import request_digest, request_json
from harness.store import Answer, Store
from harness.types import Failure, Model, Reply

_REFUSALS = 5  # calls in a row whose key or account is refused, until no more are made


Stop = Literal["interrupted", "budget", "refused"]


@dataclass
class Tally:
    """How a run stands; the runner adds to it and progress displays read it."""

    total: int = 0
    stored: int = 0  # found in the store, not asked again
    answered: int = 0
    failed: dict[str, int] = field(default_factory=dict)  # by kind
    spent_usd: float = 0.0
    cap_usd: float | None = None
    batched: int = 0  # handed to a provider as a batch and not collected yet
    measurements: int = 0  # inside models, those that were not in the store
    measured: int = 0  # of them
    stopped: Stop | None = None  # why no new work is taken

    @property
    def done(self) -> int:
        """Return how many requests are settled one way or the other."""
        return self.stored + self.answered + sum(self.failed.values())

    def fail(self, failure: Failure) -> None:
        """Count a failed request."""
        self.failed[failure.kind] = self.failed.get(failure.kind, 0) + 1

    def stop(self, why: Stop) -> None:
        """Take no new work from now on; the first reason stands, but an interrupt goes before it."""
        if self.stopped is None or why == "interrupted":
            self.stopped = why


@dataclass(frozen=True, slots=True)
class Work:
    """One request to be asked, its identity, and the most that one attempt at it can cost."""

    digest: bytes
    piece: Piece
    bound_usd: float


async def run_model(
    model: Model,
    plan: ModelPlan,
    store: Store,
    tally: Tally,
    ledger: Ledger,
    tick: Callable[[], None],
    *,
    connections: int = 16,
    asked: Iterable[Piece] | None = None,
) -> None:
    """Ask everything in the plan that the store does not hold; stop early at the budget.

    `asked` in place of the plan names what is asked now: see `adaptive`, which
    chooses it where the plan leaves that open.
    A bounded number of workers takes batches from one lazy stream, so memory
    does not grow with the run, and one writer commits what they bring. Cost is
    reserved before a call, for every attempt it may take, and settled after it.
    `tick` is called after every change of the tally.
    """
    flying: set[bytes] = set()  # asked and not yet stored
    work = unsettled(plan, store, tally, model.batch_size, flying, asked)
    journal = Journal(store)
    refused = 0  # in a row
    tally.spent_usd = ledger.spent_usd

    async def worker() -> None:
        nonlocal refused
        for batch in work:
            bound = model.attempts * sum(w.bound_usd for w in batch)
            if not tally.stopped and not ledger.reserve(model.name, bound):
                tally.stop("budget")
            if tally.stopped:
                return
            outcomes = await model.send([w.piece.request for w in batch])
            answers = [answer_of(plan, w, outcome) for w, outcome in zip(batch, outcomes, strict=True)]
            await journal.add(answers)
            # Not reached by a call that is broken off: it may be billed all the same, so it stays reserved.
            ledger.settle(model.name, bound, sum(map(money, answers)))
            flying.difference_update(w.digest for w in batch)
            count_answers(tally, answers)
            refused = refused + 1 if _all_refused(answers) else 0
            if refused >= _REFUSALS:
                tally.stop("refused")
            tally.spent_usd = ledger.spent_usd
            tick()

    # A model that takes batches computes here: one batch runs while the next is made ready.
    count = connections if model.batch_size == 1 else 2
    workers = [asyncio.create_task(worker()) for _ in range(count)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        tick()


def answer_of(plan: ModelPlan, work: Work, outcome: Reply | Failure, *, batch: bool = False) -> Answer:
    """Return what is stored of a request: its outcome, what it cost and what it may have cost besides."""
    request, doubt = work.piece.request, outcome.doubtful * work.bound_usd
    cost = None
    if isinstance(outcome, Reply):
        cost = _cost(plan, outcome, batch=batch)
        if (
            cost is None
        ):  # a server that reports no usage is charged the bound: the cap must hold all the same
            doubt += work.bound_usd
    return Answer(work.digest, plan.model, request_json(request), outcome, cost, doubt)


def money(answer: Answer) -> float:
    """Return what an answer counts for against a cap, in US dollars."""
    return (answer.cost_usd or 0.0) + answer.doubtful_usd


def count_answers(tally: Tally, answers: list[Answer]) -> None:
    """Add stored answers to the tally."""
    for answer in answers:
        if isinstance(answer.outcome, Failure):
            tally.fail(answer.outcome)
        else:
            tally.answered += 1


@asynccontextmanager
async def catching_interrupts(tally: Tally) -> AsyncIterator[None]:
    """Let Ctrl-C end the run in order while inside: once, no new calls; twice, stop at once.

    Without effect outside the main thread, where signals cannot be caught.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def interrupt() -> None:
        if tally.stopped == "interrupted" and task is not None:
            task.cancel()
        tally.stop("interrupted")

    with suppress(NotImplementedError, ValueError, RuntimeError):
        loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.remove_signal_handler(signal.SIGINT)


def unsettled(
    plan: ModelPlan,
    store: Store,
    tally: Tally,
    batch_size: int,
    flying: set[bytes],
    asked: Iterable[Piece] | None = None,
) -> Iterator[list[Work]]:
    """Yield batches of requests that still have to be asked, looking them up a few hundred at a time."""
    for stream in _planned(plan) if asked is None else (iter(asked),):
        while chunk := list(islice(stream, 256)):
            work = [work_of(plan, piece) for piece in chunk]
            settled = store.settled(w.digest for w in work)
            failed = store.failures(settled)
            left = {w.digest: w for w in work if w.digest not in settled | flying}
            for w in work:
                if w.digest in failed:
                    tally.fail(failed[w.digest])
            # Two equal sequences make one request: it is asked once and stands for both.
            tally.stored += len(work) - len(left) - sum(w.digest in failed for w in work)
            waiting = iter(left.values())
            while batch := list(islice(waiting, batch_size)):
                flying.update(w.digest for w in batch)
                yield batch


def _planned(plan: ModelPlan) -> Iterator[Iterator[Piece]]:
    """Yield the requests of each condition whose requests are all known beforehand."""
    for item in plan.items:
        if not item.adaptive:
            replicates = range(item.condition.sequences)
            yield (p for r in replicates for p in pieces(item, r, plan.capabilities.max_samples))


def work_of(plan: ModelPlan, piece: Piece) -> Work:
    """Return one request of a plan as work to be done."""
    digest = request_digest(plan.model, plan.fingerprint, piece.request)
    return Work(digest, piece, most_cost(plan.price, most_tokens(piece.request, plan.capabilities)))


def _cost(plan: ModelPlan, reply: Reply, *, batch: bool) -> float | None:
    prompt, completion = reply.prompt_tokens, reply.completion_tokens
    if prompt is None or completion is None:
        free = plan.price is not None and plan.price.input == plan.price.output == 0
        return 0.0 if free else None
    tokens = Tokens(prompt, completion, reply.cached_tokens, reply.cache_written_tokens)
    return cost_of(plan.price, tokens, batch=batch)


def _all_refused(answers: list[Answer]) -> bool:
    return all(isinstance(a.outcome, Failure) and a.outcome.kind == "auth" for a in answers)
