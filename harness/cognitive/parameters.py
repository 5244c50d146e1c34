"""The parameters of cognitive models: their ranges, and the scale they are searched on."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, logit

from harness.types import Floats

PROBABILITY = (1e-4, 1 - 1e-4)  # of a symbol: an event held for impossible costs 9.2 nats, not infinity
LAPSE = (1e-4, 1.0)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, searched between bounds, or tried at each value of a grid.

    A grid is for integers and for what the likelihood is a staircase of.
    """

    name: str
    low: float
    high: float
    scale: Literal["linear", "log", "logit"] = "linear"
    grid: tuple[float, ...] = ()

    @property
    def bounds(self) -> tuple[float, float]:
        """Bounds on the search scale."""
        return self.to_scale(self.low), self.to_scale(self.high)

    def to_scale(self, value: float) -> float:
        """Return a value on the search scale."""
        if self.scale == "linear":
            return value
        return float(np.log(value) if self.scale == "log" else logit(value))

    def from_scale(self, u: float) -> float:
        """Return the value that stands at u on the search scale."""
        if self.scale == "linear":
            return u
        return float(np.exp(u) if self.scale == "log" else expit(u))

    def start(self, share: float) -> float:
        """Return where on the search scale to start, for a share in 0..1 of what is likely beforehand.

        Even over a probability itself: few are within a hundredth of 0 or 1.
        """
        low, high = (self.low, self.high) if self.scale == "logit" else self.bounds
        value = low + share * (high - low)
        return self.to_scale(value) if self.scale == "logit" else value

    def slope(self, value: float) -> float:
        """Return the derivative of the value in u."""
        return {"linear": 1.0, "log": value, "logit": value * (1 - value)}[self.scale]


def probability(name: str) -> Parameter:
    """Return a parameter that is the probability of a symbol."""
    return Parameter(name, *PROBABILITY, "logit")


def lapse() -> Parameter:
    """Return the share of symbols that are drawn uniformly, whatever the model says."""
    return Parameter("lapse", *LAPSE)


def with_lapse(law: Floats, rate: float) -> Floats:
    """Mix a law with the uniform one."""
    return np.asarray((1 - rate) * law + rate / law.shape[-1])
