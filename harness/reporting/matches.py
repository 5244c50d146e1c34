"""What the report shows of exact match, beside the probability of the gold answer: a sentence, marks and columns."""

import numpy as np
from matplotlib.axes import Axes

from harness.reporting.drawing import IDEAL, VIOLET
from harness.reporting.levels import mean_over_sequences
from harness.reporting.numbers import number
from harness.reporting.placement import thin
from harness.reporting.wording import delay_words, short_verdict, transition_sentence
from harness.types import CountCurve, CurveResult, ExactMatch, Floats, Transition

_MARKS = 30  # most squares in a figure: more would hide the curve
NAME = "exact match"
Label = tuple[str, float, str]  # text, height on the y axis, colour


def match_sentence(result: CurveResult) -> str:
    """Return what the analyzer says of the exact matches, with chance level and log-probability; "" if none."""
    match = result.match
    if match is None:
        return ""
    what = (
        "the share of all draws that is the gold answer"
        if isinstance(match.curve, CountCurve)
        else "whether the gold answer is the most probable declared symbol"
    )
    parts = [f"Exact match, {what}: {transition_sentence(match.transition, match.curve.level, NAME)[:-1]}"]
    ideal = ideal_match_transition(match)
    if ideal is not None:
        parts.append(f"ideal observer: {short_verdict(ideal)}")
    if match.delay is not None and match.delay.value is not None:
        parts.append(f"excess delay {delay_words(match.delay)} symbols")
    parts += [f"chance {match.chance:.3g}", _log_words(match)]
    return "; ".join(part for part in parts if part) + "."


def match_note(result: CurveResult) -> str:
    """Return what the marks of exact match mean, for the caption of a figure; "" if there are none."""
    if result.match is None:
        return ""
    return "violet squares: exact match with 95 % interval; orange dots: that of the ideal observer"


def draw_match(axes: Axes, match: ExactMatch, *, log2: bool) -> list[Label]:
    """Draw the exact matches of the model as squares with intervals, and those of the ideal observer as dots."""
    level = match.curve.level
    labels: list[Label] = []
    if match.observers:
        ideal = mean_over_sequences(next(iter(match.observers.values())))
        kept = thin(level, ideal, log2=log2)
        axes.plot(level[kept], ideal[kept], color=IDEAL, linewidth=1.0, dashes=(1, 1.5), zorder=3.2)
    shown = np.unique(np.linspace(0, level.size - 1, min(_MARKS, level.size)).round().astype(np.int64))
    x, mean = level[shown], match.mean[shown]
    axes.vlines(x, match.low[shown], match.high[shown], color=VIOLET, linewidth=0.7, alpha=0.6, zorder=3.6)
    axes.plot(
        x, mean, color=VIOLET, linestyle="none", marker="s", markersize=3.4, fillstyle="none", zorder=3.7
    )
    labels.append((NAME, float(match.mean[-1]), VIOLET))
    return labels


def match_columns(result: CurveResult) -> dict[str, object]:
    """Return the columns of exact match for the table of transitions, absent where it was not asked."""
    match = result.match
    found = {
        "match": None if match is None else match.transition,
        "ideal_match": None if match is None else ideal_match_transition(match),
    }
    columns: dict[str, object] = {
        f"{prefix}_{name}": None if t is None else getattr(t, name)
        for prefix, t in found.items()
        for name in ("verdict", "location", "width")
    }
    delay = None if match is None else match.delay
    return columns | {
        "match_delay": None if delay is None else delay.value,
        "match_chance": None if match is None else match.chance,
    }


def match_positions(result: CurveResult) -> dict[str, Floats]:
    """Return the columns of exact match and log-probability (nat) at each level of a curve, NaN where there is none."""
    match, size = result.match, result.curve.level.size
    columns = {name: np.full(size, np.nan) for name in ("match", "match_low", "match_high", "match_scored")}
    columns |= {"log_p": np.full(size, np.nan), "ideal_match": np.full(size, np.nan)}
    if match is None:
        return columns
    at = np.isin(result.curve.level, match.curve.level)
    ideal = next(iter(match.observers.values()), None)
    values = {
        "match": match.mean,
        "match_low": match.low,
        "match_high": match.high,
        "match_scored": match.scored,
        "log_p": match.log_p,
        "ideal_match": None if ideal is None else mean_over_sequences(ideal),
    }
    for name, value in values.items():
        if value is not None:
            columns[name][at] = value
    return columns


def ideal_match_transition(match: ExactMatch) -> Transition | None:
    """Return the transition of the ideal observer's exact match, the first of the observers'."""
    return next(iter(match.observer_transitions.values()), None)


def _log_words(match: ExactMatch) -> str:
    known = match.log_p[np.isfinite(match.log_p)]
    if not known.size:
        return ""
    return f"mean ln p(gold) {number(float(known[0]), 2)} nat at first, {number(float(known[-1]), 2)} at last"
