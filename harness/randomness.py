"""Randomness statistics of sequences, and what an ideal generator of independent symbols makes of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from harness.prompts.draws import categorical, integers_below
from harness.prompts.statistics import alternation_rate, kgram_entropy, longest_run, lz76, lz78, runs
from harness.seeds import stream
from harness.types import Floats, GenerationStatistic, Ints

_NAMES = (
    "alternation rate",
    "runs",
    "longest run",
    "entropy of pairs (bits)",
    "entropy of triples (bits)",
    "phrases (Lempel-Ziv 1976)",
    "phrases (Lempel-Ziv 1978)",
)
_RESAMPLES = 2000  # of the sequences, for the interval of a spread
_MEANS = 4000  # of ideal generators: a p of 0.05 has a standard error of 0.0035
# Ideal sequences that these means are drawn from. Being finite they add n / pool to the variance of a mean of n: 4 %.
_LEAST_POOL, _POOL_PER_SEQUENCE, _RARE = 600, 25, 100


def shares(symbols: Ints, n_symbols: int) -> Floats:
    """Return how often each symbol stands in a sequence: shape (n_symbols,), NaN in an empty one."""
    counts = np.bincount(symbols, minlength=n_symbols)
    return np.asarray(counts / symbols.size if symbols.size else np.full(n_symbols, np.nan))


def compare_with_ideal(
    sequences: Sequence[Ints], law: Floats, alphabet: Sequence[str]
) -> tuple[GenerationStatistic, ...]:
    """Return each statistic of some sequences beside that of an ideal generator of independent symbols.

    Sequences without a symbol are left out.

    `law` has shape (n_symbols,). The ideal generator writes as many sequences of
    the very same lengths, so that a text that stopped early is held against
    short ones. Its means are simulated from a seed of their own, the same for
    the same law and lengths. p is the two-sided Monte Carlo p-value of the mean:
    twice the smaller tail, the observed mean counted among the simulated
    (Phipson & Smyth 2010), hence never below 2 / 4001.
    """
    written = [s for s in sequences if s.size]
    table = _table(written, len(law))
    ideal = _ideal(Counter(s.size for s in written), tuple(law.tolist()))
    names = [*(f"share of {name}" for name in alphabet), *_NAMES]
    said = [i for i in range(len(names)) if i != 1 or len(law) > 2]  # of two shares one is the other
    means = [_mean(names[i], table[:, i], ideal.means[:, i]) for i in said]
    return means[0], _spread(f"spread of {names[0]} (SD)", table[:, 0], ideal.spreads), *means[1:]


def _mean(name: str, values: Floats, ideal: Floats) -> GenerationStatistic:
    known = values[~np.isnan(values)]
    return _beside(name, float(known.mean()) if known.size else np.nan, mean_interval(known), ideal)


def _spread(name: str, values: Floats, ideal: Floats) -> GenerationStatistic:
    """Return the standard deviation over sequences; its interval resamples them.

    Sequences that even out, or that each have a bias of their own, differ in it
    from independent draws, whatever their mean.
    """
    if values.size < 2:
        return _beside(name, np.nan, (np.nan, np.nan), ideal)
    rows = integers_below(values.size, _RESAMPLES * values.size, stream("spread", values.size))
    low, high = np.quantile(values[rows.reshape(_RESAMPLES, -1)].std(axis=1, ddof=1), [0.025, 0.975])
    return _beside(name, float(values.std(ddof=1)), (float(low), float(high)), ideal)


def _beside(name: str, value: float, interval: tuple[float, float], ideal: Floats) -> GenerationStatistic:
    if np.isnan(value):
        return GenerationStatistic(name, *(7 * (float("nan"),)))
    # Equal numbers may differ in their last digits by the order in which they were added.
    slack = 1e-9 * max(1.0, abs(value))
    tail = min(np.sum(ideal <= value + slack), np.sum(ideal >= value - slack))
    p = min(1.0, 2 * (1 + float(tail)) / (1 + ideal.size))
    low, high = np.quantile(ideal, [0.025, 0.975])
    return GenerationStatistic(name, value, *interval, float(ideal.mean()), float(low), float(high), p)


def mean_interval(values: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Return Student's interval of a mean over sequences; NaN of a single one."""
    if values.size < 2:
        return float("nan"), float("nan")
    half = stats.t.ppf(0.5 + confidence / 2, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
    return float(values.mean() - half), float(values.mean() + half)


def _table(sequences: Sequence[Ints], n_symbols: int) -> Floats:
    """Return the statistics of each sequence: shape (n_sequences, n_statistics)."""
    return np.array([_describe(s, n_symbols) for s in sequences]).reshape(-1, n_symbols + len(_NAMES))


def _describe(symbols: Ints, n_symbols: int) -> Floats:
    rest = (
        alternation_rate(symbols),
        runs(symbols),
        longest_run(symbols),
        kgram_entropy(symbols, 2),
        kgram_entropy(symbols, 3),
        lz76(symbols),
        lz78(symbols),
    )
    return np.concatenate([shares(symbols, n_symbols), np.array(rest, dtype=np.float64)])


@dataclass(frozen=True, slots=True, eq=False)
class _Ideal:
    """What ideal generators make of as many sequences of the same lengths."""

    means: Floats  # (_MEANS, n_statistics)
    spreads: Floats  # (_MEANS,), of the share of the first symbol


def _ideal(often: Counter[int], law: tuple[float, ...]) -> _Ideal:
    """Simulate ideal generators that write `often[length]` sequences of each length."""
    n_statistics = len(law) + len(_NAMES)
    total, counted = np.zeros((_MEANS, n_statistics)), np.zeros(n_statistics)
    square = np.zeros(_MEANS)
    for length, n in sorted(often.items()):
        share = _LEAST_POOL * n // often.total()
        pool = _pool(law, length, max(_RARE, share, _POOL_PER_SEQUENCE * n))
        rng = stream("means of an ideal generator", law, length, n, len(pool))
        drawn = integers_below(len(pool), _MEANS * n, rng).reshape(_MEANS, n)
        for i in np.flatnonzero(~np.isnan(pool[0])):
            total[:, i] += pool[drawn, i].sum(axis=1)
            counted[i] += n
        square += ((pool[drawn, 0] - law[0]) ** 2).sum(axis=1)  # about p: the numbers stay small
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.asarray(total / counted)
        variance = (square - counted[0] * (means[:, 0] - law[0]) ** 2) / (counted[0] - 1)
        return _Ideal(means, np.sqrt(np.maximum(variance, 0)))


@lru_cache(maxsize=256)
def _pool(law: tuple[float, ...], length: int, size: int) -> Floats:
    """Return the statistics of independent ideal sequences of one length: shape (size, n_statistics)."""
    rng = stream("an ideal generator", law, length, size)
    symbols = categorical(np.array(law), size * length, rng).reshape(size, length)
    return _table(list(symbols), len(law))
