"""How fast a model is called: as many calls at a time, and as many a second, as its provider lets through."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from harness.adapters._clusters import Clusters
from harness.adapters._door import Door
from harness.adapters._learned_rate import LearnedRate
from harness.adapters._per_loop import PerLoop
from harness.adapters._quotas import Quotas
from harness.adapters._rate_headers import allowances
from harness.types import Failure

_FIRST_CALLS = 8.0  # at a time, before anything is known; doubles with every round of answers
_IDLE_S = 1.0  # with no call under way for longer, the rounds begin anew
_NEWS_S = 0.01  # least time between two looks at what answers under way may have told
_SMOOTHING = 0.1  # weight of the newest answer in the mean time of a call
_LET_THROUGH = 3  # calls sent after a refused one: the server has not had enough
_CHANCE = 0.06  # of all calls, refused at most where refusals may be chance
_SPARE = 1.5  # calls at a time over what rate times duration needs


@dataclass(frozen=True, slots=True)
class Pacing:
    """How a model was paced so far."""

    concurrency: int  # calls at a time that are allowed now
    per_second: float | None  # the rate learned from refusals, None if there was none
    refusals: int  # answers "too many requests"
    episodes: int  # times the pace was cut: refusals of calls under way together are one
    waited_s: float  # with a call ready to go and room for it
    limits: tuple[tuple[str, float], ...]  # told in headers, e.g. ("requests", 500.0)


@dataclass(slots=True)
class _Lone:
    """A refusal while no rate is known, and what is to be restored if it was chance."""

    number: int
    hold_until: float
    most: float
    after: int = 0  # calls sent after it that were let through


class Ticket(NamedTuple):
    """A call that has left."""

    door: Door
    at: float
    number: int  # calls sent, this one included
    tokens: int  # tokens sent, this call's included


async def _close(_: Door) -> None:
    return None


class Pace:
    """One model's pace, shared by all its calls.

    A call enters, is made, and is answered, refused, overloaded or left; it is
    up to the caller that exactly one of these follows. What is known of the
    server holds for all event loops; room is counted in each.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._skipped_s = 0.0  # of sleeps that took no time, as a test's do
        self._doors = PerLoop(Door, _close)
        self._most = _FIRST_CALLS
        self._doubling = True  # the calls at a time with every round, until the server cannot keep up
        self._hold_until = -inf
        self._rate = LearnedRate()
        self._quotas = Quotas()
        self._refused_together, self._failed_together = Clusters(4.0), Clusters(2.5)
        self._mean_s = 0.0  # time of an answered call
        self._last = -inf  # when the last call ended
        self._cut_at = 0  # calls sent when the pace was last cut
        self._feeling = False  # one call at a time until one is let through: nobody said when that will be
        self._feeler = 0  # number of that call, 0 if none is under way
        self._refusals = self._episodes = 0
        self._waited_s = 0.0
        self._lone: _Lone | None = None  # the last refusal, as long as it may have been chance
        self.refused_in_a_row = 0  # episodes since a call was last let through

    @property
    def summary(self) -> Pacing:
        """Return how the model was paced so far."""
        rate = self._rate.per_second(self._now())
        limits = self._quotas.limits
        return Pacing(int(self._most), rate, self._refusals, self._episodes, self._waited_s, limits)

    async def enter(
        self,
        tokens: int = 0,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience_s: float = inf,
    ) -> Ticket | Failure:
        """Wait until a call of at most so many tokens may be made.

        Returns a Failure at once where the server has said that nothing will
        be let through for longer than `patience_s`.
        """
        door = self._doors.here()
        if not door.waiting:
            now = self._now()
            if self._wait(door, now, tokens) <= 0:
                return self._depart(door, now, tokens)
        door.waiting += 1
        try:
            async with door.lock:
                return await self._pass(door, tokens, sleep, patience_s)
        finally:
            door.waiting -= 1

    def answered(self, ticket: Ticket, headers: Mapping[str, str], wall: float) -> None:
        """Take in an answer; `wall` is seconds since 1970."""
        now = self._now()
        took = now - ticket.at
        self._mean_s += (took - self._mean_s) * (_SMOOTHING if self._mean_s else 1.0)
        self._rate.answered(ticket.at, now)
        self._refused_together.answered()
        self._failed_together.answered()
        self.told(ticket, headers, wall)
        if self._lone is not None and ticket.number > self._lone.number:
            self._let_through(self._lone)
        if ticket.number > self._cut_at:
            self._feeling, self.refused_in_a_row = False, 0
        door = ticket.door
        if self._doubling and door.waiting and not self._refusals:
            self._last = now
            door.keep(now, self._most)
            return
        if door.waiting and door.under_way >= int(self._most):
            self._most += 1 if self._doubling else 1 / self._most
        self.left(ticket)

    def refused(self, ticket: Ticket, wait_s: float, *, asked: bool) -> None:
        """Take in "too many requests", with the wait that the server `asked` for or that we chose.

        All calls of the model are held for so long: others would be refused
        too. Not so where calls that were sent after this one were let
        through, or where the server was seen to refuse at random.
        """
        now = self._now()
        self._refusals += 1
        together = ticket.number <= self._cut_at  # sent before an earlier refusal was known
        anew = not together and (not self._rate.haphazard or self._refused_together.failed())
        chance = self._refusals <= 1 + _CHANCE * ticket.number and self._rate.per_second(now) is None
        self._lone = _Lone(ticket.number, self._hold_until, self._most) if anew and chance else None
        self._rate.refused(now, anew=anew)
        if anew:
            if not self._rate.unproven:
                self._cut(ticket.door)
            self._cut_at = self._quotas.requests
            self.refused_in_a_row += 1
            self._feeling = not asked and self.refused_in_a_row > 1
        if anew or (together and asked):
            self._hold_until = max(self._hold_until, now + wait_s)
        self.left(ticket)

    def overloaded(self, ticket: Ticket, wait_s: float = 0.0) -> None:
        """Take in a server that cannot keep up: no answer in time, 503, 529; `wait_s` if it asks for that."""
        if ticket.number > self._cut_at and self._failed_together.failed():
            self._doubling = False
            self._cut(ticket.door)
            self._cut_at = self._quotas.requests
        if wait_s > 0:
            self._hold_until = max(self._hold_until, self._now() + wait_s)
        self.left(ticket)

    def left(self, ticket: Ticket) -> None:
        """Take in the end of a call that tells nothing of the pace."""
        self._last = self._now()
        if self._feeler == ticket.number:
            self._feeler = 0
        ticket.door.leave()

    def told(self, ticket: Ticket, headers: Mapping[str, str], wall: float) -> None:
        """Take in what headers say is left."""
        found = allowances(headers, wall)
        if found:
            self._quotas.told(found, ticket.number, ticket.tokens, self._now())

    def _now(self) -> float:
        return self._clock() + self._skipped_s

    async def _pass(
        self, door: Door, tokens: int, sleep: Callable[[float], Awaitable[None]], patience_s: float
    ) -> Ticket | Failure:
        now = self._now()
        while (wait := self._wait(door, now, tokens)) > 0:
            if wait == inf:
                await door.room()
                now = self._now()
                continue
            if wait > patience_s:
                return Failure("rate_limit", f"not sent: the server lets nothing through for {wait:.0f} s")
            if door.under_way < self._most:
                self._waited_s += wait
            await sleep(wait)
            self._skipped_s += max(0.0, now + wait - self._now())
            now = self._now()
        return self._depart(door, now, tokens)

    def _wait(self, door: Door, now: float, tokens: int) -> float:
        """Return the seconds until a call may leave: 0 or less for now, inf for "when there is room"."""
        if door.under_way >= int(self._most):
            over = door.round_wait(now, self._mean_s)
            if over > 0:
                return over
            self._most += door.end_round(now)
        news = max(_NEWS_S, self._mean_s / 4)
        if self._feeling and self._feeler:
            return news
        short = max(self._hold_until - now, self._quotas.wait(now, tokens))
        # An answer that is under way may tell of more.
        return max(self._rate.wait(now), short if door.idle else min(short, news))

    def _depart(self, door: Door, now: float, tokens: int) -> Ticket:
        self._lone = None
        alone = door.idle
        if alone and self._doubling and not self._refusals and now - self._last > _IDLE_S:
            self._most = min(self._most, _FIRST_CALLS)
        door.depart(now)
        self._quotas.sent(tokens)
        self._rate.sent(now, alone=alone)
        number = self._quotas.requests
        if self._feeling:
            self._feeler = number
        return Ticket(door, now, number, self._quotas.tokens)

    def _let_through(self, lone: "_Lone") -> None:
        """Count a call that left after a refused one; enough of them take the refusal back."""
        lone.after += 1
        if lone.after >= _LET_THROUGH:
            self._hold_until, self._most, self._lone = lone.hold_until, lone.most, None
            self.refused_in_a_row -= 1
            self._rate.revoke()

    def _cut(self, door: Door) -> None:
        self._episodes += 1
        door.end_round(self._now())
        # What a known rate needs is no cause of the trouble.
        needed = _SPARE * (self._rate.per_second(self._now()) or 0.0) * self._mean_s
        self._most = max(1.0, self._most / 2, min(self._most, needed))
