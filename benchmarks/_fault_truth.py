"""What a run must hold after a campaign, from the server's journal, and what it holds, from its files.

Nothing here asks the run how it fared: the store is read with plain SQL and the
law of the stub is computed anew.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks._fault_kinds import BY_NAME, Fate
from benchmarks._fault_law import counts, draws, p_target
from benchmarks._fault_server import Entry
from harness.conditions import Condition
from harness.expansion import expand
from harness.suite_files import parse_suite


class Key(NamedTuple):
    """A call of a suite by what it asks: two rows, two journal entries with one key are the same call."""

    model: str  # of the stub
    text: str  # what is sent


class Cell(NamedTuple):
    """One context length of one sequence on one model: a trial."""

    model: str
    replicate: int
    level: int
    key: Key
    context: str  # the text up to this context length
    target: str


@dataclass(frozen=True, slots=True)
class Held:
    """What the store of a run holds."""

    replies: dict[Key, int]  # how many rows
    failures: dict[Key, str]  # kind
    served: dict[str, set[str]]  # model -> ids that answered

    @property
    def settled(self) -> set[Key]:
        """Return the calls that need not be made again."""
        lasting = {k for k, kind in self.failures.items() if kind not in _TRANSIENT}
        return set(self.replies) | lasting


_TRANSIENT = ("rate_limit", "timeout", "transport", "server")


def held(run_dir: Path) -> Held:
    """Read what a run has stored, from outside."""
    path = run_dir / "run.sqlite"
    if not path.exists():
        return Held({}, {}, {})
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        replies: dict[Key, int] = defaultdict(int)
        served: dict[str, set[str]] = defaultdict(set)
        for model, request, name in db.execute("SELECT model, request, served_model FROM replies"):
            replies[_key(model, request)] += 1
            served[_short(model)].add(name)
        failures = {
            _key(model, request): kind
            for model, request, kind in db.execute("SELECT model, request, kind FROM failures")
        }
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return Held({}, {}, {})  # killed before it had its tables
    finally:
        db.close()
    return Held(dict(replies), failures, dict(served))


def cells(suite: str, limit: int | None = None) -> Iterator[Cell]:
    """Yield every trial of a suite."""
    spec = parse_suite(suite, "campaign")
    for model in spec.models:
        for condition in expand(spec, limit=limit):
            yield from _cells_of(_short(model), condition)


def fates(journal: Sequence[Entry]) -> dict[Key, Fate]:
    """Return what must have become of each call: its last answer decides."""
    return {key: BY_NAME[entries[-1].kind].fate for key, entries in by_call(journal).items()}


def by_call(journal: Sequence[Entry]) -> dict[Key, list[Entry]]:
    """Return the entries of each call of a suite in order of arrival; those of probes are left out."""
    found: dict[Key, list[Entry]] = defaultdict(list)
    for entry in journal:
        if not entry.probe:
            found[Key(entry.model, entry.text)].append(entry)
    return dict(found)


def true_p(cell: Cell) -> float:
    """Return what an exact measurement of a trial finds."""
    return p_target(cell.context, cell.target)


def true_draws(cell: Cell, entry: Entry) -> tuple[int, int]:
    """Return how many draws of a call are its target, and how many are symbols at all."""
    drawn = counts(draws(entry.text, entry.n, entry.seed))
    return drawn[cell.target], drawn["0"] + drawn["1"]


def spent_usd(journal: Sequence[Entry], price: tuple[float, float]) -> float:
    """Return what the provider charges for everything journalled; prices are dollars per million tokens."""
    return sum(e.prompt_tokens * price[0] + e.completion_tokens * price[1] for e in journal) / 1e6


def _cells_of(model: str, condition: Condition) -> Iterator[Cell]:
    for replicate in range(condition.sequences):
        prompt = condition.prompt(condition.sequence(replicate))
        names = [prompt.surfaces[s] for s in prompt.symbols]
        longest = condition.context_lengths[-1]
        for n in condition.context_lengths:
            context = prompt.header + "".join(names[:n])
            whole = prompt.header + "".join(names[: longest + 1])
            key = Key(model, whole if model == "echo" else context)
            yield Cell(model, replicate, n, key, context, names[n])


def _key(model: str, request: str) -> Key:
    asked = json.loads(request)
    longest = asked["context_lengths"][-1][-1]
    count = longest + (asked["way"] == "prefixes")
    written = (asked["surfaces"][s] + asked["between"] for s in asked["symbols"][:count])
    return Key(_short(model), asked["header"] + "".join(written))


def _short(model: str) -> str:
    return model.rpartition("/")[2]
