"""Which count curves are so plainly flat, or so plainly undecidable, that no exact look would change the verdict.

Least squares with binomial variances takes the place of the likelihood, and a
pair of changes that of every segmentation; sixteen curves at a time, so that the
linear algebra is one product of matrices. Where that is not enough (`plain`),
curves are looked at exactly, again sixteen together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.analysis.axis import Axis, axis_of
from harness.analysis.counts import (
    NEVER,
    CountLikelihood,
    fit_counts,
    segment_counts,
    settings_of,
    settings_that_matter,
)
from harness.analysis.evidence import CONSTANT, PRIOR, Classes, Weighed, weigh_fitted
from harness.analysis.likelihood import FLAT
from harness.analysis.refine import with_fine
from harness.analysis.shapes import Guess, Shapes, Single, least_squares, logistic
from harness.analysis.templates import constant_shape, paired_changes, single_changes
from harness.types import AnalysisOptions, Bools, Floats

BLOCK = 16  # curves at a time, always: a product of matrices of another size could round differently
LOGISTIC_NORMAL = 1.702  # the logistic function of 1.702 z is the normal one within 0.01
TINY = 1e-30
# Where the screen is within 0.02 of the bound of "none", 0.9, or more likely than not sees a change, an exact look
# decides. Of simulated curves screened elsewhere 2 in 100 change sides; `benchmarks/analyzer.py` prints how many.
FLAT_FROM = 0.92
UNDECIDABLE = (0.5, 0.88)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of shape with what its prior gives: to each shape, and to a change of `min_change`."""

    shapes: Shapes
    reach: Single  # (n_changes, n), part of each change that lies within the range
    prior: Single  # (n,), sums to one over the kind
    large: Single  # (n,), prior probability that every change is at least `min_change`


def screen(
    likelihoods: list[CountLikelihood], axis: Axis, options: AnalysisOptions
) -> Iterator[tuple[int, Classes]]:
    """Yield posteriors of curves that share their levels, with their index, as soon as they are known.

    Approximate where that is `plain`, else `Weighed`; with the fine posterior where there is one change.
    """
    waiting: list[tuple[int, Guess, Guess]] = []
    for begin in range(0, len(likelihoods), BLOCK):
        classes, single, pair = _block(likelihoods[begin : begin + BLOCK], axis, options)
        yield from ((begin + j, one) for j, one in enumerate(classes) if plain(one))
        doubtful = [j for j, one in enumerate(classes) if not plain(one)]
        waiting += [(begin + j, single.of_curve(j), pair.of_curve(j)) for j in doubtful]
        last = begin + BLOCK >= len(likelihoods)
        while len(waiting) >= BLOCK or (last and waiting):
            now, waiting = waiting[:BLOCK], waiting[BLOCK:]
            index, singles, pairs = zip(*now, strict=True)
            some = [likelihoods[i] for i in index]
            exact = _exact(some, Guess.joined(singles), Guess.joined(pairs), axis, options)
            yield from zip(index, exact, strict=True)


def plain(classes: Classes) -> bool:
    """Return whether an exact look was taken, or would not change the verdict, "none" or "undetermined"."""
    return (
        isinstance(classes, Weighed)
        or classes.none >= FLAT_FROM
        or UNDECIDABLE[0] <= classes.none <= UNDECIDABLE[1]
    )


def _exact(
    likelihoods: list[CountLikelihood], singles: Guess, pairs: Guess, axis: Axis, options: AnalysisOptions
) -> list[Weighed]:
    single = fit_counts(likelihoods, single_changes(axis, options.sharp_width).shapes, singles)
    pair = fit_counts(likelihoods, paired_changes(axis).shapes, pairs, single)
    noisiest = [max(both) for both in zip(single.noisiest, pair.noisiest, strict=True)]
    segments = segment_counts(likelihoods, noisiest)
    weighed = weigh_fitted(single, pair, segments, FLAT, axis, options)
    once = [i for i, one in enumerate(weighed) if one.changes_once]
    fine = with_fine([likelihoods[i] for i in once], axis, [weighed[i] for i in once], options.sharp_width)
    for i, one in zip(once, fine, strict=True):
        weighed[i] = one
    return weighed


