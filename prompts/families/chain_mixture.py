"""One chain of a known library, or a new one, to be looked up or to be learned from context.

A library of `chains` Markov chains of order 1 is drawn once from the stream of
`library`, a number of its own, each row from the symmetric Dirichlet(alpha).
Each sequence follows one of them, all equally likely, or with probability
`novel` a chain drawn anew in the same way. The first symbol is uniform. The
task is that of Park et al. 2025 (competition dynamics), with 10 symbols there.

The ideal observer, `mixture`, knows the library, alpha and `novel`. Four more
cross what is counted with what is done with it: `bigram_retrieval` and
`unigram_retrieval` weigh the library's chains by the pairs of symbols or by the
symbols seen, `bigram_inference` and `unigram_inference` learn a new law from
them with prior Dirichlet(alpha). With novel 0 the ideal one is
`bigram_retrieval`, with novel 1 `bigram_inference`. `kt` is as everywhere.

Example: chains: 4, library: 0, rendered with separator ", "

    prompt ' 5, 5, 3, 7, 8, 8, 9, 2, 2, 7, 2, 2,'
    target ' 9', chain 0 of 4 in library 0
"""

from bisect import bisect_right
from functools import lru_cache

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import cumulative, dirichlet, integers_below, uniforms
from harness.prompts.later import later
from harness.prompts.observers.libraries import bigram_retrieval, library_or_new, unigram_retrieval
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Floats, Ints, Sequence

IDEAL = "mixture"
_MOST_CHAINS = 4096
_OWN_STREAM = 1 << 64  # above every number of a library: no short seed of sequences is one of its keys
_LOWEST_ALPHA = 0.1  # below about 0.05 a Dirichlet draw may hold a 0 in double precision, and a chain with it


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    chains: int = 4,
    library: int = 0,
    novel: float = 0.0,
    alpha: float = 1.0,
    symbols: str | tuple[str, ...] = "digits",
) -> Sequence:
    """Draw which chain, then walk."""
    alphabet = alphabet_of(symbols)
    m = len(alphabet)
    known = _library(chains, library, alpha, m)
    if not 0 <= novel <= 1:
        raise SpecError(f"family 'chain_mixture': novel={novel!r} must be in 0..1")
    if float(uniforms(1, rng)[0]) < novel:
        rows, concept = _chain(alpha, m, rng), "a chain that is not in the library"
    else:
        index = int(integers_below(chains, 1, rng)[0])
        rows, concept = known[index], f"chain {index} of {chains} in library {library}"
    drawn = _walk(length, rng, rows)
    law = np.concatenate([np.full((1, m), 1 / m), rows[drawn]])
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=law,
        observers=later(observe, drawn, alphabet, chains=chains, library=library, novel=novel, alpha=alpha),
        ideal=IDEAL,
        concept=concept,
    )


def observe(
    symbols: Ints, alphabet: tuple[str, ...], *, chains: int, library: int, novel: float, alpha: float
) -> dict[str, Floats]:
    """Predict by lookup and by learning, from pairs of symbols and from symbols."""
    m = len(alphabet)
    known = _library(chains, library, alpha, m)
    return {
        "mixture": library_or_new(symbols, known, novel=novel, alpha=alpha),
        "bigram_retrieval": bigram_retrieval(symbols, known),
        "unigram_retrieval": unigram_retrieval(symbols, known),
        "bigram_inference": observers.markov(symbols, m, order=1, alpha=alpha),
        "unigram_inference": observers.dirichlet(symbols, m, alpha),
        "kt": observers.kt(symbols, m),
    }


@lru_cache(maxsize=8)
def _library(chains: int, library: int, alpha: float, m: int) -> Floats:
    """Return the library of this number, (chains, m, m): a larger one begins with the smaller."""
    where = "family 'chain_mixture'"
    if not 1 <= chains <= _MOST_CHAINS:
        raise SpecError(f"{where}: chains={chains!r} must be in 1..{_MOST_CHAINS}")
    if not 0 <= library < 2**64:
        raise SpecError(f"{where}: library={library!r} must be in 0..2**64 - 1")
    if not (_LOWEST_ALPHA <= alpha < np.inf):
        raise SpecError(f"{where}: alpha={alpha!r} must be finite and at least {_LOWEST_ALPHA}")
    rng = np.random.Generator(np.random.Philox(key=_OWN_STREAM + library))
    known = np.array([_chain(alpha, m, rng) for _ in range(chains)])
    known.setflags(write=False)
    return known


def _chain(alpha: float, m: int, rng: np.random.Generator) -> Floats:
    return np.array([dirichlet(alpha, m, rng) for _ in range(m)])


def _walk(length: int, rng: np.random.Generator, rows: Floats) -> Ints:
    m = len(rows)
    thresholds = cumulative(rows).tolist()
    walked = integers_below(m, min(length, 1), rng).tolist()
    for u in uniforms(max(length - 1, 0), rng).tolist():
        walked.append(bisect_right(thresholds[walked[-1]], u))
    return np.array(walked, np.int64)
