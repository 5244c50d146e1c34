"""Counts as evidence: binomial with an intra-class correlation that is integrated out, never plain.

The calls at one level share wording, so they are correlated: with n of them the
variance is phi = 1 + (n - 1) icc times the binomial one. The likelihood is the
double-binomial one (Efron 1986), the binomial deviance divided by phi, which is
exact for n = 1 and needs no more than the plain one to compute.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, expit, xlogy

from harness.analysis.axis import Axis
from harness.analysis.likelihood import Fit, Segments
from harness.types import CountCurve, Floats

ICC = (0.0, 0.003, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)  # grid of correlations; 0.1 is high but seen
ICC_PRIOR = (0.25, 0.2, 0.15, 0.12, 0.12, 0.08, 0.05, 0.03)
ALIKE = 1.1  # ratio of variances below which two correlations are one
ITERATIONS = 12  # at most, of Fisher scoring at the first correlation; later ones start from its solution
STEP = 2.0  # longest move of a logit in one iteration
CONVERGED = 2e-3  # twice the log density that one more iteration can gain
EDGE = 1e-9  # keeps p and 1 - p above zero


@dataclass(frozen=True, slots=True, eq=False)
class CountLikelihood:
    """Counts per bin; levels have a flat prior on [0, 1]."""

    k: Floats  # (n_bins,)
    n: Floats  # (n_bins,)
    level_n: Floats  # (n_bins,), trials of the level a trial belongs to, on average
    least_icc: float  # floor of the correlation: what the shapes cannot be expected to match

    def fit(self, weights: Floats) -> Fit:
        """Fit each shape by Laplace's approximation on the logits of its levels, summed over correlations."""
        scores, fits = [], []
        logit = self._start(weights)
        for phi, log_prior in self._noise():
            logit, information, objective = self._scoring(weights, logit, phi)
            size = weights.shape[1]
            sign_log = np.linalg.slogdet(information)[1]
            evidence = objective - sign_log / 2 + size / 2 * np.log(2 * np.pi)
            scores.append(log_prior + evidence + self._normaliser(phi))
            slope = (expit(logit) * expit(-logit))[:, :, None]
            fits.append(np.linalg.inv(information) * slope * slope.transpose(0, 2, 1))
        table = np.array(scores)
        share = np.exp(table - table.max(axis=0))
        total = share.sum(axis=0)
        covariance = np.einsum("sn,snkl->nkl", share / total, np.array(fits))
        return Fit(table.max(axis=0) + np.log(total), expit(logit), covariance)

    def segments(self) -> list[Segments]:
        """Explain runs of bins exactly: the flat prior is conjugate to counts divided by phi."""
        found = []
        for phi, log_prior in self._noise():
            a = 1 + _run_sums(self.k / phi)
            b = 1 + _run_sums((self.n - self.k) / phi)
            normaliser = _run_sums(self._normalisers(phi))
            valid = np.triu(np.ones(a.shape, dtype=bool))
            a, b = np.where(valid, a, 1.0), np.where(valid, b, 1.0)
            evidence = np.where(valid, betaln(a, b) + normaliser, -np.inf)
            sd = np.sqrt(a * b / (a + b + 1)) / (a + b)
            found.append(Segments(log_prior, evidence, a / (a + b), sd))
        return found

    def prior_change(self, change: Floats) -> Floats:
        """Return P(|L1 - L0| >= change) of two flat levels."""
        return np.asarray(np.square(1 - np.minimum(change, 1)))

    def prior_levels(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Draw flat levels."""
        return rng.random(shape)

    def _noise(self) -> list[tuple[Floats, float]]:
        """Return phi per bin and the log prior of each correlation, those that are alike here joined."""
        kept: list[Floats] = []
        prior: list[float] = []
        for icc, share in zip(ICC, ICC_PRIOR, strict=True):
            phi = 1 + (self.level_n - 1) * max(icc, self.least_icc)
            if kept and np.max(phi / kept[-1]) < ALIKE:
                prior[-1] += share
            else:
                kept.append(phi)
                prior.append(share)
        return [(phi, float(np.log(share))) for phi, share in zip(kept, prior, strict=True)]

    def _normalisers(self, phi: Floats) -> Floats:
        """Return what the double-binomial likelihood adds per bin, the same for every shape."""
        share = self.k / self.n
        saturated = xlogy(self.k, share) + xlogy(self.n - self.k, 1 - share)
        return np.asarray((1 - 1 / phi) * saturated - np.log(phi) / 2)

    def _normaliser(self, phi: Floats) -> float:
        return float(self._normalisers(phi).sum())

    def _start(self, weights: Floats) -> Floats:
        """Return logits of the weighted shares of successes, pulled towards a half: shape (n, n_plateaus)."""
        share = (weights @ self.k + 0.5) / (weights @ self.n + 1.0)
        return np.asarray(np.log(share / (1 - share)))

    def _scoring(self, weights: Floats, logit: Floats, phi: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the most probable logits, the information there and the log posterior density."""
        k, n = self.k / phi, self.n / phi
        logit, size = logit.copy(), weights.shape[1]
        information = np.empty((len(weights), size, size))
        active = np.arange(len(weights))
        for _ in range(ITERATIONS):
            gradient, information[active] = _derivatives(weights[active], logit[active], k, n)
            step = np.linalg.solve(information[active], gradient[:, :, None])[:, :, 0]
            moving = np.sum(step * gradient, axis=1) > CONVERGED
            if not moving.any():
                break
            active = active[moving]
            logit[active] += np.clip(step[moving], -STEP, STEP)
        p = np.clip(_mean(weights, expit(logit)), EDGE, 1 - EDGE)
        objective = np.log(p) @ k + np.log1p(-p) @ (n - k)
        return logit, information, objective + _log_prior(logit)


def count_likelihood(curve: CountCurve, axis: Axis, discrepancy: float) -> CountLikelihood:
    """Sum counts over bins. `discrepancy` is the s.d. of p that a shape is not expected to match."""
    k, n = curve.successes.astype(np.float64), curve.trials.astype(np.float64)
    total = axis.binned(n) * axis.size
    level_n = axis.binned(n * n) * axis.size / total
    return CountLikelihood(axis.binned(k) * axis.size, total, level_n, discrepancy**2 / 0.25)


def _mean(weights: Floats, level: Floats) -> Floats:
    return np.asarray(np.matmul(level[:, None, :], weights)[:, 0, :])


def _log_prior(logit: Floats) -> Floats:
    """Return the log density of logits whose levels are flat: sum of log L (1 - L)."""
    return np.asarray(-np.sum(np.logaddexp(0, logit) + np.logaddexp(0, -logit), axis=1))


def _derivatives(weights: Floats, logit: Floats, k: Floats, n: Floats) -> tuple[Floats, Floats]:
    level = expit(logit)
    slope = level * (1 - level)
    p = np.clip(_mean(weights, level), EDGE, 1 - EDGE)
    variance = p * (1 - p)
    pull = (k - n * p) / variance
    gradient = np.matmul(weights, pull[:, :, None])[:, :, 0] * slope + 1 - 2 * level
    scaled = weights * slope[:, :, None]
    information = np.einsum("nkb,nlb->nkl", scaled * (n / variance)[:, None, :], scaled)
    size = weights.shape[1]
    information[:, range(size), range(size)] += 2 * slope
    return gradient, information


def _run_sums(values: Floats) -> Floats:
    """Return the sum over bins i..j at [i, j]."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(total[None, 1:] - total[:-1, None])
