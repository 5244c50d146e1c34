import numpy as np
import pytest
from scipy import stats

from harness.prompts.graphs import graph
from harness.registry import load_family
from harness.types import Params, Sequence
from tests.prompts.families.test_markov import RARE, philox

FAMILY = load_family("graph_walk")


def rows_of_words(sequence: Sequence) -> dict[int, list[float]]:
    """The law after each word; it must be one for all places of the word."""
    rows: dict[int, list[float]] = {}
    for word, row in zip(sequence.symbols.tolist(), sequence.law[1:].tolist(), strict=True):
        assert rows.setdefault(word, row) == row
    return rows


@pytest.mark.parametrize(
    "params",
    [{}, {"shape": "ring"}, {"held_out": 10}, {"shape": "hexagonal", "second": "grid", "mixture": 0.4}],
)
def test_steps_follow_the_law(params: Params) -> None:
    sequence = FAMILY.sample(8000, philox(1), **params)
    before, after = sequence.symbols[:-1], sequence.symbols[1:]
    for word, row in rows_of_words(sequence).items():
        p = np.array(row)
        seen = np.bincount(after[before == word], minlength=16)
        assert not seen[p == 0].any()
        if (p > 0).sum() > 1:
            assert stats.chisquare(seen[p > 0], p[p > 0] * seen.sum()).pvalue > RARE / 16


def test_the_walk_begins_anywhere_and_words_stand_anywhere() -> None:
    n = 800
    drawn = [FAMILY.sample(1, philox(100 + key), symbols="letters") for key in range(n)]
    np.testing.assert_allclose(drawn[0].law[0], 1 / 16)
    assert stats.chisquare(np.bincount([s.symbols[0] for s in drawn], minlength=16)).pvalue > RARE
    corner = [s.alphabet.index(s.concept.split()[3]) for s in drawn]
    assert stats.chisquare(np.bincount(corner, minlength=16)).pvalue > RARE


@pytest.mark.parametrize(
    ("params", "entropy", "chance"),
    [({}, 1.625815, 3 / 16), ({"shape": "ring"}, 1.0, 1 / 8)],
)
def test_entropy_and_chance_level_are_exact(params: Params, entropy: float, chance: float) -> None:
    sequence = FAMILY.sample(2000, philox(2), placed="in_order", **params)
    rows = rows_of_words(sequence)
    assert len(rows) == 16
    support = np.array([rows[node] for node in range(16)]) > 0
    degree = support.sum(axis=1)
    # stationary probability degree / 2 edges, log2 degree bits a step; chance is a word of 16 at a uniform node
    assert degree @ np.log2(degree) / degree.sum() == pytest.approx(entropy, abs=1e-6)
    assert degree.mean() / 16 == pytest.approx(chance)


def test_in_order_word_i_stands_on_node_i() -> None:
    sequence = FAMILY.sample(3000, philox(3), placed="in_order", shape="hexagonal")
    rows = rows_of_words(sequence)
    np.testing.assert_array_equal(np.array([rows[i] for i in range(16)]) > 0, graph("hexagonal", 16))
    assert sequence.concept == f"hexagonal of 16: {' '.join(sequence.alphabet)}"


def test_edges_of_the_user_are_walked() -> None:
    days = ("Mon", "Tue", "Wed", "Thu")
    edges = ("0-1", "1-2", "1-3")
    sequence = FAMILY.sample(300, philox(4), shape="edges", edges=edges, symbols=days, placed="in_order")
    rows = rows_of_words(sequence)
    assert {f"{i}-{j}" for i, row in rows.items() for j, p in enumerate(row) if p and i < j} == set(edges)


def test_a_direction_held_out_is_never_walked_and_only_undirected_expects_it() -> None:
    sequence = FAMILY.sample(3000, philox(5), held_out=4)
    never = sequence.concept.partition("; never ")[2].split(", ")
    pairs = [tuple(map(sequence.alphabet.index, pair.split(" -> "))) for pair in never]
    assert len(pairs) == 4
    walked = set(zip(sequence.symbols[:-1].tolist(), sequence.symbols[1:].tolist(), strict=True))
    for i, j in pairs:
        assert (j, i) in walked
        assert (i, j) not in walked
        last = 1 + int(np.flatnonzero(sequence.symbols == i)[-1])
        assert sequence.law[last, j] == 0
        assert sequence.observers["placement"][last, j] < 1e-9
        assert sequence.observers["bigram"][last, j] < 0.01
        assert sequence.observers["undirected"][last, j] > 0.05
    another = FAMILY.sample(0, philox(6), held_out=4).concept
    nodes = [sequence.concept.split("; ")[0].split().index(sequence.alphabet[i]) for i, _ in pairs]
    words = another.split("; ")[0].split()
    first_words = [pair.split(" -> ")[0] for pair in another.partition("; never ")[2].split(", ")]
    assert [words.index(word) for word in first_words] == nodes  # of the shape, not of the words


def test_a_mixture_is_between_its_graphs() -> None:
    settings: Params = {"placed": "in_order", "n_nodes": 9, "second": "ring"}
    grid, mixed, ring = (
        rows_of_words(FAMILY.sample(2000, philox(7), mixture=share, **settings)) for share in (0.0, 0.25, 1.0)
    )
    alone = rows_of_words(FAMILY.sample(2000, philox(7), placed="in_order", n_nodes=9))
    assert grid == alone
    for node in range(9):
        assert np.count_nonzero(ring[node]) == 2
        np.testing.assert_allclose(mixed[node], 0.75 * np.array(grid[node]) + 0.25 * np.array(ring[node]))


def test_the_ideal_observer_is_calibrated_under_its_prior() -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p); |z| > 4.9 has odds 1e-6
    surprise, variance = 0.0, 0.0
    for key in range(120):
        sequence = FAMILY.sample(50, philox(500 + key))
        law = sequence.observers["placement"][:50]
        p = law.max(axis=1)
        surprise += float(((sequence.symbols == law.argmax(axis=1)) - p).sum())
        variance += float((p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < 4.9


def test_the_words_are_ours_and_none_begins_another() -> None:
    words = FAMILY.sample(0, philox(0), n_nodes=64).alphabet
    published = "apple bird car egg house milk plane opera box sand sun mango rock math code phone".split()  # noqa: SIM905 Park et al. 2025
    assert len(set(words)) == 64
    assert not set(words) & set(published)
    assert {len(word) for word in words} == {4}
