"""The pace: near what a server lets through, few refusals, nothing lost; no brake where nobody limits."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest
from aiohttp import web

from harness.adapters._pace import Pace, Pacing
from harness.adapters._retry import Answered, RetryPolicy, ask_with_retries
from harness.adapters._transport import HttpReply, Transport
from harness.types import Failure
from tests.adapters.virtual_time import Bucket, VirtualLoop, now, policy, run

Send = Callable[[], Awaitable[HttpReply | Failure]]
ASKED = {"retry-after": "1"}
OK = HttpReply(200, {}, b"{}")


@dataclass(frozen=True)
class Ended:
    answers: list[Answered]
    seconds: float
    pacing: Pacing

    @property
    def lost(self) -> int:
        return sum(isinstance(one.outcome, Failure) for one in self.answers)


async def campaign(
    send: Send, calls: int, callers: int, *, pace: Pace | None = None, seed: int = 0, tokens: int = 0
) -> Ended:
    pace = pace or Pace(now)
    rng = random.Random(seed)
    answers: list[Answered] = []
    work = iter(range(calls))
    start = now()
    how = RetryPolicy(jitter=rng.random, now=lambda: 1e9 + now())

    async def caller() -> None:
        for _ in work:
            answers.append(await ask_with_retries(send, how, pace, tokens))

    await asyncio.gather(*(caller() for _ in range(callers)))
    return Ended(answers, now() - start, pace.summary)


# 200 calls, 64 callers, 20 a second with a store of 20: 9.0 s if nothing is wasted and nothing left unused.
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("refusal_s", [0.001, 0.05])
@pytest.mark.parametrize("headers", [ASKED, {}], ids=["asked", "not asked"])
def test_a_throttled_run_takes_little_longer_than_it_must(
    headers: dict[str, str], refusal_s: float, seed: int
) -> None:
    server = Bucket(20, 20, refusal_s=refusal_s, headers=headers)
    ended = run(campaign(server.send, 200, 64, seed=seed))
    assert ended.lost == 0
    assert ended.seconds <= 1.3 * 9.0
    assert server.refused <= 0.10 * (200 + server.refused)


@pytest.mark.parametrize("headers", [ASKED, {}], ids=["asked", "not asked"])
@pytest.mark.parametrize(
    ("rate", "burst", "latency_s", "slack"),
    [
        (20, 20, 0.05, 1.1),
        (20, 1, 0.05, 1.35),
        (100, 100, 0.5, 1.15),
        (100, 10, 0.5, 1.5),
        (3, 3, 0.05, 1.1),
    ],
)
def test_a_long_throttled_run_is_near_the_rate(
    headers: dict[str, str], rate: float, burst: float, latency_s: float, slack: float
) -> None:
    server = Bucket(rate, burst, latency_s=latency_s, headers=headers)
    ended = run(campaign(server.send, 3000, 64))
    assert ended.lost == 0
    assert ended.seconds <= slack * (3000 - burst) / rate
    assert server.refused <= 0.05 * 3000


def test_a_store_found_empty_is_no_lasting_brake() -> None:
    server = Bucket(20, 20, headers=ASKED, level=0.0)
    ended = run(campaign(server.send, 1000, 64))
    assert ended.seconds <= 1.25 * 1000 / 20


def test_a_generous_server_is_not_slowed() -> None:
    paced = run(campaign(Bucket(1e6, 1e6).send, 2000, 64))
    assert paced.seconds <= 1.15 * 2000 / 64 * 0.05
    assert paced.pacing.refusals == 0


@pytest.mark.parametrize("share", [0.002, 0.01, 0.05])
def test_a_server_that_refuses_at_random_is_not_waited_for_by_all(share: float) -> None:
    rng = random.Random(5)

    async def send() -> HttpReply | Failure:
        await asyncio.sleep(0.02)
        return HttpReply(429, ASKED, b"") if rng.random() < share else OK

    ended = run(campaign(send, 10_000, 16))
    assert ended.lost == 0
    assert ended.seconds < 150  # 13 to 45 s without a pace; an hour if every refusal held all calls


def test_calls_that_hang_hold_nobody_up() -> None:
    hang = {3, 20, 40}
    sent = 0

    async def send() -> HttpReply | Failure:
        nonlocal sent
        sent += 1
        await asyncio.sleep(100 if sent in hang else 0.05)
        return OK

    async def main() -> float:
        pace, ends = Pace(now), []

        async def call() -> None:
            await ask_with_retries(send, policy(), pace)
            ends.append(now())

        await asyncio.gather(*(call() for _ in range(1000)))
        return sorted(ends)[-4]

    assert run(main()) < 1.5


def test_after_a_pause_calls_begin_few_at_a_time_again() -> None:
    async def main() -> tuple[int, int]:
        pace, server = Pace(now), Bucket(1e6, 1e6)
        await campaign(server.send, 500, 64, pace=pace)
        before = pace.summary.concurrency
        await asyncio.sleep(5)
        await campaign(server.send, 1, 1, pace=pace)
        return before, pace.summary.concurrency

    assert run(main()) == (64, 8)


def test_nothing_is_sent_while_the_server_says_that_nothing_is_left() -> None:
    server = Bucket(20, 20, tells=True)
    ended = run(campaign(server.send, 200, 64))
    assert (server.refused, ended.pacing.limits) == (0, (("requests", 20.0),))
    assert ended.seconds <= 1.05 * 9.0


def test_nothing_waits_while_enough_is_left() -> None:
    server = Bucket(1e5, 1e6, tells=True)
    ended = run(campaign(server.send, 2000, 64))
    assert ended.seconds <= 1.15 * 2000 / 64 * 0.05
    assert ended.pacing.waited_s == 0


def test_tokens_are_counted_as_well() -> None:
    left, sent = 1000, []

    async def send() -> HttpReply | Failure:
        nonlocal left
        sent.append(now())
        left -= 300
        headers = {
            "anthropic-ratelimit-tokens-limit": "1000",
            "anthropic-ratelimit-tokens-remaining": str(left),
            "anthropic-ratelimit-tokens-reset": "2001-09-09T01:47:10Z",  # 30 s after the clock's start
        }
        await asyncio.sleep(0.05)
        return HttpReply(200, headers, b"{}")

    run(campaign(send, 4, 1, tokens=300))
    assert sent == pytest.approx([0, 0.05, 0.1, 30], abs=0.1)


def test_a_call_larger_than_the_limit_is_sent_when_all_of_it_is_there() -> None:
    times = []

    async def send() -> HttpReply | Failure:
        times.append(now())
        headers = {"limit": "1000", "remaining": "10", "reset": "5s"}
        return HttpReply(200, {f"x-ratelimit-{k}-tokens": v for k, v in headers.items()}, b"{}")

    run(campaign(send, 3, 1, tokens=5000))
    assert times == pytest.approx([0, 5, 10])


def test_one_refusal_holds_all_calls_and_they_come_back_one_by_one() -> None:
    served, until = 0, -1.0
    times: list[float] = []

    async def send() -> HttpReply | Failure:
        nonlocal served, until
        times.append(now())
        if now() < until:
            return HttpReply(429, {"retry-after": "7"}, b"")
        served += 1
        if served == 300:
            until = now() + 7
        await asyncio.sleep(0.05)
        return OK

    ended = run(campaign(send, 400, 16))
    assert ended.lost == 0
    refused = next(t for k, t in enumerate(times) if k >= 300)
    assert not [t for t in times if refused < t < refused + 7]
    after = sorted(t for t in times if t >= refused + 7)
    gaps = [b - a for a, b in pairwise(after[:8])]
    assert min(gaps) > 0.002  # at the rate that was let through before the refusal, not all at once


def test_a_wait_beyond_all_patience_fails_every_call_without_sending_it() -> None:
    sent = 0

    async def send() -> HttpReply | Failure:
        nonlocal sent
        sent += 1
        return HttpReply(429, {"retry-after": "86400"}, b"")

    ended = run(campaign(send, 50, 1))
    assert (ended.lost, sent) == (50, 1)
    last = ended.answers[-1]
    assert isinstance(last.outcome, Failure)
    assert (last.outcome.kind, last.attempts, last.outcome.attempts) == ("rate_limit", 0, 0)
    assert "not sent" in last.outcome.detail


@pytest.mark.parametrize(
    "trouble", [HttpReply(503, {}, b""), HttpReply(529, {}, b""), Failure("timeout", "")]
)
def test_an_overloaded_server_is_asked_half_as_much_once_for_calls_under_way_together(
    trouble: HttpReply | Failure,
) -> None:
    async def main() -> tuple[int, int]:
        pace = Pace(now)
        gate = asyncio.Event()

        async def send() -> HttpReply | Failure:
            await gate.wait()
            return trouble

        once = RetryPolicy(attempts=1)
        calls = [asyncio.create_task(ask_with_retries(send, once, pace)) for _ in range(8)]
        await asyncio.sleep(0)
        before = pace.summary.concurrency
        gate.set()
        await asyncio.gather(*calls)
        return before, pace.summary.concurrency

    assert run(main()) == (8, 4)


def test_a_server_of_few_places_is_not_overrun() -> None:
    server = Bucket(1e6, 1e6)
    most = 0

    async def send() -> HttpReply | Failure:
        nonlocal most
        if server.under_way >= 6:
            await asyncio.sleep(0.001)
            return HttpReply(503, {}, b"")
        most = max(most, server.under_way + 1)
        return await server.send()

    ended = run(campaign(send, 1000, 64))
    assert most == 6
    assert ended.pacing.concurrency <= 12
    assert sum(one.attempts for one in ended.answers) <= 1.35 * 1000


def test_calls_leave_in_the_order_they_came() -> None:
    async def main() -> list[int]:
        pace, order = Pace(now), []

        async def call(k: int) -> None:
            async def send() -> HttpReply | Failure:
                order.append(k)
                await asyncio.sleep(0.05)
                return OK

            await ask_with_retries(send, policy(), pace)

        await asyncio.gather(*(call(k) for k in range(100)))
        return order

    assert run(main()) == list(range(100))


def test_places_survive_cancelled_callers() -> None:
    server = Bucket(20, 20, headers=ASKED)

    async def main() -> tuple[int, int]:
        pace, rng = Pace(now), random.Random(3)
        calls = [asyncio.create_task(ask_with_retries(server.send, policy(), pace)) for _ in range(300)]
        while not all(call.done() for call in calls):
            rng.choice(calls).cancel()
            await asyncio.sleep(0.05)
        ended = await asyncio.gather(*calls, return_exceptions=True)
        after = await campaign(server.send, 50, 64, pace=pace)
        assert server.under_way == 0
        return sum(isinstance(end, Answered) for end in ended), after.lost

    answered, lost = run(main())
    assert answered > 100
    assert lost == 0


def test_what_was_learned_serves_the_next_event_loop() -> None:
    server, pace_clock = Bucket(20, 20, headers=ASKED), VirtualLoop()
    pace = Pace(pace_clock.time)

    async def abandoned() -> None:
        for _ in range(8):  # all places taken, and the loop ends with nobody left to give them back
            await pace.enter()

    run(abandoned())
    first = run(campaign(server.send, 200, 64, pace=pace), pace_clock)
    assert first.lost == 0
    assert first.seconds <= 1.3 * 9.0


def test_a_sleep_that_takes_no_time_ends_every_wait() -> None:
    outcomes: list[HttpReply | Failure] = [HttpReply(429, {"retry-after": "200"}, b""), OK]

    async def send() -> HttpReply | Failure:
        return outcomes.pop(0)

    async def no_sleep(_: float) -> None:
        return None

    answered = asyncio.run(ask_with_retries(send, RetryPolicy(sleep=no_sleep), Pace()))
    assert (answered.outcome, answered.attempts) == (OK, 2)


def test_an_unthrottled_call_costs_little() -> None:
    async def main() -> float:
        pace, best = Pace(), 1.0
        for _ in range(5):
            start = time.process_time()
            for _ in range(2000):
                ticket = await pace.enter(10)
                assert not isinstance(ticket, Failure)
                pace.answered(ticket, {"content-type": "application/json"}, 0.0)
            best = min(best, (time.process_time() - start) / 2000)
        return best

    assert asyncio.run(main()) < 20e-6


async def over_http(per_second: float, calls: int, headers: dict[str, str]) -> tuple[Ended, int]:
    """Call a server on a loopback port that answers after 50 ms."""
    level, filled, refused = per_second, time.monotonic(), 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal level, filled, refused
        level = min(per_second, level + (time.monotonic() - filled) * per_second)
        filled = time.monotonic()
        taken = level >= 1
        level -= taken
        refused += not taken
        await asyncio.sleep(0.05)
        return web.Response(text="{}") if taken else web.Response(status=429, headers=headers)

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    transport = Transport()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        ended = await campaign(lambda: transport.post(url, {}, {}, 30), calls, 64, pace=Pace())
    finally:
        await transport.close()
        await runner.cleanup()
    return ended, refused


@pytest.mark.slow
@pytest.mark.parametrize("headers", [{"Retry-After": "1"}, {}], ids=["asked", "not asked"])
def test_a_throttled_run_over_http_takes_little_longer_than_it_must(headers: dict[str, str]) -> None:
    ended, refused = asyncio.run(over_http(20, 200, headers))
    assert ended.lost == 0
    assert ended.seconds <= 1.3 * 9.0
    assert refused <= 0.10 * (200 + refused)
