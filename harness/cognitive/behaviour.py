"""What a model did along sequences, in the one form that cognitive models are fitted to."""

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from harness.errors import SpecError
from harness.types import Floats, Ints

_ROUNDING = 1e-6  # how far from 1 a law may sum that went through 32-bit floats or printed text


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """Sequences, and what the model put on each next symbol.

    Row n of `weight` is about symbol n (0-based), given the n symbols before it:
    1 on the symbol that was generated, how often each was drawn there, or the
    model's whole predictive law. A row of zeros is not scored.
    """

    symbols: Ints  # (n_sequences, length); after an early end any symbol stands, unscored
    weight: Floats  # (n_sequences, length + 1, n_symbols)

    @property
    def n_symbols(self) -> int:
        """Size of the alphabet."""
        return int(self.weight.shape[2])

    @property
    def n_scored(self) -> Floats:
        """Number of scored symbols of each sequence: shape (n_sequences,)."""
        return np.asarray(self.weight.sum(axis=(1, 2)))

    @property
    def entropy(self) -> float:
        """Mean entropy of the scored rows in nats: the least log-loss any law can have here.

        It is 0 for generated symbols, of which no law is known. Of counts it is
        that of their shares, which is below the entropy of the law they were drawn from.
        """
        row = self.weight.sum(axis=2, keepdims=True)
        share = self.weight / np.where(row > 0, row, 1)
        return float(-xlogy(self.weight, share).sum() / self.n_scored.sum())

    def log_likelihood(self, law: Floats) -> Floats:
        """Return the log-likelihood of each sequence under a law of the shape of `weight`, in nats."""
        return np.asarray(xlogy(self.weight, law).sum(axis=(1, 2)))

    def part(self, sequences: Ints) -> "Behaviour":
        """Return some of the sequences, by index."""
        return Behaviour(self.symbols[sequences], self.weight[sequences])


def generated(symbols: Ints, n_symbols: int, *, given: int) -> Behaviour:
    """Take sequences that the model generated: shape (n_sequences, length).

    A sequence that ended early is filled up with -1. The first `given` symbols
    were in the prompt, or belong to no model's context yet: they are context and
    not scored. Give at least the order of the largest Markov chain that will be
    compared, so that every model is asked for the same symbols with full context.
    """
    symbols = np.asarray(symbols, np.int64)
    if symbols.ndim != 2 or symbols.size == 0:
        raise SpecError(f"symbols of shape {symbols.shape} must be (n_sequences, length), none of them 0")
    ended = symbols < 0
    if np.any(symbols < -1) or np.any(symbols >= n_symbols) or np.any(ended[:, :-1] & ~ended[:, 1:]):
        raise SpecError(f"symbols must be in 0..{n_symbols - 1}, with -1 only after the end of a sequence")
    weight = np.zeros((*symbols.shape, n_symbols))
    np.put_along_axis(weight, np.maximum(symbols, 0)[..., None], 1, axis=2)
    weight[ended] = 0
    unscored = np.zeros((len(symbols), 1, n_symbols))  # after the last symbol nothing was generated
    return _behaviour(np.maximum(symbols, 0), np.concatenate([weight, unscored], axis=1), given)


def predicted(symbols: Ints, law: Floats, *, given: int) -> Behaviour:
    """Take the laws that the model predicted along given sequences, of shape (n_sequences, length).

    `law` has shape (n_sequences, length + 1, n_symbols), renormalised over the
    symbols; a row of NaN was not measured. Rows before `given` are not scored.
    Each row counts as one symbol of fractional outcome, so that the
    log-likelihood is what symbols drawn from the rows would have on average.
    """
    symbols, law = np.asarray(symbols, np.int64), np.asarray(law, np.float64)
    _check_rows("law", symbols, law.shape)
    return _behaviour(symbols, rows_of_law(law, "law"), given)


def counted(symbols: Ints, counts: Ints, *, given: int) -> Behaviour:
    """Take how often the model drew each symbol along given sequences, of shape (n_sequences, length).

    `counts` has shape (n_sequences, length + 1, n_symbols), a row of zeros where
    nothing was drawn. Rows before `given` are not scored. Each draw counts as
    one symbol; what is drawn is not context of what is drawn later.
    """
    symbols, counts = np.asarray(symbols, np.int64), np.asarray(counts, np.int64)
    _check_rows("counts", symbols, counts.shape)
    if np.any(counts < 0):
        raise SpecError("counts must be >= 0 in every row")
    return _behaviour(symbols, counts.astype(np.float64), given)


def rows_of_law(law: Floats, what: str) -> Floats:
    """Return laws scaled to sum to exactly 1 on the last axis, 0 where a row is NaN.

    Raises SpecError for a row that is no law.
    """
    missing = np.isnan(law).any(axis=-1, keepdims=True)
    present = np.where(missing, 0, law)
    total = present.sum(axis=-1, keepdims=True)
    if np.any(present < 0) or np.any(np.abs(np.where(missing, 0, total - 1)) > _ROUNDING):
        raise SpecError(f"{what}: every row must be >= 0 and sum to 1, or be NaN where nothing was measured")
    return np.asarray(present / np.where(missing, 1, total))


def _check_rows(what: str, symbols: Ints, shape: tuple[int, ...]) -> None:
    if symbols.ndim != 2 or len(shape) != 3 or shape[:2] != (len(symbols), symbols.shape[1] + 1):
        raise SpecError(
            f"{what} of shape {shape} must be (n_sequences, length + 1, n_symbols) "
            f"for symbols of shape {symbols.shape}"
        )
    if np.any(symbols < 0) or np.any(symbols >= shape[2]):
        raise SpecError(f"symbols must be in 0..{shape[2] - 1}, the last axis of the {what}")


def _behaviour(symbols: Ints, weight: Floats, given: int) -> Behaviour:
    if given < 0:
        raise SpecError(f"given={given!r} must be >= 0")
    weight[:, :given] = 0
    if not weight.any():
        raise SpecError(
            f"no symbol is scored: given={given!r} of {symbols.shape[1]}, or all rows are missing"
        )
    return Behaviour(symbols, weight)
