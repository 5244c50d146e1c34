"""The one writer of a run: answers that arrive together are committed together."""

import asyncio
from collections.abc import Sequence

from harness.store import Answer, Store


class Journal:
    """Commits answers in groups, so that one flush to the disk serves all that came meanwhile."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Answer] = []
        self._commit: asyncio.Future[None] | None = None

    async def add(self, answers: Sequence[Answer]) -> None:
        """Return once the answers are on disk. Raises StoreFull, to everyone whose answers were not written."""
        self._waiting += answers
        if self._commit is None:
            self._commit = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(self._write)
        await asyncio.shield(self._commit)

    def _write(self) -> None:
        commit, answers = self._commit, self._waiting
        self._commit, self._waiting = None, []
        assert commit is not None
        try:
            self._store.add(answers)
        except Exception as error:
            commit.set_exception(error)
            commit.exception()  # every waiter may have been cancelled: then nobody asks for it
        else:
            commit.set_result(None)
