"""What explains the predictions of a model in one condition: observers it is a mixture of, and cognitive models."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LeadSwitch:
    """One observer leads up to a context length, another from there on."""

    before: str
    after: str
    location: float  # context length at which the weights cross
    low: float  # 95 % interval over resampled sequences
    high: float
    agreement: float  # share of the resamples with this switch


@dataclass(frozen=True, slots=True)
class ObserverMixture:
    """The convex combination of observers that is nearest to the model, at each context length by itself."""

    observers: tuple[str, ...]  # the ideal one first
    context_lengths: tuple[int, ...]  # ascending
    weights: tuple[tuple[float, ...], ...]  # (n_lengths, n_observers), rows on the simplex
    low: tuple[tuple[float, ...], ...]  # 95 % interval over resampled sequences
    high: tuple[tuple[float, ...], ...]
    determined: tuple[tuple[bool, ...], ...]  # False where other weights explain the model as well
    divergence: tuple[float, ...]  # (n_lengths,), mean KL(model || mixture), bits
    alone: tuple[tuple[float, ...], ...]  # (n_lengths, n_observers), mean KL(model || observer), bits
    switch: LeadSwitch | None  # None where no observer takes the lead from another in 95 % of the resamples


@dataclass(frozen=True, slots=True)
class FittedParameter:
    """One parameter of a cognitive model at its maximum of the likelihood."""

    name: str
    value: float
    error: float | None  # standard error over sequences; None on a grid, at a bound or where not identified
    at_bound: bool  # whether the bounds of the search stopped it


@dataclass(frozen=True, slots=True)
class CognitiveScore:
    """One cognitive model, fitted to all sequences, and what it loses on those it was not fitted to."""

    model: str
    parameters: tuple[FittedParameter, ...]
    held_out: float  # log-loss of sequences not fitted to, bits a symbol
    held_out_error: float  # standard error over sequences
    behind: float  # held_out less that of the best model; 0 for the best
    behind_error: float  # standard error of the paired difference
    bic: float  # k log(n) - 2 log-likelihood, nats
    converged: bool


@dataclass(frozen=True, slots=True)
class Cognition:
    """What a suite's `cognitive` section asked of one curve."""

    fitted_to: Literal["law", "draws"]  # the model's whole next-symbol law, or the symbols it drew
    sequences: int
    mixture: ObserverMixture | None  # None where not asked or not possible
    scores: tuple[CognitiveScore, ...]  # least held-out log-loss first
    entropy: (
        float | None
    )  # of the model's laws, bits a symbol: no held-out log-loss can be below; None for draws
    folds: int  # of the cross-validation
    notes: tuple[str, ...] = ()  # what was asked and could not be worked out, and why
