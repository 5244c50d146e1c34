"""A random walk on a graph of words, each step to a neighbour; the graph shows in the walk alone.

`shape` is a ring, a grid, a patch of hexagons (`prompts/graphs.py` says which
numbers of nodes they have, 16 at null) or "edges", those of `edges`, pairs of node
numbers: [0-1, 1-2, 1-3] is a star. Words stand on the nodes at random, anew for each sequence, or
`placed: in_order`. They are the first of a list of this family's, or `symbols`,
as many as there are nodes. The walk begins anywhere and goes to each neighbour
alike. Two settings change the graph, in the same way in all sequences, so that
it is words that are placed anew:

- `held_out` edges are walked in one direction and never in the other. What a model
  gives to the other direction it has not counted: `undirected` does the same.
- with `second`, another shape on the same nodes, each step is one on that graph
  with probability `mixture`.

The law knows the graph and the words. The ideal observer `placement` knows the
graph, directions and mixture included, but not where words stand: Bayes' rule over
all placements, exact while at most 2^17 of them fit and from then on `undirected`,
no longer ideal. Of 200 walks of 150 steps on a 4 x 4 grid none came there, of 200
on 5 x 5 none, of 40 on 6 x 6 four, of 40 on 7 x 7 half. With `placed: in_order` it is what somebody says
who was not told so. `bigram` counts steps, `undirected` steps in either
direction, `neighbours` smooths these by neighbours of neighbours, `kt` counts
words. Where a step is on no such graph, `placement` says what `undirected` does
from then on.

Example: n_nodes: 6, rendered with separator " "

    prompt ' lamp salt lamp salt rope drum lamp drum fern coat fern coat'
    target ' lamp', grid of 6: fern drum rope coat lamp salt
"""

from bisect import bisect_right
from functools import lru_cache
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import cumulative, permutation, uniforms
from harness.prompts.graphs import Shape, from_edges, graph, hold_out
from harness.prompts.later import later
from harness.prompts.observers import walks
from harness.prompts.observers.ngram import ngram
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Bools, Floats, Ints, Sequence

IDEAL = "placement"
_DEFAULT_NODES = 16
_SHOWN = 4
_SHAPE_STREAM = 0  # key of the stream that decides what is the same in all sequences
# Everyday nouns of four letters; none is a node of the walks in Park et al. 2025.
_WORDS = tuple(
    """
    lamp salt drum coat rope fern iron wolf desk soup tent clay silk barn kite moss
    pear coin gate lark vest plum tube wing oven reef seed jade hook yarn bell dune
    fork corn raft leaf tile nest harp zinc cape lime pond soap cave mint dock belt
    quay fish knot palm veil wool chin gulf herb inch jazz kelp loom maze fort oath
    """.split()  # noqa: SIM905 words to be read, not 64 pairs of quotes
)


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    shape: Shape | Literal["edges"] = "grid",
    n_nodes: int | None = None,
    edges: tuple[str, ...] | None = None,
    symbols: str | tuple[str, ...] | None = None,
    placed: Literal["random", "in_order"] = "random",
    held_out: int = 0,
    second: Shape | None = None,
    mixture: float = 0.0,
) -> Sequence:
    """Draw where each word stands, then walk."""
    kernel = _kernel(shape, n_nodes, edges, held_out, second, mixture)
    n = len(kernel)
    alphabet = _words(n, symbols)
    word_at = permutation(n, rng) if placed == "random" else np.arange(n)
    nodes = _walk(kernel, length, rng)
    drawn = word_at[nodes]
    law = np.full((length + 1, n), 1 / n)
    law[1:, word_at] = kernel[nodes]
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=law,
        observers=later(
            observe,
            drawn,
            alphabet,
            shape=shape,
            n_nodes=n_nodes,
            edges=edges,
            held_out=held_out,
            second=second,
            mixture=mixture,
        ),
        ideal=IDEAL,
        concept=_in_words(shape, kernel, tuple(alphabet[word] for word in word_at)),
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    shape: Shape | Literal["edges"],
    n_nodes: int | None,
    edges: tuple[str, ...] | None,
    held_out: int,
    second: Shape | None,
    mixture: float,
) -> dict[str, Floats]:
    """Predict from where the words can stand, from what was next to what, and from counts."""
    m = len(alphabet)
    return {
        "placement": walks.placement(symbols, _kernel(shape, n_nodes, edges, held_out, second, mixture)),
        "bigram": ngram(symbols, m, k=2),
        "undirected": walks.undirected(symbols, m),
        "neighbours": walks.neighbours(symbols, m),
        "kt": observers.kt(symbols, m),
    }


