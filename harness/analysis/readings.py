"""One change of one curve read as numbers, with as many draws of what they could have been."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.analysis.axis import Axis
from harness.analysis.bootstrap import resampling_weights, weighted_means
from harness.analysis.evidence import Weighed, weigh
from harness.analysis.halfway import make_reader
from harness.analysis.prepare import Prepared, prepare
from harness.analysis.refine import refined_posterior
from harness.types import AnalysisOptions, Bools, Curve, Floats, SequenceCurve

NO_CHANGE = 0.05  # a curve has a change if its posterior of none is below this
SEVERAL = 0.5  # and several changes if their posterior is at least this
DRAWS = 2000  # from the posterior of a curve of counts


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The four numbers of a change, or draws of them; location and width in units of the level."""

    location: Floats  # (n,)
    width: Floats  # (n,), 10-90 %, at least the spacing of the levels there
    lower: Floats  # (n,), smaller asymptote
    upper: Floats  # (n,)

    def part(self, rows: slice) -> "Values":
        """Return some of the draws."""
        return Values(self.location[rows], self.width[rows], self.lower[rows], self.upper[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The change of one curve. Draws of two readings under the same weights belong together."""

    rising: bool
    point: Values  # (1,)
    draws: Values  # (n_draws,)
    gap: float  # between the levels the location lies in
    sequences: int | None  # that were resampled, None for draws from a posterior
    sampled: bool  # whether an interval can be had


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A curve with its reading, or why it has none."""

    change: Reading | None
    several: bool
    last: float  # level


def sequence_weights(ids: tuple[str, ...], rng: np.random.Generator) -> Mapping[str, Floats]:
    """Return how often each draw of the cluster bootstrap holds each sequence, by its id."""
    return dict(zip(ids, resampling_weights(len(ids), rng).T, strict=True))


def read_change(
    curve: Curve, options: AnalysisOptions, weights: Mapping[str, Floats] | None, seed: int
) -> Read:
    """Read the change of a curve; `weights` resample its sequences, a curve of counts needs none.

    Sequences: half-rise point, 10-90 % width and plateaus of the isotonic mean
    (`halfway`). Counts: draws from the posterior over shapes and levels.
    """
    prepared = prepare(curve, options)
    weighed = weigh(prepared.likelihood, prepared.axis, options)
    last = float(prepared.level[-1])
    if weighed.none >= NO_CHANGE or weighed.multiple >= SEVERAL:
        return Read(None, weighed.multiple >= SEVERAL, last)
    if isinstance(prepared.curve, SequenceCurve):
        assert weights is not None
        return Read(_from_sequences(prepared, prepared.curve, weighed, options, weights), False, last)
    return Read(_from_posterior(prepared, weighed, options, np.random.default_rng(seed)), False, last)


def _from_sequences(
    prepared: Prepared,
    curve: SequenceCurve,
    weighed: Weighed,
    options: AnalysisOptions,
    weights: Mapping[str, Floats],
) -> Reading:
    reader = make_reader(prepared, weighed, options.sharp_width)
    share = np.stack([weights[name] for name in curve.sequence_ids], axis=1)  # those without data are gone
    means = np.concatenate([prepared.mean[None, :], weighted_means(curve.p, share)])
    points = reader.read(means)
    values = _values(
        prepared.axis, points.half, points.start, points.end, np.stack([points.before, points.after], axis=1)
    )
    point, draws = values.part(slice(0, 1)), values.part(slice(1, None))
    gap = _gap(prepared.axis, float(points.half[0]))
    return Reading(reader.rising, point, draws, gap, len(curve.p), prepared.sampled)


def _from_posterior(
    prepared: Prepared, weighed: Weighed, options: AnalysisOptions, rng: np.random.Generator
) -> Reading:
    axis = prepared.axis
    drawn = posterior_draws(prepared, weighed, options, rng)
    half, wide, level = drawn.location, drawn.width, drawn.level
    draws = _values(axis, half, half - wide / 2, half + wide / 2, np.clip(level, 0, 1))
    point = Values(
        *(np.array([np.median(v)]) for v in (draws.location, draws.width, draws.lower, draws.upper))
    )
    rising = float(np.mean(level[:, 1] > level[:, 0])) > 0.5
    return Reading(rising, point, draws, _gap(axis, float(np.median(half))), None, True)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Single changes drawn from their posterior, on the axis."""

    location: Floats  # (DRAWS,)
    width: Floats  # (DRAWS,), 10-90 %, 0 for a step
    hill: Bools  # (DRAWS,), a Hill curve rather than a logistic one
    level: Floats  # (DRAWS, 2), plateaus before and after; normal, so they can lie outside [0, 1]


def posterior_draws(
    prepared: Prepared, weighed: Weighed, options: AnalysisOptions, rng: np.random.Generator
) -> Drawn:
    """Draw shapes around the plausible ones, each with its plateaus."""
    found = refined_posterior(prepared.likelihood, prepared.axis, weighed, options.sharp_width)
    singles, fit = found.singles, found.fit
    chosen = rng.choice(len(found.weight), size=DRAWS, p=found.weight)
    factor = np.linalg.cholesky(fit.covariance[chosen] + 1e-12 * np.eye(2))
    noise = np.matmul(factor, rng.standard_normal((DRAWS, 2, 1)))[:, :, 0]
    return Drawn(
        singles.location[chosen], singles.width[chosen], singles.hill[chosen], fit.level[chosen] + noise
    )


def _values(axis: Axis, half: Floats, start: Floats, end: Floats, level: Floats) -> Values:
    """Put crossings on the axis in units of the level, no width below the spacing of the levels."""
    location, start, end = (_to_levels(axis, x) for x in (half, start, end))
    gap = _gap(axis, float(np.median(half)))
    return Values(location, np.maximum(end - start, gap), level.min(axis=1), level.max(axis=1))


def _to_levels(axis: Axis, x: Floats) -> Floats:
    return np.array([axis.to_level(float(at)) for at in x])


def _gap(axis: Axis, x: float) -> float:
    left, right = axis.gap(x)
    return axis.to_level(right) - axis.to_level(left)
