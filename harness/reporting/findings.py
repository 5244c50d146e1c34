"""Sentences beside a verdict: a change under other scorings, in single sequences, in its family, in two conditions."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.numbers import listing, number, plural, probability, with_interval
from harness.reporting.wording import UNIT, options_words
from harness.types import CurveResult, Difference, Discovery, Family, Mirage, RunResult, Scored, Shift

SHIFT_COLUMNS = ("first", "second", "shift of half-way", "P(later)", "P(practically none)", "widths, octaves",
                 "upper asymptote", "p (Holm)", "e-BH")  # fmt: skip
"""Columns of the table of compared conditions: two names, then what is in `shift_rows`."""


def finding_sentences(result: CurveResult) -> tuple[str, ...]:
    """Return what scorings and single sequences say of a change, as sentences; () where not asked."""
    return tuple(
        text for text in (_scorings(result.mirage), _metric(result.mirage), _singles(result)) if text
    )


def _scorings(found: Mirage | None) -> str:
    if found is None:
        return ""
    named = (("p", found.p), ("logit p", found.logit), ("accuracy", found.accuracy))
    parts = [f"{_width(scored)} in {name}" for name, scored in named if scored is not None]
    text = f"Width under other scorings, in {UNIT}: {listing(parts)} (logit p of p held to {found.floor:g})."
    if found.sharp_only_under:
        text += f" Sharp only under {listing(list(found.sharp_only_under))}."
    return text


def _metric(found: Mirage | None) -> str:
    """Return what metrics alone make of the continuous fit."""
    if found is None:
        return ""
    parts = [
        f"exact match of {length} symbols would be half-way at {number(at)} with width {number(wide)}"
        for length, at, wide in found.exact_match
    ]
    if found.accuracy_alone is not None:
        parts.insert(0, f"thresholding alone would give width {number(found.accuracy_alone)}")
    return f"From the continuous fit, {listing(parts)}." if parts else ""


def _singles(result: CurveResult) -> str:
    found = result.individuals
    if found is None:
        return ""
    lead = "Sharp individually, smeared on average: " if found.smeared else ""
    width = with_interval(found.width, found.width_low, found.width_high)
    spread = with_interval(found.spread, found.spread_low, found.spread_high)
    text = (
        f"{lead}{found.changing} of {plural(found.sequences, 'sequence')} change by themselves; the median of "
        f"their widths is {width} {UNIT}, their half-way points spread with s.d. {spread}."
    )
    return text if lead else text[0].upper() + text[1:]


def _width(scored: Scored) -> str:
    return with_interval(scored.width, scored.width_low, scored.width_high)


def family_sentences(run: RunResult) -> tuple[str, ...]:
    """Return what holds of the curves of a run as families, a sentence or two each."""
    return tuple(_family(family) for family in run.families)


def _family(family: Family) -> str:
    n = len(family.members)
    explored = sum(member.exploratory for member in family.members)
    confirmed = sum(member.confirmatory for member in family.members)
    if family.null_share is None:
        share = family.note
    else:
        between = "" if family.null_low is None or family.null_high is None else _between(family)
        share = f"the share without a change is estimated at {family.null_share:.2f}{between}"
    return (
        f"{family.name}: {explored} of {plural(n, 'curve')} discovered at a false discovery rate of "
        f"{family.q:g} (exploring: Bayesian, {share}), {confirmed} by e-BH (confirming: under any dependence)."
    )


def _between(family: Family) -> str:
    return f" [{family.null_low:.2f}, {family.null_high:.2f}]"


def shift_rows(run: RunResult) -> tuple[tuple[str, ...], ...]:
    """Return a row for each two conditions that were compared, under SHIFT_COLUMNS."""
    names = {result.curve.name: _title(result) for result in run.curves}
    return tuple(_row(shift, names) for shift in run.shifts)


def shift_note(run: RunResult) -> str:
    """Return what the rows mean, if there are any, with the thresholds in force."""
    rows = (
        "Second less first, on the same sequences where they share them (resampled together). A shift within "
        "the spacing of the levels is practically none; ≥ and ≤ are bounds, where one of the two has no change. "
    )
    return f"{rows if run.shifts else ''}{options_words(run.options).capitalize()}."


def _title(result: CurveResult) -> str:
    control = f", {result.control}" if result.control else ""
    return f"{result.title}{control}, {result.model}"


def _row(shift: Shift, names: dict[str, str]) -> tuple[str, ...]:
    at = shift.location
    return (
        names.get(shift.first, shift.first),
        names.get(shift.second, shift.second),
        _shift(shift),
        "n/a" if at is None or at.p_above is None else probability(at.p_above),
        "n/a" if at is None or at.p_within is None else probability(at.p_within),
        _difference(shift.log2_width),
        _difference(shift.upper),
        "n/a" if shift.p_holm is None else _p_value(shift.p_holm),
        "n/a" if shift.discovered is None else ("found" if shift.discovered else "not found"),
    )


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _shift(shift: Shift) -> str:
    match shift.censored:
        case "both":
            return "neither changes"
        case "several":
            return "several changes"
        case "direction":
            return "opposite directions"
        case "first" | "second" if shift.bound is not None:
            sign = "≥" if shift.censored == "second" else "≤"
            return f"{sign} {number(shift.bound)}"
    return _difference(shift.location)


def _difference(found: Difference | None) -> str:
    return "n/a" if found is None else with_interval(found.value, found.low, found.high)


def discovery(run: RunResult, result: CurveResult) -> tuple[Family, Discovery] | None:
    """Return a curve as a member of its family, and the family; None where it is in none."""
    for family in run.families:
        for member in family.members:
            if member.curve == result.curve.name:
                return family, member
    return None


@dataclass(frozen=True, slots=True)
class Compared:
    """What is said of the curves of one run together."""

    run: str
    families: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # under SHIFT_COLUMNS
    note: str


def compared(results: Sequence[RunResult]) -> tuple[Compared, ...]:
    """Return what is said of each run's curves together, runs with nothing to say left out."""
    said = (Compared(run.name, family_sentences(run), shift_rows(run), shift_note(run)) for run in results)
    return tuple(block for block in said if block.families or block.rows)
