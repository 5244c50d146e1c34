"""The geometry of states: class means, principal components, and how far a graph of symbols shows in them.

Park et al. 2025 ("ICLR: in-context learning of representations") read a graph that
a walk traces from the mean states of its nodes: neighbours come to lie near
each other, which the Dirichlet energy of the means tells.
"""

from dataclasses import dataclass

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.loading import LoadedModel
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.directions import parallelogram_score
from harness.local_models.whitebox.sites import Site
from harness.local_models.whitebox.study import states_at, token_rows
from harness.types import Bools, Floats, Ints
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_BYTES = 1 << 28  # of states held at once
_LEAST = 3  # nodes: of two there is one pair, whose energy says nothing


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Principal components of some points, those of the largest variance first."""

    coordinates: Floats  # (n_points, n_components)
    explained: Floats  # (n_components,), shares of the variance
    axes: Floats  # (n_components, width), orthonormal; the largest entry of each is positive


def class_means(states: Floats, labels: Ints, n_classes: int) -> tuple[Floats, Ints]:
    """Return the mean state of each class, (n_classes, width), NaN for an empty one, and how many states it has."""
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.zeros((n_classes, states.shape[1]))
    np.add.at(sums, labels, states.astype(np.float64))
    with np.errstate(invalid="ignore"):
        return sums / counts[:, None], counts


def principal_components(points: Floats) -> Components:
    """Return the components of points (n, width), centred, without scaling; at most n - 1 of them.

    A component's sign is free: here its largest entry is positive, so that
    equal points always give equal pictures. Raises WhiteBoxError for fewer than
    two points.
    """
    if points.ndim != 2 or len(points) < 2:
        raise WhiteBoxError(f"points of shape {points.shape}: components need at least two, (n, width)")
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    left, values, axes = np.linalg.svd(centred, full_matrices=False)
    kept = min(len(points) - 1, points.shape[1])
    sign = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    sign[sign == 0] = 1.0
    total = float((values**2).sum())
    explained = values**2 / total if total > 0 else np.full(len(values), np.nan)
    return Components((left * values * sign)[:, :kept], explained[:kept], (axes * sign[:, None])[:kept])


def squared_distances(points: Floats) -> Floats:
    """Return the squared Euclidean distance of all pairs: (n, width) to (n, n)."""
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    norms = (centred**2).sum(axis=1)
    return np.asarray(np.maximum(norms[:, None] + norms - 2 * centred @ centred.T, 0.0))


def dirichlet_energy(distances: Floats, adjacency: Bools) -> float:
    r"""Return the Dirichlet energy per edge over that per pair, from squared distances (n, n).

    \[ E = \frac{|\mathcal E|^{-1}\sum_{(i,j)\in\mathcal E}\|x_i-x_j\|^2}
                {\binom n2^{-1}\sum_{i<j}\|x_i-x_j\|^2} \]

    The numerator is that of Park et al. 2025, per edge; the denominator takes
    out the scale of the states, so that layers and context lengths compare. 0
    where neighbours coincide, and 1 in the mean over all ways to name the nodes,
    exactly. NaN for fewer than three nodes, for a graph without an edge or with
    every one, which no naming tells from another, and for points that coincide.
    """
    n = len(adjacency)
    pairs = np.triu(np.ones((n, n), dtype=np.bool_), 1)
    edges = pairs & adjacency
    if n < _LEAST or not edges.any() or edges.sum() == pairs.sum():
        return float("nan")
    whole = float(distances[pairs].mean())
    return float(distances[edges].mean()) / whole if whole > 0 else float("nan")


def least_energy(adjacency: Bools) -> float:
    """Return the smallest `dirichlet_energy` that any points have: lambda_2 (n - 1) / (2 |E|).

    lambda_2 is the second eigenvalue of the graph's Laplacian; its eigenvectors
    as coordinates reach the bound (Fiedler 1973). 0 for a graph in pieces.
    """
    n, edges = len(adjacency), float(np.triu(adjacency, 1).sum())
    if n < _LEAST or not edges:
        return float("nan")
    laplacian = np.diag(adjacency.sum(axis=1)) - adjacency.astype(np.float64)
    return max(0.0, float(np.linalg.eigvalsh(laplacian)[1])) * (n - 1) / (2 * edges)


def shuffled_energies(distances: Floats, adjacency: Bools, rng: np.random.Generator, shuffles: int) -> Floats:
    """Return the energy with the nodes named anew at random, (shuffles,): the null of no graph."""
    n = len(adjacency)
    orders = np.argsort(rng.random((shuffles, n)), axis=1)
    energy = dirichlet_energy(distances, adjacency)
    if not energy > 0:  # undefined, or all neighbours coincide: then nothing to compare with a mean of
        return np.full(shuffles, energy)
    first, second = np.nonzero(np.triu(adjacency, 1))
    named = distances[orders[:, first], orders[:, second]].mean(axis=1)
    return np.asarray(energy * named / distances[first, second].mean())


def walked_graph(symbols: Ints, n_symbols: int) -> Bools:
    """Return which symbols follow each other in a sequence, in either order: (n_symbols, n_symbols)."""
    adjacency = np.zeros((n_symbols, n_symbols), dtype=np.bool_)
    adjacency[symbols[:-1], symbols[1:]] = adjacency[symbols[1:], symbols[:-1]] = True
    np.fill_diagonal(adjacency, False)
    return adjacency


def measure(loaded: LoadedModel, study: WhiteBoxStudy, job: Job) -> Arrays:
    """Measure at one `context_length` the graph in each trial's states, and the class means of the concept.

    A node is a symbol; its mean is over the last `window` contexts that end with
    it, those of one trial; edges join symbols that follow each other anywhere in
    the trial. Gives (n_layers, n_trials) `energy` and, as shares, `explained` by
    the first two components of the node means; (n_trials,) `least`, `nodes`,
    `edges`; of the held-out trials (n_layers,) `null_low`, the 5 % quantile of the mean
    energy of shuffled names, and `p_value` of the mean being as low; of trial 0
    `node_coordinates` (n_layers, n_nodes, 2), `node_symbols` and `node_edges`; of
    class means `class_coordinates` (n_layers, n_labels, 2) and `class_explained`;
    and `parallelogram` (n_layers,) of the four labels named, where there are any.
    """
    n, window, shuffles = (int(str(job[name])) for name in ("context_length", "window", "shuffles"))
    layers, corners = job["layers"], job.get("parallelogram")
    assert isinstance(layers, list)
    box = WhiteBox(loaded.model, loaded.tokenizer)
    places = [int(str(layer)) for layer in layers]
    found = _graphs(box, loaded, study, list(range(max(1, n - window + 1), n + 1)), places, shuffles)
    states = states_at(box, loaded, study, n, places)
    means = [class_means(x, study.label, len(study.labels))[0] for x in states.swapaxes(0, 1)]
    parts = [principal_components(mean) for mean in means]
    found["class_coordinates"] = np.stack([_plane(part) for part in parts])
    found["class_explained"] = np.array([part.explained[:2].sum() for part in parts])
    if isinstance(corners, list):
        named = [int(str(corner)) for corner in corners]
        found["parallelogram"] = np.array(
            [parallelogram_score(*mean[named].astype(np.float32)) for mean in means]
        )
    return found


def _graphs(
    box: WhiteBox,
    loaded: LoadedModel,
    study: WhiteBoxStudy,
    contexts: list[int],
    layers: list[int],
    shuffles: int,
) -> dict[str, np.ndarray]:
    """Measure the graph of every trial, a few trials in memory at a time."""
    rows = token_rows(loaded, study, contexts)
    sites = [Site(k, "output", "contexts") if k >= 0 else Site(0, "input", "contexts") for k in layers]
    shape = (len(layers), len(study.trials))
    energy, explained = np.full(shape, np.nan), np.full(shape, np.nan)
    null = np.full((*shape, shuffles), np.nan)
    least, nodes, edges = (np.full(shape[1], np.nan) for _ in range(3))
    shown: dict[str, np.ndarray] = {}
    each = 4 * len(layers) * len(contexts) * box.width
    for part in box.capture(rows, sites, batch_size=max(1, min(32, _BYTES // each))):
        for trial, values in zip(part.rows, part.values, strict=True):
            symbols = np.array(study.trials[trial].prompt.symbols)
            last = symbols[np.array(contexts) - 1]  # the symbol that each context ends with
            there, names = np.unique(last, return_inverse=True)
            graph = walked_graph(symbols, int(symbols.max()) + 1)[np.ix_(there, there)]
            least[trial], nodes[trial], edges[trial] = least_energy(graph), len(there), graph.sum() // 2
            for k, x in enumerate(values):
                means = class_means(x, names, len(there))[0]
                distances = squared_distances(means)
                energy[k, trial] = dirichlet_energy(distances, graph)
                rng = np.random.default_rng([study.seed, trial])  # the same names at every layer and length
                null[k, trial] = shuffled_energies(distances, graph, rng, shuffles)
                if len(there) >= _LEAST:
                    components = principal_components(means)
                    explained[k, trial] = components.explained[:2].sum()
                    if trial == 0:
                        shown.setdefault("node_coordinates", np.zeros((len(layers), len(there), 2)))
                        shown["node_coordinates"][k] = _plane(components)
            if trial == 0:
                shown |= {"node_symbols": there, "node_edges": np.argwhere(np.triu(graph, 1))}
    return shown | _judged(energy, null, ~study.selection) | {
        "energy": energy, "explained": explained, "least": least, "nodes": nodes, "edges": edges,
    }  # fmt: skip


def _judged(energy: Floats, null: Floats, held: Bools) -> dict[str, np.ndarray]:
    """Return the null of the mean energy of the held-out trials, and the p value of one as low."""
    told = held & np.isfinite(energy).all(axis=0)
    if not told.any():
        nothing = np.full(len(energy), np.nan)
        return {"null_low": nothing, "p_value": nothing}
    mean, nulls = (
        energy[:, told].mean(axis=1),
        null[:, told].mean(axis=1),
    )  # (n_layers,), (n_layers, shuffles)
    below = (nulls <= mean[:, None] + 1e-12).sum(axis=1)
    return {"null_low": np.quantile(nulls, 0.05, axis=1), "p_value": (1 + below) / (1 + nulls.shape[1])}


def _plane(components: Components) -> Floats:
    """Return the first two coordinates; the second is 0 where there is only one."""
    found = components.coordinates[:, :2]
    return np.pad(found, ((0, 0), (0, 2 - found.shape[1])))
