"""Geometry of states: energies known in closed form from the graph, the null of shuffled names, a real walk."""

from itertools import permutations

import numpy as np
import pytest
import torch

from harness.errors import WhiteBoxError
from harness.local_models.loading import LoadedModel, load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.geometry import (
    class_means,
    dirichlet_energy,
    least_energy,
    measure,
    principal_components,
    shuffled_energies,
    squared_distances,
    walked_graph,
)
from harness.local_models.whitebox.sites import Site
from harness.local_models.whitebox.study import token_rows
from harness.prompts.graphs import graph
from harness.types import Bools, Floats, Prompt
from harness.types.whitebox import Job, WhiteBoxStudy, WhiteBoxTrial


def ring(n: int, width: int, rng: np.random.Generator) -> Floats:
    """Place n nodes on a circle in a random plane of a wider space, away from the origin."""
    angle = 2 * np.pi * np.arange(n) / n
    plane = np.linalg.qr(rng.standard_normal((width, 2)))[0]
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(circle @ plane.T * 3.7 + rng.standard_normal(width))


@pytest.mark.parametrize("n", [4, 8, 16])
def test_a_ring_on_a_circle_has_the_energy_of_its_laplacian(n: int) -> None:
    # ||x_i - x_j||^2 is 2 - 2 cos(2 pi / n) along an edge and 2n / (n - 1) in the mean over pairs
    expected = (1 - np.cos(2 * np.pi / n)) * (n - 1) / n
    distances = squared_distances(ring(n, 12, np.random.default_rng(n)))
    assert dirichlet_energy(distances, graph("ring", n)) == pytest.approx(expected, rel=1e-9)
    assert least_energy(graph("ring", n)) == pytest.approx(expected, rel=1e-9)


def test_coordinates_of_a_grid_have_the_energy_of_their_differences() -> None:
    points = np.array([(i, j) for i in range(4) for j in range(4)], dtype=float)
    # 24 edges of length 1; the mean over 120 pairs is 2 * 2 * var * 16 / 15 with var = 1.25 a coordinate
    expected = 1 / (4 * 1.25 * 16 / 15)
    assert dirichlet_energy(squared_distances(points), graph("grid", 16)) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("shape", ["ring", "grid"])
def test_no_points_have_less_than_the_least_energy_and_eigenvectors_have_it(shape: str) -> None:
    adjacency, rng = graph(shape, 9), np.random.default_rng(0)  # type: ignore[arg-type]
    laplacian = np.diag(adjacency.sum(1)) - adjacency.astype(float)
    fiedler = np.linalg.eigh(laplacian)[1][:, 1:2]
    least = least_energy(adjacency)
    assert dirichlet_energy(squared_distances(fiedler), adjacency) == pytest.approx(least, rel=1e-9)
    for _ in range(200):
        assert dirichlet_energy(squared_distances(rng.standard_normal((9, 2))), adjacency) >= least


def test_over_all_ways_to_name_the_nodes_the_mean_energy_is_one() -> None:
    adjacency = graph("grid", 6)
    distances = squared_distances(np.random.default_rng(3).standard_normal((6, 5)) ** 3)
    every = [dirichlet_energy(distances[np.ix_(p, p)], adjacency) for p in map(list, permutations(range(6)))]
    assert np.mean(every) == pytest.approx(1.0, abs=1e-12)
    drawn = shuffled_energies(distances, adjacency, np.random.default_rng(1), 2000)
    assert drawn.mean() == pytest.approx(1.0, abs=5 * np.std(every) / np.sqrt(2000))


def test_energy_does_not_depend_on_scale_place_or_rotation() -> None:
    rng = np.random.default_rng(2)
    points, turn = rng.standard_normal((9, 7)), np.linalg.qr(rng.standard_normal((7, 7)))[0]
    energies = [
        dirichlet_energy(squared_distances(x), graph("grid", 9)) for x in (points, 50 * points @ turn + 3)
    ]
    assert energies[0] == pytest.approx(energies[1], rel=1e-9)


@pytest.mark.parametrize(
    "adjacency", [~np.eye(5, dtype=bool), np.zeros((5, 5), bool), np.array([[False, True], [True, False]])]
)
def test_a_graph_that_no_naming_changes_has_no_energy(adjacency: Bools) -> None:
    points = np.random.default_rng(0).standard_normal((len(adjacency), 3))
    assert np.isnan(dirichlet_energy(squared_distances(points), adjacency))


