"""A small U-Net that turns noise into images under continuous conditioning, by flow matching.

Flow matching with straight paths (Lipman et al. 2023; Liu et al. 2023) stands
for the variational diffusion model of Park et al. 2024: the same conditional
denoiser, a simpler schedule, fewer sampling steps. The conditioning enters as
there: the raw concept values go to every residual block through a map of its
own, so that there is one conditioning pathway to intervene on for each block.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from harness.local_models.concept_space.images import N_CONCEPTS

Conditioning = list[torch.Tensor]
"""What each residual block is told: one tensor (batch, channels) a block."""


class FlowConfig(PretrainedConfig):  # type: ignore[misc]
    """Shape of the U-Net: `channels` at each resolution, halved once between two."""

    model_type = "icl_harness_circle_flow"

    def __init__(self, side: int = 16, channels: tuple[int, ...] = (16, 32, 64), **rest: Any) -> None:
        self.side = side
        self.channels = list(channels)
        super().__init__(**rest)


class Block(nn.Module):
    """Residual block: norm, convolution, told time and concepts, norm, convolution."""

    def __init__(self, width_in: int, width: int, time: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(4, width_in), nn.SiLU(), nn.Conv2d(width_in, width, 3, padding=1)
        )
        self.time = nn.Linear(time, width)
        self.concepts = nn.Sequential(
            nn.Linear(N_CONCEPTS, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
        )
        self.second = nn.Sequential(nn.GroupNorm(4, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1))
        self.skip = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()
        for parameter in self.second[2].parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: torch.Tensor, time: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """Return (batch, width, h, w); `told` is the conditioning (batch, width)."""
        h = self.first(x) + (self.time(time) + told)[:, :, None, None]
        return self.skip(x) + self.second(h)  # type: ignore[no-any-return]


class CircleFlow(PreTrainedModel):  # type: ignore[misc]
    """Velocity field v(x_t, t, concepts) on images scaled to [-1, 1]."""

    config_class = FlowConfig
    main_input_name = "x"

    def __init__(self, config: FlowConfig) -> None:
        super().__init__(config)
        widths = list(config.channels)
        self.time_width = 4 * widths[0]
        self.time = nn.Sequential(nn.Linear(widths[0], self.time_width), nn.SiLU())
        self.enter = nn.Conv2d(3, widths[0], 3, padding=1)
        down, up = [], []
        for i, width in enumerate(widths):
            down.append(Block(widths[max(i - 1, 0)], width, self.time_width))
        for i in range(len(widths) - 1, 0, -1):
            up.append(Block(widths[i] + widths[i - 1], widths[i - 1], self.time_width))
        self.blocks = nn.ModuleList([*down, Block(widths[-1], widths[-1], self.time_width), *up])
        self.leave = nn.Sequential(
            nn.GroupNorm(4, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], 3, 3, padding=1)
        )
        self.n_down = len(widths)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave torch's own initialisation, and the zeros above, as they are."""

    def conditioning(self, concepts: torch.Tensor) -> Conditioning:
        """Return what each block is told of concepts (batch, 4): the pathway that interventions act on."""
        return [block.concepts(concepts) for block in self.blocks]  # type: ignore[operator]

    def forward(self, x: torch.Tensor, t: torch.Tensor, told: Conditioning) -> torch.Tensor:
        """Return the velocity at x (batch, 3, side, side) and time t (batch,) in [0, 1]."""
        time = self.time(_waves(t, self.config.channels[0]))
        h, kept = self.enter(x), []
        blocks = list(zip(self.blocks, told, strict=True))
        for i, (block, said) in enumerate(blocks[: self.n_down]):
            h = block(h, time, said)
            if i < self.n_down - 1:
                kept.append(h)
                h = nn.functional.avg_pool2d(h, 2)
        middle, said = blocks[self.n_down]
        h = middle(h, time, said)
        for block, said in blocks[self.n_down + 1 :]:
            h = nn.functional.interpolate(h, scale_factor=2.0, mode="nearest")
            h = block(torch.cat([h, kept.pop()], dim=1), time, said)
        return self.leave(h)  # type: ignore[no-any-return]


def flow_loss(
    model: CircleFlow, images: torch.Tensor, concepts: torch.Tensor, noise: torch.Tensor, t: torch.Tensor
) -> torch.Tensor:
    """Return the mean squared error of the velocity x_1 - x_0 at x_t = (1 - t) x_0 + t x_1, x_0 noise."""
    data = images * 2 - 1
    between = t[:, None, None, None]
    x = (1 - between) * noise + between * data
    velocity: torch.Tensor = model(x, t, model.conditioning(concepts))
    return ((velocity - (data - noise)) ** 2).mean()


@torch.inference_mode()
def generate(
    model: CircleFlow,
    told: Conditioning,
    noise: torch.Tensor,
    *,
    steps: int = 20,
    seen: Callable[[int], None] | None = None,
) -> torch.Tensor:
    """Return images in [0, 1] by the midpoint rule from noise (batch, 3, side, side), two evaluations a step."""
    x = noise
    for i in range(steps):
        t = torch.full((len(x),), i / steps, device=x.device)
        half = x + model(x, t, told) / (2 * steps)
        x = x + model(half, t + 1 / (2 * steps), told) / steps
        if seen:
            seen(i)
    return ((x + 1) / 2).clamp(0, 1)


def _waves(t: torch.Tensor, width: int) -> torch.Tensor:
    """Return sines and cosines of t at geometric frequencies: (batch, width)."""
    frequency = torch.exp(torch.linspace(0, math.log(1000.0), width // 2, device=t.device))
    phase = t[:, None] * frequency[None] * math.pi
    return torch.cat([phase.sin(), phase.cos()], dim=1)
