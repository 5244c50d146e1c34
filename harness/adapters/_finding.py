"""A server's dialect found by its first requests: what they are refused for is left out or said otherwise."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeGuard

from harness.adapters._dialect import Dialect, variants
from harness.adapters._reasoning import mute, reasoned, spent
from harness.adapters._relaxing import last_resort, relaxed
from harness.adapters._retry import Answered
from harness.adapters._transport import HttpReply
from harness.types import Failure

Ask = Callable[[Dialect], Awaitable[Answered]]  # one request in a dialect
_STEPS = 8  # things said otherwise before a refusal stands; no service is known to need more than four


async def score_first(ask: Ask, known: Dialect) -> tuple[Answered, Dialect]:
    """Send a request that does not draw before any has drawn, as a resumed run does.

    What its refusals name is said otherwise. Whether draws would follow the
    whole distribution remains open.
    """
    answered = await ask(known)
    for _ in range(_STEPS):
        outcome = answered.outcome
        better = relaxed(known, outcome.detail, 0) if _refused(outcome) else None
        if better is None:
            break
        answered, known = await ask(better), better
    return answered, known


async def draw_first(ask: Ask, known: Dialect, *, strict: bool, room: int) -> tuple[Answered, Dialect]:
    """Send a drawing request in one dialect after another until it is accepted and answered.

    `strict` is for services that refuse fields that are not their own, `room`
    the tokens that a draw may spend on hidden reasoning, 0 for none. Replies
    that are passed over count as attempts that may have been billed.
    """
    starts, passed = [known], list[Answered]()
    for _ in range(_STEPS):
        for dialect in variants(known, strict=strict):
            answered = await ask(dialect)
            passed.append(answered)
            better = _otherwise(answered.outcome, dialect, room)
            if better is not None or not _refused(answered.outcome):
                break
        else:  # refused in its barest form too
            better = last_resort(known, answered.outcome)
        if better is None or better in starts:
            break
        known = better
        starts.append(known)
    outcome = answered.outcome
    if room and not dialect.hidden_tokens and isinstance(outcome, HttpReply) and mute(outcome.body):
        # Cut off unseen, as by a model that reasons and does not say so.
        roomy = replace(dialect, hidden_tokens=room)
        passed.append(await ask(roomy))
        again = passed[-1].outcome
        if isinstance(again, HttpReply) and reasoned(again.body):
            answered, dialect = passed[-1], roomy
    return _with_doubts(answered, passed), dialect


def _otherwise(outcome: HttpReply | Failure, dialect: Dialect, room: int) -> Dialect | None:
    """Return the dialect that this outcome asks for, None if it stands as it is."""
    if isinstance(outcome, Failure):
        return relaxed(dialect, outcome.detail, room) if _refused(outcome) else None
    if room and not dialect.hidden_tokens and spent(outcome.body):
        return replace(dialect, hidden_tokens=room)
    return None


def _with_doubts(answered: Answered, passed: Sequence[Answered]) -> Answered:
    """Return an answer with what those it is the last of may have been billed for."""
    others = [other for other in passed if other is not answered]
    more = sum(other.doubtful + isinstance(other.outcome, HttpReply) for other in others)
    if not more:
        return answered
    outcome, doubtful = answered.outcome, answered.doubtful + more
    if isinstance(outcome, Failure):
        outcome = replace(outcome, doubtful=doubtful)
    return replace(answered, outcome=outcome, doubtful=doubtful)


def _refused(outcome: HttpReply | Failure) -> TypeGuard[Failure]:
    return isinstance(outcome, Failure) and outcome.kind == "request"
