"""The calls of one event loop on their way out: they pass one at a time, and at first in rounds."""

import asyncio
from dataclasses import dataclass, field
from math import inf

_STRAGGLERS = 2.0  # times as long as half of a round took: the rest of it is not waited for
_GLANCE_S = 0.001  # least time between two looks at whether a round is over


@dataclass(slots=True)
class Door:
    """Counts the calls under way, and those of a round whose places are kept until the round is over.

    A server that has had enough refuses calls of the same round: with rounds,
    all their answers are seen before more calls leave.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0  # the one that holds the lock included
    under_way: int = 0  # answered ones that keep their places included
    _kept: int = 0
    _round_at: float = -inf  # when the first call of the round left
    _half_s: float = inf  # the time that half of the round took, so far
    _freed: "asyncio.Future[None] | None" = None  # what the first in line waits for when there is no room

    @property
    def idle(self) -> bool:
        """Whether no answer is outstanding."""
        return self.under_way == self._kept

    def depart(self, now: float) -> None:
        """Count a call that leaves."""
        if self.idle:
            self.end_round(now)
        self.under_way += 1

    def leave(self) -> None:
        """Count a call that has ended."""
        self.under_way -= 1
        self._wake()

    def keep(self, now: float, most: float) -> None:
        """Count a call that has been answered and keeps its place until the round of at most so many is over."""
        self._kept += 1
        if 2 * self._kept <= most:
            self._half_s = now - self._round_at
        self._wake()

    def round_wait(self, now: float, mean_s: float) -> float:
        """Return 0 if the round is over, else the seconds until it is worth a look, inf for "at an answer"."""
        if not self._kept:
            return inf
        left = self._round_at + _STRAGGLERS * self._half_s - now
        if self.idle or left <= 0:
            return 0.0
        return min(left, max(_GLANCE_S, mean_s / 16))  # the last answer may come at any time

    def end_round(self, now: float) -> int:
        """Free the places that were kept and return their number."""
        freed, self._kept = self._kept, 0
        self.under_way -= freed
        self._round_at, self._half_s = now, inf
        return freed

    async def room(self) -> None:
        """Wait for the next call to end; for the first in line alone."""
        self._freed = asyncio.get_running_loop().create_future()
        await self._freed

    def _wake(self) -> None:
        if self._freed is not None and not self._freed.done():
            self._freed.set_result(None)
