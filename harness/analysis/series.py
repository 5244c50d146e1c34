"""Changes in a real-valued series: how many, where, with what certainty; exact, without sampling."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.special import logsumexp

from harness.analysis.series_checks import checked
from harness.analysis.series_evidence import NoisePrior, forward_sums, log_placements, segment_sums
from harness.analysis.series_places import name_changes, place_posterior
from harness.types import Floats, Ints, Segmentation, SegmentationOptions, Series, SeriesChange

UNCHANGED = 0.5  # its prior: above it the series speaks for no change; one series alone seldom reaches .9
SURE = 0.9  # posterior that the noise is correlated, above which independence is called wrong
DETECTED = 0.05  # posterior of none below which there are changes
RHO = np.array([0.0, 0.2, 0.4, 0.6, 0.75, 0.85, 0.92, 0.97])  # uniform on 0..1 by the cells about them
RHO_CELL = np.diff(np.concatenate([[0.0], (RHO[1:] + RHO[:-1]) / 2, [1.0]]))
SPREAD_KNOWN = {"level": 10.0, "level or spread": 1.0}  # a of InvGamma: sd of log variance .33, and 1.3
NORMAL_MAD = 0.6745  # median of |z| of a standard normal
CROWDED = 0.05  # posterior at max_changes above which it was too few
SPIKE = 2  # values in a run that a single odd one among normal noise can make
STAIRS = 3  # changes in one direction that a slope would be cut into
DEFAULTS = SegmentationOptions()


def segment_all(series: Iterable[Series], *, options: SegmentationOptions = DEFAULTS) -> list[Segmentation]:
    """Segment each series by itself. Raises CurveError for numbers that are not a series."""
    return [segment(s.values, level=s.level, options=options, name=s.name) for s in series]


def segment(
    values: Sequence[float] | Floats,
    *,
    level: Sequence[float] | Floats | None = None,
    options: SegmentationOptions = DEFAULTS,
    name: str = "series",
) -> Segmentation:
    """Cut a series into runs of constant level, with the posterior over all ways to do so.

    Prior: no change 1/2; m >= 1 changes in proportion to 2^-m, all placements of
    m changes alike. The result does not depend on the unit or the zero of the
    values: they are measured from their median, the prior of a run's mean has
    the spread of the series, that of the noise the median absolute difference
    of neighbours. `level` (default 0, 1, 2, ...) only names the places.

    Raises CurveError for values or levels that are not finite numbers, levels
    that do not ascend or fewer than 3 runs of the shortest length; SpecError for options.
    """
    y, x = checked(values, level, options, name)
    most = min(options.max_changes, len(y) // options.shortest - 1)
    centred = y - np.median(y)
    size = float(np.sqrt(np.mean(centred**2)))
    if size <= 1e-12 * max(float(np.max(np.abs(y))), 1e-300):
        return _constant(y, options, name)
    z = centred / size
    prior, warnings = _noise(z, options)
    sums = forward_sums(segment_sums(z, prior), most, options.shortest)
    back = forward_sums(segment_sums(z[::-1], prior), most, options.shortest)[:, :, ::-1]
    weight = _weights(sums, prior, options.shortest)
    number = weight.sum(axis=0)
    best = int(np.argmax(number))
    each = place_posterior(sums, back, weight[:, best], best)  # (best, n_values)
    changes, start = name_changes(each, y, x, options.confidence)
    if options.max_changes == most and number[most] > CROWDED and most > 0:
        warnings.append(
            f"{most} changes or more have a posterior of {number[most]:.2f}: raise max_changes={most}"
        )
    if options.noise == "independent":
        warnings += _correlation_warning(z, most, options)
    warnings += _shape_warnings(changes, np.diff([0, *start, len(y)]), options)
    return Segmentation(
        curve=name,
        verdict=_verdict(number[0]),
        p_changes=(*map(float, number), *([0.0] * (options.max_changes - most))),
        n_changes=best,
        changes=changes,
        noise_correlation=float(weight.sum(axis=1) @ prior.rho),
        options=options,
        place=_any_place(sums, back, weight),
        fit=np.concatenate([np.full(len(run), run.mean()) for run in np.split(y, start)]),
        warnings=tuple(warnings),
    )


def _noise(z: Floats, options: SegmentationOptions) -> tuple[NoisePrior, list[str]]:
    """Return the prior of the noise at each correlation, its scale from the differences of neighbours.

    Under correlation rho the differences have variance 2 v / (1 + rho), v that of the innovations.
    """
    step = np.diff(z)
    spread = float(np.median(np.abs(step))) / NORMAL_MAD
    warnings = []
    if spread < 1e-9:
        spread = float(np.sqrt(np.mean(step**2)))
        warnings.append(
            "more than half of the neighbouring values are equal: the noise was judged from all differences"
        )
    rho = RHO if options.noise == "ar1" else RHO[:1]
    variance = spread**2 * (1 + rho) / 2
    a = SPREAD_KNOWN[options.change]
    return NoisePrior(
        rho, a, a * variance, variance
    ), warnings  # kappa = v / 1: means spread as the series does


def _weights(sums: Floats, prior: NoisePrior, shortest: int) -> Floats:
    """Return the joint posterior of noise prior and number of changes: shape (n_priors, n_changes + 1), sum 1."""
    _, most, n = sums.shape
    share = 0.5 ** np.arange(1, most)
    number = np.log(np.concatenate([[0.5], share / share.sum() / 2]))
    ways = np.array([log_placements(n, m, shortest) for m in range(most)])
    cell = RHO_CELL[:, None] if len(prior.rho) > 1 else np.ones((1, 1))
    joint = sums[:, :, -1] + number - ways + np.log(cell)
    return np.asarray(np.exp(joint - logsumexp(joint)))


def _any_place(sums: Floats, back: Floats, weight: Floats) -> Floats:
    """Return the posterior that a run begins at each value, all numbers of changes averaged."""
    number = weight.sum(axis=0)
    each = [place_posterior(sums, back, weight[:, m], m).sum(axis=0) for m in range(len(number))]
    return np.asarray(number @ np.array(each))


def _shape_warnings(changes: tuple[SeriesChange, ...], run: Ints, options: SegmentationOptions) -> list[str]:
    said = []
    if len(changes) >= STAIRS and len({change.after > change.before for change in changes}) == 1:
        said.append(f"{len(changes)} changes, all in one direction: a slope is cut into such a staircase")
    if changes and run.min() <= max(options.shortest, SPIKE):
        said.append(
            f"a run of {run.min()} values beside a change: one odd value is cut out like that: "
            "look at it, the noise is taken to be normal"
        )
    return said


def _verdict(p_none: float) -> Literal["none", "changes", "undetermined"]:
    if p_none >= UNCHANGED:
        return "none"
    return "changes" if p_none < DETECTED else "undetermined"


def _constant(y: Floats, options: SegmentationOptions, name: str) -> Segmentation:
    """Return "none" for a series that never changes its value; there is no noise to judge it by."""
    return Segmentation(
        curve=name,
        verdict="none",
        p_changes=(1.0, *([0.0] * options.max_changes)),
        n_changes=0,
        changes=(),
        noise_correlation=0.0,
        options=options,
        place=np.zeros(len(y)),
        fit=y.copy(),
        warnings=("all values are equal",),
    )


def _correlation_warning(z: Floats, most: int, options: SegmentationOptions) -> list[str]:
    """Return what to say if the noise is correlated, whatever number of changes there are."""
    prior, _ = _noise(z, replace(options, noise="ar1"))
    sums = forward_sums(segment_sums(z, prior), most, options.shortest)
    weight = _weights(sums, prior, options.shortest).sum(axis=1)
    if weight[0] > 1 - SURE:
        return []
    return [
        f"neighbouring values are correlated (about {float(weight @ prior.rho):.2f}) although noise='independent': "
        "changes may be false; use noise='ar1'"
    ]
