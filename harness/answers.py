"""Whether the gold answer is the most probable symbol, and its log-probability: what readout "answer" adds to p."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from harness.errors import SpecError
from harness.registry import family_names, load_family
from harness.types import Floats, Ints, Response

_TIED = 1e-9  # relative difference of probabilities below which rounding alone may tell them apart


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Exact match and log-probability of the gold answer. Rows are sequences, columns levels; NaN where unknown.

    Of drawn answers `share` is the part of all draws that is the gold one, draws
    outside the declared symbols among the wrong ones; a draw says nothing of
    the logarithm of a probability.
    """

    share: Floats  # (n_sequences, n_levels), 1 where the gold answer is the most probable symbol, 0 where not
    log_p: Floats  # (n_sequences, n_levels), ln p(gold) over the declared symbols, in nat
    observers: Mapping[str, Floats]  # name -> (n_sequences, n_levels), the share of its most probable symbol
    trials: Ints | None  # (n_levels,), all draws; None where answers were not drawn


def most_probable(law: Floats, target: Ints) -> Floats:
    """Return whether the target has the greatest probability of a row: shape (n_rows,), 1 or 0.

    Where k symbols share the greatest, a target among them counts 1/k: what
    breaking the tie by chance is right to expect.
    """
    best = law >= law.max(axis=1, keepdims=True) * (1 - _TIED)
    return np.asarray(best[np.arange(len(target)), target] / best.sum(axis=1))


def matched(response: Response, target: Ints) -> Floats:
    """Return `most_probable` of a response that reports log-probabilities, NaN where it cannot be told.

    A declared symbol that was not reported has at most what all reported tokens
    leave over: where the greatest reported one may be smaller, the most probable
    symbol is not known.
    """
    assert response.logprob is not None
    law = np.nan_to_num(np.exp(response.logprob), nan=0.0)
    absent = np.isnan(response.logprob)
    rest = np.zeros(len(law)) if response.covered is None else np.clip(1 - response.covered, 0, 1)
    unknown = absent.all(axis=1) | (absent.any(axis=1) & (law.max(axis=1) < rest))
    return np.where(unknown, np.nan, most_probable(law, target))


def log_probability(response: Response, target: Ints) -> Floats:
    """Return ln p(target) over the reported declared symbols, NaN where the target is not reported: (n_rows,).

    Taken of the logarithms themselves, so that no probability is too small.
    """
    assert response.logprob is not None
    reported = np.where(np.isnan(response.logprob), -np.inf, response.logprob)
    rows = np.arange(len(target))
    with np.errstate(invalid="ignore"):
        found = reported[rows, target] - np.logaddexp.reduce(reported, axis=1)
    return np.where(np.isnan(response.logprob[rows, target]), np.nan, found)


def mean_log_probability(log_p: Floats, p: Floats) -> Floats:
    """Return the mean ln p(gold) of each level over its scored sequences, in nat: shape (n_levels,).

    NaN where a scored sequence has none: the mean of the others would flatter.
    """
    scored = ~np.isnan(p)
    known = scored & ~np.isnan(log_p)
    n = scored.sum(axis=0)
    total = np.where(known, log_p, 0.0).sum(axis=0)
    whole = (known == scored).all(axis=0) & (n > 0)
    return np.where(whole, total / np.maximum(n, 1), np.nan)


def refuse_answers(
    what: str, asked: Sequence[int], levels: Sequence[int], answers: Ints | None, *, least: int
) -> NoReturn:
    """Raise the SpecError that says why too few context lengths stand just before an answer, and which do.

    `what` begins the sentence, e.g. "periodic has"; `answers` are those of the first sequence.
    """
    if answers is None:
        kin = [f"{n} ({load_family(n).answers})" for n in family_names() if load_family(n).answers]
        raise SpecError(
            f"readout answer: {what} no answers at known places; families with answers: {', '.join(kin)}, "
            "and controls that keep them: label_flip, permute_symbols, distractor, swap, truncate"
        )
    due = np.flatnonzero(answers).tolist()
    raise SpecError(
        f"readout answer: of context_lengths {_some(asked)}, {len(levels)} stand just before an answer and at least "
        f"{least} must; {what} them, in its first sequence, at {_some(due) if due else 'no length so short'}; give all "
        "context lengths, {from: 0, to: ...}, to have those that do"
    )


def _some(lengths: Sequence[int]) -> str:
    more = f" and {len(lengths) - 8} more" if len(lengths) > 8 else ""
    return ", ".join(map(str, lengths[:8])) + more
