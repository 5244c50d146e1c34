"""Runs that go wrong on purpose, each with what is required of it: faults and kills, a throttle, a budget."""

import random
import re
import shutil
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks._fault_checks import Check, check_run, exit_check, leaks
from benchmarks._fault_kinds import BY_NAME
from benchmarks._fault_runs import CANARY, LEVELS, Ended, Site, calls_of, serving, suite_text
from benchmarks._fault_server import Behaviour, Entry
from benchmarks._fault_truth import Held, held, spent_usd

PRICE = (1000.0, 2000.0)  # dollars per million tokens, so that a call costs cents
_PLANNED = re.compile(r"openai-api/faulty/(\w+): .* conditions by (\w+)")
_WAYS = {"top": "next_token", "draw": "samples", "echo": "prefixes"}
NOT_HTTP = ("reply sent twice",)  # breaks the connection's own order: a scenario of its own


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a scenario is done."""

    models: tuple[str, ...]
    sequences: int
    kills: int = 0
    form: str = "completion"
    levels: tuple[int, ...] = LEVELS

    @property
    def calls(self) -> int:
        """How many calls it takes if none is made again."""
        return calls_of(self.models, self.sequences, self.levels)


@dataclass(frozen=True, slots=True)
class Report:
    """A scenario's requirements with what was found, and what else is worth knowing."""

    title: str
    checks: Sequence[Check]
    notes: Sequence[str] = ()


def campaign(folder: Path, size: Size, behaviour: Behaviour, *, seed: int) -> Report:
    """Run under faults, killed at random points of its progress, each time the same command again."""
    suite = suite_text(size.models, size.sequences, form=size.form, levels=size.levels)
    (folder / "suite.yaml").write_text(suite)
    with serving(behaviour) as server:
        site = Site(folder, server)
        kills, unkilled = _killed(site, size, random.Random(seed))
        last = site.run()
        journal = server.journal()
    wrong = any(BY_NAME[kind].fate == "failed" for kind in _kinds(journal))
    checks = [
        *check_run(suite, site.run_dir, journal, kills),
        exit_check("the last run", last.status, 3 if wrong else 0, last.err),
        Check("kills that found no process", unkilled, 0),
        Check("files that hold the key", len(leaks(folder, CANARY)), 0),
    ]
    title = f"{size.calls} calls ({size.form}), {behaviour.rate:.0%} faults, {size.kills} kills"
    return Report(title, checks, (_sums(journal), f"last process: {_used(last)}"))


def throttled(folder: Path, size: Size, behaviour: Behaviour) -> Report:
    """Run against a server that lets through so many requests a second; the ideal empties its bucket at once."""
    assert behaviour.per_second is not None
    (folder / "suite.yaml").write_text(suite_text(size.models, size.sequences, levels=size.levels))
    with serving(behaviour) as server:
        ended = Site(folder, server).run()
        journal = server.journal()
    whole, suite = journal, [entry for entry in journal if not entry.probe]
    checks = [exit_check("the throttled run", ended.status, 0, ended.err)]
    for name, entries in (("calls of the suite", suite), ("probe included", whole)):
        good = sum(entry.kind == "good" for entry in entries)
        ideal = max(0.0, good - behaviour.burst) / behaviour.per_second
        took = max(e.delivered for e in entries) - min(e.at for e in entries) if entries else 0.0
        wasted = 1 - good / max(1, len(entries))
        checks += [
            Check(f"time over ideal, {name}", took / ideal, 1.3, f"{took:.1f} s, ideal {ideal:.1f} s"),
            Check(f"wasted requests, {name}", wasted, 0.10, f"{len(entries) - good} of {len(entries)}"),
        ]
    said = "with rate headers" if behaviour.rate_headers else "without rate headers"
    rate = f"{behaviour.per_second:.0f}/s, burst {behaviour.burst:.0f}"
    return Report(f"{size.calls} calls throttled to {rate}, Retry-After: 1, {said}", checks)


