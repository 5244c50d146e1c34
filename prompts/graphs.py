"""Graphs to walk on: ring, grid and hexagonal patches, graphs given by their edges, directions held out."""

import math
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts.draws import integers_below, permutation
from harness.types import Bools, Floats, Ints

Shape = Literal["ring", "grid", "hexagonal"]
Edges = tuple[tuple[int, int], ...]
"""Undirected edges between nodes 0, 1, .."""

_SMALLEST_RING = 3
_MOST_NODES = 1024
_MOST_COMPARED = 2**21  # entries of a kernel at a time, looking for its symmetries: 16 MB


def graph(shape: Shape, n_nodes: int) -> Bools:
    """Return which nodes are neighbours: a symmetric table (n_nodes, n_nodes), nobody its own neighbour.

    A ring has 3 nodes or more. A grid has rows * columns nodes, 2 or more each
    way, and is as near to a square as the number allows; nodes count along the
    rows. A hexagonal graph is rows * columns hexagons of the honeycomb, again as
    near to a square as can be, with 2 (rows + 1)(columns + 1) - 2 nodes: 6, 10,
    14, 16, .. Raises SpecError for a number that no such graph has.
    """
    if not _exists(shape, n_nodes):
        near = sorted(range(1, _MOST_NODES + 1), key=lambda n: (abs(n - n_nodes), n))
        possible = [n for n in near if _exists(shape, n)][:3]
        raise SpecError(
            f"no graph {shape!r} has n_nodes={n_nodes!r} (at most {_MOST_NODES}); the nearest have "
            f"{', '.join(map(str, sorted(possible)))}"
        )
    if shape == "ring":
        nodes = np.arange(n_nodes)
        return _adjacency(n_nodes, nodes, (nodes + 1) % n_nodes)
    if shape == "grid":
        place = np.arange(n_nodes).reshape(_rows(n_nodes), -1)
        sideways = np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()])
        down = np.stack([place[:-1].ravel(), place[1:].ravel()])
        return _adjacency(n_nodes, *np.concatenate([sideways, down], axis=1))
    return _honeycomb(n_nodes)


def from_edges(edges: Edges) -> Bools:
    """Return the neighbours in a graph given by its undirected edges, as `graph` does.

    Raises SpecError unless its nodes are 0, 1, .. without a gap, it is connected,
    and no edge is a loop or stands twice.
    """
    pairs = np.array(edges, np.int64).reshape(-1, 2)
    unordered = {tuple(sorted(edge)) for edge in edges}
    nodes = np.unique(pairs)
    if not edges or len(unordered) < len(edges) or (pairs[:, 0] == pairs[:, 1]).any():
        raise SpecError(f"edges={edges!r} must be one or more, none from a node to itself and none twice")
    if not np.array_equal(nodes, np.arange(nodes.size)) or nodes.size > _MOST_NODES:
        raise SpecError(
            f"edges name the nodes {nodes.tolist()!r}; they must be 0, 1, .. without a gap, at most {_MOST_NODES}"
        )
    adjacency = _adjacency(nodes.size, pairs[:, 0], pairs[:, 1])
    if not _strongly_connected(adjacency):
        raise SpecError(f"edges={edges!r} do not connect all nodes; a walk must reach every node")
    return adjacency


def hold_out(adjacency: Bools, n_directions: int, rng: np.random.Generator) -> Bools:
    """Return the arcs of a connected graph without one direction of `n_directions` random edges.

    Every node is still reached from every node. All edges can lose a direction
    but those whose loss would part the graph (bridges), whatever other edges have
    lost theirs (Boesch & Tindell 1980): n_directions in 0..number of the others.
    """
    arcs = adjacency.copy()
    edges = np.argwhere(np.triu(adjacency))
    left = n_directions
    for edge in edges[permutation(len(edges), rng)]:
        if not left:
            break
        turned = bool(integers_below(2, 1, rng)[0])
        for i, j in (edge[::-1], edge) if turned else (edge, edge[::-1]):
            arcs[i, j] = False
            if _strongly_connected(arcs):
                left -= 1
                break
            arcs[i, j] = True
    if left or n_directions < 0:
        raise SpecError(
            f"held_out={n_directions!r} must be in 0..{max(n_directions - left, 0)}: only so many edges of this graph "
            "can be walked in one direction alone with every node still in reach"
        )
    return arcs


