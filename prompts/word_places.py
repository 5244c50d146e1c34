"""Laws of the letters of a word by its place and the state it is in, from what whole words weigh.

G_t(q) is what all words weigh together that are in state q after t letters, one
such beginning taken alone: the weight f_t of a word of t letters if q accepts,
and the sum of G_(t+1) over the states that follow. p(a | t, q) is the share of
one of these in G_t(q). A stream asks for few places and weights again and
again, so that a table of them is the work of one word and serves thousands.
"""

import numpy as np

from harness.types import Bools, Floats, Ints

KEPT = 1024  # tables that a cache may hold ..
_LARGEST_KEPT = 2**13  # .. of at most so many entries each, 64 MB in all, ..
_MOST_SIZES = 2**10  # .. made from the weights of so many sizes
_STEP = 16  # places are counted in steps of so many, so that words of most lengths share a table


def n_places(n_letters: int) -> int:
    """Return the places of a table that serves a word of so many letters and all that are hardly longer."""
    return -(-(n_letters + 1) // _STEP) * _STEP


def is_small(n_entries: int, log_weights: Floats) -> bool:
    """Return whether a table of so many entries, from these weights of each size, is to be kept."""
    return n_entries <= _LARGEST_KEPT and log_weights.size <= _MOST_SIZES


def one_place_less(log_after: Floats, table: Ints, log_ends: Floats) -> Floats:
    """Return log G_t (n_states,) from log G_(t+1), and from the log weight of a word that ends in each state."""
    return np.logaddexp(np.logaddexp.reduce(log_after[table], axis=1), log_ends)


def place_laws(table: Ints, accepting: Bools, log_found: Floats, log_last: Floats) -> tuple[Floats, Floats]:
    """Return the law of the next letter in every place and state, its last column the end, and log G.

    `table` (n_states, n_letters) says which state follows, `log_found`
    (n_places, n_states), or 1 for all states, is log f_t for t = 0, 1, .. and
    `log_last` (n_states,) is log G behind them. Shapes (n_places, n_states, n_letters + 1), all 0 where nothing
    goes on, and (n_places, n_states).
    """
    log_ends = np.where(accepting, log_found, -np.inf)
    log_g = np.empty((len(log_found) + 1, len(table)))
    log_g[-1] = log_last
    for t in range(len(log_found) - 1, -1, -1):
        log_g[t] = one_place_less(log_g[t + 1], table, log_ends[t])
    log_p = np.concatenate([log_g[1:][:, table], log_ends[:, :, None]], axis=2)
    here = log_g[:-1, :, None]
    log_p -= np.where(np.isfinite(here), here, 0.0)
    laws = np.exp(log_p, out=log_p)
    laws.setflags(write=False)
    return laws, log_g[:-1]
