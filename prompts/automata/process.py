"""Hidden Markov processes that emit on their edges, and the entropy of what they emit."""

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata.perron import high_power
from harness.prompts.draws import cumulative, uniforms
from harness.types import Floats, Ints

_MOST_WORDS = 2**21  # of the longest block whose entropy is summed word by word


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """A stationary process: T[a, i, j] is the probability to emit symbol a and go to state j, in state i."""

    T: Floats  # (n_symbols, n_states, n_states); T.sum(axis=(0, 2)) is 1
    stationary: Floats = field(init=False)  # (n_states,), probabilities of the states when nothing is known

    def __post_init__(self) -> None:
        T = np.array(self.T, np.float64)
        if T.ndim != 3 or T.shape[1] != T.shape[2] or 0 in T.shape:
            raise SpecError(f"a process has T of shape (n_symbols, n_states, n_states), not {T.shape}")
        if not ((T >= 0).all() and np.allclose(T.sum(axis=(0, 2)), 1, rtol=0, atol=1e-9)):
            raise SpecError(
                f"what leaves each state of a process must be >= 0 and sum to 1; sums are {T.sum(axis=(0, 2)).tolist()}"
            )
        T.setflags(write=False)
        object.__setattr__(self, "T", T)
        limit = high_power(T.sum(axis=0))
        if not (limit > 0).all():
            raise SpecError(
                "every state of a process must be reached from every state; this one has no single law"
            )
        stationary = limit.sum(axis=0) / limit.sum()
        stationary.setflags(write=False)
        object.__setattr__(self, "stationary", stationary)

    @property
    def n_symbols(self) -> int:
        """Number of symbols."""
        return int(self.T.shape[0])

    @property
    def n_states(self) -> int:
        """Number of hidden states."""
        return int(self.T.shape[1])

    @property
    def unifilar(self) -> bool:
        """Whether state and symbol determine the next state."""
        return bool(((self.T > 0).sum(axis=2) <= 1).all())

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return n symbols and the n + 1 states around them, from the stationary law.

        One uniform number for the first state and one a symbol: a longer draw
        starts with the shorter.
        """
        if n < 0:
            raise SpecError(f"length={n!r} must be >= 0")
        # of each state, symbols outside
        edges = cumulative(self.T.transpose(1, 0, 2).reshape(self.n_states, -1)).tolist()
        first, *drawn = uniforms(n + 1, rng).tolist()
        states, symbols = [bisect_right(cumulative(self.stationary).tolist(), first)], []
        for u in drawn:
            symbol, state = divmod(bisect_right(edges[states[-1]], u), self.n_states)
            symbols.append(symbol)
            states.append(state)
        return np.array(symbols, np.int64), np.array(states, np.int64)

    def entropy_rate(self) -> float:
        """Return the entropy rate of a unifilar process in bits a symbol (Shannon 1948, theorem 5)."""
        if not self.unifilar:
            raise SpecError("only a unifilar process has its entropy rate in closed form; use entropy_bounds")
        return float(self.stationary @ _entropy(self.T.sum(axis=2).T))

    def entropy_bounds(self, length: int) -> tuple[float, float]:
        """Return bounds of the entropy rate in bits a symbol, which close in on it as `length` grows.

        Above H(X_length | symbols before it), below the same given the first
        hidden state too (Cover & Thomas 2006, theorem 4.5.1). Sums over all
        words from every state: n_states * n_symbols**length may be at most 2**21.
        """
        pi = self.stationary
        below = self._last_entropies(length, np.diag(pi))
        return float(below[-1]), float(self.myopic_entropies(length)[-1])

    def myopic_entropies(self, length: int) -> Floats:
        """Return h(L) = H(X_1..X_L) - H(X_1..X_L-1) in bits for L = 1..length.

        This is the mean loss at context length L - 1 of an observer who knows the process.
        """
        return self._last_entropies(length, self.stationary[None])

    def _last_entropies(self, length: int, start: Floats) -> Floats:
        """Return H(X_L | symbols before, the row they began in) for L = 1..length.

        Rows of `start` (n_rows, n_states) are joint probabilities of the row and the first state.
        """
        if length < 1 or self.n_symbols**length * len(start) > _MOST_WORDS:
            raise SpecError(
                f"length={length!r}: at least 1, and {len(start)} * {self.n_symbols}**length words "
                f"must be at most {_MOST_WORDS}"
            )
        joint = start  # of each possible word and the state after it
        entropies = []
        for _ in range(length):
            after = np.einsum("wi,aij->waj", joint, self.T)
            weight = joint.sum(axis=1)
            entropies.append(float(weight @ _entropy(after.sum(axis=2) / weight[:, None])))
            joint = after.reshape(-1, self.n_states)
            joint = joint[joint.sum(axis=1) > 0]
        return np.array(entropies)


def _entropy(law: Floats) -> Floats:
    """Return the entropy of each row in bits."""
    return np.asarray(-np.sum(law * np.log2(np.where(law > 0, law, 1.0)), axis=-1))
