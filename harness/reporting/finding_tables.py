"""Columns and rows of what stands beside a transition: scorings, single sequences, families, conditions compared."""

from collections.abc import Sequence

import pandas as pd

from harness.reporting.findings import discovery
from harness.types import CurveResult, Difference, Individuals, Mirage, RunResult, Shift


def finding_columns(run: RunResult, result: CurveResult) -> dict[str, object]:
    """Return the columns of a curve: `family_p_none` is its p_none under the null share of its family.

    `exploratory` and `confirmatory` say whether it is a discovery of the family
    by Bayesian false discovery rate and by e-BH. Widths and spreads are in
    units of the level.
    """
    place = discovery(run, result)
    family, member = place if place is not None else (None, None)
    return {
        **_scorings(result.mirage),
        **_singles(result.individuals),
        "family": None if family is None else family.name,
        "family_null_share": None if family is None else family.null_share,
        "family_p_none": None if member is None else member.p_none,
        "exploratory": None if member is None else member.exploratory,
        "confirmatory": None if member is None else member.confirmatory,
    }


def _scorings(found: Mirage | None) -> dict[str, object]:
    logit, accuracy = (None, None) if found is None else (found.logit, found.accuracy)
    return {
        "logit_width": None if logit is None else logit.width,
        "logit_width_high": None if logit is None else logit.width_high,
        "accuracy_width": None if accuracy is None else accuracy.width,
        "accuracy_alone_width": None if found is None else found.accuracy_alone,
        "sharp_only_under": None if found is None else ", ".join(found.sharp_only_under),
    }


def _singles(found: Individuals | None) -> dict[str, object]:
    names = ("width", "width_low", "width_high", "spread", "spread_low", "spread_high", "changing", "smeared")
    return {f"individual_{name}": None if found is None else getattr(found, name) for name in names}


def shifts_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row for each two conditions compared: second less first, with intervals and thresholds."""
    rows = [_row(run.name, shift) for run in results for shift in run.shifts]
    return pd.DataFrame(rows, columns=None if rows else ["run", "first", "second"])


def _row(run: str, shift: Shift) -> dict[str, object]:
    row: dict[str, object] = {
        "run": run,
        "first": shift.first,
        "second": shift.second,
        "paired": shift.paired,
        "sequences": shift.sequences,
        "censored": shift.censored,
        "bound": shift.bound,
        "p_value": shift.p_value,
        "p_holm": shift.p_holm,
        "discovered": shift.discovered,
    }
    for name in ("location", "log2_width", "lower", "upper"):
        row |= _difference(name, getattr(shift, name))
    options = shift.options
    return row | {
        "sharp_width": options.sharp_width,
        "min_change": options.min_change,
        "fdr": options.fdr,
        "axis": options.axis,
        "confidence": options.confidence,
    }


def _difference(name: str, found: Difference | None) -> dict[str, object]:
    fields = ("low", "high", "p_above", "p_within", "region")
    return {name: None if found is None else found.value} | {
        f"{name}_{field}": None if found is None else getattr(found, field) for field in fields
    }
