"""When a call is made again: for transient failures, a few times, not before the server says."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from harness.adapters._pace import Pace, Ticket
from harness.adapters._rate_headers import retry_after
from harness.adapters._status import failure_of
from harness.adapters._transport import HttpReply
from harness.types import Failure

Send = Callable[[], Awaitable[HttpReply | Failure]]
_OVERLOADED = {503, 529}  # 529 is Anthropic's "overloaded_error"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long; the clock, the sleep and the jitter are given so that tests do not wait.

    `attempts` bounds what may be billed: all attempts but those refused with
    "too many requests", which cost nothing and are a matter of waiting. Those
    are bounded by `refusals`, and by `patience_s` for all waits of one call
    that followed them. Waiting in line behind other calls of the model counts
    for neither.
    """

    attempts: int = 5  # calls in all, the first included
    first_s: float = 1.0  # the wait doubles from here
    most_s: float = 60.0
    patience_s: float = 300.0  # a server that asks to wait longer than this is not waited for
    refusals: int = 20  # of one call; paced, a call rarely meets more than two
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random  # uniform in [0, 1)


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of one call: a 2xx reply or a typed failure, and how many attempts it took."""

    outcome: HttpReply | Failure
    attempts: int
    doubtful: int = 0  # attempts that may have been billed though no answer came


@dataclass(frozen=True, slots=True)
class _Attempt:
    outcome: HttpReply | Failure
    asked_s: float | None = None  # the wait that the server asks for
    wait_s: float = 0.0  # the wait before the next attempt, if there is one
    sent: bool = True


async def ask_with_retries(
    send: Send, policy: RetryPolicy, pace: Pace | None = None, tokens: int = 0
) -> Answered:
    """Call `send` until it is answered, fails for good, or the attempts are used up.

    Waits first_s * 2^k up to most_s, half of it random so that calls that
    failed together do not return together. Where the server says how long,
    never less than that. With a pace, every attempt enters it first, and a
    refusal holds all calls of the model, not this one alone; `tokens` is the
    most that the call takes, prompt and answer.
    """
    call = _Call(send, policy, pace, tokens)
    result = await call.attempt()
    if call.again(result):  # setting tenacity up costs 0.1 ms, half of a whole call: only failures pay for it
        retrying = AsyncRetrying(
            stop=lambda state: call.exhausted(_last(state)),
            wait=lambda state: _last(state).wait_s,
            retry=retry_if_result(call.again),
            sleep=policy.sleep,
            retry_error_callback=_last,
        )
        result = await retrying(_replayed(result, call.attempt))
    outcome = result.outcome
    if isinstance(outcome, Failure):
        asked = result.asked_s
        if outcome.transient and asked is not None and asked > policy.patience_s:
            outcome = replace(outcome, detail=f"{outcome.detail} (asks to wait {asked:.0f} s: too long)")
        outcome = replace(outcome, attempts=call.attempts, doubtful=call.doubtful)
    return Answered(outcome, call.attempts, call.doubtful)


class _Call:
    """One call's attempts so far, and the rules for the next."""

    def __init__(self, send: Send, policy: RetryPolicy, pace: Pace | None, tokens: int) -> None:
        self._send, self._policy, self._pace, self._tokens = send, policy, pace, tokens
        self.attempts = self.doubtful = 0
        self._refusals = 0
        self._waited_s = 0.0  # after refusals, the wait after the last one included

    async def attempt(self) -> _Attempt:
        """Call once, when the pace allows it."""
        pace, policy = self._pace, self._policy
        if pace is None:
            self.attempts += 1
            return self._judged(await self._send())
        ticket = await pace.enter(self._tokens, sleep=policy.sleep, patience_s=policy.patience_s)
        if isinstance(ticket, Failure):
            return _Attempt(ticket, sent=False)
        self.attempts += 1
        try:
            outcome = await self._send()
        except BaseException:  # a cancelled call too gives its place back
            pace.left(ticket)
            raise
        result = self._judged(outcome)
        self._report(pace, ticket, outcome, result)
        return result

    def again(self, result: _Attempt) -> bool:
        """Return whether asking again can help."""
        outcome = result.outcome
        if not isinstance(outcome, Failure) or not outcome.transient or not result.sent:
            return False
        return (result.asked_s or 0.0) <= self._policy.patience_s

    def exhausted(self, result: _Attempt) -> bool:
        """Return whether this was the last attempt."""
        if _refused(result.outcome):
            return self._refusals >= self._policy.refusals or self._waited_s > self._policy.patience_s
        return self.attempts - self._refusals >= self._policy.attempts

    def _judged(self, outcome: HttpReply | Failure) -> _Attempt:
        if isinstance(outcome, Failure):
            # A transport that could not even connect says so by 0 attempts. Any other may have been served.
            lost = outcome.kind in ("timeout", "transport") and outcome.attempts > 0
            self.doubtful += max(outcome.doubtful, lost)
            return self._timed(outcome, None)
        failure = failure_of(outcome)
        if failure is None:
            return _Attempt(outcome)
        return self._timed(failure, retry_after(outcome, self._policy.now()) if failure.transient else None)

    def _timed(self, failure: Failure, asked_s: float | None) -> _Attempt:
        """Return the attempt with the wait that follows it, which is drawn once."""
        policy, refused = self._policy, _refused(failure)
        self._refusals += refused
        failed = self.attempts - self._refusals
        if refused:  # paced, the calls of a model wait together: what counts is how long none was let through
            failed = self._refusals if self._pace is None else self._pace.refused_in_a_row + 1
        longest = min(policy.most_s, policy.first_s * 2.0 ** min(failed - 1, 60))
        if asked_s is None:
            wait_s = longest * (0.5 + 0.5 * policy.jitter())
        else:
            together = 0.0 if self._pace else policy.jitter()  # a pace lets them leave one after another
            wait_s = asked_s + together * min(longest, policy.first_s)
        self._waited_s += refused * wait_s
        return _Attempt(failure, asked_s, wait_s)

    def _report(self, pace: Pace, ticket: Ticket, outcome: HttpReply | Failure, result: _Attempt) -> None:
        """Tell the pace what came of the attempt."""
        failure = result.outcome
        if not isinstance(failure, Failure):
            pace.answered(ticket, failure.headers, self._policy.now())
            return
        status = 0
        if isinstance(outcome, HttpReply):
            status = outcome.status
            pace.told(ticket, outcome.headers, self._policy.now())
        if failure.kind == "rate_limit":
            pace.refused(ticket, result.wait_s, asked=result.asked_s is not None)
        elif failure.kind == "timeout" or status in _OVERLOADED:
            pace.overloaded(ticket, result.asked_s or 0.0)
        else:
            pace.left(ticket)


def _refused(outcome: HttpReply | Failure) -> bool:
    return isinstance(outcome, Failure) and outcome.kind == "rate_limit"


def _replayed(
    first: _Attempt, attempt: Callable[[], Awaitable[_Attempt]]
) -> Callable[[], Awaitable[_Attempt]]:
    """Return what gives `first` the first time it is called, then makes attempts."""
    made = [first]

    async def answer() -> _Attempt:
        return made.pop() if made else await attempt()

    return answer


def _last(state: RetryCallState) -> _Attempt:
    assert state.outcome is not None
    result: _Attempt = state.outcome.result()
    return result
