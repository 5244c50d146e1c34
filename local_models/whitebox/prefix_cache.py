"""Prefixes that many rows begin with, read once: keys and values kept by checkpoint, intervention and tokens."""

import copy
from collections import OrderedDict
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.attach import attached
from harness.local_models.whitebox.batching import batches, check_tokens, padded
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Intervention, Patch
from harness.local_models.whitebox.sites import Positions, TokenRows, positions_of

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache

Key = tuple[str, tuple[tuple[str, tuple[int, ...]], ...], tuple[int, ...]]
_TOLERANCE = 1e-5  # of the largest logit, as in anatomy: two orders of the same float32 sums
_HALF = 2e-2  # the same in 16-bit floats


@dataclass(frozen=True, slots=True, eq=False)
class _Prefix:
    """What a model keeps of the tokens it has read."""

    cache: "DynamicCache"  # one row; passes go on with copies of it
    logits: "torch.Tensor"  # (vocabulary,), after its last token


class PrefixCache:
    """Log-probabilities of rows with a common beginning, which is run once for all of them.

    An entry is found by the checkpoint, the tokens, and the interventions that
    touch the prefix, with the positions they touch: a prefix read without
    steering is never taken for one read with it, and interventions on later
    tokens alone share the plain one. The entries used last are kept, up to
    `max_tokens` tokens in all.

    Whether a model can go on from what it has kept is tried once. Where it
    cannot (a recurrent state, as in Mamba), `reuses` is False and every row is
    computed in full.
    """

    def __init__(self, box: WhiteBox, *, checkpoint: str, max_tokens: int = 16384) -> None:
        self.box = box
        self.checkpoint = checkpoint  # fingerprint or name of the weights
        self.max_tokens = max_tokens
        self.passes = 0  # prefixes that were run, not found
        self._entries: OrderedDict[Key, _Prefix] = OrderedDict()
        self.reuses = self._can_reuse()

    @property
    def tokens(self) -> int:
        """Tokens held."""
        return sum(len(tokens) for _, _, tokens in self._entries)

    def log_probs(
        self,
        rows: TokenRows,
        shared: int,
        tokens: Seq[int],
        *,
        positions: Positions = "last",
        interventions: Seq[Intervention] = (),
        batch_size: int = 32,
    ) -> list[NDArray[np.float64]]:
        """Return what `WhiteBox.log_probs` does, for rows that agree in their first `shared` tokens.

        Every row needs a token more, and `positions` may name none before
        `shared` - 1. Rows are computed in full where an intervention differs
        between them within the prefix. Raises WhiteBoxError.
        """
        check_tokens(self.box.model, tokens)
        prefix = _common(rows, shared)
        lengths = [len(row) for row in rows.ids]
        wanted = positions_of(positions, lengths, rows.spans)
        early = next((i for i, places in enumerate(wanted) if places and min(places) < shared - 1), None)
        if early is not None:
            raise WhiteBoxError(
                f"{positions!r} names token {min(wanted[early])} of row {early}, whose logits are not kept with "
                f"the {shared} shared tokens: name positions from {shared - 1}, or share fewer"
            )
        key = self._key(rows, prefix, interventions)
        if not self.reuses or key is None:
            return self.box.log_probs(
                rows, tokens, positions=positions, interventions=interventions, batch_size=batch_size
            )
        entry = self._entry(key, rows, interventions)
        found: dict[int, NDArray[np.float64]] = {}
        for batch in batches(rows, batch_size):
            logits = self._continued(entry, rows, batch, shared, interventions)
            for i, row in enumerate(batch):
                found[row] = _log_probs(logits[i], [p - shared + 1 for p in wanted[row]], tokens)
        return [found[row] for row in range(len(rows))]

    def _key(self, rows: TokenRows, prefix: tuple[int, ...], interventions: Seq[Intervention]) -> Key | None:
        """Return what an entry is found by, None where interventions treat the prefix of two rows differently."""
        lengths = [len(row) for row in rows.ids]
        touching = []
        for intervention in interventions:
            places = {
                tuple(p for p in row if p < len(prefix))
                for row in positions_of(intervention.site.positions, lengths, rows.spans)
            }
            by_row = isinstance(intervention, Patch) and intervention.source.ndim > 1
            if len(places) > 1 or (by_row and places != {()}):
                return None
            if places != {()}:
                touching.append((intervention.key, places.pop()))
        return self.checkpoint, tuple(touching), prefix

    def _entry(self, key: Key, rows: TokenRows, interventions: Seq[Intervention]) -> _Prefix:
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key]
        tokens, mask = padded([key[2]], self.box.model)
        first = rows.part([0])
        cache, logits = self._run(tokens, mask, None, first, [0], interventions)
        entry = _Prefix(cache, logits[0, -1].clone())
        self.passes += 1
        self._entries[key] = entry
        while self._entries and self.tokens > self.max_tokens:
            self._entries.popitem(last=False)
        return entry

    def _continued(
        self,
        entry: _Prefix,
        rows: TokenRows,
        batch: tuple[int, ...],
        shared: int,
        interventions: Seq[Intervention],
    ) -> "torch.Tensor":
        """Return the logits after the last shared token and all later ones: (n_rows, 1 + longest, vocabulary)."""
        import torch

        part = rows.part(batch)
        tokens, mask = padded([row[shared:] for row in part.ids], self.box.model, past=shared)
        cache = copy.deepcopy(entry.cache)
        cache.batch_repeat_interleave(len(batch))
        _, logits = self._run(tokens, mask, cache, part, batch, interventions)
        return torch.cat([entry.logits.expand(len(batch), 1, -1), logits], dim=1)

    def _run(
        self,
        tokens: "torch.Tensor",
        mask: "torch.Tensor | None",
        cache: "DynamicCache | None",
        part: TokenRows,
        batch: Seq[int],
        interventions: Seq[Intervention],
    ) -> "tuple[DynamicCache, torch.Tensor]":
        import torch

        box = self.box
        with (
            box.lock,
            attached(box.model, box.anatomy, interventions=interventions) as watch,
            torch.inference_mode(),
        ):
            watch.rows, watch.spans, watch.total = batch, part.spans, [len(row) for row in part.ids]
            out = box.model(input_ids=tokens, attention_mask=mask, past_key_values=cache, use_cache=True)
        return out.past_key_values, out.logits

    def _can_reuse(self) -> bool:
        """Return whether two halves of four tokens give the logits of the whole."""
        import torch
        from transformers import DynamicCache

        model = self.box.model
        row = tuple(i % model.config.get_text_config().vocab_size for i in range(4))
        tokens, _ = padded([row], model)
        with self.box.lock, torch.inference_mode():
            whole = model(input_ids=tokens, use_cache=False).logits
            first = model(input_ids=tokens[:, :2], use_cache=True)
            cache = getattr(first, "past_key_values", None)
            if not isinstance(cache, DynamicCache):
                return False
            try:
                kept = copy.deepcopy(cache)
                kept.batch_repeat_interleave(2)
                rest = tokens[:, 2:].expand(2, -1)
                logits = model(input_ids=rest, past_key_values=kept, use_cache=True).logits
            except (ValueError, NotImplementedError, AttributeError):
                return False
        exact = model.dtype in (torch.float32, torch.float64)
        allowed = float(whole.abs().max()) * (_TOLERANCE if exact else _HALF)
        return bool((logits - whole[:, 2:]).abs().max() <= allowed)


def _common(rows: TokenRows, shared: int) -> tuple[int, ...]:
    if not len(rows) or shared < 1:
        raise WhiteBoxError(f"{len(rows)} rows with {shared!r} shared tokens: at least one of each is needed")
    prefix = rows.ids[0][:shared]
    for i, row in enumerate(rows.ids):
        if row[:shared] != prefix or len(row) <= shared:
            raise WhiteBoxError(
                f"row {i} does not begin with the {shared} tokens of row 0 and go on: share fewer tokens"
            )
    return prefix


def _log_probs(logits: "torch.Tensor", columns: Seq[int], tokens: Seq[int]) -> NDArray[np.float64]:
    import torch

    log_p = torch.log_softmax(logits[list(columns)].double(), dim=-1)
    return log_p[:, list(tokens)].cpu().numpy()
