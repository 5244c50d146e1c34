"""Retries: which failures are tried again, how often and when, without waiting for any of it."""

import asyncio
from email.utils import formatdate

import pytest

from harness.adapters._pace import Pace
from harness.adapters._retry import Answered, RetryPolicy, ask_with_retries
from harness.adapters._transport import HttpReply
from harness.types import Failure

OK = HttpReply(200, {}, b"{}")
RESET = Failure("transport", "reset")
UNREACHED = Failure("transport", "connection refused", attempts=0)
SLOW = Failure("timeout", "no answer within 1 s")


def reply(status: int, **headers: str) -> HttpReply:
    return HttpReply(status, {k.replace("_", "-"): v for k, v in headers.items()}, b"")


def ask(
    outcomes: list[HttpReply | Failure],
    *,
    attempts: int = 5,
    refusals: int = 20,
    jitter: float = 0.0,
    pace: Pace | None = None,
) -> tuple[Answered, list[float]]:
    """Send to something that answers `outcomes` in turn; return the end of it and the waits between."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def send() -> HttpReply | Failure:
        return outcomes.pop(0)

    policy = RetryPolicy(
        attempts=attempts, refusals=refusals, sleep=sleep, now=lambda: 1e9, jitter=lambda: jitter
    )
    return asyncio.run(ask_with_retries(send, policy, pace)), waits


@pytest.mark.parametrize(
    "first",
    [reply(429), reply(500), reply(502), reply(503), reply(504), reply(408), RESET, UNREACHED, SLOW],
)
def test_transient_failures_are_tried_again(first: HttpReply | Failure) -> None:
    answered, waits = ask([first, OK])
    assert (answered.outcome, answered.attempts) == (OK, 2)
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


@pytest.mark.parametrize("pace", [None, Pace(lambda: 0.0)])
def test_refusals_use_up_no_attempts_but_are_bounded_too(pace: Pace | None) -> None:
    answered, _ = ask([*[reply(429)] * 9, *[reply(503)] * 2, OK], attempts=3, pace=pace)
    assert (answered.outcome, answered.attempts) == (OK, 12)
    answered, _ = ask([reply(429, retry_after="0")] * 30, refusals=7)
    assert isinstance(answered.outcome, Failure)
    assert (answered.outcome.kind, answered.attempts) == ("rate_limit", 7)


def test_the_waits_after_refusals_are_bounded_in_all() -> None:
    answered, waits = ask([reply(429, retry_after="90")] * 9)
    assert isinstance(answered.outcome, Failure)
    assert (answered.attempts, waits) == (
        4,
        [90, 90, 90],
    )  # a fourth would make it 360 s, and 300 are allowed


@pytest.mark.parametrize(
    ("outcomes", "doubtful"),
    [
        ([OK], 0),
        ([SLOW, OK], 1),
        ([RESET, SLOW, RESET, OK], 3),
        ([UNREACHED, OK], 0),  # nothing was sent
        ([reply(429), reply(500), reply(504), reply(408), OK], 0),  # answered: not billed
        ([SLOW] * 5, 5),
        ([RESET, reply(400)], 1),
        ([UNREACHED] * 5, 0),
        ([Failure("server", "an error with HTTP 200 and tokens counted", doubtful=1), OK], 1),
    ],
)
def test_attempts_that_may_have_been_billed_are_counted(
    outcomes: list[HttpReply | Failure], doubtful: int
) -> None:
    answered, _ = ask(list(outcomes))
    assert (answered.attempts, answered.doubtful) == (len(outcomes), doubtful)
    if isinstance(answered.outcome, Failure):
        assert (answered.outcome.attempts, answered.outcome.doubtful) == (len(outcomes), doubtful)


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


def test_a_cancelled_call_gives_its_place_back() -> None:
    async def main() -> int:
        pace = Pace()

        async def never() -> HttpReply | Failure:
            await asyncio.Event().wait()
            return OK

        async def ok() -> HttpReply | Failure:
            return OK

        calls = [asyncio.create_task(ask_with_retries(never, RetryPolicy(), pace)) for _ in range(30)]
        await asyncio.sleep(0.01)  # 8 under way, 22 in line
        for call in calls:
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        answered = await asyncio.gather(*(ask_with_retries(ok, RetryPolicy(), pace) for _ in range(30)))
        return sum(one.outcome == OK for one in answered)

    assert asyncio.run(main()) == 30


def test_a_call_that_raises_gives_its_place_back() -> None:
    async def main() -> Answered:
        pace = Pace()

        async def broken() -> HttpReply | Failure:
            raise ZeroDivisionError

        async def ok() -> HttpReply | Failure:
            return OK

        for _ in range(20):
            with pytest.raises(ZeroDivisionError):
                await ask_with_retries(broken, RetryPolicy(), pace)
        return await ask_with_retries(ok, RetryPolicy(), pace)

    assert asyncio.run(main()) == Answered(OK, 1)
