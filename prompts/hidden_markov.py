"""What families of one known hidden Markov process share: the draw, the law and the observers."""

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.automata import Process
from harness.prompts.observers.automata import hmm_filter
from harness.prompts.observers.ctw import ctw
from harness.prompts.observers.hidden_markov import hmm_memory
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Floats, Ints, Sequence


def sample_process(
    process: Process,
    length: int,
    rng: np.random.Generator,
    *,
    symbols: str | tuple[str, ...],
    memory: int,
    depth: int,
    concept: str,
) -> Sequence:
    """Draw from the stationary law; the law is that of one who knows the process and the prefix."""
    alphabet = alphabet_of(symbols)
    if len(alphabet) != process.n_symbols:
        raise SpecError(
            f"symbols={symbols!r} has {len(alphabet)} symbols; {concept} has {process.n_symbols}, "
            "so give a list of as many"
        )
    drawn, _ = process.sample(length, rng)
    seen = observe_process(process, drawn, memory=memory, depth=depth)
    return Sequence(alphabet, drawn, seen["filter"].copy(), seen, "filter", concept)


def observe_process(process: Process, symbols: Ints, *, memory: int, depth: int) -> dict[str, Floats]:
    """Predict with the process known, with the process known and the past forgotten, and with neither known."""
    return {
        "filter": hmm_filter(symbols, process),
        "memory": hmm_memory(symbols, process, memory=memory),
        "ctw": ctw(symbols, process.n_symbols, depth=depth),
        "kt": observers.kt(symbols, process.n_symbols),
    }
