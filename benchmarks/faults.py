"""The fault campaign at full size: what a run loses, pays twice or scores wrongly when its provider misbehaves.

python -m benchmarks.faults [--small] [SCENARIO ...] prints one table a scenario, required beside measured, and ends
with status 1 if a requirement is missed. Scenarios: completions chat wire silent
probing throttle headers budget stops memory.
A stub server in a process of its own goes wrong as scheduled by a seed and journals what it was asked and paid for;
runs are processes of `icl run`. Every number is computed from that journal and the run's files, none from what a
run says of itself. Nothing here meets a real provider.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks._fault_checks import Check
from benchmarks._fault_kinds import KINDS
from benchmarks._fault_runs import Ended, Site, serving, suite_text
from benchmarks._fault_scenarios import NOT_HTTP, Report, Size, budget, campaign, probed, throttled
from benchmarks._fault_server import Behaviour
from benchmarks._fault_stops import full_disk, interrupted, locked, unwritable

SEED = 20261121
EVERY = ("top", "draw", "echo")
_FAULTS = Behaviour(seed=SEED, rate=0.30, lasting=0.002, without=NOT_HTTP, latency_s=0.01)
_THROTTLED = 25  # sequences: 200 calls as in the comparison with other harnesses, ideal 9.0 s
_SLOWED = Behaviour(seed=SEED, latency_s=0.02, per_second=20, burst=20)


def completions(folder: Path, scale: float) -> Iterator[Report]:
    """Make 8,007 calls in every way of measuring, killed 16 times."""
    yield campaign(folder, Size(EVERY, _many(471, scale), kills=_many(16, scale)), _FAULTS, seed=SEED)


def chat(folder: Path, scale: float) -> Iterator[Report]:
    """Make 2,000 calls as chats, killed 4 times: with the above 10,007 calls and 20 kills."""
    yield campaign(folder, Size(("top",), _many(250, scale), _many(4, scale), "chat"), _FAULTS, seed=SEED)


def wire(folder: Path, scale: float) -> Iterator[Report]:
    """Send replies twice on their connection, as a broken proxy does: every later reply could be shifted."""
    others = tuple(kind.name for kind in KINDS if kind.name not in NOT_HTTP)
    broken = Behaviour(seed=SEED, rate=0.05, without=others, latency_s=0.01)
    yield campaign(folder, Size(("top",), _many(100, scale)), broken, seed=SEED)


def silent(folder: Path, scale: float) -> Iterator[Report]:
    """Meet only faults that come with HTTP 200: they must show in the exit status all the same."""
    others = tuple(kind.name for kind in KINDS if not kind.whole or kind.fate != "failed")
    quiet = Behaviour(seed=SEED, rate=0.30, without=others)
    yield campaign(folder, Size(EVERY, _many(60, scale)), quiet, seed=SEED)


def probing(folder: Path, scale: float) -> Iterator[Report]:
    """Probe servers that go wrong in every third answer, and in every twentieth."""
    for rate in (0.05, 0.30):
        servers = [
            Behaviour(seed=SEED + i, rate=rate, without=NOT_HTTP, probes=True)
            for i in range(_many(10, scale))
        ]
        yield probed(folder, Size(EVERY, 1, levels=(32, 40, 48)), servers)


def throttle(folder: Path, _: float) -> Iterator[Report]:
    """Let 20 requests a second through and say so only when refusing."""
    yield throttled(folder, Size(("top",), _THROTTLED), _SLOWED)


def headers(folder: Path, _: float) -> Iterator[Report]:
    """Let 20 requests a second through and say in every reply how much is left."""
    slowed = Behaviour(seed=SEED, latency_s=0.02, per_second=20, burst=20, rate_headers=True)
    yield throttled(folder, Size(("top",), _THROTTLED), slowed)


def money(folder: Path, scale: float) -> Iterator[Report]:
    """Reach a cap on cost under faults, then under faults and kills, whose replies in flight are never seen."""
    for kills in (0, 5):
        place = folder / str(kills)
        place.mkdir()
        size = Size(("top", "draw"), _many(120, scale), kills=kills)
        yield budget(place, size, _FAULTS, share=0.6, seed=SEED)


def stops(folder: Path, scale: float) -> Iterator[Report]:
    """Meet Ctrl-C, a second process, a read-only directory and a full disk."""
    faulty = Behaviour(seed=SEED, rate=0.30, without=NOT_HTTP, latency_s=0.01)
    both, one = Size(("top", "draw"), _many(40, scale)), Size(("top",), _many(100, scale))
    scenarios: tuple[Callable[[Path], Report], ...] = (
        lambda place: interrupted(place, both, faulty),
        lambda place: locked(place, Size(("top",), 5)),
        lambda place: unwritable(place, Size(("top",), 2)),
        lambda place: full_disk(place, one),
    )
    for i, scenario in enumerate(scenarios):
        place = folder / str(i)
        place.mkdir()
        yield scenario(place)


def memory(folder: Path, scale: float) -> Iterator[Report]:
    """Compare what a process holds at its last call, and at most, in a short and in a ten times longer run."""
    held: list[tuple[float, Ended]] = []
    for sequences in (_many(250, scale), 10 * _many(250, scale)):
        place = folder / str(sequences)
        place.mkdir()
        (place / "suite.yaml").write_text(suite_text(("top",), sequences))
        with serving(Behaviour()) as server:
            ended = Site(place, server).run()
            last = max((entry.at for entry in server.journal()), default=0.0)
        assert ended.status == 0, ended.err
        held.append((max(mb for at, mb in ended.held_mb if at <= last), ended))
    (asking, short), (asking_long, long) = held
    rows = [
        Check(
            "memory while asking, long over short",
            asking_long / asking,
            1.2,
            f"{asking:.0f}, {asking_long:.0f} MB",
        ),
        Check(
            "memory at most, analysis included",
            long.rss_mb / short.rss_mb,
            2.0,
            f"{short.rss_mb:.0f}, {long.rss_mb:.0f} MB",
        ),
    ]
    yield Report(f"{8 * _many(250, scale)} and {80 * _many(250, scale)} calls", rows)


SCENARIOS: dict[str, Callable[[Path, float], Iterator[Report]]] = {
    "completions": completions,
    "chat": chat,
    "wire": wire,
    "silent": silent,
    "probing": probing,
    "throttle": throttle,
    "headers": headers,
    "budget": money,
    "stops": stops,
    "memory": memory,
}


def main(arguments: list[str]) -> int:
    """Run the scenarios named, all if none is; return 1 if a requirement was missed."""
    names = [word for word in arguments if not word.startswith("-")] or list(SCENARIOS)
    unknown = [word for word in arguments if word not in (*SCENARIOS, "--small")]
    if unknown:
        print(__doc__)
        return 2
    missed = 0
    for name in names:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="icl-faults-") as folder:
            for report in SCENARIOS[name](Path(folder), 0.1 if "--small" in arguments else 1.0):
                missed += _print(name, report)
        print(f"({name}: {time.monotonic() - started:.0f} s)\n", flush=True)
    return int(missed > 0)


def _print(name: str, report: Report) -> int:
    print(f"### {name}: {report.title}\n\n| | measured | required | |\n|---|---|---|---|")
    for check in report.checks:
        most = "" if check.most == float("inf") else f"at most {check.most:g}"
        verdict = check.note if check.kept else f"MISSED {check.note}"
        print(f"| {check.name} | {check.found:g} | {most} | {verdict} |")
    for note in report.notes:
        print(f"\n{note}")
    print(flush=True)
    return sum(not check.kept for check in report.checks)


def _many(count: int, scale: float) -> int:
    return max(1, round(count * scale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
