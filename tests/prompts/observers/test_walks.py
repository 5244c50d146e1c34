from itertools import pairwise, permutations

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.graphs import graph, hold_out
from harness.prompts.observers.walks import neighbours, placement, undirected
from harness.types import Bools, Floats, Ints
from tests.prompts.families.test_markov import philox
from tests.prompts.observers.words import ints


def uniform(arcs: Bools) -> Floats:
    return np.asarray(arcs / arcs.sum(axis=1, keepdims=True))


def two_graphs() -> Floats:
    order = np.array([3, 0, 5, 1, 4, 2])
    ring = uniform(graph("ring", 6))[np.ix_(order, order)]
    return np.asarray(0.7 * uniform(graph("grid", 6)) + 0.3 * ring)


KERNELS = {
    "ring": uniform(graph("ring", 6)),
    "grid": uniform(graph("grid", 6)),
    "one-way": uniform(hold_out(graph("grid", 6), 3, philox(1))),
    "two graphs": two_graphs(),
}


def walk(kernel: Floats, length: int, key: int) -> Ints:
    rng = philox(key)
    words = rng.permutation(len(kernel))
    nodes = [int(rng.integers(len(kernel)))]
    while len(nodes) < length:
        nodes.append(int(rng.choice(len(kernel), p=kernel[nodes[-1]])))
    return np.asarray(words[nodes])


def by_all_permutations(symbols: Ints, kernel: Floats) -> Floats:
    """The last row of Bayes' rule over every assignment of words to nodes."""
    n = len(kernel)
    law = np.zeros(n)
    for order in permutations(range(n)):
        nodes = [order[s] for s in symbols.tolist()]
        p = np.prod([kernel[i, j] for i, j in pairwise(nodes)])
        law += p * kernel[nodes[-1], list(order)]
    return np.asarray(law / law.sum())


@pytest.mark.parametrize("name", KERNELS)
def test_placement_is_bayes_rule_over_all_permutations(name: str) -> None:
    kernel = KERNELS[name]
    for key in range(3):
        symbols = walk(kernel, 14, key)
        law = placement(symbols, kernel)
        np.testing.assert_allclose(law[0], 1 / 6)
        for t in range(1, 15):
            np.testing.assert_allclose(law[t], by_all_permutations(symbols[:t], kernel), atol=1e-12)


def test_placement_finds_the_graph_of_a_long_walk() -> None:
    kernel = uniform(graph("grid", 16))
    symbols = walk(kernel, 600, 4)
    found, steps = placement(symbols, kernel)[-200:], np.zeros((16, 16), np.bool_)
    steps[symbols[:-1], symbols[1:]] = True
    degree = (steps | steps.T).sum(axis=1)[symbols[-199:]]  # all 24 edges have been walked
    assert (steps | steps.T).sum() == 48
    np.testing.assert_allclose(found[1:].max(axis=1), 1 / degree, atol=1e-12)


def test_from_an_impossible_step_on_it_says_what_counts_say() -> None:
    kernel = uniform(graph("ring", 6))
    symbols = ints("0102030")  # a node of a ring has two neighbours, not three
    law = placement(symbols, kernel)
    np.testing.assert_allclose(law[5], [0, 1 / 2, 1 / 2, 0, 0, 0])
    np.testing.assert_array_equal(law[6:], undirected(symbols, 6)[6:])


def test_from_too_many_placements_on_it_says_what_counts_say() -> None:
    kernel = uniform(graph("grid", 16))
    symbols = walk(kernel, 40, 5)
    exact, cut = placement(symbols, kernel), placement(symbols, kernel, most=10)
    left = int(np.argmax((exact != cut).any(axis=1)))
    assert 2 < left < 20
    np.testing.assert_array_equal(cut[:left], exact[:left])
    np.testing.assert_array_equal(cut[left:], undirected(symbols, 16)[left:])


def test_undirected_expects_a_step_to_be_retraced() -> None:
    law = undirected(ints("012"), 4, alpha=0.5)
    np.testing.assert_allclose(law[:2], 1 / 4)
    np.testing.assert_allclose(law[2], np.array([1.5, 0.5, 0.5, 0.5]) / 3)  # 1 after 0: back to 0
    np.testing.assert_allclose(law[3], np.array([0.5, 1.5, 0.5, 0.5]) / 3)


def test_neighbours_expects_what_is_three_steps_away() -> None:
    # the path 0 - 1 - 2 - 3, walked once: from 3 the counts know 2 alone, and 0 is three steps away
    law = neighbours(ints("0123"), 5, alpha=0.5, weight=1.0)
    rows = np.array([[0, 1, 0, 0, 0], [0.5, 0, 0.5, 0, 0], [0, 0.5, 0, 0.5, 0], [0, 0, 1, 0, 0], [0] * 5])
    expected = np.array([0.5, 0.5, 1.5, 0.5, 0.5]) + np.linalg.matrix_power(rows, 3)[3]
    np.testing.assert_allclose(law[4], expected / expected.sum())
    assert law[4, 0] > law[4, 1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (lambda: undirected(ints("01"), 2, alpha=0.0), r"observer undirected: alpha=0\.0"),
        (lambda: neighbours(ints("01"), 2, alpha=-1.0), r"observer neighbours: alpha=-1\.0"),
        (lambda: neighbours(ints("01"), 2, weight=0.0), r"observer neighbours: weight=0\.0"),
        (lambda: placement(ints("09"), KERNELS["ring"]), r"symbols 0\.\.9 must be in 0\.\.5"),
    ],
)
def test_impossible_settings_are_refused(rows: object, message: str) -> None:
    assert callable(rows)
    with pytest.raises(SpecError, match=message):
        rows()


def test_long_walks_on_many_nodes_are_counted_step_by_step() -> None:
    # 64 nodes: their tables are made for 64 steps at a time; loops, which no graph has, are counted both ways
    symbols = philox(4).integers(0, 64, 200)
    seen, rows = np.zeros((64, 64)), np.zeros((64, 64))
    both, smooth = undirected(symbols, 64), neighbours(symbols, 64)
    for t, (i, j) in enumerate(pairwise(symbols.tolist()), start=2):
        seen[i, j] += 1
        seen[j, i] += 1
        rows[i], rows[j] = seen[i] / seen[i].sum(), seen[j] / seen[j].sum()
        np.testing.assert_allclose(both[t], (seen[j] + 0.5) / (seen[j].sum() + 32), rtol=1e-12)
        weights = seen[j] + 0.5 + rows[j] @ rows @ rows
        np.testing.assert_allclose(smooth[t], weights / weights.sum(), rtol=1e-12)
