"""The cognitive model that holds symbols for random or for a known concept repeated."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.cognitive.model import CognitiveModel, Law
from harness.cognitive.parameters import Parameter, lapse, probability, with_lapse
from harness.errors import SpecError
from harness.types import Floats, Ints

Selection = Literal["average", "map", "tempered"]
_PRIOR = (1e-6, 1 - 1e-6)
_PRIOR_STEPS = np.log(2) * np.arange(-19, 20)  # logits within _PRIOR, the weight of one fair flip apart


@dataclass(frozen=True, slots=True)
class RepeatMixture(CognitiveModel):
    """Bayesian model selection between a coin and repeated concepts (Bigelow et al. 2024).

    Hypotheses h: flips that are 0 with probability p, of prior `random`; and each
    concept repeated from a phase that is uniform among its distinct rotations,
    the concepts sharing the rest of the prior equally. With P(x | h) the
    probability of the sequence x itself (the authors' code has that of its
    count, which delays the transition about tenfold), the next symbol is
    p(y | x) = sum over h of p(y | h, x) W(h | x), where W is

    - "average": the posterior;
    - "map": 1 for the hypothesis of largest posterior, the coin where tied;
    - "tempered": the posterior to the power tau, normalised; 1 is "average", and
      towards infinity it becomes "map".

    Mixed with the uniform law at rate `lapse`, since a concept holds all else for
    impossible. A concept that was contradicted is out for good. The likelihood
    of "map" is a staircase in the prior, which is therefore tried on a grid and
    has no standard error. With "tempered" it nears one as tau grows: where tau is
    not well above its own standard error, that of the prior is too small.
    """

    concepts: tuple[tuple[int, ...], ...]
    selection: Selection

    def __post_init__(self) -> None:
        if not self.concepts or not all(c and set(c) <= {0, 1} for c in self.concepts):
            raise SpecError(f"RepeatMixture: concepts={self.concepts!r} must be words of 0 and 1, none empty")
        if len(_rotations(self.concepts)) < len(self.concepts):
            raise SpecError(f"RepeatMixture: concepts={self.concepts!r} name one repeated word twice")
        if self.selection not in ("average", "map", "tempered"):
            raise SpecError(f"RepeatMixture: selection={self.selection!r} must be average, map or tempered")

    @property
    def name(self) -> str:
        """Repeat mixture with its way of selection."""
        return f"repeat mixture ({self.selection})"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Bias of the coin, its prior, lapse rate; tau where it is free."""
        logits = _PRIOR_STEPS if self.selection == "map" else np.empty(0)
        prior = Parameter("random", *_PRIOR, "logit", tuple((1 / (1 + np.exp(-logits))).tolist()))
        tau = (Parameter("tau", 0.05, 100.0, "log"),) if self.selection == "tempered" else ()
        return probability("p"), prior, lapse(), *tau

    def bind(self, symbols: Ints) -> Law:
        """Follow which rotations each prefix leaves."""
        words = _rotations(self.concepts)
        found = [_repeated(symbols, rotations) for rotations in words]
        n = np.arange(symbols.shape[1] + 1)
        zeros = np.zeros((len(symbols), n.size))
        np.cumsum(symbols == 0, axis=1, out=zeros[:, 1:])
        ones = n - zeros
        with np.errstate(divide="ignore"):
            log_repeat = np.log([evidence for evidence, _ in found])
        laws = np.stack([np.empty((*zeros.shape, 2)), *(law for _, law in found)])

        def law(values: Floats) -> Floats:
            p, prior, rate, *tau = values
            log_coin = np.log(prior) + zeros * np.log(p) + ones * np.log1p(-p)
            log_concepts = np.log1p(-prior) - np.log(len(words)) + log_repeat
            laws[0] = p, 1 - p
            weight = self._weight(np.concatenate([log_coin[None], log_concepts]), tau[0] if tau else 1.0)
            return with_lapse(np.einsum("hsn,hsna->sna", weight, laws), rate)

        return law

    def _weight(self, log_posterior: Floats, tau: float) -> Floats:
        """Return the weight of each hypothesis, the first axis."""
        if self.selection == "map":
            best = log_posterior.argmax(axis=0)  # the first where tied: the coin
            return np.asarray(best == np.arange(len(log_posterior))[:, None, None], np.float64)
        weight = np.exp(tau * (log_posterior - log_posterior.max(axis=0)))
        return np.asarray(weight / weight.sum(axis=0))


def _rotations(concepts: tuple[tuple[int, ...], ...]) -> list[Ints]:
    """Return the distinct rotations of each concept, each set once: arrays (n_rotations, period)."""
    sets = {frozenset(c[r:] + c[:r] for r in range(len(c))): None for c in map(_primitive, concepts)}
    return [np.array(sorted(rotations)) for rotations in sets]


def _primitive(concept: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shortest word of which the concept is a repetition."""
    n = len(concept)
    period = next(d for d in range(1, n + 1) if n % d == 0 and concept[:d] * (n // d) == concept)
    return concept[:period]


def _repeated(symbols: Ints, rotations: Ints) -> tuple[Floats, Floats]:
    """Return P(prefix | concept) and the law of the next symbol, uniform where the concept is out.

    Shapes (n_sequences, length + 1) and (n_sequences, length + 1, 2).
    """
    n = np.arange(symbols.shape[1] + 1)
    expected = rotations[:, None, n % rotations.shape[1]]  # (n_rotations, 1, length + 1)
    alive = np.ones((len(rotations), len(symbols), n.size))
    np.cumprod(expected[..., :-1] == symbols, axis=2, out=alive[..., 1:])
    left = alive.sum(axis=0)
    zero = np.where(left > 0, (alive * (expected == 0)).sum(axis=0) / np.maximum(left, 1), 0.5)
    return left / len(rotations), np.stack([zero, 1 - zero], axis=-1)
