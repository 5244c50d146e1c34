"""The runner: ask what is not yet settled, commit every reply, survive interruption."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice

from harness.plan import ModelPlan, Piece, pieces
from harness.prices import cost_of
from harness.requests import request_digest, request_json
from harness.store import Answer, Store
from harness.types import Model, Reply


@dataclass
class Tally:
    """How a run stands; the runner adds to it and progress displays read it."""

    total: int = 0
    stored: int = 0  # found in the store, not asked again
    answered: int = 0
    failed: dict[str, int] = field(default_factory=dict)  # by kind
    spent_usd: float = 0.0
    stopped: str | None = None  # "interrupted" or "budget" once no new work is taken

    @property
    def done(self) -> int:
        """Return how many requests are settled one way or the other."""
        return self.stored + self.answered + sum(self.failed.values())


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a run: calls in flight and money."""

    connections: int = 16
    max_cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    digest: bytes
    piece: Piece
    bound_usd: float  # most that the call can cost


async def run_model(
    model: Model, plan: ModelPlan, store: Store, tally: Tally, limits: Limits, tick: Callable[[], None]
) -> None:
    """Ask everything in the plan that the store does not hold; stop early at the budget.

    A bounded number of workers takes batches from one lazy stream, so memory
    does not grow with the run. Cost is reserved before a call and settled
    after it, calls in flight included. `tick` is called after every change of
    the tally.
    """
    flying: set[bytes] = set()  # asked and not yet stored
    work = _unsettled(plan, store, tally, model.batch_size, flying)
    reserved = 0.0

    async def worker() -> None:
        nonlocal reserved
        for batch in work:
            bound = sum(w.bound_usd for w in batch)
            if limits.max_cost_usd is not None and tally.spent_usd + reserved + bound > limits.max_cost_usd:
                tally.stopped = tally.stopped or "budget"
            if tally.stopped:
                return
            reserved += bound
            try:
                await _ask(model, plan, batch, store, tally)
            finally:
                reserved -= bound
                flying.difference_update(w.digest for w in batch)
            tick()

    # A model that takes batches computes here: one batch runs while the next is made ready.
    count = limits.connections if model.batch_size == 1 else 2
    workers = [asyncio.create_task(worker()) for _ in range(count)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        tick()


@asynccontextmanager
async def catching_interrupts(tally: Tally) -> AsyncIterator[None]:
    """Let Ctrl-C end the run in order while inside: once, no new calls; twice, stop at once.

    Without effect outside the main thread, where signals cannot be caught.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def interrupt() -> None:
        if tally.stopped == "interrupted" and task is not None:
            task.cancel()
        tally.stopped = "interrupted"

    with suppress(NotImplementedError, ValueError, RuntimeError):
        loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.remove_signal_handler(signal.SIGINT)


def _unsettled(
    plan: ModelPlan, store: Store, tally: Tally, batch_size: int, flying: set[bytes]
) -> Iterator[list[_Work]]:
    """Yield batches of requests that still have to be asked, looking them up a few hundred at a time."""
    for item in plan.items:
        replicates = range(item.condition.sequences)
        stream = (p for r in replicates for p in pieces(item, r, plan.capabilities.max_samples))
        while chunk := list(islice(stream, 256)):
            work = [_work(plan, piece) for piece in chunk]
            settled = store.settled(w.digest for w in work)
            failed = store.failures(settled)
            left = {w.digest: w for w in work if w.digest not in settled | flying}
            for w in work:
                if w.digest in failed:
                    tally.failed[failed[w.digest].kind] = tally.failed.get(failed[w.digest].kind, 0) + 1
            # Two equal sequences make one request: it is asked once and stands for both.
            tally.stored += len(work) - len(left) - sum(w.digest in failed for w in work)
            waiting = iter(left.values())
            while batch := list(islice(waiting, batch_size)):
                flying.update(w.digest for w in batch)
                yield batch


def _work(plan: ModelPlan, piece: Piece) -> _Work:
    request = piece.request
    digest = request_digest(plan.model, plan.fingerprint, request)
    # No token is shorter than a byte; the target is sent too where it is echoed, and servers add a few of their own.
    prompt = request.prompt
    most = len(prompt.text(request.context_lengths[-1]).encode()) + 16
    most += max(len(surface.encode()) for surface in prompt.surfaces)
    return _Work(digest, piece, cost_of(plan.price, most, max(1, request.n)) or 0.0)


async def _ask(model: Model, plan: ModelPlan, batch: list[_Work], store: Store, tally: Tally) -> None:
    outcomes = await model.send([w.piece.request for w in batch])
    answers = []
    for w, outcome in zip(batch, outcomes, strict=True):
        cost = None
        if isinstance(outcome, Reply):
            cost = cost_of(plan.price, outcome.prompt_tokens, outcome.completion_tokens)
            # A server that reports no usage is charged the bound: the cap must hold all the same.
            tally.spent_usd += w.bound_usd if cost is None else cost
            tally.answered += 1
        else:
            tally.failed[outcome.kind] = tally.failed.get(outcome.kind, 0) + 1
        answers.append(Answer(w.digest, model.name, request_json(w.piece.request), outcome, cost))
    store.add(answers)
