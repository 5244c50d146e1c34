"""Exact next-symbol log-probabilities from teacher-forced passes over padded batches of rows."""

import inspect
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.local_models.alignment import Row
from harness.types import Floats, Ints

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_CHUNK_BYTES = 1 << 26  # of float64 logits normalised at once


@dataclass(frozen=True, slots=True)
class RowJob:
    """One row and the tokens whose log-probability is wanted at each of its positions."""

    row: Row
    symbol_ids: tuple[int, ...]


def score_rows(model: "PreTrainedModel", jobs: Seq[RowJob]) -> list[Floats]:
    """Return log p of each wanted token at each position of each row: (n_positions, n_symbols).

    One pass over the rows padded on the right, where a causal model cannot see
    the padding. Normalised over the whole vocabulary in float64. The row of a
    position without a token before it is NaN. Memory is that of the logits at
    the positions asked for.
    """
    logits, wanted = _logits(model, [job.row for job in jobs])
    out = []
    for i, job in enumerate(jobs):
        places = [wanted[p] for p in job.row.positions if p >= 0]
        scores = np.full((len(job.row.positions), len(job.symbol_ids)), np.nan)
        scores[[p >= 0 for p in job.row.positions]] = _log_softmax(logits[i], places, job.symbol_ids)
        out.append(scores)
    return out


def draw_next(model: "PreTrainedModel", job: RowJob, n: int, seed: int) -> Ints:
    """Draw the next token n times at the only position of a row; count symbols, then all others.

    Tokens are drawn on the CPU from float64 probabilities at temperature 1, so
    that a seed means the same on every device. Shape (n_symbols + 1,).
    """
    import torch

    logits, wanted = _logits(model, [job.row])
    p = torch.softmax(logits[0, wanted[job.row.positions[0]]].double(), dim=-1).cpu()
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.multinomial(p, n, replacement=True, generator=generator)
    counts = np.bincount(drawn.numpy(), minlength=len(p))[list(job.symbol_ids)]
    return np.append(counts, n - counts.sum()).astype(np.int64)


def _logits(model: "PreTrainedModel", rows: Seq[Row]) -> "tuple[torch.Tensor, dict[int, int]]":
    """Return logits (rows, places, vocabulary) and the place of each position asked for by any row."""
    import torch

    longest = max(len(row.tokens) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for i, row in enumerate(rows):
        tokens[i, : len(row.tokens)] = torch.tensor(row.tokens)
        mask[i, : len(row.tokens)] = 1
    positions = sorted({p for row in rows for p in row.positions if p >= 0})
    arguments = {"input_ids": tokens.to(model.device), "attention_mask": mask.to(model.device)}
    index = torch.tensor(positions, device=model.device)
    some = "logits_to_keep" in inspect.signature(model.forward).parameters
    if some:
        arguments["logits_to_keep"] = index
    with torch.inference_mode():
        logits = model(**arguments, use_cache=False).logits
        return (logits if some else logits[:, index]), {p: i for i, p in enumerate(positions)}


def _log_softmax(logits: "torch.Tensor", places: Seq[int], symbol_ids: Seq[int]) -> Floats:
    import torch

    rows = max(1, _CHUNK_BYTES // (8 * logits.shape[-1]))
    parts = []
    with torch.inference_mode():
        for start in range(0, len(places), rows):
            chunk = logits[list(places[start : start + rows])].double()
            total = torch.logsumexp(chunk, dim=-1, keepdim=True)
            parts.append((chunk[:, list(symbol_ids)] - total).cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, len(symbol_ids)))
