"""Runs under faults, kills, a throttle and a budget lose nothing, pay nothing twice and score no failure.

The campaign of benchmarks/faults.py at small size; that file runs it at full size.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks._fault_kinds import KINDS
from benchmarks._fault_scenarios import NOT_HTTP, Report, Size, budget, campaign, probed, throttled
from benchmarks._fault_server import Behaviour
from benchmarks._fault_stops import full_disk, interrupted, locked, unwritable

SHORT = (32, 40, 48, 56)


def missed(report: Report) -> list[str]:
    """Return the requirements that were not met, in words."""
    checks: Iterable[str] = (f"{c.name}: {c.found:g} ({c.note})" for c in report.checks if not c.kept)
    return [*checks]


def faulty(seed: int, *also: str, rate: float = 0.3) -> Behaviour:
    """Return a server that goes wrong in all ways but these."""
    return Behaviour(seed=seed, rate=rate, without=(*NOT_HTTP, *also), latency_s=0.005, slow_s=0.05)


def test_nothing_is_lost_doubled_or_scored_wrongly_under_faults_and_kills(tmp_path: Path) -> None:
    # A refused call makes all others wait: with 429 it takes a minute, below.
    size = Size(("top", "draw", "echo"), 16, kills=3, levels=SHORT)
    assert missed(campaign(tmp_path, size, faulty(1, "429", "429 with Retry-After"), seed=1)) == []


@pytest.mark.slow
@pytest.mark.parametrize("form", ["completion", "chat"])
def test_the_same_with_every_kind_of_fault(tmp_path: Path, form: str) -> None:
    models = ("top", "draw", "echo") if form == "completion" else ("top", "draw")
    size = Size(models, 30, kills=3, form=form, levels=SHORT)
    assert missed(campaign(tmp_path, size, faulty(2), seed=2)) == []


@pytest.mark.slow
def test_a_reply_that_is_sent_twice_shifts_no_later_answer(tmp_path: Path) -> None:
    others = tuple(kind.name for kind in KINDS if kind.name not in NOT_HTTP)
    broken = Behaviour(seed=3, rate=0.1, without=others, latency_s=0.005)
    assert missed(campaign(tmp_path, Size(("top",), 50, levels=SHORT), broken, seed=3)) == []


@pytest.mark.slow
@pytest.mark.parametrize("told", [False, True], ids=["told nothing", "told in headers"])
def test_a_throttled_run_takes_little_longer_than_it_must(tmp_path: Path, told: bool) -> None:
    slowed = Behaviour(seed=4, latency_s=0.02, per_second=20, burst=20, rate_headers=told)
    assert missed(throttled(tmp_path, Size(("top",), 25), slowed)) == []


@pytest.mark.slow
@pytest.mark.parametrize("kills", [0, 3])
def test_a_cap_on_cost_is_never_overshot(tmp_path: Path, kills: int) -> None:
    size = Size(("top", "draw"), 100, kills=kills)
    assert missed(budget(tmp_path, size, faulty(5), share=0.6, seed=5)) == []


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_in_flight_and_twice_stops_at_once(tmp_path: Path) -> None:
    assert missed(interrupted(tmp_path, Size(("top", "draw"), 30, levels=SHORT), faulty(6))) == []


def test_a_second_process_on_the_same_run_is_refused(tmp_path: Path) -> None:
    # Long enough that the first is still asking when the second has started and given up, on a busy machine too.
    assert missed(locked(tmp_path, Size(("top",), 200, levels=SHORT))) == []


def test_a_read_only_directory_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    assert missed(unwritable(tmp_path, Size(("top",), 2, levels=SHORT))) == []


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_keeps_what_was_committed(tmp_path: Path) -> None:
    assert missed(full_disk(tmp_path, Size(("top",), 100))) == []


def test_failures_that_came_with_http_200_show_in_the_exit_status(tmp_path: Path) -> None:
    others = tuple(kind.name for kind in KINDS if not kind.whole or kind.fate != "failed")
    quiet = Behaviour(seed=7, rate=0.3, without=others)
    assert missed(campaign(tmp_path, Size(("top",), 10, levels=SHORT), quiet, seed=7)) == []


@pytest.mark.slow
def test_a_probe_under_faults_refuses_rather_than_measures_by_less(tmp_path: Path) -> None:
    servers = [Behaviour(seed=i, rate=0.2, without=NOT_HTTP, probes=True) for i in range(3)]
    assert missed(probed(tmp_path, Size(("top", "draw", "echo"), 1, levels=SHORT), servers)) == []
