"""The recipe `markov-mixture` is the family `chain_mixture`, and its four algorithms are the family's observers."""

import numpy as np
import pytest

from harness.errors import SpecError
from harness.local_models.recipes import _laws as laws
from harness.local_models.recipes._chain_algorithms import divergence, predictions, stationary_laws
from harness.local_models.recipes.markov_mixture import LENGTH, SYMBOLS, library, recipe, tokens
from harness.prompts.observers import markov
from harness.prompts.observers.counts import dirichlet
from harness.prompts.observers.libraries import bigram_retrieval, unigram_retrieval
from harness.registry import load_family
from harness.types import Floats

FAMILY = load_family("chain_mixture")


def test_the_library_is_that_of_the_family() -> None:
    seen: dict[str, Floats] = {}
    rng = np.random.Generator(np.random.Philox(key=1))
    while len(seen) < 3:
        sequence = FAMILY.sample(300, rng, chains=3, symbols=tuple(SYMBOLS))
        rows = np.zeros((6, 6))
        rows[sequence.symbols] = sequence.law[1:]
        if (rows.sum(axis=1) > 0).all():
            seen[sequence.concept] = rows
    for index, chain in enumerate(library(3)):
        np.testing.assert_array_equal(seen[f"chain {index} of 3 in library 0"], chain)


def test_a_larger_library_begins_with_the_smaller() -> None:
    np.testing.assert_array_equal(library(40)[:7], library(7))


@pytest.mark.parametrize("chains", [1, 5])
def test_the_four_algorithms_are_the_familys_observers(chains: int) -> None:
    known = library(chains)
    rng = np.random.default_rng(2)
    sequences = laws.walks(rng, known[rng.integers(chains, size=6)], 60)
    seen = predictions(sequences, known)
    for i, sequence in enumerate(sequences):
        expected = {
            "bigram retrieval": bigram_retrieval(sequence, known),
            "unigram retrieval": unigram_retrieval(sequence, known),
            "bigram inference": markov(sequence, 6, order=1, alpha=1.0),
            "unigram inference": dirichlet(sequence, 6, 1.0),
        }
        assert set(seen) == set(expected)
        for name, law in expected.items():
            np.testing.assert_allclose(seen[name][i], law[:-1], atol=1e-12)


def test_stationary_laws_are_left_as_they_are_by_their_chain() -> None:
    known = library(50)
    law = stationary_laws(known)
    np.testing.assert_allclose(np.einsum("ki,kij->kj", law, known), law, atol=1e-12)
    np.testing.assert_allclose(law.sum(axis=1), 1, atol=1e-12)


def test_a_model_that_is_an_algorithm_is_at_distance_zero_of_it_and_of_no_other() -> None:
    made = recipe(chains=4)
    known = library(4)

    def retrieves(asked: np.ndarray) -> np.ndarray:
        # The algorithm's law of the next symbol, as a model returns it: row n reads BOS and n symbols.
        sequences = np.hstack([asked[:, 1:] - 2, np.zeros((len(asked), 1), np.int64)])
        law = predictions(sequences, known)["bigram retrieval"]
        blank = np.full((*law.shape[:2], 2), 1e-30)
        return np.asarray(np.log(np.concatenate([blank, law], axis=-1)), np.float32)

    rows = made.measure(retrieves, np.random.default_rng(3))
    assert all(row.shape == (LENGTH,) for row in rows.values())
    for kind in ("library", "new chains"):
        mean = {
            name: rows[f"{kind}: KL({name}, model)"].mean()
            for name in predictions(np.zeros((1, 3), int), known)
        }
        assert mean.pop("bigram retrieval") < 1e-6
        assert min(mean.values()) > 0.02


def test_batches_are_walks_on_the_library() -> None:
    batch = recipe(chains=1).sample_batch(np.random.default_rng(4), 400)
    assert batch.tokens.shape == (400, LENGTH + 1)
    walked = batch.tokens[:, 1:] - 2
    np.testing.assert_array_equal(tokens(walked), batch.tokens)
    pairs = np.zeros((6, 6))
    np.add.at(pairs, (walked[:, :-1], walked[:, 1:]), 1)
    # 50,000 pairs, at least 1000 after any symbol: five standard errors are at most .08.
    np.testing.assert_allclose(pairs / pairs.sum(axis=1, keepdims=True), library(1)[0], atol=0.08)
    assert pairs.sum(axis=1).min() > 1000


def test_divergence_is_that_of_scipy() -> None:
    from scipy import stats

    p, q = np.random.default_rng(5).dirichlet(np.ones(4), size=(2, 7))
    np.testing.assert_allclose(divergence(p, q), stats.entropy(p, q, axis=-1), atol=1e-12)


def test_a_library_of_none_is_refused() -> None:
    with pytest.raises(SpecError, match=r"chains=0 must be in 1\.\.4096"):
        recipe(chains=0)


def test_a_longer_training_has_the_checkpoints_of_a_shorter_one() -> None:
    short, long = recipe(chains=4), recipe(chains=4, steps=4000)
    assert long.checkpoints[: len(short.checkpoints)] == short.checkpoints
    assert 1600 in long.checkpoints  # the last step of the shorter
    assert long.checkpoints[-1] < long.steps == 4000
    assert long.name == "markov-mixture?chains=4&steps=4000"
    with pytest.raises(SpecError, match=r"steps=16 must be in 17\.\.160000"):
        recipe(steps=16)
