"""The gambler's fallacy in coin flips: reversals after runs, and frequencies that even out too soon."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.cognitive.behaviour import Behaviour
from harness.cognitive.comparison import ratio_error
from harness.errors import SpecError
from harness.types import Bools, Floats, Ints

_TIE = 1e-12  # statistics this near are equal but for rounding; the observed order counts among the shuffles


@dataclass(frozen=True, slots=True, eq=False)
class Reversals:
    """How often a run is broken, by its length."""

    run: Ints  # (max_run,), 1..max_run
    rate: Floats  # (max_run,), of symbols that differ from the run before them; NaN where none was
    standard_error: Floats  # (max_run,), over sequences
    n_scored: Floats  # (max_run,), scored symbols after a run of this length


@dataclass(frozen=True, slots=True, eq=False)
class GamblersFallacy:
    """Statistics of flips beside what the same flips give in random order.

    The p-values are one-sided, in the direction of the fallacy: the odds of
    statistics as extreme under exchangeability. They are no smaller than
    1 / (shuffles + 1).
    """

    alternation: float  # share of flips that differ from the one before
    alternation_expected: float
    alternation_p: float  # of as many alternations or more
    wander: float  # s.d. over time of the running mean, mean over sequences
    wander_expected: float
    wander_p: float  # of as little or less
    run: Ints  # (max_run,), 1..max_run
    reversal: Floats  # (max_run,), share of flips after a run of exactly this length that break it
    reversal_expected: Floats
    reversal_p: Floats  # (max_run,), of as many or more; not corrected for their number


def reversals(behaviour: Behaviour, *, max_run: int) -> Reversals:
    """Return how often the next symbol breaks a run of exactly r = 1..max_run equal ones before it.

    Generated symbols and predicted laws alike. The fallacy is a rate that rises
    with r above its level for a coin; a rate that falls through 1/2 as r grows is
    the step from alternating to following. Of few and short generated sequences
    the rate is biased (Miller & Sanjurjo 2018): `gamblers_fallacy` has the null
    that holds then.
    """
    _check_max_run(max_run)
    breaks = behaviour.weight.sum(axis=2)
    breaks[:, 1:] -= np.take_along_axis(behaviour.weight[:, 1:], behaviour.symbols[..., None], axis=2)[..., 0]
    scored = behaviour.weight.sum(axis=2)
    rate, error, n_scored = (np.full(max_run, np.nan) for _ in range(3))
    for i, after in enumerate(_after_runs(behaviour.symbols, max_run)):
        n = (scored[:, 1:] * after).sum(axis=1)
        n_scored[i] = n.sum()
        if n_scored[i] > 0:
            broken = (breaks[:, 1:] * after).sum(axis=1)
            rate[i], error[i] = broken.sum() / n.sum(), ratio_error(broken, n)
    return Reversals(np.arange(1, max_run + 1), rate, error, n_scored)


def gamblers_fallacy(
    symbols: Ints, *, max_run: int, shuffles: int = 2000, rng: np.random.Generator
) -> GamblersFallacy:
    """Test generated flips for the gambler's fallacy: shape (n_sequences, length), -1 after an early end.

    Each sequence is shuffled within itself, which leaves its own share of each
    symbol: the null is any coin, of a bias that may differ between sequences, and
    the test is exact for sequences of any length. It also takes in the bias of
    reversal rates in finite sequences.
    """
    _check_max_run(max_run)
    if shuffles < 1:
        raise SpecError(f"shuffles={shuffles!r} must be at least 1")
    symbols = np.asarray(symbols, np.int64)
    if symbols.ndim != 2 or not np.all((symbols >= -1) & (symbols <= 1)):
        raise SpecError("symbols must be 0 or 1, -1 after an early end, of shape (n_sequences, length)")
    sequences = [row[row >= 0] for row in symbols if np.sum(row >= 0) > 1]
    if not sequences:
        raise SpecError("no sequence has two flips: nothing can alternate")
    total = np.zeros((shuffles + 1, 3 + 2 * max_run))
    for row in sequences:
        orders = np.tile(row, (shuffles + 1, 1))
        orders[1:] = rng.permuted(orders[1:], axis=1)
        total += _statistics(orders, max_run)
    alternation, wander = total[:, 0] / total[:, 1], total[:, 2] / len(sequences)
    with np.errstate(invalid="ignore"):
        reversal = total[:, 3 : 3 + max_run] / total[:, 3 + max_run :]
    seen = ~np.isnan(reversal)
    with np.errstate(invalid="ignore"):
        expected = np.nansum(reversal[1:], axis=0) / seen[1:].sum(axis=0)
    return GamblersFallacy(
        alternation=float(alternation[0]),
        alternation_expected=float(alternation[1:].mean()),
        alternation_p=float(np.mean(alternation >= alternation[0] - _TIE)),
        wander=float(wander[0]),
        wander_expected=float(wander[1:].mean()),
        wander_p=float(np.mean(wander <= wander[0] + _TIE)),
        run=np.arange(1, max_run + 1),
        reversal=reversal[0],
        reversal_expected=expected,
        reversal_p=np.where(
            seen[0], np.sum(reversal >= reversal[0] - _TIE, axis=0) / np.maximum(seen.sum(axis=0), 1), np.nan
        ),
    )


def _statistics(orders: Ints, max_run: int) -> Floats:
    """Return alternations, chances of one, s.d. of the running mean, then breaks and chances after runs."""
    length = orders.shape[1]
    differs = orders[:, 1:] != orders[:, :-1]
    means = np.cumsum(orders, axis=1) / np.arange(1, length + 1)
    columns = [differs.sum(axis=1), np.full(len(orders), length - 1), means.std(axis=1)]
    after = [run[:, :-1] for run in _after_runs(orders, max_run)]
    columns += [(run & differs).sum(axis=1) for run in after]
    columns += [run.sum(axis=1) for run in after]
    return np.stack(columns, axis=1).astype(np.float64)


def _after_runs(symbols: Ints, max_run: int) -> list[Bools]:
    """Return, for r = 1..max_run, whether a run of exactly r symbols ends at each: (n_sequences, length)."""
    same = symbols[:, 1:] == symbols[:, :-1]
    at_least = [np.ones(symbols.shape, np.bool_)]
    for _ in range(max_run):
        longer = np.zeros(symbols.shape, np.bool_)
        longer[:, 1:] = at_least[-1][:, :-1] & same
        at_least.append(longer)
    return [shorter & ~longer for shorter, longer in pairwise(at_least)]


def _check_max_run(max_run: int) -> None:
    if max_run < 1:
        raise SpecError(f"max_run={max_run!r} must be at least 1")
