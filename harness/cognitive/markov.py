"""Bernoulli symbols and order-k Markov chains, fitted by counting."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from harness.cognitive.behaviour import Behaviour
from harness.cognitive.model import CognitiveModel, Law
from harness.cognitive.parameters import Parameter, probability
from harness.cognitive.search import Estimate
from harness.errors import SpecError
from harness.types import Floats, Ints

_MOST_ROWS = 2**16  # contexts a table is made for


@dataclass(frozen=True, slots=True)
class Markov(CognitiveModel):
    """A Markov chain of known order; order 0 is Bernoulli (categorical, with more than two symbols).

    The parameters are p(a | context) of all symbols but the last. Each is
    estimated as (count + 1/2) / (total + n_symbols / 2), after Krichevsky &
    Trofimov (1981), since the maximum of the likelihood holds whatever did not
    follow a context in training for impossible: one such symbol held out would
    cost infinity. In-sample this costs about 1/2 nat for each probability that
    is truly 0 or 1, and next to nothing otherwise. The first `order` symbols,
    which have no context, are uniform.
    """

    order: int
    n_symbols: int = 2

    def __post_init__(self) -> None:
        if self.order < 0 or self.n_symbols < 2 or self.n_symbols**self.order > _MOST_ROWS:
            raise SpecError(
                f"Markov(order={self.order!r}, n_symbols={self.n_symbols!r}): the order must be >= 0, with "
                f"two symbols or more and at most {_MOST_ROWS} contexts"
            )

    @property
    def name(self) -> str:
        """Bernoulli, or Markov with its order."""
        return f"markov {self.order}" if self.order else "bernoulli"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """One for each context and each symbol but the last; contexts in lexicographic order."""
        m, between = self.n_symbols, "" if self.n_symbols <= 10 else ","
        contexts = (between.join(map(str, c)) for c in product(range(m), repeat=self.order))
        return tuple(
            probability(f"p({a}|{context})" if context else f"p({a})")
            for context in contexts
            for a in range(m - 1)
        )

    def bind(self, symbols: Ints) -> Law:
        """Look up the row of each context."""
        code = self._contexts(symbols)

        def law(values: Floats) -> Floats:
            rows = values.reshape(-1, self.n_symbols - 1)
            rows = np.concatenate([rows, 1 - rows.sum(axis=1, keepdims=True)], axis=1)
            uniform = np.full((1, self.n_symbols), 1 / self.n_symbols)
            return np.asarray(np.concatenate([rows, uniform])[code])

        return law

    def estimate(self, behaviour: Behaviour) -> Estimate:
        """Count what followed each context."""
        count = self._counts(behaviour).sum(axis=0)
        rows = (count + 0.5) / (count.sum(axis=1, keepdims=True) + 0.5 * self.n_symbols)
        return Estimate(rows[:, :-1].ravel(), converged=True, profile={})

    def standard_errors(self, behaviour: Behaviour, values: Floats) -> Floats:
        """Return the sandwich errors in closed form: residuals of sequences over the count of the context."""
        count = self._counts(behaviour)
        n_sequences = len(count)
        if n_sequences < 2:
            return np.full(len(self.parameters), np.nan)
        total = count.sum(axis=2, keepdims=True)
        residual = count[:, :, :-1] - total * values.reshape(-1, self.n_symbols - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = (residual**2).sum(axis=0) / total.sum(axis=0) ** 2 * n_sequences / (n_sequences - 1)
        return np.asarray(np.sqrt(variance).ravel())

    def _contexts(self, symbols: Ints) -> Ints:
        """Return the row of each context: (n_sequences, length + 1); n_symbols^order where it is not full."""
        n_sequences, length = symbols.shape
        code = np.zeros((n_sequences, length + 1), np.int64)
        for back in range(1, self.order + 1):
            code[:, back:] += symbols[:, : length + 1 - back] * self.n_symbols ** (back - 1)
        code[:, : self.order] = self.n_symbols**self.order
        return code

    def _counts(self, behaviour: Behaviour) -> Floats:
        """Return what followed each full context: (n_sequences, n_contexts, n_symbols)."""
        n_sequences, n_rows = len(behaviour.symbols), self.n_symbols**self.order
        count = np.zeros((n_sequences, n_rows + 1, self.n_symbols))
        sequence = np.arange(n_sequences)[:, None]
        np.add.at(count, (sequence, self._contexts(behaviour.symbols)), behaviour.weight)
        return count[:, :n_rows]


def bernoulli(n_symbols: int = 2) -> Markov:
    """Return the model of independent symbols of unknown probabilities: p^k (1 - p)^(n - k), of a sequence."""
    return Markov(0, n_symbols)
