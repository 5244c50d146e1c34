"""Runs as pandas tables, for notebooks: `icl.transitions_df(run)` and its kin take one or more runs."""

from typing import TYPE_CHECKING

from harness.reporting import (
    capability_table,
    decodable_table,
    emerged_table,
    explained_tables,
    finding_tables,
    generation_tables,
    heads_table,
    phases_table,
    shapes_table,
    steered_table,
    tables,
    trained_table,
)
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


def shifts_df(*runs: Run) -> "pd.DataFrame":
    """Return one row two compared conditions: shifts of location, width and asymptotes, p-values corrected."""
    return finding_tables.shifts_df([run.result for run in runs])


def generations_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a condition and statistic of the sequences that were written: mean, ideal generator, p."""
    return generation_tables.generations_df([run.result for run in runs])


def trials_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a sequence and context length: p(target) of the model and of the ideal observer."""
    return tables.trials_df([run.result for run in runs])


def mixtures_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a curve, context length and observer: its weight in the mixture nearest to the model."""
    return explained_tables.mixtures_df([run.result for run in runs])


def cognitive_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a curve and cognitive model: held-out log-loss, BIC, parameters, rank."""
    return explained_tables.cognitive_df([run.result for run in runs])


def series_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a training series, condition, step and context length: p, and onsets in both directions."""
    return trained_table.series_df([run.result for run in runs])


def phases_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a training series, condition, step and context length: the nearest observer, all divergences."""
    return phases_table.phases_df([run.result for run in runs])


def passages_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a passage of the lead from one observer to another in training: step with interval, verdict."""
    return phases_table.passages_df([run.result for run in runs])


def steering_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a model, task, layer, scale and direction, controls included: see `steered_table`."""
    return steered_table.steering_df([run.result for run in runs])


def emergence_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a model, task, network, block and token: E and what every estimator says, in bits."""
    return emerged_table.emergence_df([run.result for run in runs])


def capability_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a model, task, network and way of asking: agreement, gap, controls, lead over training."""
    return capability_table.capability_df([run.result for run in runs])


def decodability_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a model, task, decoder, layer and context length: accuracy, chance, behaviour, lag."""
    return decodable_table.decodability_df([run.result for run in runs])


def geometry_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a model, task, layer and context length: energy, its null, components, behaviour."""
    return shapes_table.geometry_df([run.result for run in runs])


def induction_df(*runs: Run) -> "pd.DataFrame":
    """Return one row a model, task and head: prefix matching, copying, what is left without it."""
    return heads_table.induction_df([run.result for run in runs])
