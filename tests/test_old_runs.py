"""Runs that an earlier version wrote open, go on and are shown in this one."""

import json
import sqlite3
from pathlib import Path

from harness.execute import RunOptions, execute
from harness.runs import open_run
from harness.store_files import open_store
from tests.synthetic import small_suite

VERSION_1 = (
    *("prefixes", "top_logprobs", "full", "max_samples", "seed"),
    *("max_context_tokens", "findings"),
)
MODEL = "mock/logistic?location=8&width=4&fail=0.1"


def as_version_1(run: Path) -> None:
    """Take everything out of a run's file that version 1 did not have."""
    db = sqlite3.connect(run / "run.sqlite")
    with db:
        for column in ("cached_tokens", "hidden_tokens"):
            db.execute(f"ALTER TABLE replies DROP COLUMN {column}")
        db.execute("DROP TABLE doubts")
        db.execute("DROP TABLE batches")
        db.execute("DELETE FROM meta WHERE key LIKE 'in_flight%'")
        db.execute("UPDATE meta SET value = '1' WHERE key = 'version'")
        # The record of the model had fewer fields too.
        for name, text in db.execute("SELECT name, record FROM models").fetchall():
            record = json.loads(text)
            known = {key: record["capabilities"][key] for key in VERSION_1}
            old = {
                "fingerprint": record["fingerprint"],
                "settings": record["settings"],
                "capabilities": known,
            }
            db.execute("UPDATE models SET record = ? WHERE name = ?", (json.dumps(old), name))
    db.close()


def test_a_run_of_version_1_is_shown_without_being_changed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    execute(small_suite(), RunOptions(models=(MODEL,), out=out))
    before = [c.transition for c in open_run(out).result.curves]
    as_version_1(out)
    bytes_before = (out / "run.sqlite").read_bytes()
    result = open_run(out).recompute()
    assert [c.transition for c in result.curves] == before
    assert (result.models[0].hidden_tokens, result.models[0].doubtful_usd) == (0, 0.0)
    assert (out / "run.sqlite").read_bytes() == bytes_before


def test_a_run_of_version_1_goes_on_where_it_stopped(tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = execute(small_suite(), RunOptions(models=(MODEL,), out=out, limit=3))
    as_version_1(out)
    second = execute(small_suite(), RunOptions(models=(MODEL,), out=out))
    assert second.tally.stored >= first.tally.answered > 0
    assert second.tally.answered > 0
    store = open_store(out)
    assert store.get_meta("version") == "3"
    store.close()
