"""The store keeps every committed reply, whatever happens to the process or the disk."""

import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from harness.errors import RunLocked, StoreError, StoreFull, WrongRun
from harness.store import Answer, Store
from harness.store_files import open_store, write_store
from harness.types import Failure, Reply


def reply(raw: bytes = b"{}") -> Reply:
    return Reply(raw, prompt_tokens=3, completion_tokens=1, served_model="m-1", attempts=1, seconds=0.1)


def answer(key: int, outcome: Reply | Failure) -> Answer:
    return Answer(key.to_bytes(32, "big"), "mock/m", "{}", outcome, 0.25)


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_a_reply_comes_back_byte_for_byte(tmp_path: Path) -> None:
    raws = [b"", b"{}", os.urandom(5000), b"0101" * 3000]
    with write_store(tmp_path / "run", "s", "d") as store:
        store.add([answer(i, reply(raw)) for i, raw in enumerate(raws)])
    store = open_store(tmp_path / "run")
    found = store.replies(key(i) for i in range(4))
    assert found == {key(i): reply(raw) for i, raw in enumerate(raws)}
    store.close()


def test_only_what_may_change_is_asked_again(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        store.add(
            [answer(1, reply()), answer(2, Failure("refused", "no")), answer(3, Failure("timeout", "slow"))]
        )
        assert store.settled([key(1), key(2), key(3), key(4)]) == {key(1), key(2)}
        store.add([answer(3, reply())])
        assert store.settled([key(3)]) == {key(3)}
        assert store.failures([key(3)]) == {}


def test_a_reply_is_never_replaced(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        store.add([answer(1, reply(b"first"))])
        store.add([answer(1, reply(b"second"))])
        assert store.replies([key(1)])[key(1)].raw == b"first"


def test_spending_adds_up_and_says_when_it_is_unknown(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        store.add([answer(1, reply()), answer(2, reply())])
        spent = store.spending("mock/m")
        assert (spent.replies, spent.prompt_tokens, spent.cost_usd, spent.served_models) == (
            2,
            6,
            0.5,
            ("m-1",),
        )
        store.add([Answer(key(3), "mock/m", "{}", reply(), None)])
        assert store.spending("mock/m").cost_usd is None


def test_another_suite_is_refused(tmp_path: Path) -> None:
    with write_store(tmp_path, "first", "aaaa") as store:
        store.set_meta("suite", "first")
    with (
        pytest.raises(WrongRun, match="holds a run of suite 'first'"),
        write_store(tmp_path, "second", "bbbb"),
    ):
        pass


def test_a_second_writer_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        with pytest.raises(RunLocked, match=f"id {os.getpid()}"), write_store(tmp_path, "s", "d"):
            pass
        store.add([answer(1, reply())])
    with write_store(tmp_path, "s", "d") as store:
        assert store.settled([key(1)]) == {key(1)}


def _write_until_killed(path: Path, acknowledged: "multiprocessing.connection.Connection") -> None:
    with write_store(path, "s", "d") as store:
        for i in range(100_000):
            store.add([answer(i, reply(os.urandom(300)))])
            acknowledged.send(i)


def test_no_acknowledged_reply_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_write_until_killed, args=(tmp_path, theirs))
    process.start()
    last = max(ours.recv() for _ in range(400))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while ours.poll():
        try:
            last = ours.recv()
        except EOFError:
            break
    with write_store(tmp_path, "s", "d") as store:  # the lock died with its holder
        assert len(store.settled(key(i) for i in range(last + 1))) == last + 1


def _fill(store: Store, acknowledged: list[int]) -> None:
    for i in range(1, 1000):
        store.add([answer(i, reply(os.urandom(2000)))])
        acknowledged.append(i)


def test_a_full_disk_stops_cleanly_with_nothing_lost(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        store.add([answer(0, reply())])
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages + 5}")  # a size limit works for root too
        acknowledged: list[int] = []
        with pytest.raises(StoreFull, match="all replies committed so far are kept"):
            _fill(store, acknowledged)
    with write_store(tmp_path, "s", "d") as store:
        assert store.settled(key(i) for i in range(1000)) == {key(0), *map(key, acknowledged)}
        store.add([answer(999, reply())])


def test_a_path_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreFull, match="give another -o"), write_store(tmp_path / "file" / "run", "s", "d"):
        pass


def test_a_folder_without_a_run_and_a_file_that_is_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no run here"):
        open_store(tmp_path)
    (tmp_path / "run.sqlite").write_text(
        "this is not a database at all, but long enough to be read as one" * 9
    )
    with pytest.raises(StoreError, match="not a run of icl-harness"):
        open_store(tmp_path)


def test_a_run_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        store.set_meta("version", "99")
    with pytest.raises(StoreError, match="newer icl-harness"):
        open_store(tmp_path)


def test_changed_sequences_are_noticed(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        store.set_symbols("condition", "old")
        store.check_symbols("another", "any")
        with pytest.raises(StoreError, match="its family was changed since"):
            store.set_symbols("condition", "new")


def test_the_file_is_ordinary_sqlite(tmp_path: Path) -> None:
    with write_store(tmp_path, "s", "d") as store:
        store.add([answer(1, reply())])
    connection = sqlite3.connect(tmp_path / "run.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT model, served_model, attempts FROM replies").fetchall() == [
        ("mock/m", "m-1", 1)
    ]
    connection.close()
