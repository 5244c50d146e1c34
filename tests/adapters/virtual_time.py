"""An event loop whose clock jumps to the next timer, and a server on it that limits its rate."""

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

from harness.adapters._retry import RetryPolicy
from harness.adapters._transport import HttpReply
from harness.types import Failure

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: the time it was to wait is added to `now` instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("all tasks wait for each other: no timer will ever wake one")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(main: Coroutine[object, object, T], loop: VirtualLoop | None = None) -> T:
    with asyncio.Runner(loop_factory=lambda: loop or VirtualLoop()) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


def policy(seed_jitter: float = 0.5) -> RetryPolicy:
    return RetryPolicy(jitter=lambda: seed_jitter, now=lambda: 1e9 + now())


@dataclass
class Bucket:
    """A server that holds `burst` tokens, refilled at `rate` a second; a call takes one or is refused."""

    rate: float
    burst: float
    latency_s: float = 0.05
    refusal_s: float = 0.05  # how long a refusal takes
    headers: dict[str, str] = field(default_factory=dict)  # of refusals
    tells: bool = False  # what is left, in every answer, as OpenAI does
    level: float = -1.0
    filled: float = 0.0
    answered: int = 0
    refused: int = 0
    under_way: int = 0
    most: int = 0  # calls under way at one time
    times: list[float] = field(default_factory=list)

    def take(self) -> bool:
        if self.level < 0:
            self.level, self.filled = self.burst, now()
        self.level = min(self.burst, self.level + (now() - self.filled) * self.rate)
        self.filled = now()
        if self.level < 1:
            return False
        self.level -= 1
        return True

    def told(self) -> dict[str, str]:
        if not self.tells:
            return {}
        reset_s = (self.burst - self.level) / self.rate  # until it is whole again
        names = ("limit", "remaining", "reset")
        values = (str(int(self.burst)), str(int(self.level)), f"{1000 * reset_s:.0f}ms")
        return {f"x-ratelimit-{name}-requests": value for name, value in zip(names, values, strict=True)}

    async def send(self) -> HttpReply | Failure:
        self.times.append(now())
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            taken = self.take()
            told = self.told()
            if not taken:
                self.refused += 1
                await asyncio.sleep(self.refusal_s)
                return HttpReply(429, {**self.headers, **told}, b"")
            await asyncio.sleep(self.latency_s)
            self.answered += 1
            return HttpReply(200, told, b"{}")
        finally:
            self.under_way -= 1
