"""A local causal model with its activations open: read, edited, patched, and read through its own head."""

import inspect
import threading
from collections.abc import Iterator
from collections.abc import Sequence as Seq
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.anatomy import Anatomy, find_anatomy
from harness.local_models.whitebox.attach import attached, check_site
from harness.local_models.whitebox.batching import Activations, batches, check_tokens, padded, table
from harness.local_models.whitebox.interventions import Intervention, Patch
from harness.local_models.whitebox.sites import Positions, Site, TokenRows, positions_of
from harness.local_models.whitebox.watch import Watch

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

Reduce = Literal["mean"]


@dataclass(frozen=True, slots=True, eq=False)
class Captured:
    """Activations of some rows: shape (n_rows, n_sites, n_places, width); without n_places where they are averaged."""

    rows: tuple[int, ...]  # of the data set
    values: Activations


class WhiteBox:
    """A model whose parts were found and verified; see `find_anatomy` for what is refused.

    One forward pass at a time: hooks belong to the module, so that two threads
    wait for each other. Layers are 0-based; `Site(layer)` is the residual stream
    after that block. Rows are padded on the right, where a causal model cannot
    see it, so that a row gives the same alone and in a batch (up to rounding).
    """

    def __init__(
        self,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerFast | None" = None,
        *,
        blocks: str | None = None,
        norm: str | None = None,
        head: str | None = None,
    ) -> None:
        model.eval()
        self.model = model
        self.tokenizer = tokenizer
        self.anatomy: Anatomy = find_anatomy(model, blocks=blocks, norm=norm, head=head)
        self.lock = threading.RLock()  # whoever runs the model holds it
        self._named = (blocks, norm, head)
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return len(self.anatomy.blocks)

    @property
    def width(self) -> int:
        """Numbers of the residual stream for one token."""
        return self.anatomy.width

    @property
    def n_heads(self) -> int:
        """Attention heads of a layer, 0 where none were found."""
        return self.anatomy.n_heads

    @contextmanager
    def applied(self, *interventions: Intervention) -> Iterator[None]:
        """Edit every pass of the model until the context ends, whoever runs it.

        Only what does not depend on the row can be done here: a patch takes one
        vector. Hooks are gone afterwards, after an exception as well.
        """
        if any(isinstance(i, Patch) and i.source.ndim > 1 for i in interventions):
            raise WhiteBoxError(
                "a patch with a source for each row is applied to passes whose rows are not known: give one "
                "vector, or name the rows (log_probs, captured)"
            )
        with self.lock, attached(self.model, self.anatomy, interventions=interventions):
            yield

    @property
    def computed_by(self) -> dict[str, str]:
        """What the numbers depend on besides the weights: to be stored with every result of a study.

        Attention implementations differ in rounding, so one is kept to throughout.
        """
        import torch
        import transformers

        return {
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "attention": str(self.model.config._attn_implementation),
            "device": str(self.model.device),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    def tokenize(self, texts: Seq[str]) -> TokenRows:
        """Return texts as token rows, each as the tokenizer writes it alone."""
        if self.tokenizer is None:
            raise WhiteBoxError("this WhiteBox has no tokenizer: give token rows instead of texts")
        return TokenRows(tuple(tuple(self.tokenizer(text, verbose=False)["input_ids"]) for text in texts))

    def capture(
        self,
        rows: TokenRows,
        sites: Seq[Site],
        *,
        interventions: Seq[Intervention] = (),
        batch_size: int = 32,
        reduce: Reduce | None = None,
    ) -> Iterator[Captured]:
        """Yield activations a batch at a time, as float32 on the CPU, so that memory does not grow with the rows.

        `values` has the shape (rows of the batch, n_sites, n_places, width): every
        site must name as many places in each row, unless `reduce="mean"` averages
        over them. Heads of a site "heads" lie side by side in the width. Batches
        hold rows of like length, so they come in another order than the rows.
        Raises WhiteBoxError.
        """
        if not sites:
            raise WhiteBoxError("no site to capture: name at least one")
        for site in sites:
            check_site(self.anatomy, site)
        for batch in batches(rows, batch_size):
            part = rows.part(batch)
            with self._attached(part, batch, interventions, sites) as watch:
                self._pass(part, [0])  # of the logits nothing is wanted
            yield Captured(batch, table(watch, sites, len(batch), mean=reduce == "mean"))

    def captured(
        self,
        rows: TokenRows,
        sites: Seq[Site],
        *,
        interventions: Seq[Intervention] = (),
        batch_size: int = 32,
        reduce: Reduce | None = None,
    ) -> Activations:
        """Return the activations of all rows at once, in the order of the rows: see `capture`."""
        found: Activations | None = None
        for part in self.capture(
            rows, sites, interventions=interventions, batch_size=batch_size, reduce=reduce
        ):
            if found is None:
                found = np.empty((len(rows), *part.values.shape[1:]), dtype=np.float32)
            if part.values.shape[1:] != found.shape[1:]:
                raise WhiteBoxError(
                    f"rows name {part.values.shape[2]} and {found.shape[2]} places at one site: name as many in "
                    'each, or average with reduce="mean"'
                )
            found[list(part.rows)] = part.values
        if found is None:
            raise WhiteBoxError("no rows to capture")
        return found

    def log_probs(
        self,
        rows: TokenRows,
        tokens: Seq[int],
        *,
        positions: Positions = "last",
        interventions: Seq[Intervention] = (),
        batch_size: int = 32,
    ) -> list[NDArray[np.float64]]:
        """Return log p of each token after each position: per row an array (n_places, n_tokens).

        Normalised over the whole vocabulary in float64. Logits are computed where they
        are asked for alone, which spares memory at large vocabularies.
        """
        import torch

        check_tokens(self.model, tokens)
        found: dict[int, NDArray[np.float64]] = {}
        for batch in batches(rows, batch_size):
            part = rows.part(batch)
            wanted = positions_of(positions, [len(r) for r in part.ids], part.spans)
            kept = sorted({p for places in wanted for p in places})
            with self._attached(part, batch, interventions, ()):
                logits = self._pass(part, kept)
            for i, row in enumerate(batch):
                here = np.searchsorted(kept, wanted[i])
                log_p = torch.log_softmax(logits[i, here.tolist()].double(), dim=-1)
                found[row] = log_p[:, list(tokens)].cpu().numpy()
        return [found[row] for row in range(len(rows))]

    def lens(self, states: Activations, tokens: Seq[int]) -> NDArray[np.float64]:
        """Return log p of each token if the model stopped here: the logit lens (nostalgebraist 2020).

        `states` are residual streams (..., width), read through the model's own
        norm and head; at the last layer this is the model. Shape (..., n_tokens).
        """
        import torch

        check_tokens(self.model, tokens)
        if states.shape[-1] != self.width:
            raise WhiteBoxError(
                f"states of width {states.shape[-1]} are not of this model, whose width is {self.width}"
            )
        x = torch.as_tensor(np.ascontiguousarray(states)).to(self.model.device, self.model.dtype)
        with self.lock, torch.inference_mode():
            log_p = torch.log_softmax(self.anatomy.tail(x).double(), dim=-1)
        return log_p[..., list(tokens)].cpu().numpy()

    @contextmanager
    def swapped(self, name: str, other: "WhiteBox") -> Iterator[None]:
        """Put another checkpoint's module in the place of this one's until the context ends.

        `name` is that of `model.named_modules()`, the same in both. Raises
        WhiteBoxError where there is none or its parameters are shaped otherwise.
        """
        mine, theirs = dict(self.model.named_modules()), dict(other.model.named_modules())
        if not name or name not in mine or name not in theirs:
            raise WhiteBoxError(
                f"module {name!r} is not in both models; names are those of model.named_modules()"
            )
        shapes = [{k: tuple(p.shape) for k, p in m[name].named_parameters()} for m in (mine, theirs)]
        if shapes[0] != shapes[1]:
            raise WhiteBoxError(
                f"module {name!r} is shaped otherwise in the other model: {shapes[1]} is not {shapes[0]}"
            )
        parent, _, child = name.rpartition(".")
        holder = mine[parent] if parent else self.model
        with self.lock:
            own = self.anatomy
            setattr(holder, child, theirs[name])
            try:  # hooks must reach the modules that now run
                blocks, norm, head = self._named
                self.anatomy = find_anatomy(self.model, blocks=blocks, norm=norm, head=head)
                yield
            finally:
                setattr(holder, child, mine[name])
                self.anatomy = own

    @contextmanager
    def _attached(
        self, part: TokenRows, rows: Seq[int], interventions: Seq[Intervention], sites: Seq[Site]
    ) -> Iterator[Watch]:
        with (
            self.lock,
            attached(self.model, self.anatomy, interventions=interventions, sites=sites) as watch,
        ):
            watch.rows, watch.spans = rows, part.spans
            yield watch

    def _pass(self, rows: TokenRows, keep: Seq[int]) -> "torch.Tensor":
        """Run rows padded on the right and return their logits at these columns."""
        import torch

        tokens, mask = padded(rows.ids, self.model)
        columns = torch.tensor(list(keep), device=tokens.device)
        with torch.inference_mode():
            if self._keeps:
                return self.model(  # type: ignore[no-any-return]
                    input_ids=tokens, attention_mask=mask, use_cache=False, logits_to_keep=columns
                ).logits
            logits = self.model(input_ids=tokens, attention_mask=mask, use_cache=False).logits
            return logits[:, columns]  # type: ignore[no-any-return]
