"""What the two observation models have in common: how well a shape explains a curve, its levels left free."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr

from harness.analysis.shapes import Shapes
from harness.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Shapes fitted to one curve, levels (the heights of the plateaus) integrated out."""

    log_evidence: Floats  # (n,)
    level: Floats  # (n, n_plateaus), posterior mean in units of p
    covariance: Floats  # (n, n_plateaus, n_plateaus)
    noisiest: int = 1  # settings of the noise, least noise first, up to the last one that is plausible


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """The same shapes fitted to several curves."""

    log_evidence: Floats  # (n_curves, n)
    level: Floats  # (n_curves, n, n_plateaus)
    covariance: Floats  # (n_curves, n, n_plateaus, n_plateaus)
    noisiest: tuple[int, ...]  # of each curve
    guessed: Floats  # (n_curves,), largest evidence as guessed at first, and
    gained: Floats  # (n_curves,), what a closer look added to it; both 0 where nothing was guessed

    def of_curve(self, index: int) -> Fit:
        """Return the fits to one of the curves."""
        return Fit(self.log_evidence[index], self.level[index], self.covariance[index], self.noisiest[index])


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Every run of neighbouring bins explained by one level, under each setting of the noise.

    Of several curves, the settings of all of them, one curve after the other.
    """

    settings: tuple[int, ...]  # number of settings of each curve
    log_prior: Floats  # (n_settings,)
    log_evidence: (
        Floats  # (n_settings, n_bins, n_bins), [s, i, j] for bins i..j inclusive, -inf below the diagonal
    )
    mean: Floats  # (n_settings, n_bins, n_bins), posterior of the level
    sd: Floats  # (n_settings, n_bins, n_bins)


@dataclass(frozen=True, slots=True)
class LevelPrior:
    """What a plateau can be before the data: normal, or flat on [0, 1] where `spread` is infinite."""

    centre: float
    spread: float

    def change(self, least: Floats) -> Floats:
        """Return the probability that two levels differ by at least `least` (any shape, >= 0)."""
        if np.isinf(self.spread):
            return np.asarray(np.square(1 - np.minimum(least, 1)))
        return np.asarray(2 * ndtr(-least / (self.spread * np.sqrt(2))))

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Draw levels."""
        return rng.random(shape) if np.isinf(self.spread) else rng.normal(self.centre, self.spread, shape)


FLAT = LevelPrior(0.5, float("inf"))


class Likelihood(Protocol):
    """A curve as evidence about its mean, whatever was counted or measured."""

    def __hash__(self) -> int:
        """Return the hash of this one curve, whatever it holds."""
        ...

    @property
    def level_prior(self) -> LevelPrior:
        """Return the prior of a plateau."""
        ...

    def fit(self, shapes: Shapes) -> Fit:
        """Fit mean = sum over plateaus of level times weight, for each shape."""
        ...

    def segments(self, noisiest: int = ...) -> Segments:
        """Explain every run of bins by a constant, under the settings of the noise up to one, least noise first.

        Runs of constant level fit at least as well as the shapes that settings were judged by, so
        those that are too noisy for the shapes are too noisy for them.
        """
        ...


def logsumexp(values: Floats) -> float:
    """Return log of the sum of exponentials, -inf for nothing."""
    top = float(np.max(values, initial=-np.inf))
    return top if not np.isfinite(top) else top + float(np.log(np.sum(np.exp(values - top))))
