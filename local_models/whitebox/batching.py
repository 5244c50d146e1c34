"""Rows into batches that a model can run, and what one pass showed into an array."""

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.errors import ContextTooLong, WhiteBoxError
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.local_models.whitebox.watch import Watch

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Activations = NDArray[np.float32]


def batches(rows: TokenRows, batch_size: int) -> Iterator[tuple[int, ...]]:
    """Yield rows of like length together."""
    if batch_size < 1:
        raise WhiteBoxError(f"batch_size={batch_size!r} is not at least 1")
    order = sorted(range(len(rows)), key=lambda r: len(rows.ids[r]))
    for start in range(0, len(order), batch_size):
        yield tuple(order[start : start + batch_size])


def table(watch: Watch, sites: Seq[Site], n_rows: int, *, mean: bool) -> Activations:
    """Return what one pass showed as (n_rows, n_sites, n_places, width), or averaged over the places."""
    columns = []
    for site in sites:
        ((places, values),) = watch.seen[site]
        flat = values.reshape(len(values), -1).float().cpu().numpy()
        counts = places.counts
        if min(counts) == 0:
            raise WhiteBoxError(f"{site.positions!r} names no place in row {counts.index(0)}")
        if mean:
            starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
            columns.append(np.add.reduceat(flat, starts, axis=0) / np.array(counts)[:, None])
        elif min(counts) != max(counts):
            raise WhiteBoxError(
                f"{site.positions!r} names {min(counts)} to {max(counts)} places a row: name as many in each, "
                'or average with reduce="mean"'
            )
        else:
            columns.append(flat.reshape(n_rows, counts[0], -1))
    shapes = {column.shape for column in columns}
    if len(shapes) > 1:
        raise WhiteBoxError(f"sites give arrays of shapes {sorted(shapes)}: capture them apart")
    return np.stack(columns, axis=1)


def padded(
    ids: Seq[Seq[int]], model: "PreTrainedModel", *, past: int = 0
) -> "tuple[torch.Tensor, torch.Tensor | None]":
    """Return tokens (n_rows, longest), padded on the right, and the mask (n_rows, past + longest) of what counts.

    The mask is None where nothing is padded: transformers is quicker without.

    Raises ContextTooLong for a row longer than the model was made for, and
    WhiteBoxError for a token that it does not have.
    """
    import torch

    config = model.config.get_text_config()
    longest = max(len(row) for row in ids)
    limit = getattr(config, "max_position_embeddings", None)
    if limit is not None and past + longest > limit:
        raise ContextTooLong(f"a row has {past + longest} tokens where the model was made for {limit}")
    tokens = np.zeros((len(ids), longest), dtype=np.int64)
    for i, row in enumerate(ids):
        tokens[i, : len(row)] = row
    check_tokens(model, [int(tokens.min()), int(tokens.max())])
    mask = None
    if any(len(row) < longest for row in ids):
        ends = past + np.array([[len(row)] for row in ids])
        mask = torch.from_numpy((np.arange(past + longest) < ends).astype(np.int64)).to(model.device)
    return torch.from_numpy(tokens).to(model.device), mask


def check_tokens(model: "PreTrainedModel", tokens: Seq[int]) -> None:
    """Raise WhiteBoxError for a token that is not in the model's vocabulary."""
    size = int(model.config.get_text_config().vocab_size)
    for token in tokens:
        if not 0 <= token < size:
            raise WhiteBoxError(f"token {token!r} is not in 0..{size - 1}, the vocabulary")
