"""Interventions: pure functions of the activations at a named site.

Each returns new numbers and leaves what it is given untouched, in the dtype and
on the device of the model. `key` says in words what is done, so that nothing
computed under one intervention is ever taken for that under another.
"""

import hashlib
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.sites import Site

if TYPE_CHECKING:
    import torch

Vectors = NDArray[np.float32]


class Intervention(Protocol):
    """What is done to the activations at a site; interventions compose in the order they are listed."""

    @property
    def site(self) -> Site:
        """Where."""
        ...

    @property
    def key(self) -> str:
        """What is done, as text: equal keys mean equal interventions."""
        ...

    def edit(self, x: "torch.Tensor", rows: Seq[int], order: Seq[int]) -> "torch.Tensor":
        """Return new activations (n, width) for those at n places of the site; of heads (n, n_heads, head width).

        `rows` are the rows of the whole data set that they belong to, `order` the
        number of each place among those of its row, 0-based.
        """
        ...

    def check(self, width: int, n_heads: int) -> None:
        """Raise WhiteBoxError if this cannot be done to activations of this width (of all heads, at that site)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Add:
    """Steering: add `scale` times a vector. Scale 0 changes nothing."""

    site: Site
    vector: Vectors  # (width,)
    scale: float = 1.0

    @property
    def key(self) -> str:
        """What is done, as text."""
        return f"add {self.scale!r} x {_digest(self.vector)} at {_place(self.site)}"

    def edit(self, x: "torch.Tensor", rows: Seq[int], order: Seq[int]) -> "torch.Tensor":
        """Return the activations with the vector added."""
        del rows, order
        return x + (self.scale * _like(x, self.vector)).reshape(x.shape[1:])

    def check(self, width: int, n_heads: int) -> None:
        """Raise WhiteBoxError unless the vector has one entry for each of `width`, all finite."""
        del n_heads
        _check_vector(self.vector, (width,), "a steering vector")


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Patching: put other activations in place of those at the site.

    `source` holds one vector for every place, (width,), or one for each place of
    each row, (n_rows, n_places, width), the places of a row in the order that
    the site names them.
    """

    site: Site
    source: Vectors

    @property
    def key(self) -> str:
        """What is done, as text."""
        return f"patch {_digest(self.source)} at {_place(self.site)}"

    def edit(self, x: "torch.Tensor", rows: Seq[int], order: Seq[int]) -> "torch.Tensor":
        """Return the source in place of the activations."""
        if self.source.ndim == 1:
            return _like(x, self.source).reshape(x.shape[1:]).expand_as(x)
        if rows and max(rows) >= len(self.source):
            raise WhiteBoxError(f"a patch from {len(self.source)} rows has nothing for row {max(rows)}")
        return _like(x, self.source[list(rows), list(order)]).reshape(x.shape)

    def check(self, width: int, n_heads: int) -> None:
        """Raise WhiteBoxError unless the source has `width` entries a place, all finite."""
        del n_heads
        if self.source.ndim not in (1, 3):
            raise WhiteBoxError(
                f"a patch of shape {self.source.shape} is neither (width,) nor (rows, places, width)"
            )
        _check_vector(self.source, (*self.source.shape[:-1], width), "a patch")

    def check_places(self, counts: Seq[int]) -> None:
        """Raise WhiteBoxError unless each row has as many places as the source: a patch never takes some of a span."""
        if self.source.ndim == 1:
            return
        n_places = self.source.shape[1]
        other = next((row for row, count in enumerate(counts) if count != n_places), None)
        if other is not None:
            raise WhiteBoxError(
                f"a patch of {n_places} places does not fit row {other} of the batch, where "
                f"{self.site.positions!r} names {counts[other]}: source and target spans must be equally long"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Ablate:
    """Ablation: a block's output is its input (`head` None), or one attention head gives zeros."""

    layer: int
    head: int | None = None
    positions: str | tuple[int, ...] = "all"
    mean: Vectors | None = None  # (head width,), what an ablated head gives instead of zeros

    @property
    def site(self) -> Site:
        """The block's output, or its heads."""
        return Site(self.layer, "output" if self.head is None else "heads", self.positions)

    @property
    def key(self) -> str:
        """What is done, as text."""
        what = "block" if self.head is None else f"head {self.head}"
        instead = "" if self.mean is None else f" to {_digest(self.mean)}"
        return f"ablate {what}{instead} at {_place(self.site)}"

    def edit(self, x: "torch.Tensor", rows: Seq[int], order: Seq[int]) -> "torch.Tensor":
        """Return the activations with one head's part zero, or its mean. A block is ablated where it is attached."""
        del rows, order
        if self.head is None:
            return x
        edited = x.clone()  # (n, n_heads, head width)
        edited[:, self.head] = 0 if self.mean is None else _like(x, self.mean)
        return edited

    def check(self, width: int, n_heads: int) -> None:
        """Raise WhiteBoxError unless there is such a head."""
        if self.head is None:
            if self.mean is not None:
                raise WhiteBoxError(
                    "mean= belongs to the ablation of a head: a block is ablated to its input"
                )
            return
        if not 0 <= self.head < n_heads:
            raise WhiteBoxError(
                f"head {self.head} is not in 0..{n_heads - 1}, the attention heads of a layer"
            )
        if self.mean is not None:
            _check_vector(self.mean, (width // n_heads,), "the mean of a head")


def combined_key(interventions: Seq[Intervention]) -> str:
    """Return what several interventions do in this order, as text; "" for none."""
    return "; ".join(intervention.key for intervention in interventions)


def _place(site: Site) -> str:
    return f"layer {site.layer} {site.where} {site.positions!r}"


def _digest(array: Vectors) -> str:
    return hashlib.sha256(repr(array.shape).encode() + array.astype(np.float32).tobytes()).hexdigest()[:16]


def _like(x: "torch.Tensor", array: Vectors) -> "torch.Tensor":
    import torch

    return torch.as_tensor(np.ascontiguousarray(array)).to(device=x.device, dtype=x.dtype)


def _check_vector(array: Vectors, shape: tuple[int, ...], what: str) -> None:
    if array.shape != shape:
        raise WhiteBoxError(f"{what} has shape {array.shape}; this model needs {shape}")
    if not np.isfinite(array).all():
        raise WhiteBoxError(f"{what} holds a number that is not finite")
