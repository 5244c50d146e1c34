"""The observer of a Markov chain of known order whose transition probabilities are not known."""

import numpy as np

from harness.errors import SpecError
from harness.prompts.observers.contexts import followers
from harness.prompts.observers.counts import prior_weight
from harness.types import Floats, Ints


def markov(symbols: Ints, n_symbols: int, *, order: int, alpha: float) -> Floats:
    """Predict a Markov chain of known order whose rows have prior Dirichlet(alpha).

    p(a | context c) = (count_ca + alpha) / (count_c + n_symbols * alpha); the
    first `order` symbols, which have no context, are uniform.
    """
    if order < 0:
        raise SpecError(f"observer markov: order={order!r} must be >= 0")
    weights = followers(symbols, n_symbols, order=order) + prior_weight("markov", alpha)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
