"""Controls: the same symbols without their order, judged against the unigram observer.

A control still teaches which symbols are in use and how often: only a
transition beyond the KT observer can come from order.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from harness.errors import UnknownName, suggestion
from harness.prompts.draws import categorical, permutation
from harness.prompts.family import Family
from harness.prompts.observers import counts, kt
from harness.types import Floats, Ints, Params, Sequence

Control = Callable[[Ints, int, np.random.Generator], tuple[Ints, Floats]]


def control_names() -> tuple[str, ...]:
    """Return the names of all controls."""
    return tuple(sorted(_CONTROLS))


def apply_control(
    name: str, sequence: Sequence, family: Family, params: Params, rng: np.random.Generator
) -> Sequence:
    """Return a sequence under a control: other symbols and law, the family's observers asked again.

    `params` are those the sequence was drawn with. Raises UnknownName.
    """
    if name not in _CONTROLS:
        raise UnknownName(f"no control {name!r}{suggestion(name, _CONTROLS)}")
    n_symbols = len(sequence.alphabet)
    symbols, law = _CONTROLS[name](sequence.symbols, n_symbols, rng)
    observers = {**family.observe(symbols, sequence.alphabet, **params), "kt": kt(symbols, n_symbols)}
    concept = f"{sequence.concept}, control {name}"
    return replace(sequence, symbols=symbols, law=law, observers=observers, ideal="kt", concept=concept)


def _shuffle(symbols: Ints, n_symbols: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Permute all symbols, the last target included.

    The law is that of an urn drawn empty, so that its last row is NaN.
    """
    shuffled = symbols[permutation(symbols.size, rng)]
    seen = counts(shuffled, n_symbols)
    left = seen[-1] - seen
    with np.errstate(invalid="ignore"):
        return shuffled, np.asarray(left / left.sum(axis=1, keepdims=True))


def _matched_random(symbols: Ints, n_symbols: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Draw i.i.d. symbols with the sequence's own frequencies; those of no symbols are NaN."""
    if not symbols.size:
        return symbols, np.full((1, n_symbols), np.nan)
    frequency = np.bincount(symbols, minlength=n_symbols) / symbols.size
    return categorical(frequency, symbols.size, rng), np.tile(frequency, (symbols.size + 1, 1))


_CONTROLS: Mapping[str, Control] = MappingProxyType({"matched_random": _matched_random, "shuffle": _shuffle})
