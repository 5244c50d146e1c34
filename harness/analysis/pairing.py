"""Two tables of the same sequences brought into the same order."""

from dataclasses import replace

import numpy as np

from harness.analysis.checks import MIN_LEVELS, check_curve
from harness.errors import CurveError
from harness.types import Ints, SequenceCurve


def paired(curve: SequenceCurve, other: SequenceCurve) -> tuple[SequenceCurve, SequenceCurve]:
    """Return both curves on the sequences they share, in the order of the first, and on shared levels.

    Raises CurveError if an id occurs twice, no id is shared or fewer than three levels are.
    """
    for one in (curve, other):
        check_curve(one)
        ids = one.sequence_ids
        if len(set(ids)) < len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise CurveError(
                f"curve {one.name!r}: sequence id {twice!r} occurs twice; pairing needs each id once"
            )
    row = {name: i for i, name in enumerate(other.sequence_ids)}
    shared = [(i, row[name]) for i, name in enumerate(curve.sequence_ids) if name in row]
    if not shared:
        raise CurveError(
            f"curves {curve.name!r} and {other.name!r} share no sequence id "
            f"(first ids {curve.sequence_ids[0]!r} and {other.sequence_ids[0]!r}); "
            "a difference needs the same sequences"
        )
    level, mine, theirs = np.intersect1d(curve.level, other.level, return_indices=True)
    if len(level) < MIN_LEVELS:
        raise CurveError(
            f"curves {curve.name!r} and {other.name!r} share {len(level)} level(s); "
            f"at least {MIN_LEVELS} are needed"
        )
    return (
        _part(curve, np.array([i for i, _ in shared]), mine),
        _part(other, np.array([j for _, j in shared]), theirs),
    )


def _part(curve: SequenceCurve, rows: Ints, columns: Ints) -> SequenceCurve:
    return replace(
        curve,
        level=curve.level[columns],
        p=np.clip(curve.p[np.ix_(rows, columns)], 0, 1),
        sequence_ids=tuple(curve.sequence_ids[i] for i in rows),
    )
