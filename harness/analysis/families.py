"""Families of curves: which of many transitions can be believed together."""

from collections.abc import Sequence

import numpy as np

from harness.analysis.evidence import PRIOR
from harness.errors import SpecError
from harness.types import Bools, Discovery, Family, Floats, Transition

LEAST_FAMILY = 5  # curves: with fewer, how many of them change says nothing of the share that does
LOCAL = (
    0.2  # largest posterior of none of one discovery: Efron's (2008) bound of the local false discovery rate
)
LEAST = 1e-300  # a posterior below this is one that has underflown
SHARES = np.linspace(0.0, 1.0, 1001)[1:-1]  # null shares whose likelihood makes the interval
CHI2_95 = 3.8415  # twice the log likelihood that the ends of a 95 % interval lose (Wilks 1938)


def discover(found: Sequence[Transition], *, q: float = 0.05, name: str = "curves") -> Family:
    """Say which curves of a family change, with the share of false ones among them held to `q`.

    Exploring: the share of curves without a change is estimated from the
    family, the posterior of each curve re-weighted by it, and the largest set
    is taken whose mean posterior of "none" is at most q. This is Efron's (2008)
    two-groups model; it supposes that the posteriors are calibrated and the
    curves independent. Confirming: e-BH on the Bayes factors (`e_bh`), which
    holds at q under any dependence for the mixture of null curves that the
    Bayes factor integrates over. Raises SpecError for q outside (0, 1).
    """
    _check_q(q)
    factor = bayes_factors(np.array([t.p_none for t in found]))
    confirmed = e_bh(factor, q=q)
    share, low, high, note = None, None, None, ""
    if len(found) >= LEAST_FAMILY:
        share = null_share(factor)
        low, high = null_interval(factor)
    else:
        note = (
            f"below {LEAST_FAMILY} curves the share that does not change is not estimated; "
            f"the prior of {PRIOR['none']:g} is kept"
        )
    none = posterior_none(factor, PRIOR["none"] if share is None else share)
    explored = largest_set(none, q=q)
    members = tuple(
        Discovery(t.curve, float(factor[i]), float(none[i]), bool(explored[i]), bool(confirmed[i]))
        for i, t in enumerate(found)
    )
    return Family(name, q, share, low, high, members, note)


def bayes_factors(p_none: Floats) -> Floats:
    """Return the Bayes factors of any change against none that the posteriors hold: shape (n,), > 0."""
    none, change = np.maximum(p_none, LEAST), np.maximum(1 - p_none, LEAST)
    return np.asarray(change / none * (PRIOR["none"] / (1 - PRIOR["none"])))


def posterior_none(factor: Floats, share: float) -> Floats:
    """Return the posterior of no change under a prior of `share`: shape (n,)."""
    return np.asarray(share / (share + (1 - share) * factor))


def null_share(factor: Floats) -> float:
    """Estimate the share of curves without a change by expectation maximisation.

    The share is the mean posterior of "none" under itself. One curve of each
    kind is added to the family, so that it stays within (0, 1): the mode under
    a Beta(2, 2) prior. The likelihood has one maximum, so the start is free.
    """
    share, n = 0.5, len(factor)
    for _ in range(10_000):
        following = (float(posterior_none(factor, share).sum()) + 1) / (n + 2)
        if abs(following - share) < 1e-10:
            break
        share = following
    return share


def null_interval(factor: Floats) -> tuple[float, float]:
    """Return the null shares whose posterior density is within 95 % of a likelihood interval of the best."""
    mixed = SHARES[:, None] + (1 - SHARES)[:, None] * np.minimum(factor, 1 / LEAST)
    score = np.log(mixed).sum(axis=1) + np.log(SHARES) + np.log1p(-SHARES)
    inside = SHARES[score >= score.max() - CHI2_95 / 2]
    return float(inside[0]), float(inside[-1])


def largest_set(none: Floats, *, q: float) -> Bools:
    """Return the largest set whose mean posterior of "none" is at most q: shape (n,), true for members.

    No member's own posterior exceeds LOCAL: else a family of plain changes would
    make room for curves that more likely do not change.
    """
    order = np.argsort(none, kind="stable")
    mean = np.cumsum(none[order]) / np.arange(1, len(none) + 1)
    chosen = np.zeros(len(none), dtype=bool)
    chosen[order[: int(np.sum((mean <= q) & (none[order] <= LOCAL)))]] = True
    return chosen


def e_bh(e: Floats, *, q: float) -> Bools:
    """Return which hypotheses the e-BH procedure rejects at `q`: shape (n,).

    The k largest e-values, for the largest k whose k-th is at least n / (q k)
    (Wang & Ramdas 2022, "False discovery rate control with e-values").
    """
    order = np.argsort(-e, kind="stable")
    n = len(e)
    reached = np.flatnonzero(e[order] >= n / (q * np.arange(1, n + 1)))
    chosen = np.zeros(n, dtype=bool)
    if reached.size:
        chosen[order[: int(reached[-1]) + 1]] = True
    return chosen


def holm(p: Floats) -> Floats:
    """Return p-values adjusted by Holm's (1979) method: shape (n,), at most 1."""
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty(len(p))
    result[order] = np.minimum(adjusted, 1)
    return result


def p_to_e(p: Floats) -> Floats:
    """Return e-values made of p-values: (1 - p + p log p) / (p (log p)^2), shape (n,).

    The mixture of all calibrators k p^(k - 1) (Vovk & Wang 2021, "E-values:
    calibration, combination and applications").
    """
    p = np.clip(p, LEAST, 1 - 1e-6)  # at 1 the formula is 0 / 0; its limit is 1/2
    log_p = np.log(p)
    return np.asarray((1 - p + p * log_p) / (p * np.square(log_p)))


def _check_q(q: float) -> None:
    if not 0 < q < 1:
        raise SpecError(f"q={q!r}: a false discovery rate must be above 0 and below 1")
