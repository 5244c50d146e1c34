"""Observers that count k-grams: what followed the last k - 1 symbols where they stood before.

They differ in what they say of a context not seen yet: `ngram` nothing, `backoff`
what it says of a shorter one, `witten_bell` a mean over contexts of all lengths.
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts.observers.contexts import contexts, one_hot
from harness.prompts.observers.counts import prior_weight
from harness.prompts.observers.markov import markov
from harness.types import Floats, Ints


def ngram(symbols: Ints, n_symbols: int, *, k: int, alpha: float = 0.5) -> Floats:
    """Predict from the counts after the last k - 1 symbols, k >= 1, with alpha added to each.

    p(a | context c) = (count_ca + alpha) / (count_c + n_symbols * alpha). With 1/2
    it is the Krichevsky-Trofimov estimator in each context; the 1-gram is `kt`.
    A context not seen before is uniform, and so are the first k - 1 symbols.
    It is `markov` of order k - 1, the ideal observer of a chain whose rows have
    prior Dirichlet(alpha).
    """
    _check("ngram", k)
    return markov(symbols, n_symbols, order=k - 1, alpha=prior_weight("ngram", alpha))


def backoff(symbols: Ints, n_symbols: int, *, k: int, alpha: float = 1.0) -> Floats:
    """Predict as `ngram` does, from the longest context of at most k - 1 symbols that was seen before.

    Alpha 1 is add-one smoothing. Before the first symbol the law is uniform.
    """
    _check("backoff", k)
    prior = prior_weight("backoff", alpha)
    best = np.zeros((symbols.size + 1, n_symbols))
    for seen in _followers_by_order(symbols, n_symbols, k):
        best = np.where(seen.any(axis=1, keepdims=True), seen, best)
    weights = best + prior
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def witten_bell(symbols: Ints, n_symbols: int, *, k: int) -> Floats:
    """Predict by k-grams interpolated as Witten & Bell (1991) do it (their method C).

    p_j(a | c) = (count_ca + T_c p_(j-1)(a | c')) / (count_c + T_c), where T_c is
    the number of different symbols seen after the j - 1 symbols c, c' is c without
    its oldest symbol and p_0 is uniform. Where c was never seen, p_j is p_(j-1).
    """
    _check("witten_bell", k)
    law = np.full((symbols.size + 1, n_symbols), 1 / n_symbols)
    for seen in _followers_by_order(symbols, n_symbols, k):
        kinds = np.count_nonzero(seen, axis=1)[:, None]
        weight = np.where(kinds > 0, kinds, 1)  # a context never seen: all of the shorter one's law
        law = (seen + weight * law) / (seen.sum(axis=1, keepdims=True) + weight)
    return law


def _followers_by_order(symbols: Ints, n_symbols: int, k: int) -> list[Floats]:
    """Return the counts after the last 0, 1, .. k - 1 symbols."""
    hot = one_hot(symbols[None], n_symbols)
    nothing = np.empty(0, np.int64)
    return [c.earlier(hot)[0] for c in contexts(symbols[None], n_symbols, deepest=k - 1, past=nothing)]


def _check(observer: str, k: int) -> None:
    if k < 1:
        raise SpecError(f"observer {observer}: k={k!r} must be at least 1")
