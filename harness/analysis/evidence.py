"""No change, one change, or several: how probable each is, given a curve."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from harness.analysis.axis import Axis
from harness.analysis.likelihood import Fit, Fits, LevelPrior, Likelihood, Segments, logsumexp
from harness.analysis.segmentation import (
    CHANGES_PRIOR,
    PRIOR_DRAWS,
    Cuts,
    Drawn,
    cut_curves,
    large_changes,
    prior_shares,
)
from harness.analysis.templates import Pairs, Singles, paired_changes, single_changes
from harness.types import AnalysisOptions, Bools, Floats

PRIOR = {"none": 0.5, "gradual": 0.2, "sharp": 0.2, "multiple": 0.1}
DECIDED = 0.9  # posterior a class needs; right 96-100 % of the time in each cell of benchmarks/analyzer.py
CONSTANT, SMALL, SMALL_CUTS = 0.5, 0.25, 0.25  # within "none": constant, one small change, two small cuts
TINY = 1e-300
HOPELESS = 40.0  # log evidence below the best: e^-40 is lost in the rounding of any sum


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """The posterior over the four classes."""

    none: float
    gradual: float
    sharp: float
    multiple: float

    @property
    def change(self) -> float:
        """Posterior probability of any change."""
        return self.gradual + self.sharp + self.multiple

    @property
    def changes_once(self) -> bool:
        """Whether there is one change, however wide."""
        return self.gradual + self.sharp >= DECIDED


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """The posterior over single changes, given one."""

    singles: Singles
    fit: Fit
    weight: Floats  # (n,), sums to one


@dataclass(frozen=True, slots=True, eq=False)
class Weighed(Classes):
    """The posterior over classes, and over shapes within each class."""

    singles: Singles
    single_fit: Fit
    single_weight: Floats  # (n_singles,), posterior given one change, sums to one
    pairs: Pairs
    pair_fit: Fit
    pair_weight: Floats  # (n_pairs,), posterior given two changes of these shapes, sums to one
    cuts: list[Cuts]
    paired: float  # posterior that several changes are a pair of these shapes rather than cuts
    fine: Posterior | None = None  # on a finer grid of single changes, where it is worked out already


def weigh(likelihood: Likelihood, axis: Axis, options: AnalysisOptions) -> Weighed:
    """Return the posterior over classes of one curve, each integrated over shapes, levels and noise."""
    shapes = single_changes(axis, options.sharp_width).shapes, paired_changes(axis).shapes
    single, pair = (_alone(likelihood.fit(one)) for one in shapes)
    segments = likelihood.segments(max(*single.noisiest, *pair.noisiest))
    return weigh_fitted(single, pair, segments, likelihood.level_prior, axis, options)[0]


def weigh_fitted(
    single_fits: Fits,
    pair_fits: Fits,
    segments: Segments,
    level_prior: LevelPrior,
    axis: Axis,
    options: AnalysisOptions,
) -> list[Weighed]:
    """Return the posteriors of several curves at the same levels, whose shapes are fitted.

    "No change" is a constant or any change below `min_change`: the mass of each
    shape's posterior below it is set against the prior mass there (encompassing
    priors, Klugkist & Hoijtink 2007). Only what lies between the first and the
    last level counts as change.
    """
    singles, pairs = single_changes(axis, options.sharp_width), paired_changes(axis)
    whole = segments.log_prior + segments.log_evidence[:, 0, -1]
    constant = np.array([logsumexp(one) for one in np.split(whole, np.cumsum(segments.settings)[:-1])])
    large, prior_large = _large(single_fits, singles.reach[:, None], level_prior, options.min_change)
    score = singles.log_prior + single_fits.log_evidence
    prior = np.exp(singles.log_prior)
    small = _conditioned(score, _near(single_fits) * (1 - large), prior, 1 - prior_large)
    # Indexing by a mask would turn the memory round, and then sums depend on the number of curves.
    sharp, gradual = (
        _conditioned(np.compress(m, score, axis=1), np.compress(m, large, axis=1), prior[m], prior_large[m])
        for m in (singles.sharp, ~singles.sharp)
    )
    both, prior_both = _large(pair_fits, pairs.reach, level_prior, options.min_change)
    even = np.full(len(pairs.location), 1 / max(len(pairs.location), 1))
    pair = _conditioned(pair_fits.log_evidence + np.log(even), both, even, prior_both)
    drawn = cut_curves(segments, options.seed)
    several, small_cuts = _cut_evidence(level_prior, drawn, len(axis.start), options)
    none = np.logaddexp.reduce(
        [constant + np.log(CONSTANT), small + np.log(SMALL), small_cuts + np.log(SMALL_CUTS)]
    )
    multiple = np.logaddexp(pair, several) - np.log(2)
    p = _posterior({"none": none, "gradual": gradual, "sharp": sharp, "multiple": multiple})
    single_weight = _shares(score + np.log(large + TINY))
    pair_weight = _shares(pair_fits.log_evidence + np.log(both + TINY))
    paired = np.exp(pair - np.logaddexp(pair, np.maximum(several, -1e300)))
    return [
        Weighed(
            none=float(p["none"][i]),
            gradual=float(p["gradual"][i]),
            sharp=float(p["sharp"][i]),
            multiple=float(p["multiple"][i]),
            singles=singles,
            single_fit=single_fits.of_curve(i),
            single_weight=single_weight[i],
            pairs=pairs,
            pair_fit=pair_fits.of_curve(i),
            pair_weight=pair_weight[i],
            cuts=[one.of_curve(i) for one in drawn],
            paired=float(paired[i]),
        )
        for i in range(len(constant))
    ]


def _alone(fit: Fit) -> Fits:
    none = np.zeros(1)
    return Fits(fit.log_evidence[None], fit.level[None], fit.covariance[None], (fit.noisiest,), none, none)


def _large(fits: Fits, reach: Floats, level_prior: LevelPrior, least: float) -> tuple[Floats, Floats]:
    """Return the probability that every change is at least `least`: posterior (n_curves, n) and prior (n,).

    `reach` is (n, n_changes). Changes are taken as independent, in posterior and prior alike.
    Shapes that are out of the question are given no probability of it.
    """
    near = _near(fits)
    posterior, prior = near.astype(np.float64), np.ones(len(reach))
    for i, part in enumerate(reach.T):
        change = (fits.level[:, :, i + 1] - fits.level[:, :, i]) * part
        c = fits.covariance
        variance = c[:, :, i, i] + c[:, :, i + 1, i + 1] - 2 * c[:, :, i, i + 1]
        sd = np.maximum(np.sqrt(np.maximum(variance, 1e-24)) * part, 1e-12)
        posterior[near] *= sum(ndtr(((way - least) / sd)[near]) for way in (change, -change))
        prior = prior * level_prior.change(least / np.maximum(part, 1e-9))
    return posterior, prior


def _near(fits: Fits) -> Bools:
    """Return which shapes of each curve are not out of the question: (n_curves, n)."""
    return np.asarray(fits.log_evidence > fits.log_evidence.max(axis=1, initial=-np.inf)[:, None] - HOPELESS)


def _cut_evidence(
    level_prior: LevelPrior, drawn: list[Drawn], n_bins: int, options: AnalysisOptions
) -> tuple[Floats, Floats]:
    """Return log evidence of cuts with two or more large changes, and of two with levels alike: two (n_curves,)."""
    least = options.min_change
    prior_twice, prior_alike = prior_shares(level_prior, n_bins, least, options.seed)
    several = alike = np.full(len(drawn[0].log_evidence) if drawn else 1, -np.inf)
    with np.errstate(divide="ignore"):
        for cut in drawn:
            n_changes = cut.start.shape[2]
            twice = np.mean(large_changes(cut.start[:, None], cut.level, least, n_bins) >= 2, axis=(1, 2))
            prior = np.log(CHANGES_PRIOR[n_changes] / max(prior_twice[n_changes], 1 / PRIOR_DRAWS))
            several = np.logaddexp(several, cut.log_evidence + np.log(twice) + prior)
            if n_changes == 2:
                near = np.mean(np.ptp(cut.level, axis=3) < least, axis=(1, 2))
                alike = cut.log_evidence + np.log(near / max(prior_alike, 1e-6))
    return several, alike


def _conditioned(score: Floats, inside: Floats, prior: Floats, prior_inside: Floats) -> Floats:
    """Return log evidence of shapes restricted to a region: posterior mass there over prior mass there, (n_curves,)."""
    mass = float(np.sum(prior * prior_inside))
    if mass <= 0:
        return np.full(len(score), -np.inf)
    total = score + np.log(np.maximum(inside, TINY))
    top = total.max(axis=1)
    return np.asarray(top + np.log(np.sum(np.exp(total - top[:, None]), axis=1)) - np.log(mass))


def _posterior(evidence: dict[str, Floats]) -> dict[str, Floats]:
    score = {name: value + float(np.log(PRIOR[name])) for name, value in evidence.items()}
    total = np.logaddexp.reduce(list(score.values()))
    return {name: np.exp(value - total) for name, value in score.items()}


def _shares(score: Floats) -> Floats:
    if not score.size:
        return score
    weight = np.exp(score - score.max(axis=1)[:, None])
    return np.asarray(weight / weight.sum(axis=1)[:, None])
