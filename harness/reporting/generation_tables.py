"""The statistics of written sequences as a pandas table."""

from collections.abc import Sequence

import pandas as pd

from harness.types import GenerationResult, GenerationStatistic, RunResult

_COLUMNS = [
    "run", "id", "model", "family", "title", "context_length", "announced", "wanted", "asked", "read", "mean_length",
    "whole", "ended", "cut", "unread", "failed", "statistic", "mean", "low", "high", "ideal", "ideal_low",
    "ideal_high", "p",
]  # fmt: skip


def generations_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a condition, number of given symbols and statistic of the sequences written there.

    `asked` sequences were asked for and `read` came, `failed` not; of those read
    `whole` reached the `wanted` length, the others were `ended` by the model,
    `cut` by the limit of tokens, or ended at an `unread` piece. `mean` has its
    95 % interval over sequences, `ideal` is that of an ideal generator of the
    law asked for with the middle 95 % of such means, and `p` is two-sided. Each
    symbol's probability has a column `law_<symbol>`; `announced` says whether the
    prompt tells it.
    """
    rows = [_row(run.name, g, s) for run in results for g in run.generations for s in g.statistics]
    more = dict.fromkeys(name for row in rows for name in row if name not in _COLUMNS)
    return pd.DataFrame(rows, columns=[*_COLUMNS, *more])


def _row(run: str, g: GenerationResult, s: GenerationStatistic) -> dict[str, object]:
    law = {f"law_{name}": p for name, p in zip(g.alphabet, g.law, strict=True)}
    return {
        "run": run,
        "id": g.id,
        "model": g.model,
        "family": g.family,
        "title": g.title,
        "context_length": g.context_length,
        "announced": g.announced,
        "wanted": g.wanted,
        "asked": g.asked,
        "read": g.read,
        "mean_length": float(g.lengths.mean()),
        "whole": g.endings.get("length", 0),
        "ended": g.endings.get("ended", 0),
        "cut": g.endings.get("cut", 0),
        "unread": g.endings.get("unread", 0),
        "failed": sum(g.failures.values()),
        "statistic": s.name,
        "mean": s.mean,
        "low": s.low,
        "high": s.high,
        "ideal": s.ideal,
        "ideal_low": s.ideal_low,
        "ideal_high": s.ideal_high,
        "p": s.p,
        **law,
    }
