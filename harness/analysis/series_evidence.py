"""Exact sums over all segmentations of a series, segment by segment in closed form.

Within a segment the values are y_t = mu + e_t, e a stationary AR(1) process of
correlation rho with innovations of variance v; v ~ InvGamma(a, b) and
mu | v ~ N(0, v / kappa). Segments are independent, the noise included: the
correlation is not carried over a change. With R_ts = rho^|t-s| / (1 - rho^2) the
values of a segment are multivariate t with 2a degrees of freedom, location 0
and shape (b/a) (R + 11'/kappa) (Bernardo & Smith 1994, section 3.2).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from harness.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class NoisePrior:
    """One prior of the noise per row: correlation, and the normal-inverse-gamma law of level and variance."""

    rho: Floats  # (n_priors,), 0 <= rho < 1
    a: float
    b: Floats  # (n_priors,)
    kappa: Floats  # (n_priors,)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSums:
    """Everything the evidence of any segment of one series is computed from, in O(1) each."""

    prior: NoisePrior
    first: Floats  # (n_values,), y
    total: Floats  # (n_priors, n_values), sum of y_t - rho y_{t-1} up to t
    square: Floats  # (n_priors, n_values), sum of its squares
    constant: Floats  # (n_priors, n_values + 1), what depends on the segment's length only
    precision: Floats  # (n_priors, n_values + 1), kappa + 1'R^-1 1 at each length

    def ending_at(self, j: int, n_starts: int) -> Floats:
        """Return log evidence of the segments i..j for i < n_starts: shape (n_priors, n_starts)."""
        rho = self.prior.rho[:, None]
        y = self.first[:n_starts]
        length = j + 1 - np.arange(n_starts)
        cross = (1 - rho**2) * y + (1 - rho) * (self.total[:, [j]] - self.total[:, :n_starts])
        squares = (1 - rho**2) * y**2 + self.square[:, [j]] - self.square[:, :n_starts]
        rest = np.maximum(squares - cross**2 / self.precision[:, length], 0.0)
        shape = self.prior.a + length / 2
        return np.asarray(self.constant[:, length] - shape * np.log(self.prior.b[:, None] + rest / 2))


def segment_sums(y: Floats, prior: NoisePrior) -> SegmentSums:
    """Prepare the evidence of every segment of a series."""
    rho, kappa = prior.rho[:, None], prior.kappa[:, None]
    innovation = np.concatenate([np.zeros((len(rho), 1)), y[1:] - rho * y[:-1]], axis=1)
    n = np.arange(len(y) + 1)
    precision = kappa + (1 - rho**2) + np.maximum(n - 1, 0) * (1 - rho) ** 2
    constant = (
        -n / 2 * np.log(2 * np.pi)
        + np.log(1 - rho**2) / 2
        + np.log(kappa / precision) / 2
        + prior.a * np.log(prior.b[:, None])
        + gammaln(prior.a + n / 2)
        - gammaln(prior.a)
    )
    return SegmentSums(
        prior, y, np.cumsum(innovation, axis=1), np.cumsum(innovation**2, axis=1), constant, precision
    )


def forward_sums(sums: SegmentSums, n_changes: int, shortest: int) -> Floats:
    """Return log sums over all ways to cut values 0..j into m + 1 segments: (n_priors, n_changes + 1, n_values).

    [r, m, j]; -inf where there is no way. A recursion over the last segment
    (Fearnhead 2006), O(n_values^2 n_changes). Sums are kept relative to the
    number of changes that is best so far, so one that is worse by a factor above
    e^745 counts as impossible.
    """
    n_priors, n = sums.total.shape
    scale = np.full((n_priors, n), -np.inf)  # best over the number of changes
    share = np.zeros((n_priors, n_changes + 1, n))  # the sums, relative to it
    out = np.full((n_priors, n_changes + 1, n), -np.inf)
    for j in range(shortest - 1, n):
        starts = j - shortest + 2
        segment = sums.ending_at(j, starts)
        out[:, 0, j] = segment[:, 0]
        if starts > 1 and n_changes:
            weight = scale[:, : starts - 1] + segment[:, 1:]
            top = np.max(weight, axis=1, keepdims=True)
            top = np.where(np.isfinite(top), top, 0.0)
            # The segments before i..j hold one change fewer and end at i - 1.
            before = np.matmul(share[:, :-1, : starts - 1], np.exp(weight - top)[:, :, None])[:, :, 0]
            with np.errstate(divide="ignore"):
                out[:, 1:, j] = np.log(before) + top
        scale[:, j] = np.max(out[:, :, j], axis=1)
        share[:, :, j] = np.exp(out[:, :, j] - scale[:, [j]])
    return out


def log_placements(n_values: int, n_changes: int, shortest: int) -> float:
    """Return log of the number of ways to cut a series into segments of `shortest` values or more."""
    free = n_values - (n_changes + 1) * (shortest - 1)
    return float(gammaln(free) - gammaln(n_changes + 1) - gammaln(free - n_changes))
