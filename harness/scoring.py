"""One sequence's replies turned into p(target) at every context length.

The measured quantity is p(target) renormalised over the declared symbols; the
raw probability and the mass the symbols capture are kept beside it.
"""

from dataclasses import dataclass

import numpy as np

from harness.types import Floats, Ints, Response

# A symbol outside the reported tokens leaves p(target) an interval; wider than this it is not a number.
MAX_UNCERTAINTY = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Exact probabilities at the context lengths of one response; NaN where none could be had."""

    p: Floats  # (n_levels,), p(target) over the declared symbols
    raw: Floats  # (n_levels,), p(target) as the model gave it
    mass: Floats  # (n_levels,), probability of all declared symbols
    uncovered: tuple[int, ...]  # context lengths whose p(target) is too uncertain


def score_logprobs(response: Response, target: Ints) -> Scores:
    """Score a response that reports log-probabilities against the targets of its context lengths.

    A declared symbol that was not among the reported tokens has a probability
    between 0 and all that was left over. p(target) is then the middle of the
    interval it can lie in, if that is at most MAX_UNCERTAINTY wide, else NaN:
    never zero.
    """
    assert response.logprob is not None
    logprob = response.logprob
    known = np.exp(logprob)
    rest = np.zeros(len(logprob)) if response.covered is None else np.clip(1 - response.covered, 0, 1)
    absent = np.isnan(logprob)
    mass = np.nansum(known, axis=1)
    rows = np.arange(len(target))
    raw, missing = known[rows, target], absent[rows, target]
    low = np.where(missing, 0.0, raw)
    others = mass - low
    high = np.where(missing, rest, raw)
    slack = np.where(missing, 0.0, np.where(absent.any(axis=1), rest, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        least = low / (low + others + slack)
        most = high / (high + others)
    wide = ~(most - least <= MAX_UNCERTAINTY)
    unread = np.isnan(logprob).all(axis=1)
    p = np.where(wide, np.nan, (least + most) / 2)
    uncovered = tuple(int(n) for n in response.context_lengths[wide & ~unread])
    return Scores(p, np.where(unread, np.nan, low), np.where(unread, np.nan, mass), uncovered)
