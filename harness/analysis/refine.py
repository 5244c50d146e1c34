"""A finer grid of single changes where the posterior lies, so that intervals are not those of the first grid."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from harness.analysis.axis import Axis
from harness.analysis.counts import CountLikelihood, fit_each
from harness.analysis.evidence import Posterior, Weighed
from harness.analysis.likelihood import Fit, Likelihood
from harness.analysis.templates import SHARP_WIDTHS, Singles, make_singles
from harness.types import Floats

PLAUSIBLE = 1e-4  # posterior of a shape, as a share of the largest, that the finer grid must reach
PLACES, WIDTHS = 25, 16
BEYOND = 1.6  # the finer grid goes this factor beyond the plausible widths: one cell of the first grid


def with_fine(
    likelihoods: Sequence[CountLikelihood], axis: Axis, weighed: Sequence[Weighed], sharp_width: float
) -> list[Weighed]:
    """Add the posterior over the fine grid to curves that share their levels, at one go."""
    grids = [refined(axis, one, sharp_width) for one in weighed]
    fits = fit_each(likelihoods, [singles.shapes for singles in grids])
    return [
        replace(one, fine=_posterior(singles, fit))
        for one, singles, fit in zip(weighed, grids, fits, strict=True)
    ]


def refined_posterior(likelihood: Likelihood, axis: Axis, weighed: Weighed, sharp_width: float) -> Posterior:
    """Return the posterior over the fine grid."""
    return weighed.fine or _of_one(likelihood, axis, weighed, sharp_width)


@lru_cache(maxsize=1)
def _of_one(likelihood: Likelihood, axis: Axis, weighed: Weighed, sharp_width: float) -> Posterior:
    """Work it out for one curve; that of the last is remembered, as it is asked for twice."""
    singles = refined(axis, weighed, sharp_width)
    return _posterior(singles, likelihood.fit(singles.shapes))


def _posterior(singles: Singles, fit: Fit) -> Posterior:
    score = singles.log_prior + fit.log_evidence
    weight = np.exp(score - score.max())
    return Posterior(singles, fit, weight / weight.sum())


def refined(axis: Axis, weighed: Weighed, sharp_width: float) -> Singles:
    """Return single changes on a fine grid around the plausible ones; exact steps only where plausible.

    Steps and others have the prior mass `make_singles` gives them; within
    others it is flat in location and in log width.
    """
    singles, weight = weighed.singles, weighed.single_weight
    plausible = weight >= PLAUSIBLE * weight.max()
    location, width = singles.location[plausible], singles.width[plausible]
    low, high = axis.gap(float(location.min()))[0], axis.gap(float(location.max()))[1]
    narrowest = sharp_width * axis.range * SHARP_WIDTHS[0]
    narrow, widest = (max(float(end), narrowest) for end in (width.min(), width.max()))
    wide = np.exp(np.linspace(np.log(narrow / BEYOND), np.log(widest * BEYOND), WIDTHS))
    places = np.linspace(low, high, PLACES)
    steps = _gaps_within(axis, low, high) if float(width.min()) == 0 else np.empty(0)
    all_places = np.concatenate([steps, np.repeat(places, WIDTHS)])
    all_widths = np.concatenate([np.zeros(len(steps)), np.tile(wide, PLACES)])
    same = np.ones(len(all_places), dtype=bool)
    return make_singles(axis, all_places, all_widths, np.ones(len(all_places)), same)


def _gaps_within(axis: Axis, low: float, high: float) -> Floats:
    gaps = (axis.x[:-1] + axis.x[1:]) / 2
    return np.asarray(gaps[(gaps > low) & (gaps < high)])
