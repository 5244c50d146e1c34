"""Counts as evidence: binomial with an intra-class correlation that is integrated out, never plain.

The calls at one level share wording, so they are correlated: with n of them the
variance is phi = 1 + (n - 1) icc times the binomial one. The likelihood is the
double-binomial one (Efron 1986), the binomial deviance divided by phi, which is
exact for n = 1 and needs no more than the plain one to compute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import xlogy

from harness.analysis.axis import Axis
from harness.analysis.laplace import Data, Seen, log_sum, look_closely
from harness.analysis.likelihood import FLAT, Fit, Fits, LevelPrior, Segments, logsumexp
from harness.analysis.noise import ICC, Noise, noise_settings
from harness.analysis.shapes import Guess, Shapes, Single, least_squares
from harness.types import Bools, CountCurve, Floats, Ints

NEAR = 8.0  # log evidence below the best up to which a shape is looked at: least squares errs by a few
MOST = 96  # shapes looked at: where more are near, none stands out and least squares is right within 0.1
NEVER = -1e9  # log prior of a setting that a curve does not have
LEAST = np.float32(1e-35)  # a shape this unlikely, to the best, has no logarithm in single precision
OUTDONE = 15.0  # log evidence: e^-15 = 3e-7, and e^-10 where least squares errs by a few and priors differ


@dataclass(frozen=True, eq=False)
class CountLikelihood:
    """Counts per bin; levels have a flat prior on [0, 1]."""

    k: Floats  # (n_bins,)
    n: Floats  # (n_bins,)
    noise: Noise

    @property
    def level_prior(self) -> LevelPrior:
        """Return the prior of a plateau."""
        return FLAT

    def fit(self, shapes: Shapes) -> Fit:
        """Fit each shape, levels and correlations integrated out."""
        return fit_each([self], [shapes])[0]

    def segments(self, noisiest: int = len(ICC)) -> Segments:
        """Explain runs of bins exactly: the flat prior is conjugate to counts divided by phi."""
        return segment_counts([self], [noisiest])

    @cached_property
    def normalisers(self) -> Floats:
        """Return what the double-binomial likelihood adds per bin, the same for every shape: (n_settings, n_bins)."""
        share, phi = self.k / self.n, self.noise.phi
        saturated = xlogy(self.k, share) + xlogy(self.n - self.k, 1 - share)
        return np.asarray((1 - 1 / phi) * saturated - np.log(phi) / 2)


def fit_counts(
    curves: Sequence[CountLikelihood], shapes: Shapes, guess: Guess, beside: Fits | None = None
) -> Fits:
    """Fit the same shapes to several curves, each as if it were alone.

    Weighted least squares (`guess`) finds the shapes worth a look; those are
    fitted by Laplace's approximation on the logits of their levels. The others
    keep the least squares evidence, moved by as much as that of the shapes
    looked at was in sum. No look is taken where `beside`, fits of other shapes
    to the same curves, explains a curve better by far.
    """
    rough = _roughly(curves, guess)
    guessed = rough.evidence.max(axis=1, initial=-np.inf)
    matters = np.ones(len(curves), dtype=bool) if beside is None else guessed > beside.guessed - OUTDONE
    gained, noisiest = np.zeros(len(curves)), np.ones(len(curves), dtype=np.int64)
    chosen = np.flatnonzero(matters).tolist()
    gained[chosen], noisiest[chosen] = _look_closer([Case(curves[i], shapes, rough, i) for i in chosen])
    if beside is not None:
        rough.evidence[~matters] += beside.gained[~matters, None]
    level, covariance = rough.level.transpose(1, 2, 0), rough.covariance.transpose(2, 3, 0, 1)
    return Fits(rough.evidence, level, covariance, tuple(noisiest.tolist()), guessed, gained)


def fit_each(curves: Sequence[CountLikelihood], shapes: Sequence[Shapes]) -> list[Fit]:
    """Fit shapes of its own to each curve, as `fit_counts` does."""
    guesses = [least_squares(own, c.k[None], c.n[None]) for c, own in zip(curves, shapes, strict=True)]
    rough = [_roughly([c], guess) for c, guess in zip(curves, guesses, strict=True)]
    _, noisiest = _look_closer([Case(*case, 0) for case in zip(curves, shapes, rough, strict=True)])
    return [
        Fit(one.evidence[0], one.level[:, 0].T, one.covariance[:, :, 0].transpose(2, 0, 1), most)
        for one, most in zip(rough, noisiest.tolist(), strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Rough:
    """What least squares says of shapes under some curves; a closer look is written over it."""

    start: Single  # (n_plateaus, n_curves, n), levels to look from
    evidence: Floats  # (n_curves, n), up to a constant
    level: Floats  # (n_plateaus, n_curves, n)
    covariance: Floats  # (n_plateaus, n_plateaus, n_curves, n)
    settings: list[Ints]  # of the noise of each curve, those that matter under its best shape


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One curve and the shapes it is looked at under."""

    curve: CountLikelihood
    shapes: Shapes
    rough: Rough
    index: int  # of the curve in `rough`

    @property
    def settings(self) -> Ints:
        """Return the settings of the noise that matter."""
        return self.rough.settings[self.index]


