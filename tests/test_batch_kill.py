"""A run with batches killed with SIGKILL at any step pays for nothing twice and loses nothing."""

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
from aiohttp import web

from tests.adapters.batch_stub import BatchStub

SUITE = """\
name: small
seed: 3
models: [openai-api/stub/m]
tasks:
  - family: periodic
    params: {period: 2, symbols: binary}
    context_lengths: [0, 2, 4, 6]
    sequences: 4
    render: {form: chat}
"""
_WAITING = 5  # exit status: a batch is not collected yet


class Runs:
    """The same command, run again and again against one stub; `doomed` is the process to be killed."""

    def __init__(self, folder: Path, stub: BatchStub) -> None:
        self.folder, self.stub = folder, stub
        self.doomed: asyncio.subprocess.Process | None = None
        (folder / "s.yaml").write_text(SUITE)

    async def once(self, *options: str) -> int:
        """Run to the end or to the kill and return the exit status."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "harness", "run", "s.yaml", "-o", "run", *options),
            cwd=self.folder,
            env={**os.environ, "STUB_BASE_URL": self.stub.url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.doomed = process
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode in (0, _WAITING, -signal.SIGKILL), errors.decode()
        return process.returncode

    def kill(self) -> None:
        """Kill the process that waits for an answer."""
        assert self.doomed is not None
        self.doomed.kill()

    async def kill_then_drop(self, _: web.Request) -> web.StreamResponse:
        """A fault: kill whoever asks, and answer nothing useful."""
        self.kill()
        return web.Response(status=503)

    def rows(self, what: str) -> int:
        connection = sqlite3.connect(f"file:{self.folder / 'run' / 'run.sqlite'}?mode=ro", uri=True)
        (count,) = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
        connection.close()
        return int(count)


def test_killed_between_the_making_of_a_batch_and_its_record(tmp_path: Path) -> None:
    """The window in which money would be spent twice: made at the provider, its id in no file of ours."""

    async def main() -> None:
        async with BatchStub(polls=0) as stub:
            runs = Runs(tmp_path, stub)
            stub.on_created = runs.kill
            assert await runs.once("--batch") == -signal.SIGKILL
            stub.on_created = lambda: None
            assert len(stub.jobs) == 1
            assert runs.rows("batches WHERE id IS NULL") == 1
            asked = len(stub.direct)
            assert await runs.once("--batch") == 0
            assert len(stub.jobs) == 1
            assert set(stub.carried.values()) == {1}
            assert len(stub.direct) == asked
            assert runs.rows("replies") == len(stub.carried) + 1  # one is asked directly before a batch
            assert runs.rows("failures") == runs.rows("batches") == 0

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("step", ["upload", "list", "get", "download"])
def test_killed_at_any_other_step(tmp_path: Path, step: str, batched: bool) -> None:
    """Whichever way the next run asks, it collects what is open and asks for nothing that was carried out."""
    later = ["--batch"] if batched else []

    async def main() -> None:
        async with BatchStub(polls=0) as stub:
            runs = Runs(tmp_path, stub)
            if step in ("upload", "list"):
                stub.faults[step] = [runs.kill_then_drop]
                assert await runs.once("--batch") == -signal.SIGKILL
                assert not stub.jobs
                # Not known to have been made or not: nothing is asked before that can be known.
                assert await runs.once(*later) == _WAITING
                connection = sqlite3.connect(tmp_path / "run" / "run.sqlite")
                connection.execute("UPDATE batches SET created = created - 10000")
                connection.commit()
                connection.close()
                assert await runs.once("--batch") == _WAITING
            else:
                assert await runs.once("--batch") == _WAITING
                stub.faults[step] = [runs.kill_then_drop]
                assert await runs.once(*later) == -signal.SIGKILL
            assert await runs.once(*later) == 0
            assert len(stub.jobs) == 1
            assert set(stub.carried.values()) == {1}
            assert runs.rows("failures") == runs.rows("batches") == 0
            replies = runs.rows("replies")
            assert await runs.once(*later) == 0
            assert runs.rows("replies") == replies >= len(stub.carried) + 1

    asyncio.run(main())
