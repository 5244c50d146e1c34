import networkx as nx  # type: ignore[import-untyped]
import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.graphs import Shape, from_edges, graph, hold_out, orbits
from harness.types import Bools, Floats
from tests.prompts.families.test_markov import philox


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (2, 3), (3, 3), (3, 5), (4, 4), (5, 6)])
def test_grids_are_those_of_networkx(rows: int, columns: int) -> None:
    expected = nx.grid_2d_graph(rows, columns)
    np.testing.assert_array_equal(
        graph("grid", rows * columns), nx.to_numpy_array(expected, nodelist=sorted(expected), dtype=bool)
    )


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3), (2, 5), (4, 4)]
)
def test_hexagons_are_those_of_networkx(rows: int, columns: int) -> None:
    ours = nx.from_numpy_array(graph("hexagonal", 2 * (rows + 1) * (columns + 1) - 2))
    assert nx.is_isomorphic(ours, nx.hexagonal_lattice_graph(columns, rows))


@pytest.mark.parametrize("n", [3, 4, 10, 16])
def test_rings_are_those_of_networkx(n: int) -> None:
    np.testing.assert_array_equal(graph("ring", n), nx.to_numpy_array(nx.cycle_graph(n), dtype=bool))


def test_a_grid_of_16_has_24_edges_and_the_degrees_of_its_corners_sides_and_middle() -> None:
    grid = graph("grid", 16)
    assert grid.sum() == 2 * 24
    assert np.bincount(grid.sum(axis=1)).tolist() == [0, 0, 4, 8, 4]


def test_the_dirichlet_energy_of_coordinates_is_the_number_of_edges() -> None:
    place = np.stack(np.divmod(np.arange(16), 4), axis=1)
    distance = ((place[:, None] - place[None]) ** 2).sum(axis=2)
    assert distance[np.triu(graph("grid", 16))].sum() == 24


def cover_time(arcs: Bools, start: int) -> float:
    """The mean number of steps until all nodes are seen, from one equation for each (node, set of nodes seen)."""
    n = len(arcs)
    kernel = arcs / arcs.sum(axis=1, keepdims=True)
    everything = 2**n - 1
    mean = np.zeros((2**n, n))
    for seen in range(everything - 1, 0, -1):
        inside = [i for i in range(n) if seen >> i & 1]
        b = np.array(
            [
                1 + sum(kernel[i, j] * mean[seen | 1 << j, j] for j in range(n) if j not in inside)
                for i in inside
            ]
        )
        system = np.eye(len(inside)) - kernel[np.ix_(inside, inside)]
        mean[seen, inside] = np.linalg.solve(system, b)
    return float(mean[1 << start, start])


@pytest.mark.parametrize(("shape", "n", "steps"), [("ring", 6, 15), ("ring", 10, 45), ("grid", 9, 31.17)])
def test_cover_times_are_exact(shape: Shape, n: int, steps: float) -> None:
    assert cover_time(graph(shape, n), 0) == pytest.approx(steps, abs=0.005)  # n (n - 1) / 2 on a ring


@pytest.mark.parametrize("key", range(12))
def test_exactly_the_edges_that_are_no_bridge_can_lose_a_direction(key: int) -> None:
    random = nx.gnm_random_graph(9, 11, seed=key)
    random = nx.convert_node_labels_to_integers(
        random.subgraph(max(nx.connected_components(random), key=len))
    )
    adjacency = nx.to_numpy_array(random, dtype=bool)
    most = random.number_of_edges() - sum(1 for _ in nx.bridges(random))
    for held_out in (0, most // 2, most):
        arcs = hold_out(adjacency, held_out, philox(key))
        assert nx.is_strongly_connected(nx.from_numpy_array(arcs, create_using=nx.DiGraph))
        assert (arcs <= adjacency).all()
        assert (arcs | arcs.T == adjacency).all()
        assert adjacency.sum() - arcs.sum() == held_out
    with pytest.raises(SpecError, match=rf"held_out={most + 1} must be in 0\.\.{most}"):
        hold_out(adjacency, most + 1, philox(key))


def test_edges_are_undirected() -> None:
    star = from_edges(((0, 1), (2, 0)))
    assert star.tolist() == [[False, True, True], [True, False, False], [True, False, False]]


def networkx_orbits(kernel: Floats) -> set[frozenset[int]]:
    weighted = nx.from_numpy_array(kernel, create_using=nx.DiGraph)
    matcher = nx.isomorphism.DiGraphMatcher(
        weighted, weighted, edge_match=lambda a, b: a["weight"] == b["weight"]
    )
    symmetries = list(matcher.isomorphisms_iter())
    return {frozenset(symmetry[node] for symmetry in symmetries) for node in weighted}


@pytest.mark.parametrize("key", range(4))
@pytest.mark.parametrize("shape", ["ring", "grid", "hexagonal", "edges", "one-way"])
def test_orbits_are_those_of_networkx(shape: str, key: int) -> None:
    match shape:
        case "ring" | "grid" | "hexagonal":
            arcs = graph(shape, (6, 10, 14, 16)[key])
        case "edges":
            arcs = nx.to_numpy_array(nx.random_labeled_tree(7, seed=key), dtype=bool)
        case _:
            arcs = hold_out(graph("ring", 6), 2 * key, philox(key))
    kernel = arcs / arcs.sum(axis=1, keepdims=True)
    assert {frozenset(group.tolist()) for group in orbits(kernel)} == networkx_orbits(kernel)


def test_of_too_many_symmetries_none_is_used() -> None:
    star = from_edges(tuple((0, leaf) for leaf in range(1, 9)))  # 8! = 40320
    assert [group.tolist() for group in orbits(star / star.sum(axis=1, keepdims=True))] == [
        [i] for i in range(9)
    ]
