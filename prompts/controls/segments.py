"""Controls that put noise or another sequence beside the evidence.

The observers know where a segment begins and take it by itself: what the
family's ideal one says is then what Bayes' rule says, told of the control.
"""

from dataclasses import replace

import numpy as np

from harness.errors import SpecError
from harness.prompts.controls.source import Source
from harness.prompts.draws import integers_below
from harness.types import Ints, Sequence


def distractor(source: Source, rng: np.random.Generator, *, length: int) -> Sequence:
    """Put `length` uniform random symbols of the alphabet before the sequence, whose end is left out.

    The context length counts them: after n symbols there are n - length of evidence.
    """
    size = source.symbols.size
    start = min(length, size + 1)  # rows of noise; a target after noise alone is noise too
    symbols = np.concatenate([_noise(source, start, rng), source.symbols])[:size]
    law = source.after_noise(start, source.sequence.law, size)
    answers = _answers(start, source.sequence.answers, size)
    return source.become(symbols, law, source.observe_from(start, symbols), answers=answers)


def truncate(source: Source, rng: np.random.Generator, *, last: int) -> Sequence:
    """Replace all but the `last` symbols before the last target by uniform random symbols: history is forgotten.

    It is meant for the longest context only: for a curve, each context length
    needs a sequence of its own. The law of the symbols left is what it was, as if
    it still knew the history; observers begin where the evidence does. An ideal
    one is ideal there if the family may begin anywhere: not in the middle of a word.
    """
    start = max(source.symbols.size - 1 - last, 0)
    symbols = np.concatenate([_noise(source, start, rng), source.symbols[start:]])
    law = source.after_noise(start, source.sequence.law[start:], source.symbols.size)
    held = source.sequence.answers
    answers = None if held is None else _answers(start, held[start:], source.symbols.size)
    return source.become(symbols, law, source.observe_from(start, symbols), answers=answers)


def swap(source: Source, rng: np.random.Generator, *, at: int) -> Sequence:
    """Draw the generator anew at symbol `at` (0-based): another concept of the same family, from its beginning.

    Raises SpecError where the family has no sequence of the length that is left.
    """
    first = source.sequence
    left = first.symbols.size - at
    if left <= 0:
        return first
    try:
        second = source.fresh(left, rng)
    except SpecError as error:
        raise type(error)(
            f"control swap?at={at}, of {first.symbols.size} symbols {left} are drawn anew: {error}"
        ) from error
    if second.alphabet != first.alphabet:
        raise SpecError(
            f"control swap: family {source.family.name!r} draws its alphabet ({first.alphabet!r}, then "
            f"{second.alphabet!r}); both sequences need the same"
        )
    seen = source.observe(second.symbols)
    swapped = source.become(
        np.concatenate([first.symbols[:at], second.symbols]),
        np.concatenate([first.law[:at], second.law]),
        {name: np.concatenate([first.observers[name][:at], rows]) for name, rows in seen.items()},
        answers=(
            None
            if first.answers is None or second.answers is None
            else np.concatenate([first.answers[:at], second.answers])
        ),
    )
    return replace(swapped, concept=f"{first.concept}, then {second.concept}")


def _answers(start: int, answers: Ints | None, length: int) -> Ints | None:
    """Return where answers stand once `start` symbols of noise come first: shape (length,)."""
    return None if answers is None else np.concatenate([np.zeros(start, np.int64), answers])[:length]


def _noise(source: Source, size: int, rng: np.random.Generator) -> Ints:
    return integers_below(source.n_symbols, size, rng)
