"""A library of hidden Markov models that differ in one part alone, and examples drawn from one of them.

In the manner of GINC (Xie et al. 2022) a hidden state is an entity and a
property. What every model shares is which letter a state emits and how entities
change; a model is a law of how properties change.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.errors import SpecError
from harness.prompts.draws import cumulative, dirichlet, integers_below, permutation, uniforms
from harness.types import Floats, Ints

_MOST_MODELS = 1000
_MOST_STATES = 1024  # entities times properties


@dataclass(frozen=True, slots=True, eq=False)
class HMMLibrary:
    """Models over the same entities, properties and letters."""

    emits: Ints  # (n_entities, n_properties), the letter of each state
    entities: Floats  # (n_entities, n_entities), rows: the law of the next entity
    properties: Floats  # (n_models, n_properties, n_properties), rows: the law of the next property

    @property
    def n_models(self) -> int:
        """Number of models."""
        return int(self.properties.shape[0])

    @property
    def n_letters(self) -> int:
        """Number of letters, each emitted by some state."""
        return int(self.emits.max()) + 1

    def sample(self, model: int, n: int, example_length: int, rng: np.random.Generator) -> Ints:
        """Return n symbols: examples of a model, each followed by the delimiter, the symbol after the letters.

        An example begins in a state uniform among all. Two uniform numbers a
        symbol, delimiters included: a longer draw starts with the shorter.
        """
        n_entities, n_properties = self.emits.shape
        rows_v = np.concatenate([cumulative(self.entities), cumulative(np.ones((1, n_entities)))])
        rows_s = np.concatenate([cumulative(self.properties[model]), cumulative(np.ones((1, n_properties)))])
        v = s = -1  # the last row, that of an example's beginning
        drawn = np.empty(n, np.int64)
        for t, (u, w) in enumerate(uniforms(2 * n, rng).reshape(n, 2).tolist()):
            if t % (example_length + 1) == example_length:
                drawn[t], v, s = self.n_letters, -1, -1
                continue
            v = int(np.searchsorted(rows_v[v], u, side="right"))
            s = int(np.searchsorted(rows_s[s], w, side="right"))
            drawn[t] = self.emits[v, s]
        return drawn


@lru_cache(maxsize=16)
def hmm_library(
    seed: int,
    *,
    n_models: int,
    n_entities: int,
    n_properties: int,
    n_letters: int,
    stay: float,
    alpha: float,
) -> HMMLibrary:
    """Return the library of a seed, the same on every machine.

    Each letter is emitted by at least one state, and every further state emits a
    uniform letter. An entity stays with probability `stay` and else is drawn anew
    among all. The rows of each model's law of properties are drawn from the
    symmetric Dirichlet(alpha): the smaller it is, the more models differ.

    Raises SpecError for a size or probability out of range.
    """
    n_states = n_entities * n_properties
    if not 0 <= seed < 2**64:
        raise SpecError(f"library={seed!r} is a seed and must be in 0..2**64 - 1")
    if not 1 <= n_models <= _MOST_MODELS:
        raise SpecError(f"n_models={n_models!r} must be in 1..{_MOST_MODELS}")
    if not (n_entities >= 1 and n_properties >= 2 and n_letters <= n_states <= _MOST_STATES):
        raise SpecError(
            f"n_entities={n_entities!r} must be at least 1, n_properties={n_properties!r} at least 2, and their "
            f"product in {n_letters} (the number of letters) .. {_MOST_STATES}"
        )
    if not 0 <= stay <= 1:
        raise SpecError(f"stay={stay!r} must be in 0..1")
    if not (alpha > 0 and math.isfinite(alpha)):
        raise SpecError(f"alpha={alpha!r} must be finite and > 0")
    rng = np.random.Generator(np.random.Philox(key=seed))
    letters = np.concatenate([np.arange(n_letters), integers_below(n_letters, n_states - n_letters, rng)])
    emits = letters[permutation(n_states, rng)].reshape(n_entities, n_properties)
    entities = stay * np.eye(n_entities) + (1 - stay) / n_entities
    rows = [dirichlet(alpha, n_properties, rng) for _ in range(n_models * n_properties)]
    return HMMLibrary(emits, entities, np.array(rows).reshape(n_models, n_properties, n_properties))
