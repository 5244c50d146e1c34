"""The published estimator of information emergence, kept as it was: the largest in-sample value of any epoch.

It is no estimate of mutual information: the critic is read on the pairs it was
fitted to, and the maximum over epochs picks the luckiest shuffle. Independent
pairs give several bits. It stands beside the others so that published numbers
can be compared with, and is never the headline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from harness.local_models.whitebox.emergence.bounds import BITS
from harness.local_models.whitebox.emergence.estimates import States, check_pairs, seeded

PUBLISHED_WIDTHS = (768, 384, 192, 96, 48, 24, 12, 6, 3)  # and 1: of the released code, for N = 300 000
PUBLISHED_EPOCHS = 10_000
PUBLISHED_RATE = 1e-4
_WARM_UP = 5  # epochs
_POWER, _LAST_RATE = 3, 1e-8  # of the decay
_TAIL = 50  # epochs whose mean is given beside the maximum


@dataclass(frozen=True, slots=True)
class Faithful:
    """In-sample Donsker-Varadhan values, in bits."""

    largest: float  # the published number
    tail: float  # mean of the last epochs
    epochs: int  # run before the end, or before a value was not finite


def faithful(
    x: States,
    y: States,
    rng: np.random.Generator,
    *,
    widths: Sequence[int] = PUBLISHED_WIDTHS,
    epochs: int = PUBLISHED_EPOCHS,
    rate: float = PUBLISHED_RATE,
    device: str = "cpu",
) -> Faithful:
    """Run the released code's rule on pairs x (n, width), y (n, width).

    A perceptron of [x; y] with leaky rectifiers; each epoch is one step of Adam
    on all pairs and one new shuffle of y, the rate decaying as a cube after five
    epochs of warm-up. The released code clips gradients before it computes them,
    which does nothing and is left out. Smaller `widths` and fewer epochs make it
    affordable, not more right.
    """
    check_pairs(x, y)
    with seeded(int(rng.integers(2**31))):
        critic = _perceptron(x.shape[1] + y.shape[1], widths).to(device)
        pairs = [torch.as_tensor(np.asarray(side, dtype=np.float32)).to(device) for side in (x, y)]
        optimiser = torch.optim.Adam(critic.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda e: _decay(e, epochs, rate))
        values: list[float] = []
        for _ in range(epochs):
            shuffled = pairs[1][torch.randperm(len(x)).to(device)]
            value = _donsker_varadhan(critic, pairs[0], pairs[1], shuffled)
            if not torch.isfinite(value):
                break
            values.append(float(value.detach()) * BITS)
            optimiser.zero_grad()
            (-value).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    if not values:
        return Faithful(float("nan"), float("nan"), 0)
    return Faithful(max(values), float(np.mean(values[-_TAIL:])), len(values))


def _donsker_varadhan(
    critic: nn.Module, x: torch.Tensor, y: torch.Tensor, shuffled: torch.Tensor
) -> torch.Tensor:
    joint = critic(torch.cat([x, y], dim=1)).mean()
    apart = torch.logsumexp(critic(torch.cat([x, shuffled], dim=1)).flatten(), 0) - np.log(len(x))
    return joint - apart  # type: ignore[no-any-return]


def _perceptron(n_inputs: int, widths: Sequence[int]) -> nn.Sequential:
    sizes = (n_inputs, *widths, 1)
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        linear = nn.Linear(before, after)
        nn.init.xavier_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.LeakyReLU(0.01)]
    return nn.Sequential(*layers[:-1])


def _decay(epoch: int, epochs: int, rate: float) -> float:
    """Return what the rate is multiplied by in an epoch, 0-based."""
    if epoch < _WARM_UP:
        return (epoch + 1) / _WARM_UP
    left = 1 - (epoch - _WARM_UP) / max(epochs - _WARM_UP, 1)
    return float((_LAST_RATE + (rate - _LAST_RATE) * max(left, 0.0) ** _POWER) / rate)
