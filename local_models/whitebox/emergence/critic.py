"""A separable critic of pairs, begun as the best one for Gaussian pairs and bent from there by two small networks."""

import math

import torch
from torch import nn

from harness.local_models.whitebox.emergence.bounds import Scores
from harness.local_models.whitebox.emergence.coordinates import Coordinates

_WIDTH = 64  # of the hidden layers
_EMBEDDING = 32  # numbers in which the two networks meet


class SeparableCritic(nn.Module):
    """f(u, v) = s (sum_i w_i u_i v_i - a_i u_i^2 / 2 - b_i v_i^2 / 2) + g(u) . h(v) + g0(u) + h0(v).

    For Gaussian pairs in canonical coordinates the best critic is the first part
    with w = r / (1 - r^2) and a = b = r^2 / (1 - r^2), where it begins; the rest
    begins at zero. Separable, so that all n^2 pairs cost one matrix product.
    """

    def __init__(self, coordinates: Coordinates) -> None:
        super().__init__()
        r = torch.tensor(coordinates.correlation)
        k = len(r)
        w, a = (r / (1 - r**2)).float(), (r**2 / (1 - r**2)).float()
        self.w0: torch.Tensor
        self.a0: torch.Tensor
        self.register_buffer("w0", w)
        self.register_buffer("a0", a)
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.turn = nn.Parameter(torch.zeros(3, k))  # logarithms of what w, a and b are multiplied by
        self.g, self.h = _network(k), _network(k)

    def forward(self, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Return f(u_i, v_j): (n, k) and (m, k) to (n, m)."""
        scale = self.log_scale.exp() * self.turn.exp()
        w, a, b = scale[0] * self.w0, scale[1] * self.a0, scale[2] * self.a0
        g, h = self.g(u), self.h(v)
        left = torch.cat([u * w, g[:, 1:]], dim=1)
        right = torch.cat([v, h[:, 1:]], dim=1)
        own_u = g[:, :1] - (a * u**2).sum(1, keepdim=True) / 2
        own_v = h[:, :1] - (b * v**2).sum(1, keepdim=True) / 2
        return left @ right.T + own_u + own_v.T  # type: ignore[no-any-return]

    @torch.no_grad()
    def scores(self, u: torch.Tensor, v: torch.Tensor) -> Scores:
        """Return the same as an array."""
        return self(u, v).cpu().numpy()  # type: ignore[no-any-return]


def _network(k: int) -> nn.Sequential:
    last = nn.Linear(_WIDTH, 1 + _EMBEDDING)
    nn.init.normal_(last.weight, std=0.02 / math.sqrt(_WIDTH))  # not zero: a product of zeros has no gradient
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(k, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH), nn.GELU(), last)
