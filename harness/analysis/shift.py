"""How the change of one curve differs from that of another: one model and another, with a control and without."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from harness.analysis.bootstrap import interval
from harness.analysis.checks import DEFAULTS, check_curve
from harness.analysis.families import e_bh, holm, p_to_e
from harness.analysis.pairing import paired
from harness.analysis.prepare import FEW
from harness.analysis.readings import Read, Reading, read_change, sequence_weights
from harness.types import AnalysisOptions, Curve, Difference, Floats, SequenceCurve, Shift


def compare_conditions(first: Curve, second: Curve, *, options: AnalysisOptions = DEFAULTS) -> Shift:
    """Compare two conditions: shift of location, log2 width and asymptotes, second less first.

    Sequences that share ids are paired: the ids are resampled once for both
    curves, so what a sequence does to both cancels. Else the two are independent:
    each curve of sequences is resampled by itself, each curve of counts drawn
    from its posterior. Intervals at `options.confidence`; none with fewer than
    ten sequences.

    Raises CurveError for numbers that are not a curve, and for an id that occurs twice.
    """
    ids = _shared_ids(first, second)
    if ids and isinstance(first, SequenceCurve) and isinstance(second, SequenceCurve):
        first, second = paired(first, second)
    both = None if not ids else sequence_weights(ids, np.random.default_rng(options.seed))
    mine = read_change(first, options, both or _own_weights(first, options.seed), options.seed)
    # Not the stream of the first: independent curves of the same size would be resampled alike.
    theirs = read_change(second, options, both or _own_weights(second, options.seed + 1), options.seed + 1)
    blank = Shift(
        first=first.name,
        second=second.name,
        paired=bool(ids),
        sequences=len(ids) or None,
        location=None,
        log2_width=None,
        lower=None,
        upper=None,
        censored=None,
        bound=None,
        p_value=None,
        options=options,
    )
    if mine.change is None or theirs.change is None or mine.change.rising != theirs.change.rising:
        return _censored(blank, mine, theirs)
    return _measured(blank, mine.change, theirs.change, options)


def corrected_shifts(shifts: Sequence[Shift]) -> list[Shift]:
    """Add to each shift its p-value adjusted by Holm's method, and whether e-BH at `options.fdr` finds it.

    Shifts without a p-value are not among the hypotheses.
    """
    tested = [i for i, shift in enumerate(shifts) if shift.p_value is not None]
    if not tested:
        return list(shifts)
    p = np.array([shifts[i].p_value for i in tested], dtype=np.float64)
    found = e_bh(p_to_e(p), q=shifts[tested[0]].options.fdr)
    result = list(shifts)
    for i, adjusted, discovered in zip(tested, holm(p), found, strict=True):
        result[i] = replace(shifts[i], p_holm=float(adjusted), discovered=bool(discovered))
    return result


def _shared_ids(first: Curve, second: Curve) -> tuple[str, ...]:
    for curve in (first, second):
        check_curve(curve)
    if not (isinstance(first, SequenceCurve) and isinstance(second, SequenceCurve)):
        return ()
    known = set(second.sequence_ids)
    return tuple(name for name in first.sequence_ids if name in known)


def _own_weights(curve: Curve, seed: int) -> Mapping[str, Floats] | None:
    if not isinstance(curve, SequenceCurve):
        return None
    return sequence_weights(curve.sequence_ids, np.random.default_rng(seed))


def _censored(blank: Shift, mine: Read, theirs: Read) -> Shift:
    """Say why there is no shift, and what bound a curve without a change still puts on it."""
    if mine.several or theirs.several:
        return replace(blank, censored="several")
    if mine.change is None and theirs.change is None:
        return replace(blank, censored="both")
    if theirs.change is None and mine.change is not None:
        return replace(blank, censored="second", bound=theirs.last - float(mine.change.point.location[0]))
    if mine.change is None and theirs.change is not None:
        return replace(blank, censored="first", bound=float(theirs.change.point.location[0]) - mine.last)
    return replace(blank, censored="direction")


def _measured(blank: Shift, mine: Reading, theirs: Reading, options: AnalysisOptions) -> Shift:
    gap = max(mine.gap, theirs.gap)
    sampled = mine.sampled and theirs.sampled
    n = min((r.sequences for r in (mine, theirs) if r.sequences is not None), default=None)
    if n is not None and n < FEW:
        sampled = False
    # Of counts there are more draws than of sequences; where both occur the two are independent anyway.
    common = slice(min(len(mine.draws.location), len(theirs.draws.location)))
    a, b = mine.draws.part(common), theirs.draws.part(common)
    widest = float(max(mine.point.width[0], theirs.point.width[0]))

    def difference(name: str, region: float, least: float, *, log: bool = False) -> Difference:
        pairs = [getattr(values, name) for values in (mine.point, theirs.point, a, b)]
        one, other, draws, other_draws = (np.log2(v) if log else v for v in pairs)
        return _difference(float((other - one)[0]), other_draws - draws, n, region, least, sampled, options)

    location = difference("location", gap, gap / 2)
    return replace(
        blank,
        location=location,
        log2_width=difference("width", float(np.log2(1 + gap / widest)), 0.0, log=True),
        lower=difference("lower", options.min_change, 0.0),
        upper=difference("upper", options.min_change, 0.0),
        p_value=None if location.p_above is None else 2 * min(location.p_above, 1 - location.p_above),
    )


def _difference(
    value: float,
    draws: Floats,
    n_sequences: int | None,
    region: float,
    least: float,
    sampled: bool,
    options: AnalysisOptions,
) -> Difference:
    """Return a difference with its interval, at least `least` to either side.

    Probabilities are those of Student's t about the value, with the standard
    deviation of the draws but never less than the interval implies: a few
    hundred draws cannot show a small probability themselves.
    """
    if not sampled:
        return Difference(value, None, None, None, None, region)
    tail = (1 - options.confidence) / 2
    if n_sequences is None:
        low, high = (float(q) for q in np.quantile(draws, [tail, 1 - tail]))
        freedom, sd = np.inf, float(draws.std())
    else:
        low, high = interval(draws, value, options.confidence, n_sequences)
        freedom = n_sequences - 1.0
        sd = float(draws.std()) * float(np.sqrt(n_sequences / freedom))
    low, high = float(min(low, value - least)), float(max(high, value + least))
    sd = max(sd, least / float(stats.t.ppf(1 - tail, freedom)), 1e-12)
    above, edge, other = stats.t.cdf(np.array([value, value + region, value - region]) / sd, freedom)
    return Difference(value, low, high, float(above), float(edge - other), region)
