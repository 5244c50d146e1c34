"""Fit one cognitive model to behaviour, and let a fitted one generate."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.cognitive.behaviour import Behaviour
from harness.cognitive.model import CognitiveModel
from harness.cognitive.sandwich import at_bound
from harness.errors import SpecError
from harness.types import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A cognitive model at its best parameters."""

    model: str
    parameters: Mapping[str, float]
    standard_errors: Mapping[str, float]  # over sequences; NaN on a grid, at a bound, or where not identified
    at_bound: tuple[str, ...]  # parameters that the bounds of the search stopped
    log_likelihood: float  # of all scored symbols, nats
    log_loss: float  # nats a scored symbol
    bic: float
    converged: bool
    profile: Mapping[
        float, float
    ]  # log-likelihood by value of the gridded parameter, at the best of the others


def fit(model: CognitiveModel, behaviour: Behaviour) -> Fit:
    """Fit by maximum likelihood of whole sequences.

    BIC = k log(n) - 2 log-likelihood, with k parameters (a gridded one counts)
    and n scored symbols. Of predicted laws it is what one symbol drawn from each
    row would have on average.

    Raises SpecError where the behaviour has another number of symbols than the model.
    """
    _check(model, behaviour)
    found = model.estimate(behaviour)
    errors = model.standard_errors(behaviour, found.values)
    total = float(log_likelihoods(model, found.values, behaviour).sum())
    n = float(behaviour.n_scored.sum())
    names = [p.name for p in model.parameters]
    stopped = [p.name for p, v in zip(model.parameters, found.values, strict=True) if at_bound(p, v)]
    return Fit(
        model=model.name,
        parameters=dict(zip(names, found.values.tolist(), strict=True)),
        standard_errors=dict(zip(names, errors.tolist(), strict=True)),
        at_bound=tuple(stopped),
        log_likelihood=total,
        log_loss=-total / n,
        bic=len(names) * float(np.log(n)) - 2 * total,
        converged=found.converged,
        profile=found.profile,
    )


def log_likelihoods(model: CognitiveModel, values: Floats, behaviour: Behaviour) -> Floats:
    """Return the log-likelihood of each sequence at given parameter values: shape (n_sequences,)."""
    _check(model, behaviour)
    return behaviour.log_likelihood(model.bind(behaviour.symbols)(values))


def simulate(
    model: CognitiveModel, values: Floats, *, begin: Ints, length: int, rng: np.random.Generator
) -> Ints:
    """Let a model go on from what each sequence begins with: (n_sequences, n_given) -> (n_sequences, length)."""
    symbols = np.asarray(begin, np.int64)
    while symbols.shape[1] < length:
        law = model.bind(symbols)(np.asarray(values, np.float64))[:, -1]
        u = rng.random((len(symbols), 1))
        drawn = np.sum(np.cumsum(law, axis=1)[:, :-1] <= u, axis=1, keepdims=True)
        symbols = np.concatenate([symbols, drawn], axis=1)
    return symbols


def _check(model: CognitiveModel, behaviour: Behaviour) -> None:
    if model.n_symbols != behaviour.n_symbols:
        raise SpecError(
            f"model {model.name!r} is of {model.n_symbols} symbols and the behaviour of {behaviour.n_symbols}"
        )
