"""What a readout asks of a sequence, and what an observer would answer."""

import numpy as np

from harness.conditions import Condition
from harness.prompts.observers import against_random
from harness.types import Floats, Ints, Sequence
from harness.writing import STRUCTURED


def targets(condition: Condition, sequence: Sequence, lengths: Ints) -> Ints:
    """Return the index of the answer whose probability is the curve: shape (n_lengths,).

    The symbol that follows, which in readout "answer" is the gold one; in a judgment
    "a rule made it", of every sequence, so that a control is judged by the same question.
    """
    if condition.readout == "judgment":
        return np.full(len(lengths), STRUCTURED, dtype=np.int64)
    return np.asarray(sequence.target[lengths], dtype=np.int64)


def predicted(condition: Condition, sequence: Sequence, observer: str, lengths: Ints) -> Floats:
    """Return an observer's probability of that answer: shape (n_lengths,)."""
    law = sequence.observers[observer]
    if condition.readout == "judgment":
        return against_random(sequence.symbols, law)[lengths]
    return np.asarray(law[lengths, sequence.target[lengths]])
