"""What the concept-space experiment records: where in concept space a model's images lie at each checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.types.sequence import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class ConceptTrajectory:
    """One training run, asked in several ways at every checkpoint with the same noise.

    `p` maps a way of asking to the probe's P(blue) and P(small) of each image,
    `blue_less_red` to the colour of its circle, for which a blue class asks `colour`.
    """

    colour: float  # colour separation of the training classes: the concept signal
    size: float
    seed: int
    step: Ints  # (n_checkpoints,), ascending, 0 first
    p: Mapping[str, Floats]  # each (n_checkpoints, n_images, 2), in [0, 1]
    blue_less_red: Mapping[str, Floats]  # each (n_checkpoints, n_images), in [-1, 1]
    parallelogram: Floats  # (n_checkpoints,), cosine of the unseen with the seen colour difference
    chosen: Mapping[str, Ints]  # (n_checkpoints,): which candidate the selection split picked
    accuracy: tuple[float, float]  # of the probe, colour and size
