import numpy as np
import pytest

from harness.registry import load_family
from harness.types import Sequence

AN_BN = load_family("an_bn")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def losses(sequence: Sequence) -> dict[str, float]:
    at = np.arange(sequence.target.size), sequence.target
    return {name: -float(np.log(table[at]).mean()) for name, table in sequence.observers.items()}


@pytest.mark.parametrize("ratio", [1, 2, 4])
def test_each_word_has_as_many_b_as_its_a_demand(ratio: int) -> None:
    sequence = AN_BN.sample(300, philox(ratio), ratio=ratio, mean_size=3.0)
    text = "".join(sequence.alphabet[s] for s in sequence.symbols)
    counted = [(word.count("a"), word.count("b")) for word in text.split("|")]
    assert all(b == ratio * a >= 1 for a, b in counted)
    assert text == "|".join("a" * a + "b" * b for a, b in counted)
    assert [int(n) for n in sequence.concept.partition("n = ")[2].partition(" and")[0].split(", ")] == [
        a for a, _ in counted[:8]
    ]


def test_a_word_alone_is_certain_to_who_knows_its_length_only() -> None:
    sequence = AN_BN.sample(60, philox(1), stream="word", mean_size=10.0)
    assert "".join(sequence.alphabet[s] for s in sequence.symbols) == "a" * 30 + "b" * 30
    np.testing.assert_array_equal(sequence.law[np.arange(60), sequence.target], 1)
    ideal = sequence.observers["language"]
    np.testing.assert_allclose(ideal[1:31, 1], 1 / 10, rtol=1e-9)  # P(n = t) / P(n >= t), geometric
    np.testing.assert_array_equal(ideal[31:60, 1], 1)


def test_uniform_sizes_grow_more_likely_to_end() -> None:
    sequence = AN_BN.sample(8, philox(1), stream="word", sizes="uniform", mean_size=3.0)  # n in 1..5
    np.testing.assert_allclose(
        sequence.observers["language"][:5, 1], [0, 1 / 5, 1 / 4, 1 / 3, 1 / 2], rtol=1e-12
    )


def test_only_counting_tells_where_b_ends() -> None:
    sequence = AN_BN.sample(400, philox(2))
    loss = losses(sequence)
    assert loss["language"] < loss["ratios"] < loss["blocks"] < loss["kt"]
    begun, in_b = (
        np.flatnonzero(sequence.symbols[:-1] == 0) + 1,
        np.flatnonzero(sequence.symbols[:-1] == 1) + 1,
    )
    ideal, blocks = sequence.observers["language"], sequence.observers["blocks"]
    np.testing.assert_allclose(blocks[begun], ideal[begun], rtol=1e-12)
    np.testing.assert_array_equal(ideal[in_b].max(axis=1), 1)
    assert (blocks[in_b].max(axis=1) < 1).all()


@pytest.mark.parametrize("ratio", [1, 2, 3, 4])
def test_the_ratio_is_known_after_one_word(ratio: int) -> None:
    sequence = AN_BN.sample(200, philox(3), ratio=ratio, mean_size=2.0)
    second = int(np.flatnonzero(sequence.symbols == 2)[0]) + 1
    ratios, ideal = sequence.observers["ratios"], sequence.observers["language"]
    assert np.abs(ratios[:second] - ideal[:second]).max() > 0.1
    np.testing.assert_allclose(ratios[second:], ideal[second:], atol=1e-12)
