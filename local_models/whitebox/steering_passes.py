"""Many interventions on the same rows: what lies below the edited layer is run once, what lies above it once each.

A batch passes through the model once. Of that pass the stream after each edited
layer is kept, and the arguments each block was called with; an intervention then
edits the stream and runs the blocks above it alone, several interventions side by
side in one batch. The scorer is that of black-box mode, `score_rows`, which is
handed an object that answers as the model does.
"""

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.scoring import RowJob, score_rows
from harness.local_models.whitebox.anatomy import stream
from harness.local_models.whitebox.attach import attached, check_site
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Ablate, Intervention
from harness.local_models.whitebox.sites import positions_of
from harness.types import Floats

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_TOLERANCE = 1e-4  # nat: more between a resumed and a whole pass is no rounding of float32
_HALF = 0.05  # nat, the same in 16-bit floats


@dataclass(eq=False)
class _Prefix:
    """What one pass over a batch left behind."""

    rows: list[int]  # of the batch, as the sweep numbers its jobs
    lengths: list[int]  # tokens of each row
    streams: "dict[int, torch.Tensor]" = field(default_factory=dict)  # layer -> (n_rows, longest, width)
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)  # of each block


def swept(
    box: WhiteBox,
    jobs: Seq[RowJob],
    interventions: Seq[Intervention],
    *,
    batch_size: int = 32,
    whole: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Floats, Floats]:
    """Return log p of every job without and with each intervention, as `score_rows` gives it.

    Shapes (n_jobs, n_positions, n_symbols) and (n_interventions, n_jobs,
    n_positions, n_symbols): all jobs ask for as many positions and symbols. Each
    intervention acts alone, at an "output" site. `whole` runs every pass from the
    first block; so does a model whose blocks cannot be resumed, which is found out
    on the first batch of each size. `progress` is called with passes done and to do, in rows.
    Raises WhiteBoxError.
    """
    _check(box, jobs, interventions, batch_size)
    size = len(jobs), len(jobs[0].row.positions), len(jobs[0].symbol_ids)
    base, changed = np.full(size, np.nan), np.full((len(interventions), *size), np.nan)
    order = sorted(range(len(jobs)), key=lambda i: len(jobs[i].row.tokens))
    todo, done = len(jobs) * (1 + len(interventions)), 0
    tried: set[int] = set()  # sizes of batches that were resumed without loss
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        batch = [jobs[i] for i in rows]
        prefix, base[rows] = _first_pass(box, batch, rows, sorted({i.site.layer for i in interventions}))
        if interventions and not whole and len(rows) not in tried:  # shapes tell which tensors are over rows
            whole = not _resumes(box, batch, prefix, base[rows])
            tried.add(len(rows))
        done = _told(progress, done + len(rows), todo)
        for together in _side_by_side(interventions, 1 if whole else max(1, batch_size // len(rows))):
            edits = [interventions[k] for k in together]
            scores = _whole(box, batch, rows, edits[0]) if whole else _resumed(box, batch, prefix, edits)
            changed[np.ix_(together, rows)] = np.reshape(scores, (len(together), len(rows), *size[1:]))
            done = _told(progress, done + len(rows) * len(together), todo)
    return base, changed


def _check(box: WhiteBox, jobs: Seq[RowJob], interventions: Seq[Intervention], batch_size: int) -> None:
    if batch_size < 1:
        raise WhiteBoxError(f"batch_size={batch_size!r} is not at least 1")
    if not jobs:
        raise WhiteBoxError("no rows to sweep over: give at least one")
    shapes = {(len(job.row.positions), len(job.symbol_ids)) for job in jobs}
    if len(shapes) > 1:
        raise WhiteBoxError(
            f"rows ask for different numbers of positions and symbols, {sorted(shapes)}: sweep over them apart"
        )
    for intervention in interventions:
        check_site(box.anatomy, intervention.site)
        if intervention.site.where != "output" or isinstance(intervention, Ablate):
            raise WhiteBoxError(
                f"{intervention.key}: a sweep adds and patches at the output of blocks; "
                "use WhiteBox.applied for anything else"
            )
        intervention.check(box.width, box.n_heads)


def _told(progress: Callable[[int, int], None] | None, done: int, todo: int) -> int:
    if progress is not None:
        progress(done, todo)
    return done


def _side_by_side(interventions: Seq[Intervention], most: int) -> Iterator[list[int]]:
    """Yield the indices of interventions at one layer, at most `most` together."""
    for layer in sorted({i.site.layer for i in interventions}):
        mine = [k for k, i in enumerate(interventions) if i.site.layer == layer]
        for start in range(0, len(mine), most):
            yield mine[start : start + most]


def _first_pass(
    box: WhiteBox, batch: Seq[RowJob], rows: Seq[int], layers: Seq[int]
) -> tuple[_Prefix, Floats]:
    """Score a batch without intervention and keep what the sweep needs of the pass."""
    prefix = _Prefix(list(rows), [len(job.row.tokens) for job in batch])
    handles = []

    def before(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        prefix.calls.append((args, kwargs))

    def after(layer: int) -> Any:
        def hook(_: Any, __: Any, output: Any) -> None:
            prefix.streams[layer] = stream(output)

        return hook

    with box.applied():  # nobody else's pass meanwhile
        try:
            for block in box.anatomy.blocks:
                handles.append(block.register_forward_pre_hook(before, with_kwargs=True))
            for layer in layers:
                handles.append(box.anatomy.blocks[layer].register_forward_hook(after(layer)))
            scores = score_rows(box.model, batch)
        finally:
            for handle in handles:
                handle.remove()
    return prefix, np.stack(scores)


def _whole(box: WhiteBox, batch: Seq[RowJob], rows: Seq[int], edit: Intervention) -> list[Floats]:
    with box.applied(), attached(box.model, box.anatomy, interventions=[edit]) as watch:
        watch.rows = rows
        return score_rows(box.model, batch)


def _resumed(
    box: WhiteBox,
    batch: Seq[RowJob],
    prefix: _Prefix,
    edits: Seq[Intervention | None],
    layer: int | None = None,
) -> list[Floats]:
    """Score a batch under each edit, side by side; None edits nothing, at `layer`."""
    first = edits[0]
    at = layer if first is None else first.site.layer
    assert at is not None
    model = _Resumed(box, prefix, at, edits)
    with box.applied():  # nobody else's hooks meanwhile
        return score_rows(cast("PreTrainedModel", model), [job for _ in edits for job in batch])


def _resumes(box: WhiteBox, batch: Seq[RowJob], prefix: _Prefix, base: Floats) -> bool:
    """Whether running the upper blocks alone, two copies side by side, gives what the whole model gave."""
    lowest = min(prefix.streams)
    try:
        again = np.stack(_resumed(box, batch, prefix, [None, None], lowest))
    except (TypeError, ValueError, RuntimeError, IndexError):  # a block that wants what was not kept
        return False
    import torch

    allowed = _TOLERANCE if box.model.dtype in (torch.float32, torch.float64) else _HALF
    return bool(np.nanmax(np.abs(again - np.concatenate([base, base]))) <= allowed)


class _Resumed:
    """The blocks above a layer, called as a whole model is called, on copies of one batch side by side."""

    def __init__(self, box: WhiteBox, prefix: _Prefix, layer: int, edits: Seq[Intervention | None]) -> None:
        self.device = box.model.device
        self._box, self._prefix, self._layer, self._edits = box, prefix, layer, edits

    def forward(
        self, input_ids: object, attention_mask: object, logits_to_keep: "torch.Tensor", use_cache: bool
    ) -> SimpleNamespace:
        """Return the logits at some positions; the tokens are those of the pass that is resumed."""
        del input_ids, attention_mask, use_cache
        import torch

        below, copies = self._prefix.streams[self._layer], len(self._edits)
        x = torch.cat([self._edited(below, edit) for edit in self._edits])
        anatomy = self._box.anatomy
        for block, (args, kwargs) in zip(
            anatomy.blocks[self._layer + 1 :], self._prefix.calls[self._layer + 1 :], strict=True
        ):
            rest = [_copied(value, len(self._prefix.rows), copies) for value in args[1:]]
            named = {name: _copied(value, len(self._prefix.rows), copies) for name, value in kwargs.items()}
            x = stream(block(x, *rest, **named) if args else block(**{**named, "hidden_states": x}))
        return SimpleNamespace(logits=anatomy.tail(x[:, logits_to_keep]))

    __call__ = forward

    def _edited(self, x: "torch.Tensor", edit: Intervention | None) -> "torch.Tensor":
        if edit is None:
            return x
        places = positions_of(edit.site.positions, self._prefix.lengths, {})
        rows = [row for row, found in enumerate(places) for _ in found]
        columns = [p for found in places for p in found]
        order = [k for found in places for k in range(len(found))]
        edited = x.clone()
        owners = [self._prefix.rows[row] for row in rows]
        edited[rows, columns] = edit.edit(x[rows, columns], owners, order)
        return edited


def _copied(value: Any, n_rows: int, copies: int) -> Any:
    """Return what a block was called with for a batch, for several copies of the batch side by side.

    A tensor over rows is repeated; one for all rows alike is left as it is.
    Which is which can only be told by its shape, so `_resumes` tries it out.
    """
    import torch

    if isinstance(value, torch.Tensor):
        over_rows = n_rows > 1 and value.ndim > 1 and value.shape[0] == n_rows
        return value.repeat(copies, *[1] * (value.ndim - 1)) if over_rows else value
    if isinstance(value, tuple | list):
        return type(value)(_copied(part, n_rows, copies) for part in value)
    return value