def test_class_means_are_those_of_each_class_and_an_empty_one_has_none() -> None:
    states, labels = np.random.default_rng(0).standard_normal((20, 3)), np.arange(20) % 3
    means, counts = class_means(states, labels, 4)
    np.testing.assert_allclose(means[:3], [states[labels == k].mean(0) for k in range(3)], atol=1e-12)
    assert counts.tolist() == [7, 7, 6, 0]
    assert np.isnan(means[3]).all()


def test_components_match_the_eigenvectors_of_the_covariance_up_to_a_fixed_sign() -> None:
    points = np.random.default_rng(5).standard_normal((30, 4)) * [5, 3, 2, 1]
    found = principal_components(points)
    values, vectors = np.linalg.eigh(np.cov(points.T))
    np.testing.assert_allclose(found.explained, values[::-1] / values.sum(), rtol=1e-9)
    np.testing.assert_allclose(np.abs(found.axes @ vectors[:, ::-1]), np.eye(4), atol=1e-9)
    assert (found.axes[np.arange(4), np.abs(found.axes).argmax(1)] > 0).all()
    np.testing.assert_allclose(found.coordinates @ found.axes + points.mean(0), points, atol=1e-9)
    mirrored = principal_components(points[::-1])
    np.testing.assert_allclose(mirrored.coordinates[::-1], found.coordinates, atol=1e-9)
    with pytest.raises(WhiteBoxError, match="at least two"):
        principal_components(points[:1])


def test_the_graph_of_a_sequence_is_what_follows_what() -> None:
    ring4 = walked_graph(np.array([0, 1, 2, 3, 0, 0]), 5)
    np.testing.assert_array_equal(ring4[:4, :4], graph("ring", 4))
    assert not ring4[4].any()


@pytest.fixture(scope="module")
def bundled() -> LoadedModel:
    torch.set_num_threads(1)
    return load_checkpoint("icl-mixture", device="cpu")


def cycles(n_trials: int, period: int, length: int) -> WhiteBoxStudy:
    rng, letters = np.random.default_rng(1), tuple("abcdefghijklmnop")
    trials = []
    for i in range(n_trials):
        pattern = rng.permutation(16)[:period]
        symbols = tuple(np.resize(pattern, length + 1).tolist())
        trials.append(WhiteBoxTrial(f"t{i}", "c", i % 2, i, Prompt("", letters, "", symbols)))
    return WhiteBoxStudy("cycles", "half", ("a", "b"), (8, 24, 48), tuple(trials), seed=0, digest="x")


def test_a_measurement_is_the_energy_of_the_states_themselves(bundled: LoadedModel) -> None:
    study = cycles(4, 6, 48)
    job: Job = {
        "context_length": 40,
        "window": 24,
        "layers": [-1, 0, 1],
        "shuffles": 50,
        "parallelogram": [0, 1, 0, 1],
    }
    found = measure(bundled, study, job)
    assert set(found["nodes"]) == set(found["edges"]) == {6}
    np.testing.assert_allclose(found["least"], least_energy(graph("ring", 6)))
    np.testing.assert_allclose(found["parallelogram"], 1.0, rtol=1e-6)
    contexts = list(range(17, 41))
    box = WhiteBox(bundled.model, bundled.tokenizer)
    states = box.captured(token_rows(bundled, study, contexts), [Site(1, "output", "contexts")])[2, 0]
    ends = [study.trials[2].prompt.symbols[n - 1] for n in contexts]
    order = list(dict.fromkeys(ends))  # as the cycle goes
    means = np.stack([states[[e == s for e in ends]].mean(0) for s in order]).astype(np.float64)
    edges = [((means[i] - means[i - 1]) ** 2).sum() for i in range(6)]
    pairs = [((means[i] - means[j]) ** 2).sum() for i in range(6) for j in range(i)]
    assert found["energy"][2, 2] == pytest.approx(np.mean(edges) / np.mean(pairs), rel=1e-6)
    again = measure(bundled, study, job)
    assert all(np.array_equal(found[name], again[name]) for name in found)


def test_the_embedding_of_random_cycles_knows_no_graph(bundled: LoadedModel) -> None:
    """Placements are random, so that 40 cycles are 40 random names of the nodes: p is uniform; odds 1 in 500."""
    job: Job = {"context_length": 32, "window": 24, "layers": [-1], "shuffles": 999}
    found = measure(bundled, cycles(80, 6, 32), job)
    assert 0.001 < found["p_value"][0] < 0.999
