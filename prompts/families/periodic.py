"""A pattern repeated without end: the period and the pattern are to be found from context.

The pattern is uniform among the words of exactly `period` symbols that are no
repetition of a shorter word; every rotation is among them, so the phase is
random too. `distinct: true` draws among the words of all different symbols
instead. Left at null it is true exactly when the set has more than two symbols:
letters then show an order to be remembered, two symbols an order to be inferred.
A period above the number of symbols with `distinct` is an error, never a silent change.
`primitive: false` draws among all words of `period` symbols, so that 0101 is a
pattern of period 4 like any other.

The ideal observer, `period`, knows neither period nor pattern: it gives
`prior_random` to uniform random symbols and the rest equally to the periods
1..max_period (up to the number of symbols, with `distinct`), each with the
pattern's law above. It is ideal under that prior and not for each period by
itself: on the constant sequences of period 1 it loses more in all than `kt`,
which knows symbol frequencies only. `unigram_sparse`, of more than two symbols,
finds out besides which of them are in use.

Example: period: 4, rendered with separator ", "

    prompt ' 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1,'
    target ' 0', 0111 repeated
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import integers_below, permutation
from harness.prompts.later import later
from harness.prompts.observers.sparse import unigrams
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.symbols import joined
from harness.types import Floats, Ints, Sequence

IDEAL = "period"
ADDED = ("primitive",)


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    period: int = 3,
    symbols: str | tuple[str, ...] = "binary",
    distinct: bool | None = None,
    max_period: int = 16,
    prior_random: float = 0.5,
    primitive: bool = True,
) -> Sequence:
    """Draw the pattern, then repeat it."""
    alphabet = alphabet_of(symbols)
    if not 1 <= period <= max_period:
        raise SpecError(f"family 'periodic': period={period!r} must be in 1..max_period ({max_period!r})")
    all_differ = _all_differ(distinct, alphabet)
    if all_differ and not primitive:
        raise SpecError(
            f"family 'periodic': primitive=False with patterns of different symbols, which are all primitive; "
            f"set distinct: false (it is {distinct!r}, and the set has {len(alphabet)} symbols)"
        )
    pattern = _pattern(period, len(alphabet), all_differ, primitive, rng)
    positions = np.arange(length + 1) % period
    drawn = pattern[positions[:length]]
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=np.eye(len(alphabet))[pattern[positions]],
        observers=later(
            observe,
            drawn,
            alphabet,
            distinct=distinct,
            max_period=max_period,
            prior_random=prior_random,
            primitive=primitive,
        ),
        ideal=IDEAL,
        concept=f"{joined(tuple(alphabet[s] for s in pattern))} repeated",
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    distinct: bool | None,
    max_period: int,
    prior_random: float,
    primitive: bool = True,
) -> dict[str, Floats]:
    """Predict from the posterior over periods, and from symbol counts."""
    m = len(alphabet)
    ideal = observers.period(
        symbols,
        m,
        max_period=max_period,
        prior_random=prior_random,
        distinct=_all_differ(distinct, alphabet),
        primitive=primitive,
    )
    return {"period": ideal, **unigrams(symbols, m)}


def _all_differ(distinct: bool | None, alphabet: tuple[str, ...]) -> bool:
    return len(alphabet) > 2 if distinct is None else distinct


def _pattern(period: int, n_symbols: int, distinct: bool, primitive: bool, rng: np.random.Generator) -> Ints:
    if distinct:
        if period > n_symbols:
            raise SpecError(
                f"family 'periodic': period={period!r} needs as many different symbols and the set has "
                f"{n_symbols}; set distinct: false or take a larger set"
            )
        return permutation(n_symbols, rng)[:period]
    while True:  # at least half of all words are primitive
        pattern = integers_below(n_symbols, period, rng)
        if not primitive or not any(np.array_equal(pattern, np.roll(pattern, d)) for d in range(1, period)):
            return pattern