def orbits(kernel: Floats) -> list[Ints]:
    """Return the nodes in groups of which each is as good as any other: some symmetry takes one to the other.

    A symmetry renumbers the nodes and leaves `kernel` (n, n) the same to the last
    bit. All are found node by node. A graph of very many (a star of 8 leaves), or
    of none, leaves every node a group of its own.
    """
    n = len(kernel)
    order = _each_beside_an_earlier(kernel > 0)
    images = np.arange(n)[kernel.diagonal() == kernel[order[0], order[0]], None]
    for k in range(1, n):
        node, before = order[k], order[:k]
        free = (images[:, :, None] != np.arange(n)).all(axis=1)
        same = (kernel[images] == kernel[before, node][:, None]).all(axis=1)
        same &= (kernel.T[images] == kernel[node, before][:, None]).all(axis=1)
        way, image = np.nonzero(free & same & (kernel.diagonal() == kernel[node, node]))
        images = np.concatenate([images[way], image[:, None]], axis=1)
        if images.size * n > _MOST_COMPARED:
            return list(np.arange(n)[:, None])
    groups = {tuple(np.unique(images[:, k]).tolist()) for k in range(n)}
    return [np.array(group, np.int64) for group in sorted(groups)]


def _each_beside_an_earlier(arcs: Bools) -> Ints:
    """Return the nodes of a connected graph from node 0 on, each a neighbour of one before it."""
    order = [0]
    for node in order:
        order += [j for j in np.flatnonzero(arcs[node] | arcs[:, node]).tolist() if j not in order]
    return np.array(order, np.int64)


def _exists(shape: Shape, n_nodes: int) -> bool:
    if not _SMALLEST_RING <= n_nodes <= _MOST_NODES:
        return False
    if shape == "ring":
        return True
    if shape == "grid":
        return _rows(n_nodes) > 1
    return n_nodes % 2 == 0 and _rows(n_nodes // 2 + 1) > 1


def _rows(n: int) -> int:
    """Return the largest divisor of n up to its square root."""
    return next(d for d in range(math.isqrt(n), 0, -1) if n % d == 0)


def _honeycomb(n_nodes: int) -> Bools:
    """Return hexagons laid as bricks: columns of nodes, linked to the next column in every other row."""
    n_columns = _rows(n_nodes // 2 + 1)
    place = np.arange(n_nodes + 2).reshape(n_columns, -1)
    down = np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()])
    column, row = np.indices((n_columns - 1, place.shape[1]))
    linked = column % 2 == row % 2
    across = np.stack([place[:-1][linked], place[1:][linked]])
    bricks = _adjacency(n_nodes + 2, *np.concatenate([down, across], axis=1))
    kept = bricks.sum(axis=1) > 1  # two corners hang loose
    return np.asarray(bricks[np.ix_(kept, kept)])


def _adjacency(n_nodes: int, left: Ints, right: Ints) -> Bools:
    adjacency = np.zeros((n_nodes, n_nodes), np.bool_)
    adjacency[left, right] = adjacency[right, left] = True
    return adjacency


def _strongly_connected(arcs: Bools) -> bool:
    """Return whether every node is reached from every node: from node 0, and node 0 from all."""
    return _reaches_all(arcs) and _reaches_all(arcs.T)


def _reaches_all(arcs: Bools) -> bool:
    reached = np.arange(len(arcs)) == 0
    while True:
        more = reached | arcs[reached].any(axis=0)
        if (more == reached).all():
            return bool(reached.all())
        reached = more
