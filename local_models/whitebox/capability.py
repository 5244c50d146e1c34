"""Hidden capability of one checkpoint: naive prompting, over-prompting and latent intervention on the same trials.

After Park et al. 2024, for an autoregressive model. A trial is a prompt whose
evidence implies a law of the next symbol, and belongs to one of two classes of a
concept. The intervention adds alpha times half the difference between the mean
states of *seen* classes at the last token, towards the trial's class: alpha = 1
goes from between the classes to one of them. Over-prompting repeats the evidence
of the same prompt. A score is the agreement, 1 - total variation, of the model's
law over the declared symbols with the implied one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.loading import LoadedModel
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.capability_trials import (
    Asked,
    CapabilityTrials,
    contrast,
    last_states,
    numbers,
    trials_of,
)
from harness.local_models.whitebox.directions import Direction, States, random_direction
from harness.local_models.whitebox.interventions import Patch
from harness.local_models.whitebox.sites import Site
from harness.local_models.whitebox.steering import untrained
from harness.local_models.whitebox.steering_passes import swept
from harness.types import Floats
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_BATCH = 128  # prompts of one pass

Vectors = NDArray[np.float64]


def measure(loaded: LoadedModel, study: WhiteBoxStudy, job: Job) -> Arrays:
    """Measure what a checkpoint does when asked, or under additions after one block.

    `what: asked` gives `naive` and `mass` (n_trials,) and `over`
    (n_repetitions, n_trials). `what: layer` gives `latent` and `latent_mass`
    (n_alphas, n_trials) at each `alpha`; `best`, the place of the alpha that agrees
    most on the selection trials, and `one`, that of alpha = 1; `random` and
    `random_natural` (n_draws, n_trials), directions of equal length at these two;
    `wrong` (n_trials,), another concept's at the best; `off_target`, the mean total
    variation that the best makes on prompts of the other concept; and
    `alpha_norm`, what is added at alpha = 1 as a fraction of the residual norm.
    Raises WhiteBoxError.
    """
    if job["network"] == "untrained":
        loaded = untrained(loaded, study.seed)
    box = WhiteBox(loaded.model, loaded.tokenizer)
    trials = trials_of(loaded, study, job)
    _check(trials)
    if job["what"] == "asked":
        naive, mass = _scores(_law(box, trials.naive), trials.law)
        over = [_scores(_law(box, strong), trials.law)[0] for strong in trials.strong.values()]
        return {"naive": naive, "mass": mass, "over": np.stack(over)}
    layer, listed = int(str(job["layer"])), job["alphas"]
    assert isinstance(listed, list)
    alphas = np.array([float(str(alpha)) for alpha in listed])
    seed = [study.seed % 2**63, layer]
    return _at_layer(
        box, trials, layer, alphas, numbers(job, "tried"), int(str(job["draws"])), np.random.default_rng(seed)
    )


def _at_layer(
    box: WhiteBox,
    trials: CapabilityTrials,
    layer: int,
    alphas: Floats,
    tried: list[int],
    draws: int,
    rng: np.random.Generator,
) -> Arrays:
    """Measure additions after one block; `tried` are the places of the alphas chosen among, alpha = 1 or not."""
    direction = contrast(box, trials.seen, layer)
    half = direction.length / 2
    states = last_states(box, trials.naive.rows, layer)
    at = _At(box, trials.naive, layer, states, trials.towards.astype(np.float64))
    unit = direction.unit.astype(np.float64)
    latent, mass = at.scores(np.outer(alphas * half, unit), trials.law)
    best = max(tried, key=lambda k: float(latent[k, trials.selection].mean()))  # the first wins a tie
    one = int(np.flatnonzero(alphas == 1.0)[0])
    unlike = half * np.stack([random_direction(direction, rng).unit.astype(np.float64) for _ in range(draws)])
    wrong = half * contrast(box, trials.wrong, layer).unit.astype(np.float64)
    return {
        "alpha": alphas,
        "latent": latent,
        "latent_mass": mass,
        "best": np.array(best),
        "one": np.array(one),
        "random": at.scores(alphas[best] * unlike, trials.law)[0],
        "random_natural": at.scores(unlike, trials.law)[0],
        "wrong": at.scores(alphas[best] * wrong[None], trials.law)[0][0],
        "alpha_norm": np.array(direction.natural_scale / 2),
        "off_target": np.array(_off_target(box, trials, direction, float(alphas[best]))),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _At:
    """Prompts whose last state after a block is moved, each by its sign times a vector."""

    box: WhiteBox
    asked: Asked
    layer: int
    states: States  # (n, width)
    sign: Floats  # (n,)

    def laws(self, vectors: Vectors) -> Floats:
        """Return raw p of the symbols under each addition: (n_vectors, width) -> (n_vectors, n, n_symbols)."""
        edits = []
        for vector in vectors:
            moved = (self.states + self.sign[:, None] * vector).astype(np.float32)
            edits.append(Patch(Site(self.layer, "output", "last"), moved[:, None]))
        return np.asarray(np.exp(swept(self.box, self.asked.jobs, edits, batch_size=_BATCH)[1][:, :, 0]))

    def scores(self, vectors: Vectors, law: Floats) -> tuple[Floats, Floats]:
        """Return agreement and captured mass under each addition: (n_vectors, n) each."""
        return _scores(self.laws(vectors), law)


def _law(box: WhiteBox, asked: Asked) -> Floats:
    """Return raw p of each declared symbol after each prompt: (n, n_symbols)."""
    return np.asarray(np.exp(swept(box, asked.jobs, (), batch_size=_BATCH)[0][:, 0]))


def _scores(p: Floats, law: Floats) -> tuple[Floats, Floats]:
    """Return the agreement of raw p (..., n_symbols), renormalised, with a law, and its mass."""
    mass = p.sum(axis=-1)
    return 1 - np.abs(p / mass[..., None] - law).sum(axis=-1) / 2, mass


def _off_target(box: WhiteBox, trials: CapabilityTrials, direction: Direction, alpha: float) -> float:
    """Return the mean total variation that the addition makes where it should make none, over both signs."""
    states = last_states(box, trials.other.rows, direction.layer)
    at = _At(box, trials.other, direction.layer, states, np.ones(len(states)))
    move = alpha * direction.length / 2 * direction.unit.astype(np.float64)
    before, *after = (p / p.sum(axis=-1, keepdims=True) for p in at.laws(np.stack([0 * move, move, -move])))
    return float(np.mean([np.abs(p - before).sum(axis=-1).mean() / 2 for p in after]))


def _check(trials: CapabilityTrials) -> None:
    undefined = int(np.isnan(trials.law).any(axis=1).sum())
    if undefined or trials.law.shape[1] != len(trials.naive.jobs[0].symbol_ids):
        raise WhiteBoxError(
            f"laws of {trials.law.shape[1]} symbols, {undefined} of {len(trials.law)} undefined, for prompts of "
            f"{len(trials.naive.jobs[0].symbol_ids)} symbols: every trial needs the law of the symbol that follows; "
            "ask where one can"
        )
