"""Circles of two colours and two sizes: images with the concept values that wrote them.

After Park et al. 2024 ("Emergence of hidden capabilities: exploring learning
dynamics in concept space") and its published data settings: class means,
jitter, nuisances and blur as there, lengths relative to the image so that any
resolution has the same law.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import SpecError

Images = NDArray[np.float32]
CLASSES = ("00", "10", "01", "11")  # colour then size: 0 red or large, 1 blue or small
TRAINED, HELD_OUT = CLASSES[:3], "11"
N_CONCEPTS = 4  # numbers that describe an image to the model: red, green, blue, radius
_RADIUS = 0.45  # of the mean circle; the image is [-1, 1]^2
_BLUR = 1 / 32  # s.d. of the edge's blur as a share of the image's side: one pixel of 32


@dataclass(frozen=True, slots=True)
class Separation:
    """How far the classes lie apart: the concept signal."""

    colour: float  # of the red (and the blue) channel between red and blue
    size: float  # of the radius between large and small

    def __post_init__(self) -> None:
        if not 0 < self.colour <= 1 or not 0 < self.size <= 0.6:
            raise SpecError(
                f"colour separation {self.colour!r} and size separation {self.size!r} must be in (0, 1] and (0, 0.6]"
            )


def class_mean(name: str, separation: Separation) -> Images:
    """Return the concept values at the centre of a class: red, green, blue, radius, shape (4,)."""
    if name not in CLASSES:
        raise SpecError(
            f"no class {name!r}; there are {', '.join(CLASSES)}: colour (0 red), then size (0 large)"
        )
    high, low = 0.5 + separation.colour / 2, 0.5 - separation.colour / 2
    red, blue = (low, high) if name[0] == "1" else (high, low)
    radius = _RADIUS + (-0.5 if name[1] == "1" else 0.5) * separation.size
    return np.array([red, low, blue, radius], dtype=np.float32)


def draw_concepts(name: str, separation: Separation, n: int, rng: np.random.Generator) -> Images:
    """Return concept values of n images of a class: uniform around its mean, shape (n, 4).

    Colour channels vary by an eighth of the colour separation to either side, the
    radius by three eighths of the size separation (at least 0.1 remains).
    """
    jitter = np.array([separation.colour / 8] * 3 + [3 * separation.size / 8])
    values = class_mean(name, separation) + rng.uniform(-1, 1, (n, N_CONCEPTS)) * jitter
    values[:, 3] = np.maximum(values[:, 3], 0.1)
    return np.asarray(values, dtype=np.float32)


def draw_images(concepts: Images, side: int, rng: np.random.Generator) -> Images:
    """Return images (n, 3, side, side) in [0, 1] of circles with these concepts (n, 4).

    Position (uniform on [-0.5, 0.5]^2) and background (each channel uniform on
    [0.8, 1]) are nuisances the concepts do not tell.
    """
    from scipy.ndimage import gaussian_filter

    n = len(concepts)
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    centre = rng.uniform(-0.5, 0.5, (n, 2))
    ground = rng.uniform(0.8, 1.0, (n, 3, 1, 1))
    distance = np.hypot(
        axis[None, None, :] - centre[:, 0, None, None], axis[None, :, None] - centre[:, 1, None, None]
    )
    mask = (distance < concepts[:, 3, None, None]).astype(np.float64)
    mask = gaussian_filter(mask, (0, _BLUR * side, _BLUR * side), mode="nearest")[:, None]
    images = mask * concepts[:, :3, None, None] + (1 - mask) * ground
    return np.clip(images + rng.normal(0, 1e-3, images.shape), 0, 1).astype(np.float32)
