"""Counts as evidence: binomial with an intra-class correlation that is integrated out, never plain.

The calls at one level share wording, so they are correlated: with n of them the
variance is phi = 1 + (n - 1) icc times the binomial one. The likelihood is the
double-binomial one (Efron 1986), the binomial deviance divided by phi, which is
exact for n = 1 and needs no more than the plain one to compute.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlogy

from harness.analysis.axis import Axis
from harness.analysis.laplace import Data, climb
from harness.analysis.likelihood import FLAT, Fit, Fits, LevelPrior, Segments, logsumexp
from harness.analysis.noise import ICC, Noise, noise_settings
from harness.analysis.shapes import Guess, Shapes, Single, least_squares
from harness.types import CountCurve, Floats, Ints

NEAR = 8.0  # log evidence below the best up to which a shape is looked at: least squares errs by a few
MOST = 96  # shapes looked at: where more are near, none stands out and least squares is right within 0.1
NEVER = -1e9  # log prior of a setting that a curve does not have
LEAST = np.float32(1e-35)  # a shape this unlikely, to the best, has no logarithm in single precision
OUTDONE = 15.0  # log evidence: e^-15 = 3e-7, and e^-10 where least squares errs by a few and priors differ


@dataclass(frozen=True, slots=True, eq=False)
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
        guess = least_squares(shapes, self.k[None], self.n[None])
        return fit_counts([self], shapes, guess).of_curve(0)

    def segments(self, noisiest: int = len(ICC)) -> Segments:
        """Explain runs of bins exactly: the flat prior is conjugate to counts divided by phi."""
        return segment_counts([self], [noisiest])

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
    log_prior, phi = settings_of(curves)
    rough, widening = _gaussian(curves, guess, shapes.size, log_prior, phi)
    level: Floats = np.clip(guess.level, 0, 1).astype(np.float64)
    covariance = np.empty((shapes.size, shapes.size, *rough.shape))
    for (a, b), guessed_entry in guess.covariance.items():
        covariance[a, b] = covariance[b, a] = guessed_entry * widening
    noisiest = np.ones(len(curves), dtype=np.int64)
    gained, guessed = np.zeros(len(curves)), rough.max(axis=1, initial=-np.inf)
    matters = np.ones(len(curves), dtype=bool) if beside is None else guessed > beside.guessed - OUTDONE
    same = [bool(np.all(one.noise.phi == one.noise.phi[:, :1])) for one in curves]
    together = [i for i, flat in enumerate(same) if flat and matters[i]]
    apart = [[i] for i, flat in enumerate(same) if not flat and matters[i]]
    for group in ([together] if together else []) + apart:
        looked = [_worth_a_look(rough[i]) for i in group]
        at, of = np.concatenate(looked), np.repeat(group, [len(one) for one in looked])
        first = np.concatenate([[0], np.cumsum([len(one) for one in looked])[:-1]])
        data, offset = _data(curves, of, 1 / phi, flat=same[group[0]]), log_prior + _totals(curves)
        seen = _look_closely(shapes.single[:, at], guess.level[:, of, at], data, offset[of], first)
        level[:, of, at] = seen.level
        for (a, b), entry in seen.covariance.items():
            covariance[a, b, of, at] = covariance[b, a, of, at] = entry
        for i, begin, mine in zip(group, first, looked, strict=True):
            part = slice(begin, begin + len(mine))
            exact = _log_sum(seen.score[part].T)
            gained[i] = logsumexp(exact) - logsumexp(rough[i, mine])
            rough[i] += gained[i]
            rough[i, mine] = exact
            best = seen.score[part].max(axis=0)
            noisiest[i] = int(np.flatnonzero(best > best.max() - NEAR)[-1]) + 1
    if beside is not None:
        rough[~matters] += beside.gained[~matters, None]
    return Fits(
        rough,
        level.transpose(1, 2, 0),
        covariance.transpose(2, 3, 0, 1),
        tuple(noisiest.tolist()),
        guessed,
        gained,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What Laplace's approximation found of some shapes."""

    score: Floats  # (n, n_settings), log evidence with the prior of the setting
    level: Floats  # (n_plateaus, n)
    covariance: dict[tuple[int, int], Floats]  # of the levels, upper entries: (n,) each


