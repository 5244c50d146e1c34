"""The observer of symbols whose probabilities change at unknown moments."""

import numpy as np

from harness.errors import SpecError
from harness.prompts.observers.counts import counts, prior_weight
from harness.types import Floats, Ints


def change_point(symbols: Ints, n_symbols: int, *, hazard: float, alpha: float = 0.5) -> Floats:
    """Predict i.i.d. symbols whose probabilities are drawn anew from Dirichlet(alpha) now and then.

    Before each symbol but the first the probabilities change with probability
    `hazard` in 0..1, independently. The law is exact: the mean over all moments
    of the last change under their posterior, by the run-length filter of Adams &
    MacKay (2007). Hazard 0 is `dirichlet`, hazard 1 is uniform. Time
    grows with the square of the length.
    """
    if not 0 <= hazard <= 1:
        raise SpecError(f"observer change_point: hazard={hazard!r} must be in 0..1")
    prior = prior_weight("change_point", alpha)
    size = symbols.size
    seen = counts(symbols, n_symbols).T
    per_run = 1 / (np.arange(size + 1) + n_symbols * prior)  # by the number of symbols since the change
    weight = np.zeros(size + 1)  # of the last change having been just before symbol s; sums to 1
    weight[0] = 1
    law = np.empty((size + 1, n_symbols))
    for n in range(size + 1):
        since = weight[: n + 1]
        laws = (seen[:, n, None] - seen[:, : n + 1] + prior) * per_run[n::-1]
        law[n] = laws @ since
        if n < size:
            since *= laws[symbols[n]] * ((1 - hazard) / law[n, symbols[n]])
            weight[n + 1] = hazard
    return np.asarray(law / law.sum(axis=1, keepdims=True))