def budget(folder: Path, size: Size, behaviour: Behaviour, *, share: float, seed: int) -> Report:
    """Run up to a cap, killed on the way, and once more when the cap is reached: the journal says what was paid."""
    suite = suite_text(size.models, size.sequences, levels=size.levels, prices=PRICE)
    (folder / "suite.yaml").write_text(suite)
    mean = sum(size.levels) / len(size.levels)
    cap = share * size.calls * (mean * PRICE[0] + 8 * PRICE[1]) / 1e6
    option = ("--max-cost", f"{cap:.4f}")
    with serving(behaviour) as server:
        site = Site(folder, server)
        part = replace(size, sequences=max(1, int(share * size.sequences / 2)))
        _killed(site, part, random.Random(seed), *option)
        ended = site.run(*option)
        spent_once = _spent(server.journal())
        again = site.run(*option)
        journal = server.journal()
    spent = _spent(journal)
    checks = [
        Check("dollars spent over the cap", round(spent - cap, 6), 0, f"{spent:.2f} of {cap:.2f}"),
        Check("the same, calls of probes left out", round(_spent(journal, probes=False) - cap, 6), 0),
        exit_check("the run at its cap", ended.status, 4, ended.err),
        exit_check("the same command again", again.status, 4, again.err),
    ]
    unanswered = _spent([e for e in journal if BY_NAME[e.kind].billed and not BY_NAME[e.kind].whole])
    notes = (
        f"{spent / cap:.0%} of the cap used, {spent - spent_once:.2f} dollars of it by the same command again",
        f"billed without an answer (reset or cut short after it was computed): {unanswered:.2f} dollars",
    )
    return Report(f"cap of {cap:.2f} dollars, {behaviour.rate:.0%} faults, {size.kills} kills", checks, notes)


def probed(folder: Path, size: Size, behaviours: Sequence[Behaviour]) -> Report:
    """Probe servers that go wrong: a run may refuse to begin, but not measure by less than a server can do."""
    (folder / "suite.yaml").write_text(suite_text(size.models, size.sequences, levels=size.levels))
    lesser, refused, broken, notes = 0, 0, 0, []
    for i, behaviour in enumerate(behaviours):
        with serving(behaviour) as server:
            site = Site(folder, server)
            ended = site.run()
        shutil.rmtree(site.run_dir, ignore_errors=True)
        refused += ended.status == 2
        broken += "Traceback" in ended.err
        found = {m: way for m, way in _PLANNED.findall(ended.err) if way != _WAYS[m]}
        lesser += len(found)
        said = ", ".join(f"{model} by {way}" for model, way in found.items())
        if said or ended.status == 2:
            notes.append(f"server {i + 1}: {said or ended.err.strip().splitlines()[-1][:160]}")
    checks = [
        Check("models measured by less than they offer", lesser, 0),
        Check("tracebacks", broken, 0),
        Check("runs refused before they began", refused, float("inf")),
    ]
    models = len(behaviours) * len(size.models)
    return Report(f"{models} probes under {behaviours[0].rate:.0%} faults", checks, notes)


def _killed(site: Site, size: Size, rng: random.Random, *options: str) -> tuple[dict[int, Held], int]:
    """Run and kill at random points of the progress; return what was stored after each, and the kills that missed.

    A kill comes up to 20 ms after the request that sets it off arrived: before, while
    and after its answer is sent and written.
    """
    points = sorted(rng.sample(range(1, max(size.kills + 1, int(0.95 * size.calls))), size.kills))
    kills, missed = {}, 0
    for segment, at in enumerate(points, start=1):
        ended = site.run_until(at, *options, delay_s=0.02 * rng.random())
        missed += ended.status != -signal.SIGKILL
        if ended.status == -signal.SIGKILL:
            kills[segment] = held(site.run_dir)
    return kills, missed


def _kinds(journal: Sequence[Entry]) -> Counter[str]:
    return Counter(entry.kind for entry in journal if not entry.probe)


def _spent(journal: Sequence[Entry], *, probes: bool = True) -> float:
    return spent_usd([e for e in journal if probes or not e.probe], PRICE)


def _sums(journal: Sequence[Entry]) -> str:
    kinds = _kinds(journal)
    faulty = sum(kinds.values()) - kinds["good"]
    shown = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
    return f"{sum(kinds.values())} requests, {faulty} of them faulty: {shown}"


def _used(ended: Ended) -> str:
    return f"{ended.wall_s:.1f} s, {ended.cpu_s:.1f} CPU s, {ended.rss_mb:.0f} MB at most"
