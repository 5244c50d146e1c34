"""Known true curves by name: `logistic?location=40&width=12` and its kin, or what an ideal observer predicts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.adapters._mock_observers import Observer, parse_observer
from harness.errors import SpecError, UnknownName, suggestion
from harness.types import Floats, Prompt, Way

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
    observer: Observer | None = None  # for curve "observer"

    def law(self, prompt: Prompt, context_length: int) -> Floats:
        """Return the true next-symbol distribution after a context, before noise: shape (n_symbols,)."""
        if self.observer is not None:
            law: Floats = self.observer.law(prompt)[context_length]
            return law
        m, p = len(prompt.surfaces), self.p(context_length)
        law = np.full(m, (1 - p) / max(1, m - 1))
        law[wanted(prompt, context_length)] = p
        return law

    def p(self, context_length: int) -> float:
        """Return the true probability of the target after `context_length` symbols.

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


def wanted(prompt: Prompt, context_length: int) -> int:
    """Return the surface whose probability the curve is: the symbol that follows, or a question's second option."""
    return 1 if prompt.footer else prompt.symbols[context_length]


def shifted(p: float, logit: float) -> float:
    """Return p moved by `logit` on the logit scale, kept off 0 and 1 by 1e-9."""
    p = min(max(p, 1e-9), 1 - 1e-9)
    return min(max(_expit(math.log(p / (1 - p)) + logit), 1e-9), 1 - 1e-9)


def parse_mock(name: str) -> Mock:
    """Read `CURVE?option=value&...`. Raises UnknownName with a suggestion, or SpecError for a value."""
    curve, _, query = name.partition("?")
    if curve not in (*_DEFAULTS, "observer"):
        raise UnknownName(f"no mock model {curve!r}{suggestion(curve, [*_DEFAULTS, 'observer'])}")
    options, way = {**_COMMON, **_DEFAULTS.get(curve, {})}, _WAYS[0]
    rest: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        if key == "ways":
            way = _way(name, value)
        elif key in options:
            options[key] = _number(name, key, value)
        elif curve == "observer":
            rest[key] = value
        else:
            raise UnknownName(f"no option of mock/{curve} {key!r}{suggestion(key, [*options, 'ways'])}")
    return Mock(curve, options, way, parse_observer(rest) if curve == "observer" else None)


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
