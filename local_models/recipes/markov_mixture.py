"""Chains of a known library: looked up or learned anew, from bigrams or unigrams (Park et al. 2025).

Competition Dynamics (arXiv 2412.01003) finds four algorithms that take turns as
training, context and the number of chains grow. It is the task family
`chain_mixture`, library 0, with symbols a to f.
"""

import numpy as np

from harness.errors import SpecError
from harness.local_models.recipe import BOS, Batch, Recipe
from harness.local_models.recipes import _laws as laws
from harness.local_models.recipes._chain_algorithms import Measured
from harness.local_models.training_loop import log_steps
from harness.types import Floats, Ints

SYMBOLS = "abcdef"
LENGTH = 128
_LAW = """\
Every sequence is BOS and {length} symbols of one first-order Markov chain over `{symbols}`, the first uniform. The
chain is one of a library of {chains}, all equally likely, whose rows were drawn once from Dirichlet(1): library 0 of
the task family `chain_mixture`. All symbols count in the loss.
"""
_OWN_STREAM = 1 << 64  # as in the family, whose library 0 this is
_MOST_CHAINS = 4096  # likewise
_STEPS = 1600  # two CPU minutes: lookup of 4 and 16 chains is learned by then, of 64 hardly
_FIRST = 16
_LONGEST = 160_000  # of a longer run, whose first checkpoints are at the same steps


def recipe(*, chains: int = 16, steps: int = _STEPS) -> Recipe:
    """Return the recipe for a library of so many chains, 1 to 4096, and so many steps, 17 to 160,000.

    More chains take longer to be learned; however many steps there are, checkpoints are at the same ones.
    """
    known = library(chains)
    if not _FIRST < steps <= _LONGEST:
        raise SpecError(f"recipe 'markov-mixture': steps={steps!r} must be in {_FIRST + 1}..{_LONGEST}")
    spaced = log_steps(_FIRST, _LONGEST, per_octave=3)

    def sample_batch(rng: np.random.Generator, batch: int) -> Batch:
        which = rng.integers(chains, size=batch)
        drawn = laws.walks(rng, known[which], LENGTH)
        return Batch(tokens(drawn), np.ones(drawn.shape, dtype=np.bool_))

    return Recipe(
        name=f"markov-mixture?chains={chains}" + (f"&steps={steps}" if steps != _STEPS else ""),
        law=_LAW.format(length=LENGTH, symbols=" ".join(SYMBOLS), chains=chains),
        symbols=SYMBOLS,
        sample_batch=sample_batch,
        measure=Measured(known, LENGTH, tokens),
        positions=LENGTH + 1,
        layers=2,
        width=48,
        heads=4,
        steps=steps,
        checkpoints=tuple(step for step in spaced if step < steps),
        columns=(
            "columns are context lengths. KL is that of the algorithm from the model, in nats, the symbols "
            "renormalised"
        ),
    )


def library(chains: int) -> Floats:
    """Return the first `chains` chains of library 0: (chains, 6, 6), rows are laws. Raises SpecError."""
    if not 1 <= chains <= _MOST_CHAINS:
        raise SpecError(f"recipe 'markov-mixture': chains={chains!r} must be in 1..{_MOST_CHAINS}")
    m = len(SYMBOLS)
    raw = np.random.Philox(key=_OWN_STREAM).random_raw(chains * m * (m - 1))
    uniform = (raw >> np.uint64(11)) * np.float64(2**-53)
    cuts = np.sort(uniform.reshape(chains, m, m - 1))  # their spacings are Dirichlet(1)
    return np.diff(cuts, prepend=0.0, append=1.0)


def tokens(sequences: Ints) -> Ints:
    """Return sequences, indices into SYMBOLS, as tokens, BOS first."""
    return np.hstack([np.full((len(sequences), 1), BOS), 2 + sequences])