def _look_closely(weights: Single, level: Single, data: Data, offset: Floats, first: Ints) -> Seen:
    """Climb from `level`, kept off 0 and 1 by half a trial, and sum over settings what is found there."""
    least = 0.5 / (np.sum(weights * data.n, axis=2) + 1)
    start = np.clip(level, least, 1 - least).astype(np.float64)
    logit, state = climb(weights, logit_of(start), data, offset, first)
    score = state.evidence + offset
    share = np.exp(score - _log_sum(score.T)[:, None])
    found = expit(logit)
    slope = found * (1 - found)
    covariance = {
        (a, b): np.sum(share * spread, axis=1) * slope[a] * slope[b]
        for (a, b), spread in state.spread.items()
    }
    return Seen(score, found, covariance)


def _totals(curves: Sequence[CountLikelihood]) -> Floats:
    """Return the normalisers of each curve under each of its settings, 0 for those it lacks: (n_curves, len(ICC))."""
    total = np.zeros((len(curves), len(ICC)))
    for i, one in enumerate(curves):
        total[i, : len(one.noise.log_prior)] = one.normalisers().sum(axis=1)
    return total


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


def _worth_a_look(rough: Floats) -> Ints:
    looked = np.flatnonzero(rough > rough.max() - NEAR)
    return looked if len(looked) <= MOST else np.sort(np.argpartition(rough, -MOST)[-MOST:])


def _data(curves: Sequence[CountLikelihood], of: Ints, inverse: Floats, *, flat: bool) -> Data:
    k, n = (np.stack([getattr(c, name) for c in curves]).astype(np.float32)[of] for name in ("k", "n"))
    if flat:
        return Data(k, n, None, inverse[of])
    full = np.ones((inverse.shape[1], k.shape[1]))
    phi = curves[of[0]].noise.phi
    full[: len(phi)] = 1 / phi
    return Data(k, n, np.ascontiguousarray(full.T, np.float32), np.ones((len(of), inverse.shape[1])))


def _gaussian(
    curves: Sequence[CountLikelihood], guess: Guess, size: int, log_prior: Floats, phi: Floats
) -> tuple[Floats, Floats]:
    """Return least squares evidence up to a constant, and the mean phi, of each shape: two (n_curves, n)."""
    bins = len(curves[0].k)
    whole = log_prior - np.log(phi) * (bins - size) / 2 + size / 2 * np.log(2 * np.pi)
    half = guess.chi2 / 2
    least = half.min(axis=1)
    top = np.max(whole - least[:, None] / phi, axis=1)
    total, weighted = np.full_like(half, LEAST), np.full_like(half, LEAST)
    for s in np.flatnonzero(log_prior.max(axis=0) > NEVER):
        part = np.exp(
            (whole[:, s] - top).astype(np.float32)[:, None] - half / phi[:, s, None].astype(np.float32)
        )
        total += part
        weighted += part * phi[:, s, None].astype(np.float32)
    return top[:, None] + np.log(total).astype(np.float64) - guess.log_det / 2, weighted / total


def segment_counts(curves: Sequence[CountLikelihood], noisiest: Sequence[int]) -> Segments:
    """Explain runs of bins of several curves, each under its settings up to one."""
    sizes = tuple(min(most, len(c.noise.log_prior)) for c, most in zip(curves, noisiest, strict=True))
    bins = len(curves[0].k)
    phi, k, rest, extra = (
        np.concatenate(parts)
        for parts in zip(
            *(
                (phi, c.k / phi, (c.n - c.k) / phi, c.normalisers()[:size])
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
    total = axis.binned(n) * axis.size
    level_n = axis.binned(n * n) * axis.size / total
    return CountLikelihood(axis.binned(k) * axis.size, total, noise_settings(level_n, discrepancy**2 / 0.25))


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


def logit_of(p: Floats) -> Floats:
    """Return log odds."""
    return np.asarray(np.log(p) - np.log1p(-p))


def _log_sum(score: Floats) -> Floats:
    """Return log of the sum of exponentials over the first axis."""
    top = score.max(axis=0)
    return np.asarray(top + np.log(np.sum(np.exp(score - top), axis=0)))
