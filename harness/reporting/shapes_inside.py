"""The geometry of states in words, figures and a table."""

from functools import partial

import numpy as np

from harness.reporting.inside import Drawn, Shown
from harness.reporting.numbers import number, with_interval
from harness.reporting.shapes_figures import ENERGY, PICTURES, draw_energy, draw_pictures
from harness.types import AnalysisOptions
from harness.types.geometry import Geometry
from harness.types.whitebox import WhiteBoxResult

HEADS = ("layer", "lowest energy", "at n", "p", "variance of nodes", "variance of values", "parallelogram")
_COMMON = 0.05


def shown(result: WhiteBoxResult, options: AnalysisOptions) -> Shown:
    """Return what the states of one model show of the graph of symbols and of the concept."""
    del options
    found = result.findings["geometry"]
    assert isinstance(found, Geometry)
    told = bool(found.told.any())
    figures = [
        Drawn(
            "pictures",
            partial(draw_pictures, found=found),
            PICTURES,
            f"{result.title}: mean states at layer {found.layers[found.chosen]}, n = {found.context_lengths[-1]:.0f}",
            "Means in the plane of their first two principal components; signs are fixed. Left, where there is a "
            "graph: symbols of one sequence, joined where one follows the other; right: values of the concept.",
        )
    ]
    if told:
        figures.insert(
            0,
            Drawn(
                "energy",
                partial(draw_energy, found=found),
                ENERGY,
                f"{result.title}: Dirichlet energy of symbols and behaviour",
                f"Mean over {int(found.told.max())} sequences that the layer was not chosen on, with 95 % interval: "
                "squared distance of mean states along edges over that of all pairs. 1: no graph shows, the mean over "
                "all names of the nodes; dashed: no states can have less; grey: other layers. Means over the last "
                f"{found.window} symbols, or all where there are fewer.",
            ),
        )
    return Shown(
        title="Geometry of states",
        sentences=tuple(_graph_sentences(found) if told else [_no_graph(found)]) + _concept_sentences(found),
        figures=tuple(figures),
        heads=HEADS,
        rows=tuple(_row(found, k) for k in range(len(found.layers))),
        cautions=(
            "A low energy alone is no map: states that hold the symbols just before lie near their neighbours already, "
            "in untrained models as well; a map is an energy that falls as the context grows.",
        )
        if told
        else (),
    )


def _no_graph(found: Geometry) -> str:
    return (
        f"No graph can be told from the symbols' states: {number(float(found.nodes[-1]), 1)} symbols stand in a window "
        f"of {found.window}, joined by {number(float(found.edges[-1]), 1)} edges; three with neither no edge nor every "
        "edge are needed."
    )


def _graph_sentences(found: Geometry) -> list[str]:
    k = found.chosen
    first, last = (int(np.flatnonzero(found.told)[i]) for i in (0, -1))
    energy = with_interval(found.energy[k, last], found.low[k, last], found.high[k, last])
    n = found.context_lengths
    clear = found.p_value[k, last] < _COMMON
    words = [
        f"At layer {found.layers[k]}, chosen on {found.chosen_on} other sequences, the Dirichlet energy of symbols is "
        f"{number(float(found.energy[k, first]), 2)} at n = {n[first]:.0f} and {energy} at n = {n[last]:.0f} (1: no "
        f"graph; none can be below {number(float(found.least[last]), 2)}), the latter "
        f"{'' if clear else 'not '}lower than names drawn at random give (p = {found.p_value[k, last]:.3f})."
    ]
    together = found.association
    if together.value is None:
        words.append("Whether it goes with p(target) over context lengths cannot be told here.")
    else:
        value = with_interval(together.value, together.low, together.high)
        words.append(
            f"Over {together.cells} context lengths its rank correlation with p(target) is {value}; a graph that shows "
            "as behaviour rises gives a negative one."
        )
    return words


def _concept_sentences(found: Geometry) -> tuple[str, ...]:
    k = found.chosen
    share = 100 * found.class_explained[k, -1]
    words = [
        f"Mean states of the {len(found.classes.names)} values of the concept: {share:.0f} % of their variance lies in "
        f"one plane at layer {found.layers[k]}, n = {found.context_lengths[-1]:.0f}."
    ]
    if found.parallelogram is not None:
        none, first, second, both = found.corners
        words.append(
            f"Parallelogram score there, cosine of {first} less {none} with {both} less {second}: "
            f"{number(float(found.parallelogram[k, -1]), 2)} (1: the changes add)."
        )
    return tuple(words)


def _row(found: Geometry, k: int) -> tuple[str, ...]:
    name = f"{found.layers[k]}" + (", chosen" if k == found.chosen else "")
    share = number(float(found.class_explained[k, -1]), 2)
    score = "n/a" if found.parallelogram is None else number(float(found.parallelogram[k, -1]), 2)
    if not np.isfinite(found.energy[k]).any():
        return (name, "n/a", "n/a", "n/a", "n/a", share, score)
    at = int(np.nanargmin(found.energy[k]))
    return (
        name,
        with_interval(found.energy[k, at], found.low[k, at], found.high[k, at]),
        f"{found.context_lengths[at]:.0f}",
        number(float(found.p_value[k, at]), 3),
        number(float(found.explained[k, at]), 2),
        share,
        score,
    )
