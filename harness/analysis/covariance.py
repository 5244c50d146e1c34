"""How the points of a mean curve vary together, learnt from the replicates it is the mean of."""

from functools import lru_cache

import numpy as np

from harness.types import Floats

LENGTHS = (
    0.5,
    1.5,
    4.0,
    10.0,
    30.0,
    100.0,
)  # correlation lengths tried, in bins (AR(1): rho = exp(-1 / length))
WHITE = (0.0, 0.02, 0.1, 0.3, 0.6, 0.95)  # share of the variance that is independent from bin to bin
SHARED = (0.0, 0.2, 0.5)  # share of the rest that a whole sequence has in common
NEIGHBOURS = 4.0  # degrees of freedom that a bin's variance borrows from the bins around it
LEAST_VARIANCE = 1e-12


def centred(table: Floats) -> Floats:
    """Return rows less the mean row, 0 where nothing was measured."""
    with np.errstate(invalid="ignore"):
        count = np.maximum(np.sum(~np.isnan(table), axis=0), 1)
        return np.asarray(np.nan_to_num(table - np.nansum(table, axis=0) / count))


def variances(table: Floats) -> Floats:
    """Return the variance between sequences per bin, each borrowing from its neighbours: shape (n_bins,)."""
    count = np.sum(~np.isnan(table), axis=0)
    freedom = np.maximum(count - 1.0, 0.0)
    squares = np.sum(np.square(centred(table)), axis=0)
    kernel = np.array([0.5, 1.0, 0.0, 1.0, 0.5])
    around_squares = np.convolve(squares, kernel)[2:-2] if len(squares) >= 3 else squares
    around_freedom = np.convolve(freedom, kernel)[2:-2] if len(squares) >= 3 else freedom
    around = around_squares / np.maximum(around_freedom, 1e-300)
    pooled = (squares + NEIGHBOURS * around) / np.maximum(freedom + NEIGHBOURS, 1e-300)
    return np.asarray(np.maximum(pooled, LEAST_VARIANCE))


def correlation(standardised: Floats, freedom: float, place: Floats) -> Floats:
    """Return the correlation matrix under which the standardised residuals are most likely: (n_bins, n_bins).

    AR(1) along the bins or along the levels (`place` is the mean level index of
    each bin), plus what is white, plus what a sequence has in common throughout,
    by maximum likelihood on a grid. `freedom` is the number of independent rows.
    """
    scatter = standardised.T @ standardised / freedom
    inverses, log_dets, matrices = _kernels(place.tobytes())
    misfit = np.einsum("mij,ij->m", inverses, scatter)
    return np.asarray(matrices[int(np.argmin(log_dets + misfit))])


@lru_cache(maxsize=8)
def _kernels(place_bytes: bytes) -> tuple[Floats, Floats, Floats]:
    """Return inverses, log determinants and matrices of every correlation tried."""
    place = np.frombuffer(place_bytes)
    bins = np.arange(len(place), dtype=np.float64)
    spacing = float(place[-1] - place[0]) / max(len(place) - 1, 1)
    clocks = [bins] if np.allclose(place, bins) else [bins, place / spacing]
    matrices = [np.eye(len(place))]
    for clock in clocks:
        apart = np.abs(np.subtract.outer(clock, clock))
        for length in LENGTHS:
            for white in WHITE:
                for shared in SHARED:
                    smooth = (1 - shared) * np.exp(-apart / length) + shared
                    matrices.append((1 - white) * smooth + (white + 1e-6) * np.eye(len(place)))
    stacked = np.stack(matrices)
    return np.asarray(np.linalg.inv(stacked), np.float64), np.linalg.slogdet(stacked)[1], stacked


def smooth_discrepancy(n_bins: int) -> Floats:
    """Return the correlation of what separates a true mean curve from the nearest simple shape.

    Mostly smooth over a sixth of the bins, a fifth of it independent.
    """
    apart = np.abs(np.subtract.outer(np.arange(n_bins), np.arange(n_bins)))
    return np.asarray(0.8 * np.exp(-np.square(apart / max(n_bins / 6, 1.0)) / 2) + 0.2 * np.eye(n_bins))
