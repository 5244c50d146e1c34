"""Attention patterns: what each token takes from each other, by token and by symbol of repeated blocks.

Weights are read with the eager implementation, the only one that has them, and
the model is put back as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.batching import padded
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.sites import TokenRows
from harness.types import Bools, Floats, Ints

_BYTES = 1 << 28  # of attention weights held at once


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Copies of a block as tokens; the span "contexts" names the last token of each context 1..n_symbols - 1."""

    symbols: Ints  # (n_rows, n_symbols), indices into the alphabet
    block: int  # symbols of a block; the last block is what is looked at
    rows: TokenRows
    symbol_ids: tuple[int, ...]  # token of each symbol

    @property
    def start(self) -> int:
        """Number of symbols before the last block."""
        return int(self.symbols.shape[1]) - self.block

    @property
    def contexts(self) -> Ints:
        """Context lengths at which the last block is predicted, its first symbol left out: (block - 1,)."""
        return np.arange(self.start + 1, self.symbols.shape[1])


def draw_blocks(
    n_rows: int, block: int, copies: int, n_symbols: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw blocks of different symbols, `copies` of each, and the same with the last copy in a new order.

    Shape (n_rows, copies * block) both. Raises WhiteBoxError unless 3 <= block <= n_symbols and copies >= 2.
    """
    if not 3 <= block <= n_symbols or copies < 2:
        raise WhiteBoxError(
            f"{copies!r} copies of {block!r} different symbols of {n_symbols}: at least 2 copies of 3 to "
            f"{n_symbols} symbols are possible"
        )
    first = np.argsort(rng.random((n_rows, n_symbols)), axis=1)[:, :block]
    other = np.take_along_axis(first, np.argsort(rng.random((n_rows, block)), axis=1), axis=1)
    before = [first] * (copies - 1)
    return np.hstack([*before, first]), np.hstack([*before, other])


def attention_patterns(
    box: WhiteBox, rows: TokenRows, *, batch_size: int = 16
) -> Iterator[tuple[int, tuple[int, ...], Floats]]:
    """Yield row, layers with attention, and the weights (n_layers, n_heads, n_tokens, n_tokens) of each row.

    Entry [.., q, k] is what token q takes from token k: 0 for k > q, and the sum
    over k is at most 1 (below it where a head has a sink of its own). Raises
    WhiteBoxError for a model without attention weights.
    """
    import torch

    layers = tuple(k for k, joined in enumerate(box.anatomy.outputs) if joined is not None)
    if not layers:
        raise WhiteBoxError("no attention heads were found in this model: it has no patterns to look at")
    longest = max(len(ids) for ids in rows.ids)
    batch = max(1, min(batch_size, _BYTES // (4 * len(layers) * box.n_heads * longest**2)))
    for start in range(0, len(rows), batch):
        part = list(range(start, min(start + batch, len(rows))))
        with box.applied(), _eager(box), torch.inference_mode():
            tokens, mask = padded([rows.ids[r] for r in part], box.model)
            found = box.model(
                input_ids=tokens, attention_mask=mask, use_cache=False, output_attentions=True
            ).attentions
        found = [weights for weights in found or () if weights is not None]
        if len(found) != len(layers) or any(w.shape[1] != box.n_heads for w in found):
            raise WhiteBoxError(
                f"{type(box.model).__name__} gives attention weights of {len(found)} layers where {len(layers)} have "
                "attention: its patterns cannot be told apart"
            )
        for i, row in enumerate(part):
            n = len(rows.ids[row])
            yield row, layers, np.stack([w[i, :, :n, :n].double().cpu().numpy() for w in found])


def attention_by_place(weights: Floats, blocks: Blocks, row: int) -> Floats:
    """Return the attention to each symbol before, at the end of each of `blocks.contexts`.

    (..., n_tokens, n_tokens) to (..., block - 1, n_symbols - 1): a symbol's
    tokens are added up, its separator included. Tokens before the symbols are left out.
    """
    ends = np.array(blocks.rows.spans["contexts"][row])  # last token of symbol 0, 1, ..
    first = np.concatenate([[ends[0]], ends[:-1] + 1])
    asked = weights[..., ends[blocks.contexts - 1], : ends[-1] + 1]
    return np.asarray(np.add.reduceat(asked, first, axis=-1))


def followers(symbols: Ints, block: int) -> Bools:
    """Return what an induction head attends to: (block - 1, n_symbols - 1), as `attention_by_place`.

    True at symbol m for a context that ends with the symbol before m, where m is
    not in the last block.
    """
    start = len(symbols) - block
    ending, before = symbols[start:-1], symbols[: start - 1]  # last symbol of each context; symbol m - 1
    found = np.zeros((block - 1, len(symbols) - 1), dtype=np.bool_)
    found[:, 1:start] = ending[:, None] == before
    return found


def moved(wanted: Bools, offset: int, before: int) -> Bools:
    """Return the places `offset` symbols after the wanted ones, those alone that are among symbols 0..before - 1."""
    found = np.zeros_like(wanted)
    rows, places = np.nonzero(wanted)
    kept = (places + offset >= 0) & (places + offset < before)
    found[rows[kept], places[kept] + offset] = True
    return found


def prefix_matching(taken: Floats, wanted: Bools) -> Floats:
    r"""Return the attention to `wanted` places, in the mean over the contexts that have one: (...,).

    With `followers` it is the prefix-matching score of Olsson et al. 2022,
    \( \frac1{|Q|}\sum_{q\in Q}\sum_{m:\,x_{m-1}=x_q} A_{q,m} \), in [0, 1]. NaN without such a context.
    """
    n_contexts = int(wanted.any(axis=1).sum())
    total = (taken * wanted).sum(axis=(-2, -1))
    return np.asarray(total / n_contexts if n_contexts else np.full(total.shape, np.nan))


def raised_share(contributions: Floats, taken: Floats) -> Floats:
    r"""Return the copying score: the share of what a head raises that falls on the symbols it attends to.

    Of contributions c to the logits of the symbols and attention a to them, each
    (..., n_symbols): \( \sum_v \hat a_v r_v / \sum_v r_v \) with \( r_v = \max(0, c_v - \bar c) \) and
    \( \hat a = a / \sum a \). 1 for a head that copies, 1 / n_symbols for one whose
    effect has nothing to do with what it attends to; NaN where it attends to none.
    Olsson et al. 2022 take the ratio likewise, but of single tokens.
    """
    raised = np.maximum(0.0, contributions - contributions.mean(axis=-1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (taken * raised).sum(axis=-1) / taken.sum(axis=-1)
        return np.asarray(share / raised.sum(axis=-1))


@contextmanager
def _eager(box: WhiteBox) -> Iterator[None]:
    """Let the model compute attention in the one way that shows its weights, until the context ends."""
    before = box.model.config._attn_implementation
    box.model.set_attn_implementation("eager")
    try:
        yield
    finally:
        box.model.set_attn_implementation(before)
