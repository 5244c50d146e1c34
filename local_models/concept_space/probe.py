"""The probe: a classifier of colour and size trained on all four classes, frozen, and applied to what is generated."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from harness.local_models.concept_space.images import CLASSES, Images, Separation, draw_concepts, draw_images

_TEST = 1024  # images the accuracy is measured on at each separation: standard error below 0.016
_BATCH, _STEPS = 64, 600  # colour and size told in every one of 4 x 1024 images
_ACCURACY = "accuracy"


class Probe(nn.Module):
    """Convolutions, a global maximum, and one logit a concept: blue against red, small against large."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1, stride=2),
            nn.GELU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.GELU(),
        )
        self.head = nn.Sequential(nn.Linear(4 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, 2))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, 2) of images (batch, 3, side, side) in [0, 1]."""
        h = self.features(images * 2 - 1)
        return self.head(torch.cat([h.amax((2, 3)), h.mean((2, 3))], dim=1))  # type: ignore[no-any-return]

    @torch.inference_mode()
    def judge(self, images: torch.Tensor) -> NDArray[np.float64]:
        """Return P(blue) and P(small) of each image: (batch, 2)."""
        return torch.sigmoid(self(images).double()).cpu().numpy()


@dataclass(frozen=True, slots=True, eq=False)
class TrainedProbe:
    """A probe with the share of fresh images whose colour and size it tells, the worst of its separations."""

    probe: Probe
    accuracy: tuple[float, float]  # colour, size


def train_probe(
    separations: Sequence[Separation], side: int, *, seed: int, steps: int = _STEPS
) -> TrainedProbe:
    """Train a probe on images of all four classes at these separations, the held-out class included.

    One probe for narrow and wide separations, as in Park et al. 2024: what is
    called blue does not depend on the model that is judged.
    """
    rng = np.random.default_rng([seed, 7])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        probe = Probe()
    optimizer = torch.optim.AdamW(probe.parameters(), lr=2e-3)
    for step in range(steps):
        images, labels = _batch(separations[step % len(separations)], side, _BATCH, rng)
        loss = nn.functional.binary_cross_entropy_with_logits(probe(torch.from_numpy(images)), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    probe.eval().requires_grad_(False)
    right = np.ones(2)
    for separation in separations:
        images, labels = _batch(separation, side, _TEST, rng)
        told = (probe.judge(torch.from_numpy(images)) > 0.5) == (labels.numpy() > 0.5)
        right = np.minimum(right, told.mean(axis=0))
    return TrainedProbe(probe, (float(right[0]), float(right[1])))


def kept_probe(
    path: Path, separations: Sequence[Separation], side: int, *, seed: int, steps: int = _STEPS
) -> TrainedProbe:
    """Return the probe in the file at `path`, trained and written there first where it is not."""
    if not path.is_file():
        made = train_probe(separations, side, seed=seed, steps=steps)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        save_file(made.probe.state_dict(), part, metadata={_ACCURACY: json.dumps(made.accuracy)})
        part.replace(path)
    probe = Probe()
    probe.load_state_dict(load_file(path))
    with safe_open(path, framework="pt") as file:
        colour, size = json.loads(file.metadata()[_ACCURACY])
    return TrainedProbe(probe.eval().requires_grad_(False), (colour, size))


def _batch(
    separation: Separation, side: int, n: int, rng: np.random.Generator
) -> tuple[Images, torch.Tensor]:
    names = [CLASSES[i] for i in rng.integers(0, len(CLASSES), n)]
    concepts = np.concatenate([draw_concepts(name, separation, 1, rng) for name in names])
    labels = torch.tensor([[int(name[0]), int(name[1])] for name in names], dtype=torch.float32)
    return draw_images(concepts, side, rng), labels
