"""A pattern repeated with noise: period and pattern are to be found although symbols are wrong.

The pattern is uniform among all words of `period` symbols, so that 0101 may be
one of period 4. Each symbol of its repetition is another one with probability
`noise`, each other equally: the true law is 1 - noise on the pattern's symbol.

The ideal observer, `noisy_period`, knows the noise and neither period nor
pattern: it gives `prior_random` to uniform random symbols and the rest equally
to the periods 1..max_period. It is ideal under that prior and not for each
period by itself. `period` is the same observer with no idea of noise: the first
wrong symbol makes all it holds for possible random. `kt` knows symbol
frequencies only.

Example: period: 4, noise: 0.1, rendered with separator ", "

    prompt ' 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0,'
    target ' 1', 1010 repeated, 10% wrong
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import categorical, integers_below
from harness.prompts.later import later
from harness.prompts.observers.known_patterns import noisy
from harness.prompts.observers.noisy_periods import noisy_period
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.symbols import joined
from harness.types import Floats, Ints, Sequence

IDEAL = "noisy_period"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    period: int = 3,
    noise: float = 0.1,
    max_period: int = 16,
    prior_random: float = 0.5,
    symbols: str | tuple[str, ...] = "binary",
) -> Sequence:
    """Draw the pattern, then its repetition with noise."""
    alphabet = alphabet_of(symbols)
    m = len(alphabet)
    if not 1 <= period <= max_period:
        raise SpecError(
            f"family 'noisy_periodic': period={period!r} must be in 1..max_period ({max_period!r})"
        )
    pattern = integers_below(m, period, rng)
    expected = pattern[np.arange(length + 1) % period]
    shift = noisy(np.zeros(1, np.int64), m, noise)[0]  # of one symbol from the pattern's
    drawn = (expected[:length] + categorical(shift, length, rng)) % m
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=noisy(expected, m, noise),
        observers=later(
            observe, drawn, alphabet, noise=noise, max_period=max_period, prior_random=prior_random
        ),
        ideal=IDEAL,
        concept=f"{joined(tuple(alphabet[s] for s in pattern))} repeated, {100 * noise:.3g}% wrong",
    )


def observe(
    symbols: Ints, alphabet: tuple[str, ...], *, noise: float, max_period: int, prior_random: float
) -> dict[str, Floats]:
    """Predict from the posterior over periods with and without noise, and from symbol counts."""
    m = len(alphabet)
    return {
        "noisy_period": noisy_period(
            symbols, m, max_period=max_period, noise=noise, prior_random=prior_random
        ),
        "period": observers.period(
            symbols, m, max_period=max_period, prior_random=prior_random, distinct=False, primitive=False
        ),
        "kt": observers.kt(symbols, m),
    }
