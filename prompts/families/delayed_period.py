"""Random symbols that give way to a repeated pattern: where it begins is to be noticed from context.

`delay` is the number of uniform symbols before the pattern begins; "geometric"
draws it with P(t) = hazard (1 - hazard)^t. The pattern is uniform among all
words of `period` symbols, so that 0101 may be one of period 4. The true law is
uniform before the pattern and certain from its first symbol on.

The ideal observer, `delayed_period`, knows neither delay, period nor pattern:
the pattern begins before each symbol with probability `hazard`, its period is
uniform on 1..max_period. It is ideal under that prior and not for each setting
by itself. `period` expects a pattern from the first symbol on, or none at all
with probability 1/2, and gives up in the random symbols; `induction_copy` looks
for the longest match; `kt` knows symbol frequencies only.

Example: period: 3, delay: 4, rendered with separator ", "

    prompt ' 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0,'
    target ' 1', 101 repeated after 4 random symbols
"""

from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import integers_below, uniforms
from harness.prompts.later import later
from harness.prompts.observers.delayed_periods import delayed_period
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.symbols import joined
from harness.types import Floats, Ints, Sequence

IDEAL = "delayed_period"
_LOWEST_HAZARD = 1e-4  # a delay is counted out symbol by symbol


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    period: int = 3,
    delay: int | Literal["geometric"] = "geometric",
    hazard: float = 0.05,
    max_period: int = 8,
    symbols: str | tuple[str, ...] = "binary",
) -> Sequence:
    """Draw the delay and the pattern, then the random symbols."""
    alphabet = alphabet_of(symbols)
    m = len(alphabet)
    _check(period, delay, hazard, max_period)
    before = _geometric(hazard, rng) if delay == "geometric" else delay
    pattern = integers_below(m, period, rng)
    drawn = np.empty(length + 1, np.int64)
    drawn[before:] = pattern[np.arange(max(length + 1 - before, 0)) % period]
    law = np.full((length + 1, m), 1 / m)
    law[before:] = np.eye(m)[drawn[before:]]
    drawn[:before] = integers_below(m, min(before, length + 1), rng)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn[:length],
        law=law,
        observers=later(observe, drawn[:length], alphabet, hazard=hazard, max_period=max_period),
        ideal=IDEAL,
        concept=f"{joined(tuple(alphabet[s] for s in pattern))} repeated after {before} random symbols",
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, hazard: float, max_period: int) -> dict[str, Floats]:
    """Predict from the posterior over delays and periods, over periods alone, from matches and counts."""
    m = len(alphabet)
    return {
        "delayed_period": delayed_period(symbols, m, max_period=max_period, hazard=hazard),
        "period": observers.period(
            symbols, m, max_period=max_period, prior_random=0.5, distinct=False, primitive=False
        ),
        "induction_copy": observers.induction_copy(symbols, m),
        "kt": observers.kt(symbols, m),
    }


def _geometric(hazard: float, rng: np.random.Generator) -> int:
    """Return the number of symbols before the pattern, by multiplication alone: the same on every machine."""
    u = float(uniforms(1, rng)[0])
    delay, remaining = 0, 1 - hazard
    while remaining > u:
        delay, remaining = delay + 1, remaining * (1 - hazard)
    return delay


def _check(period: int, delay: int | Literal["geometric"], hazard: float, max_period: int) -> None:
    where = "family 'delayed_period'"
    if not 1 <= period <= max_period:
        raise SpecError(f"{where}: period={period!r} must be in 1..max_period ({max_period!r})")
    if delay != "geometric" and delay < 0:
        raise SpecError(f"{where}: delay={delay!r} must be >= 0 or 'geometric'")
    if not _LOWEST_HAZARD <= hazard < 1:
        raise SpecError(f"{where}: hazard={hazard!r} must be at least {_LOWEST_HAZARD} and below 1")
