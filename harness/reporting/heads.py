"""Induction heads in words, figures and a table."""

from functools import partial

import numpy as np

from harness.reporting.heads_figures import ABLATION, MAPS, draw_ablation, draw_scores
from harness.reporting.inside import Drawn, Shown
from harness.reporting.numbers import number, with_interval
from harness.types import AnalysisOptions, Floats
from harness.types.induction import Induction
from harness.types.whitebox import WhiteBoxResult

HEADS = ("layer, head", "prefix matching", "same places, reordered", "reordered", "no match", "copying")
_LISTED = 8  # heads of the table


def shown(result: WhiteBoxResult, options: AnalysisOptions) -> Shown:
    """Return which heads of one model match prefixes, and what depends on them."""
    del options
    found = result.findings["induction"]
    assert isinstance(found, Induction)
    score = "prefix matching" if found.ranked_by == "prefix" else "score due to the symbols"
    what = f"{found.copies} copies of random blocks of {found.block} different symbols of {found.n_symbols}"
    figures = [
        Drawn(
            "scores",
            partial(draw_scores, found=found),
            MAPS,
            f"{result.title}: scores of attention heads",
            f"{what}, {found.rows} blocks. Prefix matching: attention to what followed the same symbol (even: "
            f"{number(found.uniform, 2)}). Due to the symbols: the same with the last block in another order, less "
            "attention to these places where they match nothing. Nearby: the largest of that over the "
            f"{len(found.offsets)} places from {-found.offsets[0]} before to {found.offsets[-1]} after it. "
            "Copying: share of what a head raises that it attends "
            f"to (chance {number(1 / found.n_symbols, 2)}).",
        )
    ]
    if len(found.counts):
        figures.append(
            Drawn(
                "ablation",
                partial(draw_ablation, found=found),
                ABLATION,
                f"{result.title}: a repeated block as heads are ablated",
                f"Mean p(target) along the last copy, over the symbols. Heads by falling "
                f"{score} on other blocks, "
                f"with a 95 % interval over blocks; grey: {len(found.random)} random orders and their mean. An ablated "
                f"head gives {'its mean over tokens' if found.instead == 'mean' else 'zeros'}.",
            )
        )
    return Shown(
        title="Induction heads",
        sentences=(_behaviour(found, what), _best(found), *_ablated(found)),
        figures=tuple(figures),
        heads=HEADS,
        rows=_rows(found),
    )


def _behaviour(found: Induction, what: str) -> str:
    half = 1.96 * found.loss_drop_error
    drop = with_interval(found.loss_drop, found.loss_drop - half, found.loss_drop + half)
    return (
        f"{what}: p(target) is {number(found.first, 3)} along the first and {number(found.last, 3)} along the last; "
        f"the loss falls by {drop} nats a symbol."
    )


def _best(found: Induction) -> str:
    a, b = _largest(found.repeated)
    words = (
        f"Highest prefix matching: head {found.layers[a]}.{b}, {number(float(found.repeated[a, b]), 2)} (evenly "
        f"{number(found.uniform, 2)}; the same places in another order {number(float(found.distance[a, b]), 2)})."
    )
    excess = found.reordered - found.control
    above = 1 if found.layers[0] == 0 and len(found.layers) > 1 else 0
    k, head = _largest(excess[above:])
    half = 1.96 * found.error[k + above, head]
    best = excess[k + above, head]
    floor = ""
    if above:
        floor = f"; in layer 0, where no head can know the symbol before another, {number(float(excess[0].max()), 2)}"
    return (
        f"{words} Most due to the symbols themselves: head {found.layers[k + above]}.{head}, "
        f"{with_interval(best, best - half, best + half)} of its attention, best of {excess[above:].size}{floor}."
        f"{_nearby(found, above)} An induction head has nearly 1."
    )


def _nearby(found: Induction, above: int) -> str:
    """Return whether a head attends to another place near what followed, where others may have carried it."""
    table = found.around[:, above:]
    d, k, head = (int(i) for i in np.unravel_index(int(np.nanargmax(table)), table.shape))
    offset, value = int(found.offsets[d]), float(table[d, k, head])
    floor = float(np.nanmax(found.around[:, 0])) if above else 0.0
    known = f" (in layer 0: {number(floor, 2)})" if above else ""
    if offset == 0 or value <= floor:
        span = f"{-found.offsets[0]} before to {found.offsets[-1]} after"
        return f" From {span} what followed, no place has more than {number(value, 2)}{known}."
    side = "after" if offset > 0 else "before"
    return (
        f" {abs(offset)} symbols {side} what followed, head {found.layers[k + above]}.{head} has "
        f"{number(value, 2)}{known}: it may read there what other heads have carried."
    )


def _largest(table: Floats) -> tuple[int, int]:
    k, head = np.unravel_index(int(np.nanargmax(table)), table.shape)
    return int(k), int(head)


def _ablated(found: Induction) -> tuple[str, ...]:
    if len(found.counts) < 2 or not found.random.size:
        return ()
    i = 1
    layer, head = found.order[0]
    random = found.random[:, i]
    by = "prefix matching" if found.ranked_by == "prefix" else "score due to the symbols"
    return (
        f"Without head {layer}.{head}, the first by {by}, p(target) along the last copy goes from "
        f"{number(float(found.ranked[0]), 3)} to {number(float(found.ranked[i]), 3)}; without one head at random, to "
        f"{number(float(random.mean()), 3)} in the mean ({number(float(random.min()), 3)} to "
        f"{number(float(random.max()), 3)} in {len(random)} draws).",
    )


def _rows(found: Induction) -> tuple[tuple[str, ...], ...]:
    order = np.argsort(-found.repeated.ravel(), kind="stable")[:_LISTED]
    rows = []
    for k, head in zip(*np.unravel_index(order, found.repeated.shape), strict=True):
        scores = (found.repeated, found.distance, found.reordered, found.control, found.copying)
        rows.append((f"{found.layers[k]}.{head}", *(number(float(table[k, head]), 3) for table in scores)))
    return tuple(rows)
