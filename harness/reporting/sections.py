"""The order of a report: runs, models, families, then each curve followed by its controls."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.types import CurveResult, ParamValue, RunResult


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One curve with a name that is unique in the report and safe as an anchor and a file name."""

    run: RunResult
    result: CurveResult
    anchor: str


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A curve and the controls measured for it; a control without its curve stands alone."""

    main: Entry
    controls: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Curves of one family and readout that differ in a single number."""

    family: str
    readout: str
    parameter: str
    values: tuple[float, ...]  # distinct, ascending
    results: tuple[CurveResult, ...]  # of all models
    kept: str = ""  # what else holds of these curves and not of their whole family


def entries(results: Sequence[RunResult]) -> list[Entry]:
    """Return every curve once, in the order given; an id that several curves share is led by the model."""
    taken: set[str] = set()
    uses = Counter(result.id for run in results for result in run.curves)
    found = []
    for run in results:
        for result in run.curves:
            name = result.id if uses[result.id] == 1 else f"{result.model.split('/')[-1]}-{result.id}"
            found.append(Entry(run, result, _unique(name, taken)))
    return found


def sections(run_entries: Sequence[Entry]) -> list[Section]:
    """Return the entries grouped: by run, model and family as first met, controls with their curve."""
    controls: dict[tuple[object, ...], list[Entry]] = {}
    for entry in run_entries:
        if entry.result.control is not None:
            controls.setdefault(_condition(entry), []).append(entry)
    grouped = []
    for entry in run_entries:
        if entry.result.control is None:
            grouped.append(Section(entry, tuple(controls.pop(_condition(entry), ()))))
    grouped += [Section(entry, ()) for orphans in controls.values() for entry in orphans]
    ranks = _ranks(run_entries)

    def place(section: Section) -> tuple[int, int, int]:
        run, result = id(section.main.run), section.main.result
        return ranks[(run,)], ranks[run, result.model], ranks[run, result.model, result.family]

    return sorted(grouped, key=place)


def sweeps(results: Sequence[CurveResult]) -> list[Sweep]:
    """Return every set of curves, controls apart, that differ in one number alone, three values at least."""
    groups: dict[tuple[str, str, str, str], list[CurveResult]] = {}
    for result in results:
        numbers = [name for name, value in result.params.items() if _is_number(value)]
        for name in numbers if result.control is None else ():
            others = repr(sorted((k, v) for k, v in result.params.items() if k != name))
            groups.setdefault((result.family, result.readout, name, others), []).append(result)
    found = []
    for (family, readout, name, _), members in groups.items():
        values = tuple(sorted({v for m in members if isinstance(v := m.params[name], int | float)}))
        if len(values) >= 3:
            found.append(
                Sweep(family, readout, name, values, tuple(members), _kept(members[0], name, results))
            )
    return found


def _is_number(value: ParamValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kept(member: CurveResult, name: str, results: Sequence[CurveResult]) -> str:
    """Return the parameters that hold in a sweep and vary elsewhere in its family, e.g. "symbols=binary"."""
    kin = [r.params for r in results if r.family == member.family]
    varying = [k for k in member.params if k != name and len({repr(p.get(k)) for p in kin}) > 1]
    return ", ".join(f"{k}={member.params[k]}" for k in varying)


def params_words(result: CurveResult) -> str:
    """Return the parameters as "period=3, symbols=binary"."""
    return ", ".join(f"{name}={value}" for name, value in result.params.items())


def _condition(entry: Entry) -> tuple[object, ...]:
    result = entry.result
    params = tuple(sorted((name, repr(value)) for name, value in result.params.items()))
    return id(entry.run), result.model, result.family, result.readout, params


def _ranks(run_entries: Sequence[Entry]) -> dict[tuple[object, ...], int]:
    """Return the order in which runs, models and families are first met."""
    ranks: dict[tuple[object, ...], int] = {}
    for entry in run_entries:
        run, model = id(entry.run), entry.result.model
        for key in [(run,), (run, model), (run, model, entry.result.family)]:
            ranks.setdefault(key, len(ranks))
    return ranks


def _unique(name: str, taken: set[str]) -> str:
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "curve"
    anchor, n = base, 1
    while anchor.casefold() in taken:  # file names may not differ by case alone
        n += 1
        anchor = f"{base}-{n}"
    taken.add(anchor.casefold())
    return anchor
