"""Observers who know a library of hidden Markov models and the length of an example, exact by the forward algorithm."""

from typing import NamedTuple

import numpy as np

from harness.prompts.hmm_library import HMMLibrary
from harness.types import Floats, Ints


class Evidence(NamedTuple):
    """What each model says of any symbols, its examples being independent of each other."""

    laws: Floats  # (n_models, length + 1, n_symbols), of the next symbol given the example so far
    gains: Floats  # (n_models, length), log P(symbol | model, example so far); 0 where all models lack it


def evidence(symbols: Ints, library: HMMLibrary, *, example_length: int) -> Evidence:
    """Run the forward algorithm of every model over every example.

    The place decides where the delimiter stands. A symbol that cannot stand
    where it does, a delimiter or a letter in the wrong place, says nothing: the
    belief goes on as if it had not been seen. So does that of a model that alone
    has no such letter there, after the model has lost all weight.
    """
    n, period, n_letters = symbols.size, example_length + 1, library.n_letters
    n_examples = n // period + 1
    padded = np.full(n_examples * period, n_letters)
    padded[:n] = symbols
    seen = padded.reshape(n_examples, period)
    emitted = np.eye(n_letters)[library.emits]  # (n_entities, n_properties, n_letters)
    laws = np.zeros((library.n_models, n_examples, period, n_letters + 1))
    gains = np.zeros((library.n_models, n_examples, period))
    laws[:, :, example_length, n_letters] = 1
    belief = np.full((library.n_models, n_examples, *library.emits.shape), 1 / library.emits.size)
    for place in range(example_length):
        # one product an example: its bits must not depend on how many examples there are
        states = belief.reshape(library.n_models, n_examples, 1, -1)
        law = (states @ emitted.reshape(-1, n_letters))[:, :, 0]
        laws[:, :, place, :n_letters] = law / law.sum(axis=2, keepdims=True)
        told = np.flatnonzero(seen[:, place] < n_letters)
        letter = seen[told, place]
        p = laws[:, told, place, letter]
        with np.errstate(divide="ignore"):
            gains[:, told, place] = np.where(p.any(axis=0), np.log(p), 0)
        kept = belief[:, told] * np.moveaxis(emitted[:, :, letter], 2, 0)
        weight = law[:, told, letter][:, :, None, None]
        belief[:, told] = np.where(weight > 0, kept / np.where(weight > 0, weight, 1), belief[:, told])
        belief = library.entities.T @ (belief @ library.properties[:, None])
    flat = (library.n_models, n_examples * period)
    return Evidence(laws.reshape(*flat, n_letters + 1)[:, : n + 1], gains.reshape(flat)[:, :n])


def posterior(found: Evidence) -> Floats:
    """Predict by Bayes' rule over the models, equally probable at the start, from all symbols so far."""
    return _mixed(found.laws, np.cumsum(found.gains, axis=1))


def one_example(found: Evidence, *, example_length: int) -> Floats:
    """Predict by Bayes' rule over the models from the symbols of the current example alone."""
    n_models, n = found.gains.shape
    period = example_length + 1
    padded = np.zeros((n_models, (n // period + 1) * period))
    padded[:, :n] = found.gains
    total = np.cumsum(padded.reshape(n_models, -1, period), axis=2)
    total[:, :, -1] = 0  # the delimiter ends what is remembered
    return _mixed(found.laws, total.reshape(n_models, -1)[:, :n])


def _mixed(laws: Floats, log_weights: Floats) -> Floats:
    """Return the mean of the models' laws, weighted by what the symbols before each say."""
    before = np.concatenate([np.zeros((laws.shape[0], 1)), log_weights], axis=1)
    top = before.max(axis=0)
    weight = np.exp(np.where(np.isfinite(top), before - np.where(np.isfinite(top), top, 0), 0))
    law = np.einsum("hn,hna->na", weight, laws)
    return np.asarray(law / law.sum(axis=1, keepdims=True))
