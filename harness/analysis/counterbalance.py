"""How much a curve differs between the assignments of surfaces to symbols, beyond what sampling makes of it."""

from dataclasses import dataclass

import numpy as np

from harness.errors import CurveError
from harness.types import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """The mean curve of each permutation and how far their true means lie apart."""

    permutation: Ints  # (n_permutations,), ascending
    sequences: Ints  # (n_permutations, n_levels), measured
    mean: Floats  # (n_permutations, n_levels), NaN where no sequence was measured
    variance: Floats  # (n_levels,), between true means, unbiased and therefore sometimes below 0
    noise: Floats  # (n_levels,), s.d. of the permutations' means that sampling alone would make

    @property
    def sd(self) -> Floats:
        """Return the standard deviation between the true means of the permutations, at least 0: (n_levels,)."""
        return np.sqrt(np.where(self.variance < 0, 0.0, self.variance))


def spread(p: Floats, groups: Ints) -> Spread:
    """Return the mean per permutation and the spread between permutations, corrected for sampling noise.

    `p` (n_sequences, n_levels) is NaN where nothing was measured; `groups`
    (n_sequences,) names the permutation of each sequence. The variance between
    the observed means exceeds that between the true ones by the mean of their
    squared standard errors, whatever the numbers of sequences and the variances
    within; taking it off is unbiased. A level takes part with the permutations
    that have two sequences there; with fewer than two such its variance is NaN.

    Raises CurveError if the shapes do not fit or there is only one permutation.
    """
    if p.ndim != 2 or groups.shape != p.shape[:1]:
        raise CurveError(
            f"p {p.shape} and groups {groups.shape} must be (n_sequences, n_levels), (n_sequences,)"
        )
    permutation = np.unique(groups)
    if permutation.size < 2:
        raise CurveError(
            f"{permutation.size} permutation(s) in {groups.size} sequences: a spread needs at least 2"
        )
    measured = ~np.isnan(p)
    member = (groups == permutation[:, None]).astype(np.float64)  # (n_permutations, n_sequences)
    count = member @ measured
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = member @ np.nan_to_num(p) / count
        residual = np.where(measured, p - member.T @ np.nan_to_num(mean), 0.0)
        squared_error = member @ residual**2 / (count - 1) / count
    known = count >= 2
    taking_part = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.sum(mean, axis=0, where=known) / taking_part
        observed = np.sum((mean - centre) ** 2, axis=0, where=known) / (taking_part - 1)
        sampling = np.sum(squared_error, axis=0, where=known) / taking_part
    enough = taking_part >= 2
    return Spread(
        permutation=permutation.astype(np.int64),
        sequences=count.astype(np.int64),
        mean=mean,
        variance=np.where(enough, observed - sampling, np.nan),
        noise=np.sqrt(np.where(enough, sampling, np.nan)),
    )
