"""No change, one change, or several: how probable each is, given a curve."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from harness.analysis.axis import Axis
from harness.analysis.likelihood import Fit, Likelihood, logsumexp
from harness.analysis.segmentation import (
    CHANGES_PRIOR,
    PRIOR_DRAWS,
    Cuts,
    cut_curve,
    large_changes,
    prior_shares,
)
from harness.analysis.templates import Pairs, Singles, paired_changes, single_changes
from harness.types import AnalysisOptions, Floats

PRIOR = {"none": 0.5, "gradual": 0.2, "sharp": 0.2, "multiple": 0.1}
CONSTANT, SMALL, SMALL_CUTS = 0.5, 0.25, 0.25  # within "none": constant, one small change, two small cuts
TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """The posterior over classes, and over shapes within each class."""

    none: float
    gradual: float
    sharp: float
    multiple: float
    singles: Singles
    single_fit: Fit
    single_weight: Floats  # (n_singles,), posterior given one change, sums to one
    pairs: Pairs
    pair_fit: Fit
    pair_weight: Floats  # (n_pairs,), posterior given two changes of these shapes, sums to one
    cuts: list[Cuts]
    paired: float  # posterior that several changes are a pair of these shapes rather than cuts

    @property
    def change(self) -> float:
        """Posterior probability of any change."""
        return self.gradual + self.sharp + self.multiple


def weigh(likelihood: Likelihood, axis: Axis, options: AnalysisOptions) -> Weighed:
    """Return the posterior over classes, each integrated over shapes, levels and noise.

    "No change" is a constant or any change below `min_change`: the mass of each
    shape's posterior below it is set against the prior mass there (encompassing
    priors, Klugkist & Hoijtink 2007). Only what lies between the first and the
    last level counts as change.
    """
    rng = np.random.default_rng(options.seed)
    singles, pairs = single_changes(axis, options.sharp_width), paired_changes(axis)
    single_fit, pair_fit = likelihood.fit(singles.weights), likelihood.fit(pairs.weights)
    constant = float(likelihood.fit(np.ones((1, 1, len(axis.start)))).log_evidence[0])
    large, prior_large = _large_single(likelihood, singles, single_fit, options.min_change)
    score = singles.log_prior + single_fit.log_evidence
    prior = np.exp(singles.log_prior)
    small = _conditioned(score, 1 - large, prior, 1 - prior_large)
    sharp, gradual = (
        _conditioned(score[m], large[m], prior[m], prior_large[m]) for m in (singles.sharp, ~singles.sharp)
    )
    both, prior_both = _large_pair(likelihood, pairs, pair_fit, options.min_change)
    even = np.full(len(both), 1 / max(len(both), 1))
    pair = _conditioned(pair_fit.log_evidence + np.log(even), both, even, prior_both)
    cuts = cut_curve(likelihood, rng)
    several, small_cuts = _cut_evidence(likelihood, cuts, len(axis.start), options.min_change, rng)
    none = logsumexp(np.array([constant, small, small_cuts]) + np.log([CONSTANT, SMALL, SMALL_CUTS]))
    multiple = logsumexp(np.array([pair, several]) - np.log(2))
    p = _posterior({"none": none, "gradual": gradual, "sharp": sharp, "multiple": multiple})
    return Weighed(
        none=p["none"],
        gradual=p["gradual"],
        sharp=p["sharp"],
        multiple=p["multiple"],
        singles=singles,
        single_fit=single_fit,
        single_weight=_shares(score + np.log(large + TINY)),
        pairs=pairs,
        pair_fit=pair_fit,
        pair_weight=_shares(pair_fit.log_evidence + np.log(both + TINY)),
        cuts=cuts,
        paired=_share(pair, several),
    )


def change_within(fit: Fit, first: int, reach: Floats) -> tuple[Floats, Floats]:
    """Return mean and s.d. of the change from plateau `first` to the next, inside the range: two (n,)."""
    change = fit.level[:, first + 1] - fit.level[:, first]
    c = fit.covariance
    variance = c[:, first, first] + c[:, first + 1, first + 1] - 2 * c[:, first, first + 1]
    return change * reach, np.sqrt(np.maximum(variance, 1e-24)) * reach


def _exceeds(mean: Floats, sd: Floats, least: float) -> Floats:
    sd = np.maximum(sd, 1e-12)
    return np.asarray(ndtr((mean - least) / sd) + ndtr((-mean - least) / sd))


def _large_single(likelihood: Likelihood, singles: Singles, fit: Fit, least: float) -> tuple[Floats, Floats]:
    mean, sd = change_within(fit, 0, singles.reach)
    return _exceeds(mean, sd, least), likelihood.prior_change(least / np.maximum(singles.reach, 1e-9))


def _large_pair(likelihood: Likelihood, pairs: Pairs, fit: Fit, least: float) -> tuple[Floats, Floats]:
    """Treat the two changes as independent, in posterior and prior alike."""
    posterior, prior = np.ones(len(pairs.location)), np.ones(len(pairs.location))
    for i in range(2):
        reach = pairs.reach[:, i]
        mean, sd = change_within(fit, i, reach)
        posterior = posterior * _exceeds(mean, sd, least)
        prior = prior * likelihood.prior_change(least / np.maximum(reach, 1e-9))
    return posterior, prior


def _cut_evidence(
    likelihood: Likelihood, cuts: list[Cuts], n_bins: int, least: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return log evidence of cuts with two or more large changes, and of two cuts with levels all alike."""
    prior_twice, prior_alike = prior_shares(likelihood, n_bins, least, rng)
    several, alike = [-np.inf], [-np.inf]
    for cut in cuts:
        n_changes = cut.start.shape[1]
        twice = float(np.mean(large_changes(cut.start, cut.level, least, n_bins) >= 2))
        if twice:
            prior = np.log(CHANGES_PRIOR[n_changes] / max(prior_twice[n_changes], 1 / PRIOR_DRAWS))
            several.append(cut.log_evidence + np.log(twice) + prior)
        near = float(np.mean(np.ptp(cut.level, axis=1) < least)) if n_changes == 2 else 0.0
        if near:
            alike.append(cut.log_evidence + np.log(near / max(prior_alike, 1e-6)))
    return logsumexp(np.array(several)), logsumexp(np.array(alike))


def _conditioned(score: Floats, inside: Floats, prior: Floats, prior_inside: Floats) -> float:
    """Return log evidence of shapes restricted to a region: posterior mass there over prior mass there."""
    mass = float(np.sum(prior * prior_inside))
    if mass <= 0:
        return -np.inf
    return logsumexp(score + np.log(np.maximum(inside, TINY))) - float(np.log(mass))


def _posterior(evidence: dict[str, float]) -> dict[str, float]:
    score = {name: value + float(np.log(PRIOR[name])) for name, value in evidence.items()}
    total = logsumexp(np.array(list(score.values())))
    return {name: float(np.exp(value - total)) for name, value in score.items()}


def _shares(score: Floats) -> Floats:
    if not len(score):
        return score
    weight = np.exp(score - score.max())
    return np.asarray(weight / weight.sum())


def _share(one: float, other: float) -> float:
    total = logsumexp(np.array([one, other]))
    return float(np.exp(one - total)) if np.isfinite(total) else 0.0
