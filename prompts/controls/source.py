"""The sequence a control starts from, with the family that can be asked about other symbols or for another sequence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.prompts.family import Family
from harness.types import Floats, Ints, Params, Sequence


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A sequence as it was drawn: what a control changes."""

    sequence: Sequence
    family: Family
    params: Params  # those it was drawn with

    @property
    def symbols(self) -> Ints:
        """The symbols as drawn: shape (length,)."""
        return self.sequence.symbols

    @property
    def n_symbols(self) -> int:
        """Number of symbols of the alphabet."""
        return len(self.sequence.alphabet)

    def fresh(self, length: int, rng: np.random.Generator) -> Sequence:
        """Draw another sequence of the same family and parameters."""
        return self.family.sample(length, rng, **self.params)

    def observe(self, symbols: Ints) -> dict[str, Floats]:
        """Ask the family's observers about any symbols: each (symbols.size + 1, n_symbols)."""
        return self.family.observe(symbols, self.sequence.alphabet, **self.params)

    def observe_from(self, start: int, symbols: Ints) -> dict[str, Floats]:
        """Ask observers that know the first `start` symbols to be noise: their first `start` rows are uniform."""
        seen = self.observe(symbols[start:])
        return {name: self.after_noise(start, rows, symbols.size) for name, rows in seen.items()}

    def after_noise(self, start: int, rows: Floats, length: int) -> Floats:
        """Return a table (length + 1, n_symbols): `start` uniform rows, then those of the given that fit."""
        noise = np.full((start, self.n_symbols), 1 / self.n_symbols)
        return np.concatenate([noise, rows])[: length + 1]

    def become(
        self, symbols: Ints, law: Floats, observers: Mapping[str, Floats], *, answers: Ints | None = None
    ) -> Sequence:
        """Return the sequence with other symbols, their law, what is said of them and where answers still stand."""
        return replace(self.sequence, symbols=symbols, law=law, observers=observers, answers=answers)
