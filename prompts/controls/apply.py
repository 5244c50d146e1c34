"""A control applied to a sequence: other symbols with their own law, observers and baseline."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from harness.prompts.controls.control import parse_control, transform_of
from harness.prompts.controls.source import Source
from harness.prompts.family import Family
from harness.prompts.later import later
from harness.prompts.observers import kt
from harness.types import Floats, Params, Sequence


def apply_control(
    text: str, sequence: Sequence, family: Family, params: Params, rng: np.random.Generator
) -> Sequence:
    """Return a sequence of the same length under a control, given as in `parse_control`.

    `params` are those the sequence was drawn with. Its `ideal` is the baseline of
    the control, and its law the true one given what the control left and what it
    drew. `kt` counts the symbols as they are shown. Raises UnknownName or
    SpecError for a control that is not as documented or not for this family.
    """
    control = parse_control(text)
    changed = transform_of(control)(Source(sequence, family, params), rng, **control.options)
    observers = later(_with_kt, changed)
    concept = f"{changed.concept}, control {control.text}"
    return replace(changed, observers=observers, ideal=control.baseline or sequence.ideal, concept=concept)


def _with_kt(changed: Sequence) -> Mapping[str, Floats]:
    return {**changed.observers, "kt": kt(changed.symbols, len(changed.alphabet))}
