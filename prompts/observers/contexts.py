"""Rows grouped by their context, the symbols just before them: what k-gram and context-tree observers count by.

Arrays are batches of sequences of one length, one a row, so that one sorting
serves all of them and no loop runs over symbols.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.types import Floats, Ints

_LARGEST_CODE = 2**62  # codes are int64; one more symbol must still fit
_RADIX = 2**16  # numpy sorts 16-bit integers in linear time


@dataclass(frozen=True, slots=True)
class Contexts:
    """The rows 0..length of each sequence sorted by context, and within a context by time."""

    _rows: Ints  # (n_sequences, length + 1), places in the flattened batch
    _first: Ints  # (n_sequences, length + 1), the place in sorted order where the context of each begins

    def earlier(self, values: Floats) -> Floats:
        """Return, for each row, the sum of `values` over the rows before it that have its context.

        `values` has shape (n_sequences, length + 1, width), and so has the sum.
        """
        flat = values.reshape(-1, values.shape[2])
        ordered = flat[self._rows]
        before = np.zeros_like(ordered)
        np.cumsum(ordered[:, :-1], axis=1, out=before[:, 1:])
        before -= before.reshape(flat.shape)[self._first]
        sums = np.empty_like(flat)
        sums[self._rows] = before
        return np.asarray(sums.reshape(values.shape))


def contexts(symbols: Ints, n_symbols: int, *, deepest: int, past: Ints) -> Iterator[Contexts]:
    """Yield the contexts of 0, 1, .. `deepest` symbols of a batch of shape (n_sequences, length).

    `past` (n_past,) stands before each sequence. A context that reaches beyond
    what is known is like no other: its row is alone.
    """
    n_sequences, length = symbols.shape
    past = past[max(past.size - deepest, 0) :]
    known = np.concatenate([np.broadcast_to(past, (n_sequences, past.size)), symbols], axis=1)
    codes, n_codes = np.zeros((n_sequences, length + 1), np.int64), 1
    yield grouped(codes, n_codes)
    for order in range(1, deepest + 1):
        if n_codes * n_symbols + length >= _LARGEST_CODE:
            found, codes = np.unique(codes, return_inverse=True)
            codes, n_codes = codes.reshape(n_sequences, length + 1), found.size
        unknown = min(max(order - past.size, 0), length + 1)  # rows whose context is not all known
        start = past.size + unknown - order
        codes = codes * n_symbols
        codes[:, unknown:] += known[:, start : start + length + 1 - unknown]
        n_codes *= n_symbols
        codes[:, :unknown] = n_codes + np.arange(unknown)
        yield grouped(codes, n_codes + unknown)


def followers(symbols: Ints, n_symbols: int, *, order: int) -> Floats:
    """Count what followed the last `order` symbols where they stood before: shape (length + 1, n_symbols)."""
    *_, last = contexts(symbols[None], n_symbols, deepest=order, past=np.empty(0, np.int64))
    return np.asarray(last.earlier(one_hot(symbols[None], n_symbols))[0])


def one_hot(symbols: Ints, n_symbols: int) -> Floats:
    """Return 1 where a row's symbol stands: (n_sequences, length + 1, n_symbols); the last row is 0."""
    n_sequences, length = symbols.shape
    hot = np.zeros((n_sequences, length + 1, n_symbols))
    np.put_along_axis(hot[:, :length], symbols[..., None], 1, axis=2)
    return hot


def grouped(codes: Ints, n_codes: int) -> Contexts:
    """Group the rows of each sequence by a code in 0..n_codes - 1: (n_sequences, n_rows)."""
    n_sequences, n_rows = codes.shape
    keys = codes.astype(np.uint16) if n_codes <= _RADIX else codes
    sequence = np.arange(n_sequences)[:, None] * n_rows
    rows = np.argsort(keys, axis=1, kind="stable") + sequence
    ordered = keys.reshape(-1)[rows]
    first = np.zeros((n_sequences, n_rows), np.int64)
    changed = ordered[:, 1:] != ordered[:, :-1]
    first[:, 1:] = np.maximum.accumulate(np.where(changed, np.arange(1, n_rows), 0), axis=1)
    return Contexts(rows, first + sequence)
