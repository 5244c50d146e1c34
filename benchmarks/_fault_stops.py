"""Runs that are stopped from outside: Ctrl-C, a second process, a directory or a disk that takes nothing more."""

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks._fault_checks import Check, check_run, exit_check
from benchmarks._fault_runs import Ended, Site, serving, suite_text
from benchmarks._fault_scenarios import Report, Size
from benchmarks._fault_server import Behaviour
from benchmarks._fault_truth import by_call, held

_LONG_S = 0.5  # an answer, where a process must still be waiting for it when something else happens
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1  # linux/prctl.h, linux/capability.h


def interrupted(folder: Path, size: Size, behaviour: Behaviour) -> Report:
    """Press Ctrl-C once, go on, press it twice, go on: the first keeps what is in flight, the second stops at once."""
    suite = suite_text(size.models, size.sequences, levels=size.levels)
    (folder / "suite.yaml").write_text(suite)
    with serving(replace(behaviour, latency_s=_LONG_S)) as server:
        site = Site(folder, server)
        once = site.run_until(size.calls // 4, signals=(signal.SIGINT,))
        after_once, paid = held(site.run_dir), server.journal()
        twice = site.run_until(size.calls // 2, signals=(signal.SIGINT, signal.SIGINT))
        stopped = held(site.run_dir)
        last = site.run()
        journal = server.journal()
    dropped = [key for key in by_call(paid) if key not in after_once.replies | after_once.failures]
    unexcused = {1: after_once, 2: stopped}
    checks = [
        exit_check("Ctrl-C once", once.status, 130, once.err),
        Check("calls in flight at one Ctrl-C and not kept", len(dropped), 0),
        exit_check("Ctrl-C twice", twice.status, 130, twice.err),
        exit_check("the same command again", last.status, 3 if behaviour.rate else 0, last.err),
        *check_run(suite, site.run_dir, journal, unexcused),
        Check("tracebacks", _tracebacks(once, twice, last), 0),
    ]
    return Report(f"{size.calls} calls, {behaviour.rate:.0%} faults, Ctrl-C once, then twice", checks)


def locked(folder: Path, size: Size) -> Report:
    """Start the same command while it runs, then end the first with Ctrl-C."""
    (folder / "suite.yaml").write_text(suite_text(size.models, size.sequences, levels=size.levels))
    with serving(Behaviour(latency_s=_LONG_S)) as server:
        site = Site(folder, server, connections=2)
        started = time.monotonic()
        first = site.start()
        while server.arrived() < 1 and time.monotonic() < started + 60:
            time.sleep(0.02)
        other = folder / "second"
        other.mkdir()
        (other / "suite.yaml").write_text((folder / "suite.yaml").read_text())
        (other / "run").symlink_to(site.run_dir)
        second = Site(other, server).run()
        os.kill(first.pid, signal.SIGINT)
        ended = site.finish(first, started)
    said = "another process" in second.err and str(first.pid) in second.err
    checks = [
        exit_check("a second process on the same run", second.status, 2, second.err),
        Check("its message names the other process: not so", float(not said), 0),
        exit_check("the first process, interrupted", ended.status, 130, ended.err),
        Check("tracebacks", _tracebacks(second, ended), 0),
    ]
    return Report("a second process on the same run", checks)


def unwritable(folder: Path, size: Size) -> Report:
    """Run where nothing can be written: refused before anything is paid for."""
    (folder / "suite.yaml").write_text(suite_text(size.models, size.sequences, levels=size.levels))
    (folder / "run").mkdir()
    (folder / "run").chmod(0o555)
    with serving(Behaviour()) as server:
        site = Site(folder, server)
        started = time.monotonic()
        ended = site.finish(site.start(prepare=_obey_permissions), started)
        asked = len(server.journal())
    (folder / "run").chmod(0o755)
    checks = [
        exit_check("a run in a read-only directory", ended.status, 2, ended.err),
        Check("requests made although nothing can be kept", asked, 0),
        Check("tracebacks", _tracebacks(ended), 0),
    ]
    return Report("a read-only run directory", checks)


def full_disk(folder: Path, size: Size, limit: int = 200_000) -> Report:
    """Run with files of at most `limit` bytes, as on a full disk, then with room again."""
    suite = suite_text(size.models, size.sequences, levels=size.levels)
    (folder / "suite.yaml").write_text(suite)
    with serving(Behaviour(latency_s=0.01)) as server:
        site = Site(folder, server)
        server.aim()
        started = time.monotonic()
        full = site.finish(site.start(prepare=_with_full_disk(limit)), started)
        kept = held(site.run_dir)
        last = site.run()
        journal = server.journal()
    lost_work = sum(entry.segment == 1 and not entry.probe for entry in journal) - len(kept.replies)
    checks = [
        exit_check("a run on a full disk", full.status, 2, full.err),
        Check(
            "its message says that the disk is full: not so", float("cannot be written" not in full.err), 0
        ),
        Check("nothing kept", float(not kept.replies), 0, f"{len(kept.replies)} replies kept"),
        Check("replies paid for and not kept", lost_work, site.connections, "at most those in flight"),
        exit_check("the same command with room again", last.status, 0, last.err),
        *check_run(suite, site.run_dir, journal, {1: kept}),
        Check("tracebacks", _tracebacks(full, last), 0),
    ]
    return Report(f"a disk full after {limit} bytes", checks)


def _with_full_disk(limit: int) -> Callable[[], None]:
    """Return what makes a child's files unable to grow beyond a size; Python turns the signal for it off."""

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return prepare


def _obey_permissions() -> None:
    """Take from a child of root the right to write where the mode of a directory says no (CAP_DAC_OVERRIDE)."""
    ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)


def _tracebacks(*ended: Ended) -> int:
    return sum("Traceback" in process.err for process in ended)
