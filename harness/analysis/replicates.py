"""Exact probabilities of replicate sequences as evidence: their mean curve with its full covariance.

The points of a mean curve share their sequences. Taken as independent they show
changes where there are none (67-100 % false positives of every segmentation
method on such curves), so the covariance is learnt from the replicates.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from harness.analysis.axis import Axis
from harness.analysis.covariance import centred, correlation, smooth_discrepancy, variances
from harness.analysis.likelihood import Fit, Segments
from harness.types import Floats, SequenceCurve

MEDIAN_NORMAL = 0.6745  # median of the absolute value of a standard normal


@dataclass(frozen=True, slots=True, eq=False)
class MeanLikelihood:
    """A mean curve with the covariance of its points; levels have a normal prior."""

    mean: Floats  # (n_bins,)
    covariance: Floats  # (n_bins, n_bins)
    centre: float  # prior mean of a level
    spread: float  # prior s.d. of a level

    def fit(self, weights: Floats) -> Fit:
        """Fit each shape by generalised least squares, levels integrated out in closed form."""
        n, plateaus, bins = weights.shape
        precision = np.linalg.inv(self.covariance)
        y = self.mean - self.centre
        whitened = (weights.reshape(-1, bins) @ precision).reshape(n, plateaus, bins)
        gram = np.matmul(whitened, weights.transpose(0, 2, 1))
        projected = whitened @ y
        information = gram + np.eye(plateaus) / self.spread**2
        covariance = np.linalg.inv(information)
        level = np.matmul(covariance, projected[:, :, None])[:, :, 0]
        explained = np.sum(level * projected, axis=1)
        log_dets = np.linalg.slogdet(information)[1] + 2 * plateaus * np.log(self.spread)
        constant = y @ precision @ y + np.linalg.slogdet(self.covariance)[1] + bins * np.log(2 * np.pi)
        return Fit((explained - log_dets - constant) / 2, level + self.centre, covariance)

    def segments(self) -> list[Segments]:
        """Explain runs of bins, each with the covariance within it; runs are independent of each other."""
        bins = len(self.mean)
        y = self.mean - self.centre
        evidence = np.full((bins, bins), -np.inf)
        mean, sd = np.full((bins, bins), self.centre), np.full((bins, bins), self.spread)
        for i in range(bins):
            # The Cholesky factor of the leading block is the leading block of the factor: one serves all ends.
            factor = np.linalg.cholesky(self.covariance[i:, i:])
            white = np.linalg.solve(factor, np.stack([y[i:], np.ones(bins - i)], axis=1))
            yy = np.cumsum(white[:, 0] ** 2)
            y1 = np.cumsum(white[:, 0] * white[:, 1])
            information = np.cumsum(white[:, 1] ** 2) + 1 / self.spread**2
            log_dets = 2 * np.cumsum(np.log(np.diag(factor)))
            size = np.arange(1, bins - i + 1)
            constant = log_dets + size * np.log(2 * np.pi) + np.log(information * self.spread**2)
            evidence[i, i:] = (y1**2 / information - yy - constant) / 2
            mean[i, i:] = y1 / information + self.centre
            sd[i, i:] = 1 / np.sqrt(information)
        return [Segments(0.0, evidence, mean, sd)]

    def prior_change(self, change: Floats) -> Floats:
        """Return P(|L1 - L0| >= change) of two normal levels."""
        return np.asarray(2 * ndtr(-change / (self.spread * np.sqrt(2))))

    def prior_levels(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Draw normal levels."""
        return rng.normal(self.centre, self.spread, shape)

    def misfit(self, weights: Floats, fit: Fit) -> Floats:
        """Return chi2 of each fitted shape: shape (n,)."""
        residual = self.mean - np.matmul(fit.level[:, None, :], weights)[:, 0, :]
        return np.asarray(np.sum((residual @ np.linalg.inv(self.covariance)) * residual, axis=1))

    def tempered(self, factor: float) -> "MeanLikelihood":
        """Return the likelihood with all variances multiplied: what is left unexplained counts as noise."""
        return replace(self, covariance=self.covariance * factor)


def mean_likelihood(
    curve: SequenceCurve, axis: Axis, *, discrepancy: float, centre: float, spread: float
) -> MeanLikelihood:
    """Learn the covariance of the mean curve from its sequences.

    `discrepancy` is the s.d. of the mean that a shape is not expected to match.
    With one sequence there is nothing to learn from: see `single_likelihood`.
    """
    table = bin_means(curve.p, axis)
    count = np.maximum(np.sum(~np.isnan(table), axis=0), 1)
    variance = variances(table)
    residual = centred(table)
    freedom = max(len(table) - 1.0, 1.0)
    together = correlation(
        residual / np.sqrt(variance), freedom, axis.binned(np.arange(len(axis.x), dtype=np.float64))
    )
    # The variance is itself estimated: the mean of 1 / (chi2 / freedom) is freedom / (freedom - 2).
    sd = np.sqrt(variance / count * freedom / max(freedom - 2, 0.5))
    covariance = together * np.outer(sd, sd) + discrepancy**2 * smooth_discrepancy(len(variance))
    return MeanLikelihood(np.nansum(table, axis=0) / count, covariance, centre, spread)


def bin_means(p: Floats, axis: Axis) -> Floats:
    """Return the mean over the measured levels of each bin: shape (n_sequences, n_bins), NaN where none was."""
    measured = ~np.isnan(p)
    share = axis.binned(measured.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(share > 0, axis.binned(np.nan_to_num(p)) / share, np.nan))


def single_likelihood(
    curve: SequenceCurve, axis: Axis, *, discrepancy: float, centre: float, spread: float
) -> MeanLikelihood:
    """Guess the noise of one sequence from how neighbouring levels differ.

    Steps are rare among differences, so their median absolute value shows the
    noise. Correlated noise cannot be told from a change without replicates.
    """
    mean = bin_means(curve.p, axis)[0]
    noise = float(np.median(np.abs(np.diff(mean)))) / (MEDIAN_NORMAL * np.sqrt(2))
    covariance = discrepancy**2 * smooth_discrepancy(len(mean)) + noise**2 * np.eye(len(mean))
    return MeanLikelihood(mean, covariance, centre, spread)
