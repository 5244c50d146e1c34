"""Mixtures of observers and cognitive models as pandas tables, a row a weight or a model, and as CSV."""

import json
from collections.abc import Sequence

import pandas as pd

from harness.reporting.sections import Entry, entries
from harness.types import Cognition, RunResult


def mixtures_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a curve, context length and observer: its weight in the mixture nearest to the model.

    `low` to `high` is the 95 % interval, 0 to 1 where `determined` is false.
    `mixture_kl` and `alone_kl` are how far the mixture, and this observer by
    itself, are from the model, in bits (inf where the observer excludes what the
    model says). `lead_before`, `lead_after` and `lead_*` are of the whole curve,
    absent where the lead passes nowhere.
    """
    columns = [
        "run", "id", "model", "control", "context_length", "observer", "weight", "low", "high", "determined",
        "mixture_kl", "alone_kl", "fitted_to", "lead_before", "lead_after", "lead_location", "lead_low",
        "lead_high",
    ]  # fmt: skip
    rows = [row for entry, found in _asked(results) for row in _weights(entry, found)]
    return pd.DataFrame(rows, columns=columns)


def cognitive_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a curve and cognitive model, by rank of held-out log-loss.

    Log-losses are in bits a symbol with standard errors over sequences; `behind`
    is the paired difference to the best. `entropy` is that of the model's laws,
    absent where it was drawn from. `bic` is in nats. `parameters` and `errors`
    are JSON objects; an error is null at a bound, on a grid or where not identified.
    """
    columns = [
        "run", "id", "model", "control", "cognitive_model", "rank", "held_out", "held_out_error", "behind",
        "behind_error", "entropy", "bic", "bic_rank", "parameters", "errors", "at_bound", "converged",
        "fitted_to", "sequences", "folds",
    ]  # fmt: skip
    rows = [row for entry, found in _asked(results) for row in _scores(entry, found)]
    return pd.DataFrame(rows, columns=columns)


def _asked(results: Sequence[RunResult]) -> list[tuple[Entry, Cognition]]:
    return [(e, e.result.cognition) for e in entries(results) if e.result.cognition is not None]


def _identity(entry: Entry) -> dict[str, object]:
    result = entry.result
    return {"run": entry.run.name, "id": entry.anchor, "model": result.model, "control": result.control}


def _weights(entry: Entry, found: Cognition) -> list[dict[str, object]]:
    mixture = found.mixture
    if mixture is None:
        return []
    switch = mixture.switch
    lead = {
        "lead_before": switch and switch.before,
        "lead_after": switch and switch.after,
        "lead_location": switch and switch.location,
        "lead_low": switch and switch.low,
        "lead_high": switch and switch.high,
    }
    return [
        {
            **_identity(entry),
            "context_length": length,
            "observer": name,
            "weight": mixture.weights[i][k],
            "low": mixture.low[i][k],
            "high": mixture.high[i][k],
            "determined": mixture.determined[i][k],
            "mixture_kl": mixture.divergence[i],
            "alone_kl": mixture.alone[i][k],
            "fitted_to": found.fitted_to,
            **lead,
        }
        for i, length in enumerate(mixture.context_lengths)
        for k, name in enumerate(mixture.observers)
    ]


def _scores(entry: Entry, found: Cognition) -> list[dict[str, object]]:
    by_bic = sorted(score.bic for score in found.scores)
    return [
        {
            **_identity(entry),
            "cognitive_model": score.model,
            "rank": rank,
            "held_out": score.held_out,
            "held_out_error": score.held_out_error,
            "behind": score.behind,
            "behind_error": score.behind_error,
            "entropy": found.entropy,
            "bic": score.bic,
            "bic_rank": by_bic.index(score.bic) + 1,
            "parameters": json.dumps({p.name: p.value for p in score.parameters}),
            "errors": json.dumps({p.name: p.error for p in score.parameters}),
            "at_bound": json.dumps([p.name for p in score.parameters if p.at_bound]),
            "converged": score.converged,
            "fitted_to": found.fitted_to,
            "sequences": found.sequences,
            "folds": found.folds,
        }
        for rank, score in enumerate(found.scores, 1)
    ]
