"""What is said beside the transitions of a run: families of curves, conditions compared, metrics, single sequences."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import combinations

from harness.analysis import compare_conditions, corrected_shifts, discover, individuals, mirage
from harness.conditions import MIN_LEVELS
from harness.errors import CurveError
from harness.judgments import Judgments
from harness.types import (
    AnalysisOptions,
    Curve,
    CurveResult,
    Family,
    Individuals,
    Mirage,
    SequenceCurve,
    Shift,
    Transition,
)


def with_findings(result: CurveResult, options: AnalysisOptions, judgments: Judgments) -> CurveResult:
    """Return a curve without control with what scorings and single sequences say of its change."""
    curve, found = result.curve, result.transition
    if result.control is not None or found.p_none >= 0.5:
        return result
    scored = judgments.finding(Mirage, options, (curve,), lambda: mirage(curve, options=options))
    single: Individuals | None = None
    if isinstance(curve, SequenceCurve):
        whole = curve
        single = judgments.finding(
            Individuals, options, (curve,), lambda: individuals(whole, options=options, pooled=found)
        )
    return replace(result, mirage=scored, individuals=single)


def families_of(curves: Sequence[CurveResult], options: AnalysisOptions) -> tuple[Family, ...]:
    """Return two families a model: its curves as they are, and those under a control.

    They are kept apart because most of the first are expected to change and most
    of the second are not, so one null share would be wrong for both. A control
    is judged by what it is asked: the transition beyond its baseline observer
    where there is such a question, else the transition itself.
    """
    members: dict[tuple[str, bool], list[Transition]] = {}
    for result in curves:
        judged = result.transition if result.beyond is None else result.beyond
        key = result.model, result.control is not None
        members.setdefault(key, []).append(replace(judged, curve=result.curve.name))
    return tuple(
        discover(found, q=options.fdr, name=f"{model}, under controls" if controlled else model)
        for (model, controlled), found in members.items()
    )


def shifts_of(
    curves: Sequence[CurveResult], options: AnalysisOptions, judgments: Judgments
) -> tuple[Shift, ...]:
    """Compare controls with their curve and each two models under the same condition, by sequence.

    Swept values are not compared with each other: they have other sequences.
    Controls that should destroy a change are not asked where it is. Pairs of
    which neither curve changes are left out. Holm's method and e-BH are applied
    to the comparisons with controls and to those of models apart.
    """
    found: list[Shift] = []
    for pairs in (_controls(curves), _models(curves)):
        shifts = [_shift(first, second, options, judgments) for first, second in pairs]
        found += corrected_shifts([shift for shift in shifts if shift is not None])
    return tuple(found)


def _shift(first: Curve, second: Curve, options: AnalysisOptions, judgments: Judgments) -> Shift | None:
    def find() -> Shift | None:
        with suppress(CurveError):  # calls failed: the two share too few levels to be compared
            return compare_conditions(first, second, options=options)
        return None

    return judgments.finding(Shift, options, (first, second), find)


def _controls(curves: Sequence[CurveResult]) -> Iterator[tuple[Curve, Curve]]:
    """Yield each curve with the controls that should keep or move its change; those were made of the same sequences.

    A control that should destroy the change is asked whether one is left, not where.
    """
    plain = {_condition(r): r for r in curves if r.control is None}
    for result in curves:
        original = plain.get(_condition(result))
        asked = result.control is not None and result.expects != "gone"
        if asked and original is not None and _changes(original, result):
            yield _by_replicate(original.curve), _by_replicate(result.curve)


def _models(curves: Sequence[CurveResult]) -> Iterator[tuple[Curve, Curve]]:
    """Yield each two models under one condition without a control: every model gets the same sequences."""
    groups: dict[tuple[object, ...], list[CurveResult]] = {}
    for result in curves:
        if result.control is None:
            groups.setdefault(_condition(result)[1:], []).append(result)
    for group in groups.values():
        for first, second in combinations(group, 2):
            if _changes(first, second):
                yield first.curve, second.curve


def _changes(*results: CurveResult) -> bool:
    """Return whether curves share enough levels to be compared, and one of them changes."""
    shared = set.intersection(*(set(result.curve.level.tolist()) for result in results))
    return len(shared) >= MIN_LEVELS and any(result.transition.p_none < 0.5 for result in results)


def _condition(result: CurveResult) -> tuple[object, ...]:
    params = tuple(sorted((name, repr(value)) for name, value in result.params.items()))
    return result.model, result.family, result.readout, result.title, params


def _by_replicate(curve: Curve) -> Curve:
    """Return a curve whose sequences are named by their replicate alone, which conditions share."""
    if not isinstance(curve, SequenceCurve):
        return curve
    return replace(curve, sequence_ids=tuple(name.rsplit("-", 1)[-1] for name in curve.sequence_ids))
