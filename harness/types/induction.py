"""Which heads look for what followed last time, and what is left of a repeated block without them."""

from dataclasses import dataclass

from harness.types.sequence import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Induction:
    """Scores of every head on blocks that are repeated, (n_layers, n_heads), and ablation curves."""

    block: int  # symbols, all different
    copies: int
    rows: int  # blocks measured
    n_symbols: int
    layers: tuple[int, ...]  # 0-based, those with attention
    repeated: Floats  # prefix matching (Olsson et al. 2022)
    distance: Floats  # attention to the same places where the last block is in another order
    reordered: Floats  # prefix matching there
    control: Floats  # attention to those places in rows where they match nothing
    error: Floats  # standard error of reordered - control
    copying: Floats  # share of what a head raises that it attends to; NaN where it cannot be told
    offsets: Ints  # (n_offsets,), symbols after the one that followed
    around: Floats  # (n_offsets, n_layers, n_heads), reordered - control at these places
    uniform: float  # prefix matching of even attention, on repeated blocks
    first: float  # mean p(target) along the first copy, over the symbols
    last: float
    loss_drop: float  # nats a symbol, first copy less last: the induction score of behaviour
    loss_drop_error: float  # standard error over blocks
    counts: Ints  # heads ablated
    order: tuple[
        tuple[int, int], ...
    ]  # layer and head, by falling score on other blocks; empty where not asked
    ranked: Floats  # (n_counts,), mean p(target) along the last copy
    ranked_error: Floats  # standard error over blocks
    random: Floats  # (n_draws, n_counts), in random orders
    ranked_by: str  # "prefix": repeated, or "symbols": the largest of around
    instead: str  # what an ablated head gives: "mean" or "zero"
