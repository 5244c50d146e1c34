"""Observers of hidden Markov processes that see less than their past, or do not know which of several it is."""

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata import Process
from harness.types import Floats, Ints


def hmm_memory(symbols: Ints, process: Process, *, memory: int) -> Floats:
    """Predict a known hidden Markov process from the last `memory` >= 0 symbols alone.

    It is `hmm_filter` begun anew from the stationary law at each place: the best
    that a k-gram model of k = memory + 1 can reach. Where the symbols seen cannot
    come one after the other, those before the impossible one are forgotten too.
    """
    if memory < 0:
        raise SpecError(f"observer hmm_memory: memory={memory!r} must be >= 0")
    n = symbols.size
    start = process.stationary
    first = (start @ process.T).sum(axis=1)  # of each symbol, nothing being known
    belief = np.tile(start, (n + 1, 1))  # row t: of the state after the symbols before t that are used so far
    for back in range(min(memory, n), 0, -1):
        rows = np.arange(back, n + 1)
        symbol = symbols[rows - back]
        after = np.einsum("ti,tij->tj", belief[rows], process.T[symbol])
        anew = np.einsum("i,tij->tj", start, process.T[symbol])
        impossible = ~after.any(axis=1)
        after[impossible] = np.where((first[symbol] > 0)[:, None], anew, start)[impossible]
        belief[rows] = after / after.sum(axis=1, keepdims=True)
    law = np.einsum("ti,aij->ta", belief, process.T)
    return np.asarray(law / law.sum(axis=1, keepdims=True))
