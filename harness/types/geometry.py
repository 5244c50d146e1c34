"""How states of a model lie: the graph of its symbols by layer and context length, and the means of a concept."""

from dataclasses import dataclass

from harness.types.curve import SequenceCurve
from harness.types.decodability import Association
from harness.types.sequence import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Points in the plane of their first two principal components, some of them joined."""

    names: tuple[str, ...]
    coordinates: Floats  # (n_points, 2)
    edges: Ints  # (n_edges, 2), pairs of points; may be empty
    explained: float  # share of the variance in this plane


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Geometry of one model in one task; rows are layers, columns context lengths.

    Energy, its interval and the nulls are of the sequences that the layer was not
    chosen on, and NaN where none of them has a graph that can be told.
    """

    layers: tuple[int, ...]  # 0-based blocks; -1: before the first
    context_lengths: Floats  # ascending
    window: int  # symbols that the means of nodes are taken over
    energy: Floats  # (n_layers, n_lengths), mean over sequences; 1 where no graph shows
    low: Floats  # 95 % interval of the mean
    high: Floats
    null_low: Floats  # 5 % quantile of the mean with the nodes' names shuffled
    p_value: Floats
    least: Floats  # (n_lengths,), mean of what no points can go below
    nodes: Floats  # (n_lengths,), mean
    edges: Floats
    told: Ints  # (n_lengths,), sequences with a graph
    explained: Floats  # (n_layers, n_lengths), share of the first two components of the node means
    chosen: int  # row of the lowest energy on the selection half
    chosen_on: int  # sequences of that half
    behaviour: SequenceCurve | None  # p(target) of the other half at these context lengths
    association: Association  # of energy with p(target) over context lengths, at the chosen layer
    walk: Picture | None  # node means of the first sequence at the longest context, chosen layer
    classes: Picture  # means of the concept there
    class_explained: Floats  # (n_layers, n_lengths)
    corners: tuple[str, ...]  # of the parallelogram: neither, first, second, both; empty where not asked
    parallelogram: Floats | None  # (n_layers, n_lengths)
