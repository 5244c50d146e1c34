"""What a forward pass runs on, where in it the places of a site are, and what it showed."""

from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.sites import Positions, Site, positions_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The places of one site in one pass."""

    rows: list[int]  # of the batch
    index: "tuple[torch.Tensor, torch.Tensor] | None"  # batch row and column in this pass
    owners: list[int]  # rows of the data set
    order: list[int]  # number of each place among those of its row
    counts: list[int]  # per batch row, places named in it, those of other passes included
    whole: bool  # every row and column of this pass, in order: no index is needed

    def of(self, x: "torch.Tensor") -> "torch.Tensor":
        """Return a copy of the activations at these places, (n, ...)."""
        return x.flatten(0, 1).clone() if self.whole else x[self.index]

    def put(self, x: "torch.Tensor", values: "torch.Tensor") -> "torch.Tensor":
        """Return the activations with `values` at these places: never in place, so that what was read stays."""
        if self.whole:
            return values.reshape(x.shape)
        edited = x.clone()
        edited[self.index] = values
        return edited


@dataclass(eq=False)
class Watch:
    """What the passes of an attached model run on, and what they showed.

    The one who runs the passes may say which rows of its data set a batch holds,
    what its spans are, and how long its rows will be when a later pass goes on
    with them; otherwise lengths are read from the pass itself.
    """

    rows: Seq[int] | None = None  # rows of the whole data set in this batch, None: 0, 1, ...
    spans: Mapping[str, Seq[tuple[int, ...]]] = field(default_factory=dict)  # of this batch
    total: Seq[int] | None = None  # tokens of each row in the end
    lengths: list[int] = field(default_factory=list)  # of each row, tokens cached before this pass included
    offset: int = 0  # tokens cached before this pass
    new: int = 0  # tokens of this pass
    seen: "dict[Site, list[tuple[Places, torch.Tensor]]]" = field(default_factory=dict)
    _places: dict[Positions, Places] = field(default_factory=dict)
    _read_by_state: "WeakKeyDictionary[Any, int]" = field(default_factory=WeakKeyDictionary)

    def begin(self, tokens: "torch.Tensor", kwargs: Mapping[str, Any]) -> None:
        """Take note of a pass that is about to begin. Raises WhiteBoxError for padding on the left."""
        self.offset, self.new = self._past(kwargs, tokens.shape[1]), tokens.shape[1]
        self._places = {}
        mask = kwargs.get("attention_mask")
        if mask is not None and not bool(mask[:, 0].all()):
            raise WhiteBoxError(
                "rows are padded on the left, which shifts positions in many architectures: pad on the right"
            )
        if self.total is not None:
            self.lengths = list(self.total)
        elif mask is None:
            self.lengths = [self.offset + self.new] * len(tokens)
        else:
            self.lengths = mask.sum(dim=1).tolist()

    def places(self, positions: Positions, device: "torch.device") -> Places:
        """Return the places meant by `positions` in the pass that runs."""
        if positions not in self._places:
            self._places[positions] = self._find(positions, device)
        return self._places[positions]

    def _find(self, positions: Positions, device: "torch.device") -> Places:
        import torch

        end = self.offset + self.new
        if positions == "all" and all(n == end for n in self.lengths):
            return self._every_place()
        wanted = positions_of(positions, self.lengths, self.spans)
        table = np.array(
            [
                (row, p - self.offset, k)
                for row, places in enumerate(wanted)
                for k, p in enumerate(places)
                if self.offset <= p < end
            ],
            dtype=np.int64,
        ).reshape(-1, 3)
        rows = table[:, 0]
        owners = rows if self.rows is None else np.asarray(self.rows, dtype=np.int64)[rows]
        return Places(
            rows=rows.tolist(),
            index=tuple(torch.from_numpy(table[:, :2].T.copy()).to(device)),
            owners=owners.tolist(),
            order=table[:, 2].tolist(),
            counts=[len(places) for places in wanted],
            whole=False,
        )

    def _every_place(self) -> Places:
        """Return all places of a pass without padding: the same, quicker."""
        n_rows = len(self.lengths)
        batch = [row for row in range(n_rows) for _ in range(self.new)]
        return Places(
            rows=batch,
            index=None,
            owners=batch if self.rows is None else [self.rows[row] for row in batch],
            order=list(range(self.offset, self.offset + self.new)) * n_rows,
            counts=list(self.lengths),
            whole=True,
        )

    def _past(self, kwargs: Mapping[str, Any], new: int) -> int:
        """Return the tokens read before this pass; of a recurrent state, which does not say, they are counted."""
        cache = kwargs.get("past_key_values")
        if cache is None:
            cache = kwargs.get("cache_params", kwargs.get("state"))
        if cache is None:
            return 0
        try:
            return int(cache.get_seq_length())
        except (ValueError, AttributeError):
            pass
        try:
            before = self._read_by_state.get(cache, 0)
            begun = any(any(layer.has_previous_state.values()) for layer in cache.layers)
            self._read_by_state[cache] = before + new
        except (AttributeError, TypeError):
            before, begun = 0, True
        if begun and not before:
            raise WhiteBoxError(
                "the pass goes on from a recurrent state that does not say how many tokens it has read, "
                "so that no position is known: run the rows from their beginning"
            )
        return before
