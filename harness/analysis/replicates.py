"""Exact probabilities of replicate sequences as evidence: their mean curve with its full covariance.

The points of a mean curve share their sequences. Taken as independent they show
changes where there are none (67-100 % false positives of every segmentation
method on such curves), so the covariance is learnt from the replicates.
"""

from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np

from harness.analysis.axis import Axis
from harness.analysis.covariance import centred, correlation, smooth_discrepancy, variances
from harness.analysis.likelihood import Fit, LevelPrior, Segments
from harness.analysis.shapes import Shapes, invert
from harness.types import Floats, SequenceCurve

MEDIAN_NORMAL = 0.6745  # median of the absolute value of a standard normal


@dataclass(frozen=True, slots=True, eq=False)
class MeanLikelihood:
    """A mean curve with the covariance of its points; levels have a normal prior."""

    mean: Floats  # (n_bins,)
    covariance: Floats  # (n_bins, n_bins)
    centre: float  # prior mean of a level
    spread: float  # prior s.d. of a level

    @property
    def level_prior(self) -> LevelPrior:
        """Return the prior of a plateau."""
        return LevelPrior(self.centre, self.spread)

    def fit(self, shapes: Shapes) -> Fit:
        """Fit each shape by generalised least squares, levels integrated out in closed form."""
        weights = shapes.weights
        n, size, bins = weights.shape
        precision = np.linalg.inv(self.covariance)
        y = self.mean - self.centre
        whitened = (weights.reshape(-1, bins) @ precision).reshape(n, size, bins)
        projected = whitened @ y
        h = {
            (a, b): np.einsum("nt,nt->n", whitened[:, a], weights[:, b]) + (a == b) / self.spread**2
            for a, b in combinations_with_replacement(range(size), 2)
        }
        covariance, log_det = invert(h, size)
        level = np.einsum("nab,nb->na", covariance, projected)
        explained = np.sum(level * projected, axis=1)
        log_dets = log_det + 2 * size * np.log(self.spread)
        constant = y @ precision @ y + np.linalg.slogdet(self.covariance)[1] + bins * np.log(2 * np.pi)
        return Fit((explained - log_dets - constant) / 2, level + self.centre, covariance)

    def segments(self, noisiest: int = 1) -> Segments:  # noqa: ARG002 (one setting)
        """Explain runs of bins, each with the covariance within it; runs are independent of each other."""
        bins = len(self.mean)
        evidence = np.full((bins, bins), -np.inf)
        mean, sd = np.full((bins, bins), self.centre), np.full((bins, bins), self.spread)
        # The Cholesky factor of the leading block is the leading block of the factor: one serves all ends of
        # the runs from a start. Starts are done together, what lies beyond the last bin filled up with ones.
        at = np.arange(bins)[:, None] + np.arange(bins)
        inside = at < bins
        at = np.minimum(at, bins - 1)
        block = self.covariance[at[:, :, None], at[:, None, :]]
        block = np.where(inside[:, :, None] & inside[:, None, :], block, np.eye(bins))
        factor = np.linalg.cholesky(block)
        sides = np.stack([(self.mean - self.centre)[at], np.ones((bins, bins))], axis=2) * inside[:, :, None]
        white = np.linalg.solve(factor, sides)
        yy, y1, information = (
            np.cumsum(white[:, :, a] * white[:, :, b], axis=1) for a, b in ((0, 0), (0, 1), (1, 1))
        )
        information += 1 / self.spread**2
        log_dets = 2 * np.cumsum(np.log(np.diagonal(factor, axis1=1, axis2=2)), axis=1)
        constant = (
            log_dets + np.arange(1, bins + 1) * np.log(2 * np.pi) + np.log(information * self.spread**2)
        )
        runs = np.nonzero(inside)
        ends = (runs[0], at[runs])
        evidence[ends] = ((y1**2 / information - yy - constant) / 2)[runs]
        mean[ends] = (y1 / information + self.centre)[runs]
        sd[ends] = (1 / np.sqrt(information))[runs]
        return Segments((1,), np.zeros(1), evidence[None], mean[None], sd[None])

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
