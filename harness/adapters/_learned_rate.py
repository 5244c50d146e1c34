"""The rate at which a server lets calls through, learned from its refusals; for servers that do not say."""

import math
from collections import deque

_MEMORY_S = 60.0  # of calls before the first refusal
_DOUBLINGS_S = (
    2.0,
    8.0,
    30.0,
)  # the first, after one refusal, two and more: one says least of what is refilled
_ODD = 3  # refusals of a rate that had been let through before, less those of a higher one
_BY_CHANCE = 2  # that a refusal taken back counts for
_WELL_BELOW = 0.9  # of what had been let through
_SOON = 200  # calls
_MARKS = 8  # times in one doubling at which calls are counted
_BELOW = 0.95  # of the rate that was just refused, at most
_CATCH_UP_S = 0.1  # calls that a busy machine sent late are made up for, this far back
_FORGOTTEN = 10  # doublings without a refusal after which there is no rate any more
_IDLE_S = 1.0  # with nothing to send for longer, the time before does not count


class LearnedRate:
    """Calls a second: none until the first refusal; then what was let through, and a little more each second.

    A server that refills a store of tokens refuses when the store is empty.
    The calls it let through from one refusal to the end of the wait after the
    next, over the time between, are therefore its rate, whatever the size of
    the store. As the rate grows, only the time of its last doubling counts.
    Some servers refuse one call in so many whatever the rate, gateways to
    many others above all: these refuse rates that they let through before,
    which a store that was left to fill does not; then no rate is kept.
    All times are seconds of one clock that the caller reads.
    """

    def __init__(self) -> None:
        self._base: float | None = None
        self._since = 0.0  # when `base` was learned: it grows from here
        self._episodes = 0
        self._next = 0.0  # the next call may leave
        self._through = 0  # calls sent and not, or not yet, refused
        self._marks: deque[tuple[float, int]] = deque()  # (time, let through before), ascending
        self._active = 0.0  # last sign of life
        self._refused_at: float | None = None  # until the wait after a refusal is over
        self._before: float | None = None  # the rate that was refused
        self._sustained = 0.0  # the highest rate learned, but for the first guess
        self._odd = 0
        self._judged = 0  # calls let through when the server was last found haphazard
        self.haphazard = False  # the server refuses now and then, whatever the rate
        self.unproven = False  # resumed after a refusal, and nothing let through yet

    def per_second(self, now: float) -> float | None:
        """Return the rate in force, None while there is none."""
        if self._base is None:
            return None
        doublings = (now - self._since) / self._window_s
        if self._episodes >= len(_DOUBLINGS_S):  # slowly at first where it is known, then the faster
            doublings **= 2
        return self._base * math.exp2(min(_FORGOTTEN, doublings))

    def wait(self, now: float) -> float:
        """Return the seconds until the next call may leave."""
        return 0.0 if self._base is None or self._refused_at is not None else self._next - now

    def sent(self, now: float, *, alone: bool) -> None:
        """Count a call that leaves; `alone` when no other is under way."""
        if self._refused_at is not None:
            self._settle(now, self._refused_at)
            self._marks.append((now, self._through))
        elif self._base is not None and now - self._since > _FORGOTTEN * self._window_s:
            self._base, self._episodes = None, 0
        elif alone and now - max(self._active, self._next) > _IDLE_S:
            self._marks.clear()
        self._mark(now)
        self._through += 1
        self._active = now
        rate = self.per_second(now)
        if rate is not None:
            self._next = max(self._next, now - _CATCH_UP_S) + 1 / rate

    def answered(self, departed: float, now: float) -> None:
        """Take in that a call was let through."""
        if self.unproven and departed >= self._since:
            self.unproven = False
            while self._marks[0][0] < self._since:
                self._marks.popleft()
        self._active = now

    def refused(self, now: float, *, anew: bool) -> None:
        """Take in that a call was not; `anew` begins a wait, and the first call sent after it ends that."""
        self._through -= 1
        if not anew or self._refused_at is not None:
            return
        before = self.per_second(now)
        if self.haphazard:
            self._doubt()
        elif before is not None and not self.unproven:
            below = before < _WELL_BELOW * self._sustained
            self._wonder(1 if below else -1)
            if self.haphazard:
                return
        self._refused_at, self._before = now, before
        while len(self._marks) > 1 and self._marks[1][0] <= now - self._window_s:
            self._marks.popleft()
        self._episodes += not self.unproven

    def revoke(self) -> None:
        """Take the last refusal back, before a call was sent after it: it came by chance."""
        if self._refused_at is not None:
            self._refused_at = None
            self._episodes -= not self.unproven
        if not self.haphazard:
            self._wonder(_BY_CHANCE)

    def _wonder(self, odd: int) -> None:
        """Count a refusal that the rate does not explain; after enough of them no rate will help."""
        self._odd = max(0, self._odd + odd)
        if self._odd >= _ODD:
            self.haphazard, self._judged = True, self._through
            self._base, self._episodes = None, 0

    def _doubt(self) -> None:
        """See whether refusals come together so often that it is for the rate after all."""
        if self._through - self._judged < _SOON:
            self.haphazard, self._odd, self._sustained = False, 0, 0.0
        self._judged = self._through

    @property
    def _window_s(self) -> float:
        """The time in which the rate doubles, and in which calls are counted."""
        return _DOUBLINGS_S[min(self._episodes, len(_DOUBLINGS_S)) - 1] if self._base else _MEMORY_S

    def _mark(self, now: float) -> None:
        if not self._marks or now - self._marks[-1][0] > self._window_s / _MARKS:
            self._marks.append((now, self._through))
            if len(self._marks) > 2 * _MARKS:
                self._marks.popleft()

    def _settle(self, now: float, refused_at: float) -> None:
        start, earlier = self._marks[0]
        through = max(1, self._through - earlier) / max(now - start, 1e-6)
        # Whatever was counted, one call in every such wait will be let through.
        through = max(through, 1 / max(1.0, now - refused_at))
        if self._before is not None:
            self._sustained = max(self._sustained, through)
        self._base = through if self._before is None else min(through, _BELOW * self._before)
        self._since = self._next = now
        self._refused_at, self.unproven = None, True
