"""What the two observation models have in common: how well a shape explains a curve, its levels left free."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from harness.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Shapes fitted to one curve, levels (the heights of the plateaus) integrated out."""

    log_evidence: Floats  # (n,)
    level: Floats  # (n, n_plateaus), posterior mean in units of p
    covariance: Floats  # (n, n_plateaus, n_plateaus)


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Every run of neighbouring bins explained by one level, under one setting of the noise."""

    log_prior: float  # of this setting
    log_evidence: Floats  # (n_bins, n_bins), [i, j] for bins i..j inclusive, -inf below the diagonal
    mean: Floats  # (n_bins, n_bins), posterior of the level
    sd: Floats  # (n_bins, n_bins)


class Likelihood(Protocol):
    """A curve as evidence about its mean, whatever was counted or measured."""

    def fit(self, weights: Floats) -> Fit:
        """Fit mean = sum over plateaus of level times weight; weights (n, n_plateaus, n_bins) sum to one."""
        ...

    def segments(self) -> list[Segments]:
        """Explain every run of bins by a constant, once per setting of the noise."""
        ...

    def prior_change(self, change: Floats) -> Floats:
        """Return the prior probability that two levels differ by at least `change` (any shape, >= 0)."""
        ...

    def prior_levels(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Draw levels from their prior."""
        ...


def logsumexp(values: Floats) -> float:
    """Return log of the sum of exponentials, -inf for nothing."""
    top = float(np.max(values, initial=-np.inf))
    return top if not np.isfinite(top) else top + float(np.log(np.sum(np.exp(values - top))))
