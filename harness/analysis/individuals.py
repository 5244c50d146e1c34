"""The changes of single sequences: a mean over sharp changes at scattered places is gradual."""

from dataclasses import dataclass

import numpy as np

from harness.analysis.checks import DEFAULTS, check_curve
from harness.analysis.prepare import FEW, PROBABILITY, prepare_sequences
from harness.analysis.single_rows import Rows, changing, fit_rows
from harness.analysis.templates import sharp_limit
from harness.analysis.verdict import transition
from harness.types import AnalysisOptions, Bools, Floats, Individuals, SequenceCurve, Transition

DRAWS = 100  # resamplings of the sequences
ITERATIONS, AGAIN = 100, 15  # of expectation maximisation: from scratch, and for each resampling
LEAST_SPREAD = 0.5  # of the distance between places tried: a spread below it cannot be told from none


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """Laws of location (normal) and width (any) of the sequences' own changes; one row a resampling."""

    place: Floats  # (n, n_places), sums to one
    width: Floats  # (n, n_widths), sums to one
    spread: Floats  # (n,), s.d. of the location, on the axis


def individuals(
    curve: SequenceCurve, *, options: AnalysisOptions = DEFAULTS, pooled: Transition | None = None
) -> Individuals | None:
    """Measure the changes of single sequences and say whether averaging smeared them.

    Each sequence's likelihood of place and width (`single_rows`) is known; what
    is estimated, by expectation maximisation, is how they are distributed over
    sequences: any law of widths, a normal law of locations. A noisy sequence
    tells little of its own width, so widths are not fitted row by row and then
    averaged: noise would look like width, and noise fitted by a step like
    sharpness. Intervals at `options.confidence` are from resampling sequences;
    they know nothing of what noise adds: smooth rows that all change at one
    place show a spread of up to 0.03 of the range under noise of s.d. 0.15-0.3.

    *Smeared*: the mean curve (`pooled`, judged here where not given) is gradual
    and the upper bound of the median width of its sequences is within the sharp
    limit. None with fewer than ten sequences that change, or where fewer than
    half of them do. Raises CurveError for numbers that are not a curve.
    """
    check_curve(curve)
    pooled = transition(curve, options=options) if pooled is None else pooled
    if len(curve.p) < FEW or pooled.p_none >= 0.5 or pooled.p_multiple >= 0.5:
        return None
    prepared = prepare_sequences(curve, options, PROBABILITY)
    assert isinstance(prepared.curve, SequenceCurve)
    axis = prepared.axis
    rows = fit_rows(prepared.curve, axis, sharp_width=options.sharp_width, min_change=options.min_change)
    if rows is None:
        return None
    rising = float(np.median(rows.size)) > 0
    kept = changing(rows, options.min_change, rising=rising)
    if kept.sum() < max(FEW, len(kept) / 2):
        return None
    law = _laws(rows, kept, options)
    at = float(law.place[0] @ rows.location)
    left, right = axis.gap(at)
    limit = sharp_limit(axis, at, options.sharp_width)
    width = _median_width(law.width, rows.width, options.confidence)
    width = (width[0], width[1], max(width[2], right - left))  # a step is known to a spacing of the levels
    spread = _interval(law.spread, options.confidence)
    if spread[0] <= _least_spread(rows.location):  # the floor of the estimate: no spread is seen
        spread = (0.0, 0.0, spread[2])

    def in_levels(distance: float) -> float:
        return axis.to_level(at + distance / 2) - axis.to_level(at - distance / 2)

    return Individuals(
        curve=curve.name,
        sequences=len(kept),
        changing=int(kept.sum()),
        width=in_levels(width[0]),
        width_low=in_levels(width[1]),
        width_high=in_levels(width[2]),
        spread=in_levels(spread[0]),
        spread_low=in_levels(spread[1]),
        spread_high=in_levels(spread[2]),
        sharp_share=float(law.width[0, rows.width <= limit].sum()),
        smeared=pooled.verdict == "gradual" and width[2] <= limit * (1 + 1e-9),
        options=options,
    )


def _laws(rows: Rows, kept: Bools, options: AnalysisOptions) -> Law:
    """Estimate the laws from all rows (row 0) and from resamplings of them."""
    n_rows = int(kept.sum())
    score = rows.score[kept].reshape(n_rows, -1)
    likelihood = np.exp(score - score.max(axis=1, keepdims=True))
    n_widths = len(rows.width)
    cell = np.gradient(rows.location)
    start = Law(
        (cell / cell.sum())[None, :],
        np.full((1, n_widths), 1 / n_widths),
        np.array([float(np.ptp(rows.location))]),
    )
    whole = _maximised(likelihood, np.ones((1, n_rows)) / n_rows, rows.location, cell, start, ITERATIONS)
    rng = np.random.default_rng(options.seed)
    drawn = rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=DRAWS) / n_rows
    warm = Law(*(np.repeat(part, DRAWS, axis=0) for part in (whole.place, whole.width, whole.spread)))
    again = _maximised(likelihood, drawn, rows.location, cell, warm, AGAIN)
    both = zip(
        (whole.place, whole.width, whole.spread), (again.place, again.width, again.spread), strict=True
    )
    return Law(*(np.concatenate(parts) for parts in both))


def _maximised(
    likelihood: Floats, weight: Floats, location: Floats, cell: Floats, law: Law, iterations: int
) -> Law:
    """Iterate from `law`, one problem per row of `weight` (n, n_rows), all with the same likelihoods."""
    n, n_places, n_widths = len(weight), len(location), law.width.shape[1]
    least = _least_spread(location)
    for _ in range(iterations):
        prior = (law.place[:, :, None] * law.width[:, None, :]).reshape(n, -1)
        seen = np.maximum(prior @ likelihood.T, 1e-300)
        mass = (prior * ((weight / seen) @ likelihood)).reshape(n, n_places, n_widths)
        mass /= mass.sum(axis=(1, 2), keepdims=True)
        place, width = mass.sum(axis=2), mass.sum(axis=1)
        centre = place @ location
        spread = np.sqrt(np.sum(place * np.square(location - centre[:, None]), axis=1))
        spread = np.maximum(spread, least)
        z = (location - centre[:, None]) / spread[:, None]
        bell = cell * np.exp(-np.square(z) / 2)
        law = Law(bell / bell.sum(axis=1, keepdims=True), width, spread)
    return law


def _least_spread(location: Floats) -> float:
    return LEAST_SPREAD * float(np.min(np.diff(location)))


def _median_width(law: Floats, width: Floats, confidence: float) -> tuple[float, float, float]:
    """Return the median of the law of widths with its interval, out to the ends of the grid's cells."""
    half = np.argmax(np.cumsum(law, axis=1) >= 0.5 - 1e-9, axis=1)
    low, high = np.quantile(half[1:], _tails(confidence), method="closest_observation").astype(int)
    low, high = min(low, int(half[0])), max(high, int(half[0]))
    between = np.sqrt(width[1:-1] * width[2:])
    edge = np.concatenate([[0.0, width[1] / 2], between, [width[-1]]])  # of the cells, (n_widths + 1,)
    return float(width[half[0]]), float(edge[low]), float(edge[high + 1])


def _interval(values: Floats, confidence: float) -> tuple[float, float, float]:
    """Return the first value with the central interval of the others, which it is not outside of."""
    low, high = np.quantile(values[1:], _tails(confidence))
    return float(values[0]), float(min(low, values[0])), float(max(high, values[0]))


def _tails(confidence: float) -> list[float]:
    return [(1 - confidence) / 2, (1 + confidence) / 2]
