"""When a call is made again: for transient failures, a few times, not before the server says."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt

from harness.adapters._status import failure_of
from harness.adapters._transport import HttpReply
from harness.types import Failure

Send = Callable[[], Awaitable[HttpReply | Failure]]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long; the clock, the sleep and the jitter are given so that tests do not wait."""

    attempts: int = 5  # calls in all, the first included
    first_s: float = 1.0  # the wait doubles from here
    most_s: float = 60.0
    patience_s: float = 300.0  # a server that asks to wait longer than this is not waited for
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random  # uniform in [0, 1)


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of one call: a 2xx reply or a typed failure, and how many attempts it took."""

    outcome: HttpReply | Failure
    attempts: int


@dataclass(frozen=True, slots=True)
class _Attempt:
    outcome: HttpReply | Failure
    retry_after_s: float | None = None


async def ask_with_retries(send: Send, policy: RetryPolicy) -> Answered:
    """Call `send` until it is answered, fails for good, or the attempts are used up.

    Waits first_s * 2^k up to most_s, half of it random so that calls that
    failed together do not return together. Where the server says Retry-After,
    never less than that.
    """

    async def attempt() -> _Attempt:
        reply = await send()
        if isinstance(reply, Failure):
            return _Attempt(reply)
        failure = failure_of(reply)
        if failure is None:
            return _Attempt(reply)
        return _Attempt(failure, _retry_after(reply, policy.now))

    def again(result: _Attempt) -> bool:
        wait = result.retry_after_s or 0.0
        return isinstance(result.outcome, Failure) and result.outcome.transient and wait <= policy.patience_s

    result, attempts = await attempt(), 1
    if again(result):  # setting tenacity up costs 0.1 ms, half of a whole call: only failures pay for it
        answers = _replayed(result, attempt)
        retrying = AsyncRetrying(
            stop=stop_after_attempt(policy.attempts),
            wait=lambda state: _wait(state, policy),
            retry=retry_if_result(again),
            sleep=policy.sleep,
            retry_error_callback=_last,
        )
        result = await retrying(answers)
        attempts = int(retrying.statistics["attempt_number"])
    outcome = result.outcome
    if isinstance(outcome, Failure):
        asked = result.retry_after_s
        if outcome.transient and asked is not None and asked > policy.patience_s:
            outcome = replace(outcome, detail=f"{outcome.detail} (asks to wait {asked:.0f} s: too long)")
        outcome = replace(outcome, attempts=attempts)
    return Answered(outcome, attempts)


def _replayed(
    first: _Attempt, attempt: Callable[[], Awaitable[_Attempt]]
) -> Callable[[], Awaitable[_Attempt]]:
    """Return what gives `first` the first time it is called, then makes attempts."""
    made = [first]

    async def answer() -> _Attempt:
        return made.pop() if made else await attempt()

    return answer


def _wait(state: RetryCallState, policy: RetryPolicy) -> float:
    wished = _last(state).retry_after_s
    longest = min(policy.most_s, policy.first_s * 2.0 ** (state.attempt_number - 1))
    if wished is not None:
        return wished + policy.jitter() * min(longest, policy.first_s)
    return longest * (0.5 + 0.5 * policy.jitter())


def _last(state: RetryCallState) -> _Attempt:
    assert state.outcome is not None
    result: _Attempt = state.outcome.result()
    return result


def _retry_after(reply: HttpReply, now: Callable[[], float]) -> float | None:
    """Return the seconds a server asks to wait: milliseconds, seconds or a date (RFC 9110), None if none."""
    try:
        if "retry-after-ms" in reply.headers:
            return max(0.0, float(reply.headers["retry-after-ms"]) / 1000)
        text = reply.headers.get("retry-after")
        if text is None:
            return None
        if text.strip().replace(".", "", 1).isdigit():
            return float(text)
        return max(0.0, parsedate_to_datetime(text).timestamp() - now())
    except (ValueError, TypeError):
        return None  # not as the standard writes it: our own schedule applies
