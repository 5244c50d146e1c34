"""What the report says of a curve's observers in mixture and its cognitive models: the same in every format."""

from dataclasses import dataclass

import numpy as np

from harness.reporting.numbers import decimals, level, listing, number, percent, plural, with_interval
from harness.reporting.wording import observer_words
from harness.types import Cognition, CognitiveScore, FittedParameter, ObserverMixture

COLUMNS = ("cognitive model", "parameters", "log-loss (bits)", "behind (bits)", "BIC (nats)", "BIC rank")
_SHOWN = 6  # parameters in a table; a Markov chain has one a context

FITTED_TO = {"law": "the model's next-symbol laws", "draws": "the symbols that the model drew"}


@dataclass(frozen=True, slots=True)
class Explained:
    """What is said of one curve. Plain text, not escaped."""

    sentences: tuple[str, ...]
    cautions: tuple[str, ...]
    note: str  # of the figure of weights, "" without one
    rows: tuple[tuple[str, ...], ...]  # one a cognitive model, the best first, under COLUMNS


def explained(cognition: Cognition | None) -> Explained | None:
    """Return what is said of what explains a curve, None where the suite did not ask."""
    if cognition is None:
        return None
    sentences = []
    if cognition.mixture is not None:
        sentences += [_lead(cognition.mixture), _nearness(cognition.mixture, cognition.fitted_to)]
    if cognition.scores:
        sentences.append(_best(cognition))
    by_bic = sorted(score.bic for score in cognition.scores)
    return Explained(
        sentences=tuple(sentences),
        cautions=(
            *(f"{note[0].upper()}{note[1:]}." for note in cognition.notes),
            *(_unconverged(s) for s in cognition.scores if not s.converged),
        ),
        note="" if cognition.mixture is None else _note(cognition.mixture),
        rows=tuple(_row(score, by_bic.index(score.bic) + 1) for score in cognition.scores),
    )


def _parameter(p: FittedParameter) -> str:
    if p.error is not None:
        return f"{p.name} {_with_error(p.value, p.error, decimals(p.error))}"
    return f"{p.name} {p.value:.3g}" + (" (at its bound)" if p.at_bound else "")


def _parameter_words(parameters: tuple[FittedParameter, ...]) -> str:
    """Return fitted parameters with their standard errors, e.g. "gamma 0.88 ± 0.02, lapse 0 (at its bound)"."""
    words = [_parameter(p) for p in parameters[:_SHOWN]]
    left_out = len(parameters) - len(words)
    return ", ".join([*words, f"{left_out} more"] if left_out else words)


def _row(score: CognitiveScore, bic_rank: int) -> tuple[str, ...]:
    behind = "–" if score.behind == 0 else _bits(score.behind, score.behind_error)
    return (
        score.model,
        _parameter_words(score.parameters),
        _bits(score.held_out, score.held_out_error),
        behind,
        number(score.bic),
        str(bic_rank),
    )


def _bits(value: float, error: float) -> str:
    return _with_error(value, error, 4)


def _with_error(value: float, error: float, places: int) -> str:
    """Write "0.88 ± 0.02"; an error is never rounded to none."""
    return f"{number(value, places)} ± {_small(error, places)}"


def _small(value: float, places: int = 4) -> str:
    """Write a number that is above 0, however small."""
    least = 10.0**-places
    return f"< {least:.{places}f}" if 0 < value < least / 2 else number(value, places)


def _lead(mixture: ObserverMixture) -> str:
    """Return who leads, and where the lead passes to another."""
    switch = mixture.switch
    if switch is not None:
        at = with_interval(switch.location, switch.low, switch.high)
        return (
            f"As a mixture of observers, the {observer_words(switch.before)} leads up to n = {at} and the "
            f"{observer_words(switch.after)} from there on (in {percent(switch.agreement, 1)} of the resamples)."
        )
    if len(mixture.observers) == 1:
        return f"There is one observer, the {observer_words(mixture.observers[0])}: it has all the weight."
    determined = np.array(mixture.determined)
    if not determined.any():
        return "As a mixture of observers, no weight is determined: they say the same everywhere."
    count = determined.sum(axis=0)
    weight = np.where(determined, mixture.weights, 0).sum(axis=0)
    leader = int(weight.argmax())
    mean = number(float(weight[leader] / count[leader]), 2)
    return (
        f"As a mixture of observers, the {observer_words(mixture.observers[leader])} has most of the weight "
        f"(mean {mean}); no place where the lead passes to another is found in 95 % of the resamples."
    )


def _nearness(mixture: ObserverMixture, fitted_to: str) -> str:
    """Return the weights at the longest context, and how far the mixture is from the model."""
    last, worst = mixture.divergence[-1], int(np.argmax(mixture.divergence))
    n = level(mixture.context_lengths[-1])
    leader = int(np.argmax(mixture.weights[-1]))
    name = observer_words(mixture.observers[leader])
    if mixture.determined[-1][leader]:
        low, high = mixture.low[-1][leader], mixture.high[-1][leader]
        weight = f"{mixture.weights[-1][leader]:.2f} [{low:.2f}, {high:.2f}]"
        first = f"At n = {n} the {name} has weight {weight}"
    else:
        first = f"At n = {n} the weights are not determined, for observers say the same"
    alone = sorted(zip(mixture.alone[-1], mixture.observers, strict=True))
    each = listing([f"{observer} {_small(bits)}" for bits, observer in alone])
    scatter = "; shares of drawn symbols scatter, which is part of it" if fitted_to == "draws" else ""
    return (
        f"{first}, and the mixture is {_small(last)} bits a symbol from the model (mean KL; observers alone: {each}). "
        f"The largest distance is {_small(mixture.divergence[worst])}, at n = "
        f"{level(mixture.context_lengths[worst])}{scatter}."
    )


def _best(cognition: Cognition) -> str:
    best = cognition.scores[0]
    n = plural(len(cognition.scores), "cognitive model")
    words = (
        f"Of {n} fitted to {FITTED_TO[cognition.fitted_to]}, {best.model} loses least on sequences it was not "
        f"fitted to: {_bits(best.held_out, best.held_out_error)} bits a symbol"
    )
    if len(cognition.scores) > 1:
        second = cognition.scores[1]
        words += f", {_bits(second.behind, second.behind_error)} less than {second.model}"
    if cognition.entropy is not None:
        words += f"; the laws' own entropy, which no model can beat, is {number(cognition.entropy, 4)}"
    if len(cognition.scores) == 1:
        return f"{words}."
    by_bic = min(cognition.scores, key=lambda score: score.bic).model
    return f"{words}. BIC {'agrees' if by_bic == best.model else f'prefers {by_bic}'}."


def _unconverged(score: CognitiveScore) -> str:
    return f"The search for the parameters of {score.model} did not converge: its numbers are of where it stopped."


def _note(mixture: ObserverMixture) -> str:
    words = (
        "Weights of the observers whose mixture is nearest to the model, at each context length by itself, with "
        "95 % intervals over resampled sequences; below, how far the mixture is from the model (mean KL, bits)"
    )
    if not all(map(all, mixture.determined)):
        words += "; dotted: not determined, for other weights explain the model as well"
    if mixture.switch is not None:
        words += "; green: where the lead passes, with interval"
    return f"{words}."
