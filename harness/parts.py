"""The sequences that a replicate of a condition is measured on, each with the context lengths asked of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from harness.errors import SpecError
from harness.prompts.family import Family
from harness.types import Ints, Params, Sequence


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One sequence and what it is asked for.

    Level n is the product of p(target) at the context lengths n to n + depth - 1,
    added over the parts that serve it.
    """

    levels: tuple[int, ...]  # context lengths of the curve that it serves
    lengths: tuple[int, ...]  # context lengths to ask, ascending
    sequence: Sequence


def straight(levels: tuple[int, ...], depth: int, sequence: Sequence) -> Part:
    """Return the part that follows the sequence itself for `depth` symbols after each level."""
    lengths = sorted({n + j for n in levels for j in range(depth)})
    return Part(levels, tuple(lengths), sequence)


def answering(part: Part) -> Part:
    """Return a part asked at the context lengths alone that stand just before an answer; there may be none."""
    answers = part.sequence.answers
    due = () if answers is None else tuple(n for n in part.levels if answers[n])
    return Part(due, due, part.sequence)


def branches(
    levels: tuple[int, ...], depth: int, sequence: Sequence, concept: Sequence, family: Family, params: Params
) -> Iterator[Part]:
    """Yield, for each level, one part for each continuation that the concept allows at any place of its own.

    Those are the different blocks of `depth` symbols in `concept`, the whole
    sequence without a control. Raises SpecError where what follows is not certain: then
    every block may come and being one of them says nothing.
    """
    certain = np.nan_to_num(concept.law[: len(concept.symbols)]).max(axis=1) == 1
    if not certain.all():
        raise SpecError(
            f"family {family.name!r}: phase: any needs a concept whose next symbol is certain, as in family "
            "'periodic'; use phase: same"
        )
    blocks = np.unique(np.lib.stride_tricks.sliding_window_view(concept.symbols, depth), axis=0)
    for n in levels:
        for block in blocks:
            symbols = np.concatenate([sequence.symbols[:n], block])
            yield Part((n,), tuple(range(n, n + depth)), _with(sequence, symbols, family, params))


def _with(sequence: Sequence, symbols: Ints, family: Family, params: Params) -> Sequence:
    """Return a sequence with other symbols; its true law beyond them is not known here and NaN."""
    observers = family.observe(symbols, sequence.alphabet, **params)
    law = np.full((symbols.size + 1, len(sequence.alphabet)), np.nan)
    kept = {name: observers[name] for name in sequence.observers if name in observers}
    return replace(sequence, symbols=symbols, law=law, observers=kept)
