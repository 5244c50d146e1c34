"""What is required of a run under faults, each number computed from the server's journal and the run's files."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks._fault_kinds import BY_NAME
from benchmarks._fault_server import Entry
from benchmarks._fault_truth import Cell, Held, Key, by_call, cells, fates, held, true_draws, true_p
from harness.runs import Run
from harness.types import CountCurve, CurveResult, SequenceCurve

TOLERANCE = 1e-9  # of p(target): the stub prints every digit, so only rounding is left


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement: the number found and the most that is allowed."""

    name: str
    found: float
    most: float
    note: str = ""

    @property
    def kept(self) -> bool:
        """Whether the requirement is met."""
        return self.found <= self.most


def check_run(suite: str, run_dir: Path, journal: Sequence[Entry], kills: Mapping[int, Held]) -> list[Check]:
    """Hold a finished run against what the server did.

    `kills` maps a segment that ended in a kill to what the store held right after it.
    """
    trials, store = list(cells(suite)), held(run_dir)
    fate, calls = fates(journal), by_call(journal)
    wanted = {cell.key for cell in trials}
    lost = [k for k in wanted if k not in store.replies and k not in store.failures]
    doubled = [k for k in wanted if store.replies.get(k, 0) + (k in store.failures) > 1]
    twice, in_flight = paid_twice(calls, kills)
    curves = Run(run_dir).result.curves
    scored = Scored(trials, fate, calls, curves)
    # A reply sent twice comes to the next call on its connection: nobody can tell which of the two was its own.
    mixed_up = sum(entry.kind == "reply sent twice" for entry in journal)
    return [
        Check("lost: trials with neither a reply nor a typed failure", len(lost), 0),
        Check("duplicated: calls stored more than once", len(doubled), 0),
        Check("never asked, or asked of nobody", len(wanted ^ set(calls)), 0),
        Check("scored failures", scored.wrong, 0, scored.blame()),
        Check("right replies not scored", scored.missed, 0),
        Check("trials counted neither as scored nor as failed", scored.uncounted, 0),
        Check("replies paid twice beyond those in flight at a kill", twice, mixed_up),
        Check("replies paid twice that were in flight at a kill", in_flight, np.inf),
        Check("changed model ids not named", _unnamed(journal, store), 0),
    ]


def paid_twice(calls: Mapping[Key, Sequence[Entry]], kills: Mapping[int, Held]) -> tuple[int, int]:
    """Return how many whole HTTP 200 answers were asked for again: without excuse, and in flight at a kill.

    An answer is excused if the process that asked was killed before the store held it.
    """
    without_excuse = excused = 0
    settled = {segment: store.settled for segment, store in kills.items()}
    for key, entries in calls.items():
        whole = [e for e in entries if BY_NAME[e.kind].whole and e.delivered]
        for first, again in pairwise(whole):
            killed = first.segment in settled and again.segment > first.segment
            if killed and key not in settled[first.segment]:
                excused += 1
            else:
                without_excuse += 1
    return without_excuse, excused


class Scored:
    """The curves of a run against the truth, trial by trial, or level by level where symbols were drawn."""

    def __init__(
        self,
        trials: Iterable[Cell],
        fate: Mapping[Key, str],
        calls: Mapping[Key, Sequence[Entry]],
        curves: Sequence[CurveResult],
    ) -> None:
        self.wrong = self.missed = self.uncounted = 0
        self._kinds: Counter[str] = Counter()
        self._fate, self._calls = fate, calls
        by_model: dict[str, list[Cell]] = defaultdict(list)
        for cell in trials:
            by_model[cell.model].append(cell)
        for model, mine in by_model.items():
            curve = next((c for c in curves if c.model.rpartition("/")[2] == model), None)
            if curve is None:  # nothing of this model was judged: nothing can have been scored
                self.missed += sum(fate.get(cell.key) == "scored" for cell in mine)
            elif isinstance(curve.curve, CountCurve):
                self._compare_counts(curve, curve.curve, mine)
            else:
                self._compare_trials(curve, mine)

    def blame(self) -> str:
        """Return the kinds of the last answers to calls that were scored and must not be."""
        return ", ".join(f"{n} {kind}" for kind, n in self._kinds.most_common())

    def _compare_trials(self, result: CurveResult, mine: Sequence[Cell]) -> None:
        assert isinstance(result.curve, SequenceCurve)
        levels = {int(level): i for i, level in enumerate(result.curve.level)}
        unread: Counter[int] = Counter()
        for cell in mine:
            at = levels.get(cell.level)
            measured = np.nan if at is None else result.curve.p[cell.replicate, at]
            right = self._fate.get(cell.key) == "scored"
            if np.isnan(measured):
                unread[cell.level] += 1
                self.missed += right
            elif not right or abs(measured - true_p(cell)) > TOLERANCE:
                self.wrong += 1
                asked = self._calls.get(cell.key)
                self._kinds[asked[-1].kind if asked else "never asked"] += 1
        for level, i in levels.items():
            self.uncounted += abs(unread[level] - _failures_at(result, i))

    def _compare_counts(self, result: CurveResult, counted: CountCurve, mine: Sequence[Cell]) -> None:
        """Compare each level's k and n: draws of a failed call in n are wrong, whatever they are."""
        by_level: dict[int, list[Cell]] = defaultdict(list)
        for cell in mine:
            by_level[cell.level].append(cell)
        levels = {int(level): i for i, level in enumerate(counted.level)}
        for level, here in by_level.items():
            right = [cell for cell in here if self._fate.get(cell.key) == "scored"]
            true = [true_draws(cell, self._calls[cell.key][-1]) for cell in right]
            k, n = (sum(column) for column in zip(*true, strict=True)) if true else (0, 0)
            at = levels.get(level)
            said = (0, 0) if at is None else (int(counted.successes[at]), int(counted.trials[at]))
            self.wrong += max(0, said[1] - n) + (abs(said[0] - k) if said[1] == n else 0)
            self.missed += max(0, n - said[1])
            if at is not None and said == (k, n):
                fates_here = Counter(self._fate.get(cell.key) for cell in here)
                counted_as_failed = _failures_at(result, at)
                # A refusal in words is text that is no symbol; said in a field of its own it is a failure.
                most = fates_here["failed"] + fates_here["outside"]
                self.uncounted += max(0, fates_here["failed"] - counted_as_failed, counted_as_failed - most)


def _failures_at(result: CurveResult, index: int) -> int:
    return sum(count[index] for count in result.failures.values())


def exit_check(name: str, found: int, wanted: int, err: str = "") -> Check:
    """Return whether a process ended with the status it should have."""
    last = err.strip().splitlines()[-1] if err.strip() else ""
    return Check(f"exit status of {name} is not {wanted}", float(found != wanted), 0, f"{found}: {last[:90]}")


def leaks(folder: Path, secret: str) -> list[str]:
    """Return the files below a folder that hold a secret."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in files if secret.encode() in path.read_bytes()]


def _unnamed(journal: Sequence[Entry], store: Held) -> int:
    """Return how many models answered under another id although no stored reply says so."""
    calls = by_call(journal)
    changed = {key.model for key, entries in calls.items() if entries[-1].kind == "changed model id"}
    return sum(f"{model}-2" not in store.served.get(model, set()) for model in changed)
