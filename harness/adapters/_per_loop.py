"""One connection pool for each event loop: sockets belong to the loop that opened them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes a pool when a loop first asks for one, so that a model serves a command line and a notebook alike.

    `close` is awaited in the pool's own loop. `abandon` is called where that
    loop has ended without closing: its sockets can only be let go.
    """

    def __init__(
        self,
        make: Callable[[], T],
        close: Callable[[T], Awaitable[None]],
        abandon: Callable[[T], None] = lambda _: None,
    ) -> None:
        self._make, self._close, self._abandon = make, close, abandon
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()
        self._retired: WeakKeyDictionary[asyncio.AbstractEventLoop, list[T]] = WeakKeyDictionary()

    def here(self) -> T:
        """Return the pool of the running loop."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            for ended in [other for other in self._pools if other.is_closed()]:
                self._abandon(self._pools.pop(ended))
            pool = self._pools[loop] = self._make()
        return pool

    def retire(self) -> None:
        """Give the running loop a new pool at its next call; what is under way in the old one ends there."""
        loop = asyncio.get_running_loop()
        if loop in self._pools:
            self._retired.setdefault(loop, []).append(self._pools.pop(loop))

    async def close(self) -> None:
        """Close the pools of every loop; the next call opens a new one."""
        here = asyncio.get_running_loop()
        while self._pools or self._retired:
            if self._pools:
                loop, pool = self._pools.popitem()
            else:
                loop, pools = next(iter(self._retired.items()))
                pool = pools.pop()
                if not pools:
                    del self._retired[loop]
            if loop is here:
                await self._close(pool)
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._closing(pool), loop))
            else:
                self._abandon(pool)

    async def _closing(self, pool: T) -> None:
        await self._close(pool)
