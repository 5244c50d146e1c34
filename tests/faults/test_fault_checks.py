"""The checks of the fault campaign can fail: each finds what it is there to find, in a run that was tampered with."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks._fault_checks import Check, check_run, leaks, paid_twice
from benchmarks._fault_runs import CANARY, Site, serving, suite_text
from benchmarks._fault_server import Behaviour, Entry
from benchmarks._fault_truth import Held, by_call, held, spent_usd

LEVELS = (32, 40, 48)
SUITE = suite_text(("top", "draw"), 3, levels=LEVELS)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Entry]]]:
    """A run without faults, and what the server journalled of it."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "suite.yaml").write_text(SUITE)
    with serving(Behaviour(seed=1)) as server:
        ended = Site(folder, server).run()
        assert ended.status == 0, ended.err
        yield folder, server.journal()


@pytest.fixture
def run(finished: tuple[Path, list[Entry]], tmp_path: Path) -> tuple[Path, list[Entry]]:
    """A copy of that run to be tampered with."""
    folder, journal = finished
    shutil.copytree(folder / "run", tmp_path / "run")
    return tmp_path / "run", list(journal)


def tamper(run_dir: Path, sql: str) -> None:
    connection = sqlite3.connect(run_dir / "run.sqlite")
    with connection:
        connection.execute(sql)
    connection.close()
    for path in run_dir.glob("judg*"):  # else what was judged before is not looked at again
        path.unlink()


def missed(run_dir: Path, journal: list[Entry], kills: dict[int, Held] | None = None) -> dict[str, float]:
    checks: list[Check] = check_run(SUITE, run_dir, journal, kills or {})
    return {check.name.partition(":")[0]: check.found for check in checks if not check.kept}


def of_suite(journal: list[Entry], model: str = "top") -> int:
    """Return the index of some call of the suite in the journal."""
    return next(i for i, e in enumerate(journal) if not e.probe and e.model == model)


def test_a_sound_run_passes_every_check(run: tuple[Path, list[Entry]]) -> None:
    assert missed(*run) == {}


def test_a_reply_that_is_not_kept_is_lost(run: tuple[Path, list[Entry]]) -> None:
    run_dir, journal = run
    tamper(
        run_dir, "DELETE FROM replies WHERE rowid = (SELECT min(rowid) FROM replies WHERE model LIKE '%top')"
    )
    found = missed(run_dir, journal)
    assert found["lost"] == 1
    assert found["right replies not scored"] == 1


def test_a_call_kept_as_reply_and_as_failure_is_duplicated(run: tuple[Path, list[Entry]]) -> None:
    run_dir, journal = run
    tamper(
        run_dir,
        "INSERT INTO failures (digest, model, request, kind, detail, attempts, created) "
        "SELECT digest, model, request, 'server', '', 1, 0 FROM replies LIMIT 1",
    )
    assert missed(run_dir, journal)["duplicated"] == 1


@pytest.mark.parametrize("model", ["top", "draw"])
def test_a_faulty_reply_that_was_scored_is_found(run: tuple[Path, list[Entry]], model: str) -> None:
    run_dir, journal = run
    at = of_suite(journal, model)
    journal[at] = journal[at]._replace(kind="content filter")  # yet the run holds a reply that reads well
    assert missed(run_dir, journal)["scored failures"] >= 1


def test_the_answer_to_another_call_is_found_by_its_number(run: tuple[Path, list[Entry]]) -> None:
    run_dir, journal = run
    tamper(
        run_dir,
        "UPDATE replies SET (raw, packed) = (SELECT raw, packed FROM replies WHERE model LIKE '%top' "
        "ORDER BY rowid DESC LIMIT 1) WHERE rowid = (SELECT min(rowid) FROM replies WHERE model LIKE '%top')",
    )
    assert missed(run_dir, journal) == {"scored failures": 1}


def test_an_answer_asked_for_again_is_paid_twice(run: tuple[Path, list[Entry]]) -> None:
    run_dir, journal = run
    again = journal[of_suite(journal)]
    journal.append(again._replace(attempt=2, segment=again.segment + 1))
    assert missed(run_dir, journal)["replies paid twice beyond those in flight at a kill"] == 1
    store = held(run_dir)
    assert paid_twice(by_call(journal), {again.segment: store}) == (1, 0)  # killed, but it was kept
    unsaved = replace(store, replies={})
    assert paid_twice(by_call(journal), {again.segment: unsaved}) == (0, 1)  # in flight at the kill


def test_an_attempt_that_brought_no_answer_is_not_paid_twice(run: tuple[Path, list[Entry]]) -> None:
    run_dir, journal = run
    at = of_suite(journal)
    for kind in ("503", "reset after the answer", "shorter than Content-Length"):
        journal.insert(at, journal[at]._replace(kind=kind, attempt=0))
    assert missed(run_dir, journal) == {}


def test_a_changed_model_id_must_be_named(run: tuple[Path, list[Entry]]) -> None:
    run_dir, journal = run
    at = of_suite(journal)
    journal[at] = journal[at]._replace(kind="changed model id")
    assert missed(run_dir, journal) == {"changed model ids not named": 1}


def test_spending_is_what_was_billed_whether_it_arrived_or_not(run: tuple[Path, list[Entry]]) -> None:
    _, journal = run
    entry = journal[of_suite(journal)]
    assert (entry.prompt_tokens, entry.completion_tokens) == (len(entry.text), 1)
    assert spent_usd([entry], (1e6, 2e6)) == len(entry.text) + 2


def test_a_key_in_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"Authorization: Bearer {CANARY}")
    assert leaks(tmp_path, CANARY) == ["log"]
    assert leaks(tmp_path, "another secret") == []
