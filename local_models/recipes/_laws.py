"""Vectorised sampling of symbol sequences: each function draws a batch of independent sequences.

Sequences are indices into an alphabet, shape (batch, length).
"""

import numpy as np

from harness.types import Floats, Ints

Rng = np.random.Generator


def iid(rng: Rng, batch: int, length: int, *, n_symbols: int, concentration: float) -> Ints:
    """Draw i.i.d. symbols whose probabilities are Dirichlet(`concentration`) in each sequence.

    At 1 and two symbols p is uniform and the posterior mean is Laplace's rule; at
    1/2 the ideal predictor is that of Krichevsky and Trofimov (1981), the
    unigram observer controls are judged against.
    """
    p = rng.dirichlet(np.full(n_symbols, concentration), size=batch)
    return _inverse_cdf(p[:, None, :], rng.random((batch, length)))


def markov(rng: Rng, batch: int, length: int, *, n_symbols: int) -> Ints:
    """Draw first-order Markov chains whose rows are Dirichlet(1) in each sequence."""
    rows = rng.dirichlet(np.ones(n_symbols), size=(batch, n_symbols))
    follow = np.broadcast_to(np.arange(n_symbols), rows.shape)
    return _automata(rng, rows, follow, length)


def walks(rng: Rng, rows: Floats, length: int) -> Ints:
    """Draw a first-order Markov chain for each matrix of `rows`, (batch, n_symbols, n_symbols); it starts uniformly."""
    each = np.arange(len(rows))
    uniform = rng.random((length, len(rows)))
    out = np.empty((len(rows), length), dtype=np.int64)
    for t in range(length):
        law = rows[each, out[:, t - 1]] if t else np.full(rows.shape[:2], 1 / rows.shape[1])
        out[:, t] = _inverse_cdf(law, uniform[t])
    return out


def automata(rng: Rng, batch: int, length: int, *, n_symbols: int, max_states: int) -> Ints:
    """Draw from random probabilistic automata of 2 to `max_states` states.

    A state emits by a Dirichlet(1/2) row (often nearly deterministic) and the
    state and the symbol together decide the next state.
    """
    rows = rng.dirichlet(np.full(n_symbols, 0.5), size=(batch, max_states))
    n_states = rng.integers(2, max_states, size=(batch, 1, 1), endpoint=True)
    follow = (rng.random(rows.shape) * n_states).astype(np.int64)
    return _automata(rng, rows, follow, length)


def periodic(rng: Rng, batch: int, length: int, words: list[Ints]) -> Ints:
    """Repeat a pattern: the period is uniform over `words`, the pattern uniform over its rows."""
    table = np.zeros((len(words), max(len(w) for w in words), max(w.shape[1] for w in words)), np.int64)
    for row, w in zip(table, words, strict=True):
        row[: w.shape[0], : w.shape[1]] = w
    which = rng.integers(len(words), size=batch)
    pattern = (rng.random(batch) * np.array([len(w) for w in words])[which]).astype(np.int64)
    period = np.array([w.shape[1] for w in words])[which]
    phase = np.arange(length) % period[:, None]
    symbols: Ints = table[which[:, None], pattern[:, None], phase]
    return symbols


def periodic_distinct(rng: Rng, batch: int, length: int, *, n_symbols: int, periods: tuple[int, int]) -> Ints:
    """Repeat a pattern without a repeated symbol; the period is uniform between `periods`, ends included."""
    order = rng.permuted(np.broadcast_to(np.arange(n_symbols), (batch, n_symbols)), axis=1)
    period = rng.integers(*periods, size=(batch, 1), endpoint=True)
    return np.take_along_axis(order, np.arange(length) % period, axis=1)


def copies(
    rng: Rng, batch: int, length: int, *, n_symbols: int, lengths: tuple[int, int], max_gap: int
) -> Ints:
    """Repeat one random string again and again, random symbols filling gaps of random length.

    The string's length is uniform between `lengths` and each gap between 0 and
    `max_gap`, ends included. The distance between repeats varies, so that only
    content can tell what follows, not position.
    """
    out = rng.integers(n_symbols, size=(batch, length + lengths[1]))
    text = rng.integers(n_symbols, size=(batch, lengths[1]))
    size = rng.integers(*lengths, size=(batch, 1), endpoint=True)
    inside = np.arange(lengths[1]) < size
    row = np.broadcast_to(np.arange(batch)[:, None], inside.shape)
    start = rng.integers(max_gap, size=(batch, 1), endpoint=True)
    while (start < length).any():
        place = np.minimum(start, length) + np.arange(lengths[1])  # past the end: cut off below
        out[row[inside], place[inside]] = text[inside]
        start = start + size + rng.integers(max_gap, size=(batch, 1), endpoint=True)
    return out[:, :length]


def primitive_words(length: int, n_symbols: int) -> Ints:
    """Return all words of this length that are no repetition of a shorter one: (n_words, length)."""
    words = np.indices((n_symbols,) * length).reshape(length, -1).T
    divisors = [d for d in range(1, length) if length % d == 0]
    repeats = [np.all(words == np.roll(words, d, axis=1), axis=1) for d in divisors]
    return words[~np.any(repeats, axis=0)] if repeats else words


def _automata(rng: Rng, rows: Floats, follow: Ints, length: int) -> Ints:
    batch = len(rows)
    each = np.arange(batch)
    state = rng.integers(min(2, rows.shape[1]), size=batch)
    uniform = rng.random((length, batch))
    out = np.empty((batch, length), dtype=np.int64)
    for t in range(length):
        out[:, t] = _inverse_cdf(rows[each, state], uniform[t])
        state = follow[each, state, out[:, t]]
    return out


def _inverse_cdf(p: Floats, uniform: Floats) -> Ints:
    """Return the symbol of each uniform number; the last axis of `p` runs over symbols."""
    symbols: Ints = np.sum(uniform[..., None] > np.cumsum(p, axis=-1)[..., :-1], axis=-1)
    return symbols