def _look_closer(cases: Sequence[Case]) -> tuple[Floats, Ints]:
    """Look at the likeliest shapes of each case; return what evidence they gained in sum, and the noisiest setting."""
    gained, noisiest = np.zeros(len(cases)), np.ones(len(cases), dtype=np.int64)
    same = [bool(np.all(one.curve.noise.phi == one.curve.noise.phi[:, :1])) for one in cases]
    together = [i for i, flat in enumerate(same) if flat]
    for group in ([together] if together else []) + [[i] for i, flat in enumerate(same) if not flat]:
        some = [cases[i] for i in group]
        looked = [_worth_a_look(one.rough.evidence[one.index]) for one in some]
        first = np.cumsum([0, *(len(at) for at in looked)])
        seen = _look_closely(some, looked, first[:-1], flat=same[group[0]])
        for i, case, at, begin in zip(group, some, looked, first, strict=False):
            part = slice(begin, begin + len(at))
            rough, j = case.rough, case.index
            rough.level[:, j, at] = seen.level[:, part]
            for (a, b), entry in seen.covariance.items():
                rough.covariance[a, b, j, at] = rough.covariance[b, a, j, at] = entry[part]
            exact = log_sum(seen.score[:, part])
            gained[i] = logsumexp(exact) - logsumexp(rough.evidence[j, at])
            rough.evidence[j] += gained[i]
            rough.evidence[j, at] = exact
            best = seen.score[: len(case.settings), part].max(axis=1)
            noisiest[i] = case.settings[np.flatnonzero(best > best.max() - NEAR)[-1]] + 1
    return gained, noisiest


def _look_closely(cases: Sequence[Case], looked: Sequence[Ints], first: Ints, *, flat: bool) -> Seen:
    """Look at some shapes of each case, those of a case next to each other, from `first` on."""
    each = list(zip(cases, looked, strict=True))
    weights = np.concatenate([one.shapes.single[:, at] for one, at in each], axis=1)
    level = np.concatenate([one.rough.start[:, one.index, at] for one, at in each], axis=1)
    data, offset = _data(cases, [len(at) for at in looked], flat=flat)
    return look_closely(weights, level, data, offset, first)


def _data(cases: Sequence[Case], sizes: Sequence[int], *, flat: bool) -> tuple[Data, Floats]:
    """Return the counts of each case, once for each of its shapes, and what is added to the evidence of a setting."""
    most = max(len(one.settings) for one in cases)
    offset, inverse = np.full((most, len(cases)), NEVER), np.ones((most, len(cases)))
    for i, one in enumerate(cases):
        noise, chosen = one.curve.noise, one.settings
        offset[: len(chosen), i] = noise.log_prior[chosen] + one.curve.normalisers[chosen].sum(axis=1)
        inverse[: len(chosen), i] = 1 / noise.phi[chosen, 0]
    k, n = (
        np.repeat(np.stack([getattr(one.curve, name) for one in cases]).astype(np.float32), sizes, axis=0)
        for name in ("k", "n")
    )
    offset, inverse = np.repeat(offset, sizes, axis=1), np.repeat(inverse, sizes, axis=1)
    if flat:
        return Data(k, n, None, inverse), offset
    per_bin = (1 / cases[0].curve.noise.phi[cases[0].settings]).astype(np.float32)
    return Data(k, n, per_bin, inverse), offset


def settings_of(curves: Sequence[CountLikelihood]) -> tuple[Floats, Floats]:
    """Return log prior and mean phi of each setting of each curve: two (n_curves, len(ICC)).

    Short lists are filled up with weight zero, always to the same length: sums of another length round differently.
    """
    log_prior, phi = np.full((len(curves), len(ICC)), NEVER), np.ones((len(curves), len(ICC)))
    for i, one in enumerate(curves):
        size = len(one.noise.log_prior)
        log_prior[i, :size] = one.noise.log_prior
        phi[i, :size] = one.noise.phi @ one.n / one.n.sum()
    return log_prior, phi


def settings_that_matter(best: Floats) -> Bools:
    """Return which settings could be, given the log evidence of the best shape under each: (n_curves, n_settings)."""
    return np.asarray(best > best.max(axis=1)[:, None] - OUTDONE)


