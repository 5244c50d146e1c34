"""Compare cognitive models by what they lose on sequences they were not fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.cognitive.behaviour import Behaviour
from harness.cognitive.fitting import Fit, fit, log_likelihoods
from harness.cognitive.model import CognitiveModel
from harness.errors import SpecError
from harness.types import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """How one cognitive model did."""

    fit: Fit  # to all sequences
    held_out: float  # nats a scored symbol, of sequences not fitted to
    held_out_error: float  # its standard error over sequences
    behind: float  # held_out minus that of the best model; 0 for the best
    behind_error: float  # standard error of the difference over sequences, which are paired


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Cognitive models in order of held-out log-loss, the best first."""

    scores: tuple[Score, ...]
    entropy: float  # of the behaviour, nats a scored symbol: no model can be below; 0 for generated symbols
    folds: int

    @property
    def best_by_bic(self) -> str:
        """The model of the lowest BIC."""
        return min((score.fit for score in self.scores), key=lambda f: f.bic).model


def compare(
    models: Sequence[CognitiveModel], behaviour: Behaviour, *, folds: int = 10, rng: np.random.Generator
) -> Comparison:
    """Compare models by k-fold cross-validation over whole sequences, and by BIC.

    Sequences are dealt at random into `folds` parts; each part is scored by the
    models fitted to all others. Sequences must be independent of each other:
    several generations from one prompt share what that prompt does. The standard
    errors take the fitted parameters as given: folds share most of their
    training sequences, so that with few sequences they are somewhat too small.
    """
    n_sequences = len(behaviour.symbols)
    if not 2 <= folds <= n_sequences:
        raise SpecError(f"folds={folds!r} must be in 2..{n_sequences}, the number of sequences")
    names = [model.name for model in models]
    if not names or len(set(names)) < len(names):
        raise SpecError(f"models {names!r} must be one or more, no name twice")
    parts = np.array_split(rng.permutation(n_sequences), folds)
    losses = np.stack([_held_out(model, behaviour, parts) for model in models])
    weight = behaviour.n_scored
    means = losses.sum(axis=1) / weight.sum()
    best = int(np.argmin(means))
    scores = [
        Score(
            fit=fit(model, behaviour),
            held_out=float(mean),
            held_out_error=ratio_error(loss, weight),
            behind=float(mean - means[best]),
            behind_error=ratio_error(loss - losses[best], weight),
        )
        for model, loss, mean in zip(models, losses, means, strict=True)
    ]
    return Comparison(tuple(sorted(scores, key=lambda score: score.held_out)), behaviour.entropy, folds)


def ratio_error(total: Floats, weight: Floats) -> float:
    """Return the standard error over sequences of sum(total) / sum(weight) (Cochran 1977, chapter 6)."""
    n = len(total)
    residual = total - weight * total.sum() / weight.sum()
    return float(np.sqrt((residual**2).sum() * n / (n - 1)) / weight.sum()) if n > 1 else float("nan")


def _held_out(model: CognitiveModel, behaviour: Behaviour, parts: list[Ints]) -> Floats:
    """Return the log-loss of each sequence under the model fitted without its part: shape (n_sequences,)."""
    loss = np.empty(len(behaviour.symbols))
    for part in parts:
        others = np.setdiff1d(np.arange(len(loss)), part)
        values = model.estimate(behaviour.part(others)).values
        loss[part] = -log_likelihoods(model, values, behaviour.part(part))
    return loss
