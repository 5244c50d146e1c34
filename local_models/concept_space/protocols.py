"""Ways to ask a circle model for the class it never saw: plainly, exaggerated, and through its conditioning pathway.

The latent intervention of Park et al. 2024 is not in its published code; ours
adds to what every block is told of class 01 the mean of what it is told of
class 10 less that of class 00, which needs no image and no prompt of class 11.
"""

from dataclasses import dataclass

import numpy as np
import torch

from harness.local_models.concept_space.flow import CircleFlow, Conditioning
from harness.local_models.concept_space.images import HELD_OUT, TRAINED, Separation, class_mean, draw_concepts

STRONGER = (
    1.0,
    1.5,
    2.5,
    4.5,
)  # times the colour separation: what Park et al. try at .2 is .2, .3, .5, .9 (and .7)
WIDEST = 0.9  # colour separation that over-prompting stops at, as there
SCALES = (1.0, 1.5, 2.0, 3.0)  # of the latent intervention
_DRAWN = 256  # concept values a class mean of the conditioning is taken over: seen classes, as in training


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """Mean differences in what each block is told between seen classes that differ in one concept."""

    colour: Conditioning  # 10 less 00, each (width,)
    size: Conditioning  # 01 less 00


def directions(model: CircleFlow, separation: Separation, *, seed: int) -> Directions:
    """Return the colour and size directions of a model, from prompts of the classes it was trained on."""
    rng = np.random.default_rng([seed, 11])
    mean = {name: _mean_told(model, draw_concepts(name, separation, _DRAWN, rng)) for name in TRAINED}
    return Directions(_less(mean["10"], mean["00"]), _less(mean["01"], mean["00"]))


def prompt(model: CircleFlow, name: str, separation: Separation) -> Conditioning:
    """Return what the blocks are told when class `name` is asked for at its mean: (1, width) each."""
    return _told(model, class_mean(name, separation))


def stronger_prompts(model: CircleFlow, separation: Separation) -> list[Conditioning]:
    """Return prompts for the held-out class in colours further and further apart, the plain one first."""
    colours = dict.fromkeys(min(max(WIDEST, separation.colour), f * separation.colour) for f in STRONGER)
    return [prompt(model, HELD_OUT, Separation(colour, separation.size)) for colour in colours]


def steered(model: CircleFlow, separation: Separation, direction: Conditioning, scale: float) -> Conditioning:
    """Return the prompt for small red (class 01) with `scale` times a direction added in every block."""
    plain = prompt(model, "01", separation)
    return [told + scale * way for told, way in zip(plain, direction, strict=True)]


def random_directions(direction: Conditioning, n: int, *, seed: int) -> list[Conditioning]:
    """Return `n` random directions, each as long in every block as `direction` is there."""
    random = torch.Generator().manual_seed(seed)
    drawn: list[Conditioning] = []
    for _ in range(n):
        ways = [torch.randn(d.shape, generator=random).to(d) for d in direction]
        drawn.append([way * d.norm() / way.norm() for way, d in zip(ways, direction, strict=True)])
    return drawn


def parallelogram(model: CircleFlow, separation: Separation) -> float:
    """Return the cosine between the colour difference at small, never seen, and at large, mean over blocks.

    1 where the pathway adds the concepts up; then asking plainly for 11 says
    the same as the intervention.
    """
    told = {name: prompt(model, name, separation) for name in (*TRAINED, HELD_OUT)}
    unseen, seen = _less(told["11"], told["01"]), _less(told["10"], told["00"])
    cosines = [torch.cosine_similarity(a, b, dim=-1).mean() for a, b in zip(unseen, seen, strict=True)]
    return float(torch.stack(cosines).mean())


@torch.inference_mode()
def _told(model: CircleFlow, concepts: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Conditioning:
    where = next(model.parameters()).device
    return model.conditioning(torch.from_numpy(np.atleast_2d(concepts)).to(where))


def _mean_told(
    model: CircleFlow, concepts: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> Conditioning:
    return [told.mean(dim=0) for told in _told(model, concepts)]


def _less(a: Conditioning, b: Conditioning) -> Conditioning:
    return [x - y for x, y in zip(a, b, strict=True)]