def _worth_a_look(rough: Floats) -> Ints:
    looked = np.flatnonzero(rough > rough.max() - NEAR)
    return looked if len(looked) <= MOST else np.sort(np.argpartition(rough, -MOST)[-MOST:])


def _roughly(curves: Sequence[CountLikelihood], guess: Guess) -> Rough:
    """Return evidence, levels and covariances by least squares, the variance averaged over settings."""
    log_prior, phi = settings_of(curves)
    size, bins = len(guess.level), len(curves[0].k)
    whole = log_prior - np.log(phi) * (bins - size) / 2 + size / 2 * np.log(2 * np.pi)
    half = guess.chi2 / 2
    best = whole - half.min(axis=1, initial=np.inf)[:, None] / phi
    top = best.max(axis=1)
    matters = settings_that_matter(best)
    total, weighted = np.full_like(half, LEAST), np.full_like(half, LEAST)
    for s in np.flatnonzero(matters.any(axis=0)):
        offset = np.where(matters[:, s], whole[:, s] - top, NEVER).astype(np.float32)[:, None]
        part = np.exp(offset - half / phi[:, s, None].astype(np.float32))
        total += part
        weighted += part * phi[:, s, None].astype(np.float32)
    evidence = top[:, None] + np.log(total).astype(np.float64) - guess.log_det / 2
    widening = weighted / total
    covariance = np.empty((size, size, *half.shape))
    for (a, b), entry in guess.covariance.items():
        covariance[a, b] = covariance[b, a] = entry * widening
    level = np.clip(guess.level, 0, 1).astype(np.float64)
    return Rough(guess.level, evidence, level, covariance, [np.flatnonzero(one) for one in matters])


def segment_counts(curves: Sequence[CountLikelihood], noisiest: Sequence[int]) -> Segments:
    """Explain runs of bins of several curves, each under its settings up to one."""
    sizes = tuple(min(most, len(c.noise.log_prior)) for c, most in zip(curves, noisiest, strict=True))
    bins = len(curves[0].k)
    phi, k, rest, extra = (
        np.concatenate(parts)
        for parts in zip(
            *(
                (phi, c.k / phi, (c.n - c.k) / phi, c.normalisers[:size])
                for c, size in zip(curves, sizes, strict=True)
                for phi in [c.noise.phi[:size]]
            ),
            strict=True,
        )
    )
    run = np.triu_indices(bins)
    at = (slice(None), *run)
    a, b = 1 + _run_sums(k, run), 1 + _run_sums(rest, run)
    evidence = np.full((len(phi), bins, bins), -np.inf)
    mean, sd = np.zeros_like(evidence), np.zeros_like(evidence)
    evidence[at] = log_beta(a, b) + _run_sums(extra, run)
    mean[at] = a / (a + b)
    sd[at] = np.sqrt(a * b / (a + b + 1)) / (a + b)
    log_prior = np.concatenate([c.noise.log_prior[:size] for c, size in zip(curves, sizes, strict=True)])
    return Segments(sizes, log_prior, evidence, mean, sd)


def count_likelihood(curve: CountCurve, axis: Axis, discrepancy: float) -> CountLikelihood:
    """Sum counts over bins. `discrepancy` is the s.d. of p that a shape is not expected to match."""
    k, n = curve.successes.astype(np.float64), curve.trials.astype(np.float64)
    size = axis.size
    total = axis.binned(n) * size
    level_n = axis.binned(n * n) * size / total
    return CountLikelihood(axis.binned(k) * size, total, noise_settings(level_n, discrepancy**2 / 0.25))


def log_beta(a: Floats, b: Floats) -> Floats:
    """Return log B(a, b) for a, b >= 1 to 1e-6; scipy's is exact and thirty times slower on tables."""
    return np.asarray(_log_gamma(a) + _log_gamma(b) - _log_gamma(a + b))


def _log_gamma(x: Floats) -> Floats:
    """Stirling's series at x + 3 (Abramowitz & Stegun 6.1.41), brought back by the recurrence."""
    y = x + 3
    series = (1 / 12 - (1 / 360 - 1 / (1260 * y * y)) / (y * y)) / y
    back = np.log(x * (x + 1) * (x + 2))
    return np.asarray((y - 0.5) * np.log(y) - y + 0.5 * np.log(2 * np.pi) + series - back)


def _run_sums(values: Floats, run: tuple[Ints, Ints]) -> Floats:
    """Return the sum over bins i..j of each run: (n_settings, n_bins) -> (n_settings, n_runs)."""
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    return np.asarray(total[:, run[1] + 1] - total[:, run[0]])
