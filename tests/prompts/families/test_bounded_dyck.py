import numpy as np
import pytest

from harness.registry import load_family

BOUNDED = load_family("bounded_dyck")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_no_word_is_deeper_than_the_bound(depth: int) -> None:
    sequence = BOUNDED.sample(400, philox(depth), depth=depth, mean_size=10.0)
    step = np.where(sequence.symbols < 2, 1, np.where(sequence.symbols < 4, -1, 0))
    heights = np.cumsum(step)
    assert heights.max() == depth
    assert not sequence.support[1:][heights == depth, :2].any()


def test_a_bound_that_no_word_reaches_changes_nothing() -> None:
    # uniform sizes of mean 3 end at 5 pairs
    bounded = BOUNDED.sample(201, philox(1), depth=5, sizes="uniform", mean_size=3.0)
    free = load_family("dyck").sample(201, philox(1), sizes="uniform", mean_size=3.0)
    np.testing.assert_array_equal(bounded.symbols, free.symbols)
    np.testing.assert_allclose(bounded.law, free.law, atol=1e-12)
    np.testing.assert_allclose(bounded.observers["language"], free.observers["language"], atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_bound_is_found_from_the_words(depth: int) -> None:
    sequence = BOUNDED.sample(600, philox(2), depth=depth)
    depths, ideal = sequence.observers["depths"], sequence.observers["language"]
    first = np.abs(depths[1:20] - ideal[1:20]).max()
    assert np.abs(depths[-50:] - ideal[-50:]).max() < 0.01 < first
