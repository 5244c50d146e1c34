"""What an observer that is sure of its law says once a symbol has come that it held for impossible."""

import numpy as np

from harness.types import Floats, Ints


def unless_refuted(law: Floats, symbols: Ints, otherwise: Floats) -> Floats:
    """Return `law` up to and with the first symbol it gives probability 0, and `otherwise` after it.

    Both have shape (length + 1, n_symbols). A row of `law` that is NaN counts as refuted too.
    """
    given = law[np.arange(symbols.size), symbols]
    refuted = np.concatenate([[False], np.cumsum(~(given > 0)) > 0]) | np.isnan(law).any(axis=1)
    return np.where(refuted[:, None], otherwise, law)
