"""One writer: answers that come together are one commit, and nobody goes on before it."""

import asyncio
import random
from pathlib import Path

from harness.errors import StoreFull
from harness.journal import Journal
from harness.store import Answer, Store
from harness.store_files import write_store
from harness.types import Reply


def answer(i: int, size: int = 10) -> Answer:
    return Answer(bytes([i]) * 32, "m", "{}", Reply(random.Random(i).randbytes(size), 1, 1, "m", 1, 0.0), 0.0)


class Counting(Store):
    """A store that counts its commits."""

    commits = 0

    def add(self, answers: list[Answer]) -> None:  # type: ignore[override]
        type(self).commits += 1
        super().add(answers)


def test_answers_of_one_moment_share_a_commit_and_are_on_disk_when_add_returns(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        store.__class__ = Counting
        journal = Journal(store)

        async def worker(i: int) -> bool:
            await asyncio.sleep(0)
            await journal.add([answer(i)])
            return bytes([i]) * 32 in store.replies([bytes([i]) * 32])

        async def all_workers() -> list[bool]:
            return await asyncio.gather(*map(worker, range(20)))

        assert all(asyncio.run(all_workers()))
        assert Counting.commits < 5


def test_a_full_disk_reaches_everyone_whose_answer_was_not_written_and_the_rest_is_kept(
    tmp_path: Path,
) -> None:
    with write_store(tmp_path, "s", "d") as store:
        journal = Journal(store)

        async def fill() -> list[BaseException | None]:
            await journal.add([answer(0)])
            pages = store._db.execute("PRAGMA page_count").fetchone()[0]
            store._db.execute(f"PRAGMA max_page_count = {pages + 1}")
            store._db.execute("PRAGMA wal_checkpoint")
            late = [journal.add([answer(i, 200_000)]) for i in (1, 2)]
            return await asyncio.gather(*late, return_exceptions=True)

        outcomes = asyncio.run(fill())
        assert [type(o) for o in outcomes] == [StoreFull, StoreFull]
        assert set(store.replies([bytes([i]) * 32 for i in range(3)])) == {b"\0" * 32}
