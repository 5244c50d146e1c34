"""A finer grid of single changes where the posterior lies, so that intervals are not those of the first grid."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.analysis.axis import Axis
from harness.analysis.evidence import Weighed
from harness.analysis.likelihood import Fit, Likelihood
from harness.analysis.templates import SHARP_WIDTHS, Singles, make_singles
from harness.types import Floats

PLAUSIBLE = 1e-4  # posterior of a shape, as a share of the largest, that the finer grid must reach
PLACES, WIDTHS = 25, 16
BEYOND = 1.6  # the finer grid goes this factor beyond the plausible widths: one cell of the first grid


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Single changes around the plausible ones, fitted."""

    singles: Singles
    fit: Fit
    weight: Floats  # (n,), sums to one


@lru_cache(maxsize=1)
def refined_posterior(likelihood: Likelihood, axis: Axis, weighed: Weighed, sharp_width: float) -> Posterior:
    """Return the posterior over the fine grid; that of the last curve is remembered, as it is asked for twice."""
    singles = refined(axis, weighed, sharp_width)
    fit = likelihood.fit(singles.shapes)
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
    wide = np.geomspace(
        max(float(width.min()), narrowest) / BEYOND, max(float(width.max()), narrowest) * BEYOND, WIDTHS
    )
    places = np.linspace(low, high, PLACES)
    steps = _gaps_within(axis, low, high) if float(width.min()) == 0 else np.empty(0)
    all_places = np.concatenate([steps, np.repeat(places, WIDTHS)])
    all_widths = np.concatenate([np.zeros(len(steps)), np.tile(wide, PLACES)])
    same = np.ones(len(all_places), dtype=bool)
    return make_singles(axis, all_places, all_widths, np.ones(len(all_places)), same)


def _gaps_within(axis: Axis, low: float, high: float) -> Floats:
    gaps = (axis.x[:-1] + axis.x[1:]) / 2
    return np.asarray(gaps[(gaps > low) & (gaps < high)])
