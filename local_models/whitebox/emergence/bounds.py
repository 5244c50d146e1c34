"""Bounds on mutual information from a critic's scores of true and of mismatched pairs, in bits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError

Scores = NDArray[np.floating]
"""Shape (n, n): [i, j] is f(x_i, y_j), in nats, so that true pairs lie on the diagonal."""

BITS = float(np.log2(np.e))  # in a nat
SMILE_CLIP = 5.0  # tau of Song & Ermon 2020, nats: the largest of those whose bias they show


@dataclass(frozen=True, slots=True)
class Bits:
    """A value and its standard error over the pairs it was read on; the fit of the critic is not in it."""

    value: float
    error: float


def donsker_varadhan(scores: Scores) -> Bits:
    """Return E_p f - log E_q e^f, a lower bound for a critic that never saw these pairs (Donsker & Varadhan 1983).

    All n (n - 1) mismatched pairs are the draws from the product q. The error is
    that of the Hajek projection. The logarithm of a mean is too low on average,
    so the value is too high where few mismatched pairs carry it: beyond log2 n
    bits no such value is certified (McAllester & Stratos 2020).
    """
    _check(scores)
    f = scores.astype(np.float64)
    largest = f.max()
    ratio = np.exp(f - largest)
    np.fill_diagonal(ratio, 0.0)
    n = len(f)
    mean = ratio.sum() / (n * (n - 1))
    if not mean > 0:
        mean = np.finfo(
            np.float64
        ).tiny  # every mismatched pair is out of reach: the value is far above log2 n
    value = np.diag(f).mean() - largest - np.log(mean)
    reach = (ratio.sum(0) + ratio.sum(1)) / (
        (n - 1) * mean
    )  # what each pair adds to the second term, as x and as y
    error = np.std(np.diag(f) - reach, ddof=1) / np.sqrt(n)
    return Bits(float(value * BITS), float(error * BITS))


def smile(scores: Scores, *, clip: float = SMILE_CLIP) -> float:
    """Return E_p f - log E_q clip(e^f, e^-clip, e^clip), `clip` in nats (Song & Ermon 2020).

    Clipping takes variance away, and with it the bound.
    """
    _check(scores)
    f = scores.astype(np.float64)
    clipped = np.exp(np.clip(f, -clip, clip))
    n = len(f)
    mean = (clipped.sum() - np.trace(clipped)) / (n * (n - 1))
    return float((np.diag(f).mean() - np.log(mean)) * BITS)


def info_nce(scores: Scores) -> float:
    """Return the contrastive bound, never above log2 n (van den Oord et al. 2018): how well x picks its y out of n."""
    _check(scores)
    f = scores.astype(np.float64)
    top = f.max(axis=1)
    log_mean = top + np.log(np.exp(f - top[:, None]).mean(axis=1))
    return float((np.diag(f) - log_mean).mean() * BITS)


def _check(scores: Scores) -> None:
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1] or len(scores) < 2:
        raise WhiteBoxError(
            f"scores of shape {scores.shape} are not those of n pairs with each other, n at least 2"
        )
    if not np.isfinite(scores).all():
        raise WhiteBoxError(
            "a critic gave a score that is not finite: its input is too large or its step was"
        )
