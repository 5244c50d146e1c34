"""What explains a model's predictions in one condition, as a suite asks: its observers and cognitive models."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from harness.cognitive import (
    Behaviour,
    Comparison,
    Markov,
    Score,
    Switch,
    compare,
    counted,
    leader_switch,
    mixture_weights,
    named_models,
    predicted,
)
from harness.conditions import Condition
from harness.errors import SpecError
from harness.judgments import Judgments
from harness.predictions import Predictions
from harness.seeds import stream
from harness.spec import CognitiveSpec
from harness.types import (
    Cognition,
    CognitiveScore,
    FittedParameter,
    Floats,
    Ints,
    LeadSwitch,
    ObserverMixture,
)

_BIT = float(np.log(2))  # nats
T = TypeVar("T")


def cognition(
    seen: Predictions, asked: CognitiveSpec, condition: Condition, judgments: Judgments
) -> Cognition:
    """Return what explains the predictions of a condition, worked out once.

    Its random draws (resampled sequences, folds) are those of the condition: the
    same replies give the same numbers.
    """
    arrays: list[Floats | Ints] = [seen.context_lengths, seen.law, *seen.observers.values()]
    arrays += [a for a in (seen.symbols, seen.draws) if a is not None]
    words = (asked.model_dump_json(), condition.digest, *seen.observers, f"drawn {seen.draws is not None}")
    return judgments.cognition(words, arrays, lambda: explain(seen, asked, condition))


def explain(seen: Predictions, asked: CognitiveSpec, condition: Condition) -> Cognition:
    """Fit what is asked for; what cannot be fitted is a note that says why."""
    notes: list[str] = []
    mixture = compared = None
    if asked.mixture:
        mixture = _try("no mixture of observers", notes, lambda: _mixture(seen, asked.every, condition))
    if asked.models:
        compared = _try("no cognitive models", notes, lambda: _compared(seen, asked, condition))
    return Cognition(
        fitted_to="law" if seen.draws is None else "draws",
        sequences=int(np.sum(~np.isnan(seen.law).all(axis=(1, 2)))),
        mixture=mixture,
        scores=() if compared is None else tuple(map(_score, compared.scores)),
        entropy=None if compared is None or seen.draws is not None else compared.entropy / _BIT,
        folds=0 if compared is None else compared.folds,
        notes=tuple(notes),
    )


def _try(what: str, notes: list[str], work: Callable[[], T]) -> T | None:
    """Return what is worked out, or None with a note where these predictions do not allow it."""
    try:
        return work()
    except SpecError as error:
        notes.append(f"{what}: {error}")
        return None


def _mixture(seen: Predictions, every: int, condition: Condition) -> ObserverMixture:
    measured = np.flatnonzero((~np.isnan(seen.law).any(axis=2)).any(axis=0))
    kept = measured[::every]
    bank = {name: law[:, kept] for name, law in seen.observers.items()}
    rng = stream("mixture", condition.digest)
    found = mixture_weights(seen.law[:, kept], bank, context_lengths=seen.context_lengths[kept], rng=rng)
    return ObserverMixture(
        observers=found.observers,
        context_lengths=tuple(found.context_lengths.tolist()),
        weights=_rows(found.weights),
        low=_rows(found.low),
        high=_rows(found.high),
        determined=tuple(tuple(row) for row in found.determined.tolist()),
        divergence=tuple((found.divergence / _BIT).tolist()),
        alone=_rows(found.alone / _BIT),
        switch=_switch(leader_switch(found)),
    )


def _switch(found: Switch | None) -> LeadSwitch | None:
    if found is None:
        return None
    return LeadSwitch(found.before, found.after, found.location, found.low, found.high, found.agreement)


def _rows(table: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in table.tolist())


def _compared(seen: Predictions, asked: CognitiveSpec, condition: Condition) -> Comparison:
    models = named_models(asked.models, len(seen.alphabet))
    given = max((model.order for model in models if isinstance(model, Markov)), default=0)
    behaviour = _behaviour(seen, given)
    scored = np.flatnonzero(behaviour.n_scored)
    if scored.size < 2:
        raise SpecError(
            f"{scored.size} sequence was answered, and one is held out at a time; measure 2 or more"
        )
    folds = min(asked.folds, scored.size)
    return compare(models, behaviour.part(scored), folds=folds, rng=stream("folds", condition.digest))


def _behaviour(seen: Predictions, given: int) -> Behaviour:
    """Return what is fitted to; the context lengths that were not asked for are not scored."""
    if seen.symbols is None:
        raise SpecError("each context length has sequences of its own; set nested: true")
    n_sequences, longest = seen.symbols.shape
    shape = (n_sequences, longest + 1, len(seen.alphabet))
    if seen.draws is None:
        law = np.full(shape, np.nan)
        law[:, seen.context_lengths] = seen.law
        return predicted(seen.symbols, law, given=given)
    counts = np.zeros(shape, np.int64)
    counts[:, seen.context_lengths] = seen.draws
    return counted(seen.symbols, counts, given=given)


def _score(score: Score) -> CognitiveScore:
    fit = score.fit
    parameters = tuple(
        FittedParameter(name, value, None if np.isnan(error) else error, name in fit.at_bound)
        for (name, value), error in zip(fit.parameters.items(), fit.standard_errors.values(), strict=True)
    )
    return CognitiveScore(
        model=fit.model,
        parameters=parameters,
        held_out=score.held_out / _BIT,
        held_out_error=score.held_out_error / _BIT,
        behind=score.behind / _BIT,
        behind_error=score.behind_error / _BIT,
        bic=fit.bic,
        converged=fit.converged,
    )
