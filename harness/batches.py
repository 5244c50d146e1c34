"""Batch mode: requests handed to a provider by the thousand, detached, collected by a later run.

What makes it safe to kill at any point: a batch is written down under a name of
our own before it is handed in, and its requests count as asked from then on. A
run that finds one without the provider's id looks for it at the provider before
anything is asked again.
"""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from harness.batch_results import Ended, at_batch_price, store_results
from harness.batch_sizes import MOST_BYTES, chunks
from harness.ledger import Ledger
from harness.plan import ModelPlan
from harness.runner import Tally, Work, answer_of, count_answers, money, unsettled, work_of
from harness.store import Store, StoredBatch
from harness.types import BatchModel, BatchState, Failure, Reply

AT_ONCE = 200_000_000  # bytes of answers held in memory until they are stored
# A list of batches may lag behind, and a call that was cut off may still be carried out. That a batch is not
# listed says that it was never made only this long after a run first looked for it: whoever was making it is
# dead by then, for a run directory has one writer. An upload takes less than the longer time.
SETTLED_AFTER_S, LONG_AGO_S = 300.0, 7200.0


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that is not collected yet, and why."""

    name: str  # the provider's id, our own name where that is not known
    requests: int
    state: BatchState | Failure | None  # None: collected, but for requests that are not in this plan


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of the batches that earlier runs handed in."""

    batches: int = 0  # collected to the end
    answered: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)  # by kind
    open: tuple[OpenBatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was handed in, and what stopped it before everything was."""

    batches: int = 0
    requests: int = 0
    problem: Failure | None = None


async def collect_all(
    model: BatchModel,
    plan: ModelPlan,
    store: Store,
    ledger: Ledger,
    *,
    now: Callable[[], float] = time.time,
    at_once: int = AT_ONCE,
) -> Collected:
    """Fetch and store the results of every open batch of this model that has ended.

    To be called before anything is asked, with or without batch mode: the
    requests of open batches are not asked again. Requests that were not carried
    out are stored as transient failures and are asked by whatever comes next.
    """
    collected, waiting, size = Collected(), [], 0
    for batch in [b for b in store.batches() if b.model == plan.model]:
        outcome = await _fetch(model, batch, store, ledger, now)
        if isinstance(outcome, dict):
            waiting.append(Ended(batch, outcome))
            size += sum(len(reply.raw) for reply in outcome.values() if isinstance(reply, Reply))
        elif outcome is not None:
            left = OpenBatch(batch.id or batch.nonce, len(batch.digests), outcome)
            collected = replace(collected, open=(*collected.open, left))
        if size >= at_once:
            store_results(plan, waiting, store, ledger)
            collected, waiting, size = _counted(collected, waiting), [], 0
    store_results(plan, waiting, store, ledger)
    return _counted(collected, waiting)


def _counted(collected: Collected, ended: list[Ended]) -> Collected:
    """Return the count with these batches added."""
    outcomes = [answer.outcome for one in ended for answer in one.answers]
    failed = Counter[str](outcome.kind for outcome in outcomes if isinstance(outcome, Failure))
    left = tuple(OpenBatch(one.batch.id or one.batch.nonce, one.left, None) for one in ended if one.left)
    return Collected(
        collected.batches + sum(not one.left for one in ended),
        collected.answered + sum(isinstance(outcome, Reply) for outcome in outcomes),
        dict(Counter[str](collected.failed) + failed),
        (*collected.open, *left),
    )


async def submit_all(
    model: BatchModel,
    plan: ModelPlan,
    store: Store,
    tally: Tally,
    ledger: Ledger,
    *,
    now: Callable[[], float] = time.time,
    new_nonce: Callable[[], str] = lambda: f"icl-{uuid.uuid4().hex}",
    most_bytes: int = MOST_BYTES,
) -> Submitted:
    """Hand in everything in the plan that is neither stored nor in an open batch, as far as the cap allows.

    One request is asked directly first and its answer kept: it shows, for the
    price of one call, that the model answers, and settles how it wants to be asked.
    """
    already = {d for b in store.batches() if b.model == plan.model for d in b.digests}
    waiting = (at_batch_price(plan, w) for part in unsettled(plan, store, tally, 256, set()) for w in part)
    handed, tried = Submitted(), False
    for chunk in chunks(waiting, model.batch_limit, most_bytes):
        if handed.problem is not None or tally.stopped is not None:
            continue  # the rest of the plan is only counted
        if not tried:
            tried = True
            chunk, problem = await _try_directly(model, plan, chunk, store, tally, ledger)
            handed = Submitted(problem=problem)
        pending = [chunk]
        while pending and handed.problem is None and tally.stopped != "interrupted":
            chunk = pending.pop(0)
            part = _within_cap(chunk, ledger)
            if len(part) < len(chunk):
                tally.stop("budget")
            if not part:
                break
            problem = await _hand_in(model, plan, part, store, ledger, now(), new_nonce())
            if problem is not None and problem.kind == "overflow" and len(part) > 1:
                half = len(part) // 2  # more than one file holds: a service's limit on bytes is its own
                pending = [part[:half], part[half:], *pending]
            elif problem is not None:
                handed = replace(handed, problem=problem)
            else:
                handed = Submitted(handed.batches + 1, handed.requests + len(part))
    # Those in open batches are not stored yet, which `unsettled` cannot tell.
    tally.stored = max(0, tally.stored - len(already))
    tally.batched = sum(len(b.digests) for b in store.batches())
    tally.spent_usd = ledger.spent_usd
    return handed


async def _fetch(
    model: BatchModel, batch: StoredBatch, store: Store, ledger: Ledger, now: Callable[[], float]
) -> BatchState | dict[str, Reply | Failure] | Failure | None:
    """Return the results of a batch or why there are none yet; None if it was never made and is forgotten."""
    ids = [digest.hex() for digest in batch.digests]
    if batch.id is not None:
        return await model.collect(batch.id, ids)
    found = await model.find(batch.nonce, ids, batch.created)
    if isinstance(found, str):
        store.name_batch(batch.nonce, found)
        return await model.collect(found, ids)
    if found is None and not _settled(batch, store, now()):
        wait = f"in {SETTLED_AFTER_S / 60:.0f} minutes"
        return Failure("timeout", f"whether it was made is not known yet; run the same command again {wait}")
    if found is None:
        store.drop_batch(batch.nonce)
        ledger.collect(batch.bound_usd, 0.0)
    return found


def _settled(batch: StoredBatch, store: Store, now: float) -> bool:
    """Return whether a batch that is not listed was never made, noting when it was first looked for."""
    key = f"looked for {batch.nonce}"
    looked = store.get_meta(key)
    if looked is None:
        store.set_meta(key, repr(now))
    return now - batch.created >= LONG_AGO_S or (
        looked is not None and now - float(looked) >= SETTLED_AFTER_S
    )


async def _try_directly(
    model: BatchModel, plan: ModelPlan, chunk: list[Work], store: Store, tally: Tally, ledger: Ledger
) -> tuple[list[Work], Failure | None]:
    """Ask up to three requests directly until one is answered; return the others, or why there is no going on."""
    problem: Failure | None = None
    asked: set[bytes] = set()
    # Not the first ones in a row: contexts of length 0 may be refused where all others are answered.
    for index in dict.fromkeys((len(chunk) // 2, 0, len(chunk) - 1)):
        work = work_of(plan, chunk[index].piece)
        asked.add(work.digest)
        bound = model.attempts * work.bound_usd
        if not ledger.reserve(model.name, bound):
            tally.stop("budget")
            return [], None
        (outcome,) = await model.send([work.piece.request])
        answer = answer_of(plan, work, outcome)
        store.add([answer])
        ledger.settle(model.name, bound, money(answer))
        count_answers(tally, [answer])
        if isinstance(outcome, Reply):
            return [w for w in chunk if w.digest not in asked], None
        problem = outcome
        if not outcome.final:
            break
    return [], problem


async def _hand_in(
    model: BatchModel,
    plan: ModelPlan,
    chunk: list[Work],
    store: Store,
    ledger: Ledger,
    created: float,
    nonce: str,
) -> Failure | None:
    """Write a batch down, hand it in and write down its id; return what went wrong."""
    bound = sum(w.bound_usd for w in chunk)
    digests = tuple(w.digest for w in chunk)
    store.plan_batch(StoredBatch(nonce, plan.model, None, bound, digests, created))
    handed = [(w.digest.hex(), w.piece.request) for w in chunk]
    found: str | Failure | None = await model.submit(handed, nonce)
    if isinstance(found, Failure) and not found.doubtful:
        store.drop_batch(nonce)
        ledger.collect(bound, 0.0)
        return found
    if isinstance(found, Failure):
        problem = found
        found = await model.find(nonce, [key for key, _ in handed], created)
        if not isinstance(found, str):
            return problem  # it stays written down: the next run looks again
    assert isinstance(found, str)
    store.name_batch(nonce, found)
    return None


def _within_cap(chunk: list[Work], ledger: Ledger) -> list[Work]:
    """Return as much of a chunk as the cap allows, with its money set aside: all, half, a quarter ..."""
    while chunk and not ledger.hand_in(sum(w.bound_usd for w in chunk)):
        chunk = chunk[: len(chunk) // 2]
    return chunk