@lru_cache(maxsize=32)
def _kernel(
    shape: Shape | Literal["edges"],
    n_nodes: int | None,
    edges: tuple[str, ...] | None,
    held_out: int,
    second: Shape | None,
    mixture: float,
) -> Floats:
    """Return the probabilities to step from node to node, the same for all sequences: (n_nodes, n_nodes)."""
    if (shape == "edges") != (edges is not None):
        raise SpecError(
            f"family 'graph_walk': shape={shape!r} with edges={edges!r}; edges belong to shape 'edges'"
        )
    if not 0 <= mixture <= 1 or (mixture and not second):
        raise SpecError(
            f"family 'graph_walk': mixture={mixture!r} must be in 0..1, and 0 without a second graph"
        )
    if held_out and second:
        raise SpecError(
            f"family 'graph_walk': held_out={held_out!r} with second={second!r}, whose edges may be those held out; "
            "set one of them"
        )
    if shape != "edges":
        neighbours = graph(shape, _DEFAULT_NODES if n_nodes is None else n_nodes)
    else:
        neighbours = from_edges(tuple(_pair(edge) for edge in edges or ()))
        if n_nodes not in (None, len(neighbours)):
            raise SpecError(
                f"family 'graph_walk': n_nodes={n_nodes!r}, and edges name {len(neighbours)} nodes"
            )
    stream = np.random.Generator(np.random.Philox(key=_SHAPE_STREAM))
    arcs = hold_out(neighbours, held_out, stream)
    kernel = _uniform(arcs)
    if second:
        other = graph(second, len(kernel))
        order = permutation(len(kernel), stream)
        kernel = (1 - mixture) * kernel + mixture * _uniform(other)[np.ix_(order, order)]
    kernel.setflags(write=False)
    return kernel


def _pair(edge: str) -> tuple[int, int]:
    left, dash, right = edge.partition("-")
    if not (dash and left.isdecimal() and right.isdecimal()):
        raise SpecError(
            f"family 'graph_walk': edge {edge!r} must be two node numbers with a hyphen between, such as '0-1'"
        )
    return int(left), int(right)


def _uniform(arcs: Bools) -> Floats:
    return np.asarray(arcs / arcs.sum(axis=1, keepdims=True))


def _walk(kernel: Floats, length: int, rng: np.random.Generator) -> Ints:
    """Return the nodes of a walk that begins uniformly."""
    thresholds = cumulative(kernel).tolist()
    at, nodes = (np.arange(1, len(kernel) + 1) / len(kernel)).tolist(), []
    for u in uniforms(length, rng).tolist():
        nodes.append(bisect_right(at, u))
        at = thresholds[nodes[-1]]
    return np.array(nodes, np.int64)


def _in_words(shape: str, kernel: Floats, words: tuple[str, ...]) -> str:
    """Return the words in the order of the nodes, and the first few directions that are never walked."""
    never = np.argwhere((kernel.T > 0) & (kernel == 0)).tolist()
    shown = ", ".join(f"{words[i]} -> {words[j]}" for i, j in never[:_SHOWN])
    more = len(never) - _SHOWN
    return (
        f"{shape} of {len(words)}: {' '.join(words)}"
        + (f"; never {shown}" if never else "")
        + (f" and {more} more" if more > 0 else "")
    )


def _words(n: int, symbols: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return a name for each of n nodes."""
    if symbols is None:
        if n > len(_WORDS):
            raise SpecError(
                f"family 'graph_walk': {n} nodes, and only {len(_WORDS)} words are ours; give symbols, {n} of them"
            )
        return _WORDS[:n]
    names = alphabet_of(symbols)
    if len(names) != n:
        raise SpecError(
            f"family 'graph_walk': symbols={symbols!r} are {len(names)}, and the graph has {n} nodes"
        )
    return names
