"""Known true curves by name: `logistic?location=40&width=12`, options and their defaults included."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import SpecError, UnknownName, suggestion
from harness.types import Way

_DEFAULTS: dict[str, dict[str, float]] = {
    "logistic": {"location": 40.0, "width": 12.0, "low": 0.5, "high": 0.98},
    "step": {"location": 8.0, "low": 0.5, "high": 0.98},
    "flat": {"p": 0.5},
}
_COMMON: dict[str, float] = {"noise": 0.0, "fail": 0.0, "n_max": 128.0, "seed": 0.0}
_WAYS: tuple[Way, ...] = ("prefixes", "next_token", "samples")
_PROBABILITIES = {"low", "high", "p", "fail"}


@dataclass(frozen=True, slots=True)
class Mock:
    """A mock model as its name describes it."""

    curve: str
    options: Mapping[str, float]
    way: Way  # the best way to measure that it offers

    def p(self, context_length: int) -> float:
        """Return the true probability of the target after `context_length` symbols, before noise.

        `width` is the distance between the points 10 % and 90 % of the way:
        2 ln 9 scale units of the logistic function.
        """
        o = self.options
        if self.curve == "flat":
            return o["p"]
        if self.curve == "step":
            return o["high"] if context_length >= o["location"] else o["low"]
        x = (context_length - o["location"]) * 2 * math.log(9) / o["width"]
        return o["low"] + (o["high"] - o["low"]) * _expit(x)


def shifted(p: float, logit: float) -> float:
    """Return p moved by `logit` on the logit scale, kept off 0 and 1 by 1e-9."""
    p = min(max(p, 1e-9), 1 - 1e-9)
    return min(max(_expit(math.log(p / (1 - p)) + logit), 1e-9), 1 - 1e-9)


def parse_mock(name: str) -> Mock:
    """Read `CURVE?option=value&...`. Raises UnknownName with a suggestion, or SpecError for a value."""
    curve, _, query = name.partition("?")
    if curve not in _DEFAULTS:
        raise UnknownName(f"no mock model {curve!r}{suggestion(curve, _DEFAULTS)}")
    options, way = {**_COMMON, **_DEFAULTS[curve]}, _WAYS[0]
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        if key == "ways":
            way = _way(name, value)
        elif key in options:
            options[key] = _number(name, key, value)
        else:
            raise UnknownName(f"no option of mock/{curve} {key!r}{suggestion(key, [*options, 'ways'])}")
    return Mock(curve, options, way)


def _way(name: str, value: str) -> Way:
    for way in _WAYS:
        if way == value:
            return way
    raise SpecError(f"mock/{name}: ways={value!r} is not one of {', '.join(_WAYS)}")


def _number(name: str, key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    low, high = (0.0, 1.0) if key in _PROBABILITIES else (-math.inf, math.inf)
    if key in ("width", "n_max"):
        low = 1 if key == "n_max" else 1e-6
    if key == "noise":
        low = 0.0
    if not (low <= number <= high and math.isfinite(number)) or (key in ("n_max", "seed") and number % 1):
        raise SpecError(f"mock/{name}: {key}={value!r} is not a number it can be")
    return number


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
