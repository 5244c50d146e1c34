"""A word that a simple rule makes without any chance, begun at a random place of it.

`kind` is the rule: thue_morse, fibonacci, champernowne or kolakoski, which never
repeat themselves and begin at one of their first 1024 symbols; or de_bruijn or
lfsr of `order`, which repeat a cycle and begin anywhere in it. A de Bruijn cycle
holds every word of `order` symbols once; the register of an lfsr has maximal
period 2^order - 1. `order` is for these two, 1.. and 2..12, and null for the
others. Fibonacci, kolakoski and lfsr have two symbols, the rest any number. The
true law is certain at every length.

The ideal observer, `phase`, knows the word and not where in it the sequence
begins; it is `kt` once no place fits. It says how much context the place takes,
not how to find the rule: of that `ctw` (of depth 8) tells what contexts can do,
and for an lfsr `linear_recurrence` what an observer can who knows its order but
not its taps: it is certain from 2 * order symbols on. `kt` knows symbol
frequencies only.

Example: kind: thue_morse, rendered without a separator

    prompt '110100110010'
    target '1', thue_morse from symbol 145 on
"""

from functools import lru_cache
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import infinite_words, observers
from harness.prompts.draws import integers_below
from harness.prompts.later import later
from harness.prompts.observers.fallback import unless_refuted
from harness.prompts.observers.recurrences import linear_recurrence
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Floats, Ints, Sequence

Kind = Literal["thue_morse", "fibonacci", "champernowne", "kolakoski", "de_bruijn", "lfsr"]

IDEAL = "phase"
_PLACES = 1024  # where a word that never repeats itself may begin
_LONGEST_CYCLE = 4096
_CTW_DEPTH = 8


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    kind: Kind = "thue_morse",
    order: int | None = None,
    symbols: str | tuple[str, ...] = "binary",
) -> Sequence:
    """Draw the place, then copy the word from there."""
    alphabet = alphabet_of(symbols)
    m = len(alphabet)
    word, n_places = _word(kind, order, m, length + 1)
    place = int(integers_below(n_places, 1, rng)[0])
    drawn = word[place : place + length + 1]
    named = kind if order is None else f"{kind} of order {order}"
    return Sequence(
        alphabet=alphabet,
        symbols=drawn[:length].copy(),
        law=np.eye(m)[drawn],
        observers=later(observe, drawn[:length], alphabet, kind=kind, order=order),
        ideal=IDEAL,
        concept=f"{named} from symbol {place} on",
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, kind: Kind, order: int | None) -> dict[str, Floats]:
    """Predict from the places in the word that fit, from contexts, from a register's bits, and from counts."""
    m = len(alphabet)
    word, n_places = _word(kind, order, m, symbols.size + 1)
    counted = observers.kt(symbols, m)
    found = {
        "phase": unless_refuted(_phase(symbols, m, word, n_places), symbols, counted),
        "ctw": observers.ctw(symbols, m, depth=_CTW_DEPTH),
    }
    if kind == "lfsr" and order is not None:
        found["linear_recurrence"] = linear_recurrence(symbols, order=order)
    return {**found, "kt": counted}


def _phase(symbols: Ints, m: int, word: Ints, n_places: int) -> Floats:
    """Predict the known word begun at any of its first places, equally likely; NaN where none fits."""
    law = np.full((symbols.size + 1, m), np.nan)
    place = np.arange(n_places)
    for n, symbol in enumerate([*symbols.tolist(), None]):
        following = word[place + n]
        law[n] = np.bincount(following, minlength=m) / place.size
        place = place[following == symbol]
        if not place.size:
            break
    return law


def _word(kind: Kind, order: int | None, m: int, length: int) -> tuple[Ints, int]:
    """Return enough of the word for `length` symbols from each place, and the number of places."""
    _check(kind, order, m)
    rounded = 1 << max(length - 1, 0).bit_length()  # few lengths: the next call finds the same word
    return _cached_word(kind, order, m, rounded)


@lru_cache(maxsize=16)
def _cached_word(kind: Kind, order: int | None, m: int, length: int) -> tuple[Ints, int]:
    if order is not None:
        cycle = infinite_words.lfsr(order) if kind == "lfsr" else infinite_words.de_bruijn(order, m)
        word, n_places = np.resize(cycle, cycle.size + length), cycle.size
    else:
        n_places, total = _PLACES, _PLACES + length
        if kind == "thue_morse":
            word = infinite_words.thue_morse(total, m)
        elif kind == "champernowne":
            word = infinite_words.champernowne(total, m)
        else:
            word = (infinite_words.fibonacci if kind == "fibonacci" else infinite_words.kolakoski)(total)
    word.setflags(write=False)
    return word, n_places


def _check(kind: Kind, order: int | None, m: int) -> None:
    where = f"family 'pseudo_random': kind={kind!r}"
    if kind not in ("de_bruijn", "lfsr"):
        if order is not None:
            raise SpecError(f"{where} has no order and order={order!r}; leave it null")
    elif order is None:
        raise SpecError(f"{where} needs an order, e.g. order: 6")
    elif kind == "lfsr" and not 2 <= order <= 12:
        raise SpecError(f"{where} with order={order!r}: order must be in 2..12")
    elif kind == "de_bruijn" and not (order >= 1 and m ** min(order, 13) <= _LONGEST_CYCLE):
        raise SpecError(
            f"{where} with order={order!r}: order must be at least 1 and {m}**order at most {_LONGEST_CYCLE}"
        )
    if m != 2 and kind in ("fibonacci", "kolakoski", "lfsr"):
        raise SpecError(f"{where} has 2 symbols and the set has {m}")