def _block(
    likelihoods: list[CountLikelihood], axis: Axis, options: AnalysisOptions
) -> tuple[list[Classes], Guess, Guess]:
    """Return approximate posteriors of at most BLOCK curves, and the least squares they rest on."""
    filled = likelihoods + [likelihoods[-1]] * (BLOCK - len(likelihoods))
    k, n = np.stack([one.k for one in filled]), np.stack([one.n for one in filled])
    log_prior, phi = settings_of(filled)
    flat = least_squares(constant_shape(len(axis.start)), k, n)
    offset = log_prior - np.log(phi) * len(axis.start) / 2
    base = flat.chi2[:, :1].astype(np.float64)
    score = offset - base / phi / 2 + np.log(2 * np.pi * phi) / 2 - flat.log_det / 2
    constant = np.log(np.sum(np.exp(score - score.max(axis=1)[:, None]), axis=1)) + score.max(axis=1)
    singles, pairs, sharp = _kinds(*axis.key(), options.sharp_width, options.min_change)
    guess = least_squares(singles.shapes, k, n)
    weight, inside = _explain(singles, guess, phi, offset, base, constant, options.min_change)
    small = np.sum(weight * (1 - inside), axis=1) / np.sum(singles.prior * (1 - singles.large))
    change = weight * inside
    found = [
        np.sum(change[:, m], axis=1) / np.sum(singles.prior[m] * singles.large[m]) for m in (~sharp, sharp)
    ]
    several, guessed_pairs = np.zeros(len(k)), least_squares(pairs.shapes, k, n)
    if len(pairs.prior):
        both, inside = _explain(pairs, guessed_pairs, phi, offset, base, constant, options.min_change)
        several = np.sum(both * inside, axis=1) / np.sum(pairs.prior * pairs.large)
    joint = np.stack(
        [
            PRIOR["none"] * (CONSTANT + (1 - CONSTANT) * small),
            PRIOR["gradual"] * found[0],
            PRIOR["sharp"] * found[1],
            PRIOR["multiple"] * several,
        ]
    ).astype(np.float64)
    rows = (joint / joint.sum(axis=0)).T[: len(likelihoods)]
    return [Classes(*(float(p) for p in row)) for row in rows], guess, guessed_pairs


def _explain(
    kind: Kind,
    guess: Guess,
    phi: Floats,
    offset: Floats,
    base: Floats,
    constant: Floats,
    least: float,
) -> tuple[Floats, Floats]:
    """Return the joint weight of each shape relative to a constant, and P(every change is large): (n_curves, n)."""
    size = kind.shapes.size
    gained = (base.astype(np.float32) - guess.chi2) / 2
    level = offset - base / phi / 2 + size / 2 * np.log(2 * np.pi * phi) - constant[:, None]
    matters = settings_that_matter(level + gained.max(axis=1, keepdims=True) / phi)
    level = np.where(matters, level, NEVER).astype(np.float32)
    total = np.zeros_like(gained)
    spread = np.zeros((len(phi), 1))
    share = np.zeros((len(phi), 1))
    for s in np.flatnonzero(matters.any(axis=0)):
        part = np.exp(np.minimum(gained / phi[:, s, None].astype(np.float32) + level[:, s, None], 80))
        total += part
        here = np.max(part, axis=1, keepdims=True)
        share += here
        spread += here * phi[:, s, None]
    total *= kind.prior * np.exp(-guess.log_det / 2)
    phi_mean = (spread / np.maximum(share, TINY)).astype(np.float32)
    inside = np.ones_like(total)
    for i in range(size - 1):
        change = np.abs(guess.level[i + 1] - guess.level[i]) * kind.reach[i]
        c = guess.covariance
        variance = (c[i, i] + c[i + 1, i + 1] - 2 * c[i, i + 1]) * phi_mean
        scale = np.float32(LOGISTIC_NORMAL) / (np.sqrt(np.maximum(variance, 1e-12)) * kind.reach[i] + 1e-9)
        over, under = (logistic((way - np.float32(least)) * scale) for way in (change, -change))
        inside *= over + under
    return total, np.minimum(inside, 1)


@lru_cache(maxsize=8)
def _kinds(
    level: bytes, x: bytes, start: bytes, shift: float | None, sharp_width: float, least: float
) -> tuple[Kind, Kind, Bools]:
    axis = axis_of(level, x, start, shift)
    singles, pairs = single_changes(axis, sharp_width), paired_changes(axis)
    reach = np.maximum(singles.reach, 1e-9)[None]
    one = Kind(
        singles.shapes,
        reach.astype(np.float32),
        np.exp(singles.log_prior).astype(np.float32),
        FLAT.change(least / reach[0]).astype(np.float32),
    )
    reach = np.maximum(pairs.reach.T, 1e-9)
    even = np.full(len(pairs.location), 1 / max(len(pairs.location), 1), np.float32)
    two = Kind(
        pairs.shapes,
        reach.astype(np.float32),
        even,
        np.prod(FLAT.change(least / reach), axis=0).astype(np.float32),
    )
    return one, two, singles.sharp
