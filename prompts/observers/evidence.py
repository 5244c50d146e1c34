"""Whether a sequence comes from an observer's family or is random, by what the observer gave to what came."""

import numpy as np

from harness.errors import SpecError
from harness.types import Floats, Ints


def against_random(symbols: Ints, law: Floats, *, prior: float = 0.5) -> Floats:
    """Return the posterior that the first n symbols come from a family rather than from fair symbols.

    An ideal observer predicts by Bayes' rule, so that the product of what it
    gave to the symbols that came is the evidence of its family. `law` is that
    observer's, shape (length + 1, n_symbols); the other hypothesis is fair
    independent symbols, n_symbols^-n; `prior` is the family's. Shape (length + 1,).
    """
    if not 0 < prior < 1:
        raise SpecError(f"observer against_random: prior={prior!r} must be above 0 and below 1")
    given = law[np.arange(symbols.size), symbols]
    with np.errstate(divide="ignore"):
        log_odds = np.concatenate([[0.0], np.cumsum(np.log(given * law.shape[1]))])
    log_odds = np.clip(log_odds + np.log(prior / (1 - prior)), -700, 700)
    return np.asarray(1 / (1 + np.exp(-log_odds)))
