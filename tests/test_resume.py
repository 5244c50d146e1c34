"""A run killed at any point goes on with the same command and asks for nothing it already has."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.synthetic import SUITE

MODEL = "mock/logistic?location=8&width=4&ways=next_token"


def start(folder: Path, suite: str = SUITE) -> "subprocess.Popen[bytes]":
    (folder / "s.yaml").write_text(suite.replace("sequences: 6", "sequences: 150"))
    command = [sys.executable, "-m", "harness", "run", "s.yaml", "-m", MODEL, "-o", "run"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def stored(folder: Path) -> dict[bytes, float]:
    """Return the digest of every stored reply with the time it was written."""
    try:
        connection = sqlite3.connect(f"file:{folder / 'run' / 'run.sqlite'}?mode=ro", uri=True)
        rows = dict(connection.execute("SELECT digest, created FROM replies"))
        connection.close()
    except sqlite3.OperationalError:
        return {}
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, sent: signal.Signals) -> None:
    process = start(tmp_path)
    deadline = time.monotonic() + 60
    while len(stored(tmp_path)) < 40 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, sent)
    process.communicate(timeout=60)
    assert process.returncode == (-9 if sent == signal.SIGKILL else 130)
    before = stored(tmp_path)
    assert 40 <= len(before) < 2400
    again = start(tmp_path)
    _, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    after = stored(tmp_path)
    assert {digest: after[digest] for digest in before} == before  # not one was asked for or written again
    assert f"{len(after) - len(before)} answered" in errors.decode()
