"""What a suite may ask of geometry and of induction heads: `geometry:` and `induction:` in a `whitebox:` section."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from harness.strict import Strict


def _true_asks_for_all(value: object) -> object:
    """Read `true` as a section without settings, and `false` as none."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


class GeometrySpec(Strict):
    """How the states of symbols and of the concept's values lie."""

    layers: Annotated[list[Annotated[int, Field(ge=-1)]], Field(min_length=1)] | Literal["all"] = "all"
    context_lengths: list[Annotated[int, Field(ge=1)]] | None = None  # None: those of the task, from 3
    window: Annotated[int, Field(ge=3)] = 64  # symbols that the mean of a node is taken over
    shuffles: Annotated[int, Field(ge=20)] = 200  # of the nodes' names
    parallelogram: Annotated[list[str | int | float], Field(min_length=4, max_length=4)] | None = (
        None  # values of the concept: with neither change, with the first, with the second, with both
    )

    @field_validator("layers", "context_lengths", "parallelogram")
    @classmethod
    def _each_once(cls, values: list[int] | str | None) -> object:
        if isinstance(values, list) and (not values or len(set(values)) < len(values)):
            raise ValueError(f"{values!r} is empty or names one twice; name each once")
        return values


class InductionSpec(Strict):
    """Repeated blocks of the task's symbols, the heads that match them, and what ablating these does."""

    block: Annotated[int, Field(ge=3)] = 8  # symbols, all different
    copies: Annotated[int, Field(ge=2)] = 2
    rows: Annotated[int, Field(ge=4)] = 32
    ablate: bool = True
    ranked_by: Literal["prefix", "symbols"] = (
        "prefix"  # matching in repeated blocks, or due to the symbols alone
    )
    instead: Literal["mean", "zero"] = "mean"  # what an ablated head gives
    draws: Annotated[int, Field(ge=4)] = 8  # random orders of heads


Geometry = Annotated[GeometrySpec | None, BeforeValidator(_true_asks_for_all)]
Induction = Annotated[InductionSpec | None, BeforeValidator(_true_asks_for_all)]
