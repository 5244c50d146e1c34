"""Directions of the residual stream that stand for a concept: mean differences, components, task vectors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.interventions import Add
from harness.local_models.whitebox.sites import Positions, Site

States = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """A unit vector at one layer, with what makes scales comparable between layers and checkpoints."""

    layer: int
    unit: States  # (width,)
    length: float  # of the raw vector, e.g. the distance between the two class means
    residual_norm: float  # mean norm of the residual stream it was taken from
    made_of: str  # where it comes from, in words

    def add(self, scale: float, positions: Positions = "all") -> Add:
        """Return the intervention that adds `scale` times the mean residual norm along this direction."""
        return Add(
            Site(self.layer, "output", positions), (self.unit * self.residual_norm).astype(np.float32), scale
        )

    @property
    def natural_scale(self) -> float:
        """The scale at which the raw vector is added: alpha = 1 of a difference of means."""
        return self.length / self.residual_norm


def mean_difference(
    layer: int, positive: States, negative: States, *, made_of: str = "mean difference"
) -> Direction:
    """Return the direction from the mean of `negative` to that of `positive`, each (n, width)."""
    _check(positive, negative)
    return _direction(
        layer, positive.mean(0) - negative.mean(0), np.concatenate([positive, negative]), made_of
    )


def principal_difference(layer: int, positive: States, negative: States) -> Direction:
    """Return the first principal component of paired differences (Zou et al. 2023), towards `positive`.

    Row i of both arrays is one pair. Differences are not centred.
    """
    _check(positive, negative)
    if len(positive) != len(negative):
        raise WhiteBoxError(
            f"{len(positive)} and {len(negative)} states are no pairs: as many are needed of each"
        )
    difference = (positive - negative).astype(np.float64)
    first = np.linalg.svd(difference, full_matrices=False)[2][0]
    first *= np.sign(first @ difference.mean(0)) or 1.0
    scaled = first * np.linalg.norm(difference.mean(0))
    return _direction(
        layer, scaled, np.concatenate([positive, negative]), "first principal component of differences"
    )


def task_vector(layer: int, states: States) -> Direction:
    """Return the mean state itself (Hendel et al. 2023); patched in, it stands for the task."""
    _check(states, states)
    return _direction(layer, states.mean(0), states, "task vector")


def random_direction(like: Direction, rng: np.random.Generator) -> Direction:
    """Return a direction drawn uniformly, of the same length: the control of every steering result."""
    drawn = rng.standard_normal(like.unit.shape)
    unit = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    return Direction(like.layer, unit, like.length, like.residual_norm, f"random, as long as: {like.made_of}")


def parallelogram_score(corner: States, first: States, second: States, both: States) -> float:
    """Return the cosine of the first concept's change without and with the second: 1 where concepts add.

    Means of the classes (width,): cos(first - corner, both - second).
    """
    a, b = first.astype(np.float64) - corner, both.astype(np.float64) - second
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms > 0 else float("nan")


def _direction(layer: int, vector: NDArray[np.floating], states: States, made_of: str) -> Direction:
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise WhiteBoxError(
            f"the two sides have the same mean at layer {layer}: there is no direction between them"
        )
    norm = float(np.linalg.norm(states.astype(np.float64), axis=1).mean())
    return Direction(layer, (vector / length).astype(np.float32), length, norm, made_of)


def _check(positive: States, negative: States) -> None:
    for states in (positive, negative):
        if states.ndim != 2 or not len(states):
            raise WhiteBoxError(f"states of shape {states.shape} are not (n, width) with n at least 1")
    if positive.shape[1] != negative.shape[1]:
        raise WhiteBoxError(f"states of width {positive.shape[1]} and {negative.shape[1]} are of two models")
