"""Retries: which failures are tried again, how often and when, without waiting for any of it."""

import asyncio
from email.utils import formatdate

import pytest

from harness.adapters._retry import Answered, RetryPolicy, ask_with_retries
from harness.adapters._transport import HttpReply
from harness.types import Failure

OK = HttpReply(200, {}, b"{}")
RESET = Failure("transport", "reset")


def reply(status: int, **headers: str) -> HttpReply:
    return HttpReply(status, {k.replace("_", "-"): v for k, v in headers.items()}, b"")


def ask(
    outcomes: list[HttpReply | Failure], *, attempts: int = 5, jitter: float = 0.0
) -> tuple[Answered, list[float]]:
    """Send to something that answers `outcomes` in turn; return the end of it and the waits between."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def send() -> HttpReply | Failure:
        return outcomes.pop(0)

    policy = RetryPolicy(attempts=attempts, sleep=sleep, now=lambda: 1e9, jitter=lambda: jitter)
    return asyncio.run(ask_with_retries(send, policy)), waits


@pytest.mark.parametrize(
    "first",
    [reply(429), reply(500), reply(502), reply(503), reply(504), reply(408), RESET, Failure("timeout", "")],
)
def test_transient_failures_are_tried_again(first: HttpReply | Failure) -> None:
    answered, waits = ask([first, OK])
    assert answered == Answered(OK, 2)
    assert len(waits) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_final_failures_are_not_tried_again(status: int) -> None:
    answered, waits = ask([reply(status), OK])
    assert isinstance(answered.outcome, Failure)
    assert (answered.attempts, answered.outcome.attempts, waits) == (1, 1, [])


def test_attempts_are_bounded_and_counted() -> None:
    answered, waits = ask([reply(503)] * 9, attempts=5)
    assert isinstance(answered.outcome, Failure)
    assert (answered.outcome.kind, answered.outcome.attempts, len(waits)) == ("server", 5, 4)


def test_waits_double_and_their_random_half_is_bounded() -> None:
    assert ask([reply(500)] * 5, jitter=0.0)[1] == [0.5, 1, 2, 4]
    assert ask([reply(500)] * 5, jitter=1.0)[1] == [1, 2, 4, 8]


def test_waits_are_capped_at_a_minute() -> None:
    assert max(ask([reply(500)] * 12, attempts=12, jitter=1.0)[1]) == 60


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after": formatdate(1e9 + 9, usegmt=True)}, 9),
        ({"retry_after": formatdate(1e9 - 9, usegmt=True)}, 0),
    ],
)
def test_the_wait_a_server_asks_for_is_kept(header: dict[str, str], seconds: float) -> None:
    assert ask([reply(429, **header), OK])[1] == [seconds]
    with_jitter = ask([reply(429, **header), OK], jitter=0.9)[1][0]
    assert seconds <= with_jitter <= seconds + 1


def test_a_wait_that_cannot_be_read_falls_back_to_our_own() -> None:
    assert ask([reply(429, retry_after="soon"), OK])[1] == [0.5]


def test_an_hour_is_not_waited_for() -> None:
    answered, waits = ask([reply(429, retry_after="3600"), OK])
    assert isinstance(answered.outcome, Failure)
    assert "3600 s" in answered.outcome.detail
    assert waits == []


def test_a_cancelled_call_is_not_tried_again() -> None:
    calls = []

    async def send() -> HttpReply | Failure:
        calls.append(1)
        raise asyncio.CancelledError

    async def main() -> None:
        await ask_with_retries(send, RetryPolicy())

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert len(calls) == 1
