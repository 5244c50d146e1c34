"""Runs as pandas tables, for notebooks: `icl.transitions_df(run)` and its kin take one or more runs."""

from typing import TYPE_CHECKING

from harness.reporting import tables
from harness.runs import Run

if TYPE_CHECKING:
    import pandas as pd


def runs_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a run and model: suite, seed, requests, tokens, spend."""
    return tables.runs_df([run.result for run in runs])


def transitions_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a curve: verdict, posterior, location, width, asymptotes, excess delay, failures."""
    return tables.transitions_df([run.result for run in runs])


def positions_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a curve and context length: mean with interval, raw p, mass, counts, failures."""
    return tables.positions_df([run.result for run in runs])


def trials_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a sequence and context length: p(target) of the model and of the ideal observer."""
    return tables.trials_df([run.result for run in runs])
