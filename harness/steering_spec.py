"""What a suite may ask of steering: `steering:` in the `whitebox:` section of a task."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from harness.strict import Strict

MIN_SCALES = 2  # with the base, the least that a law over scales is fitted to
Label = str | int | float
"""A value of the concept as the suite writes it."""


class SteeringSpec(Strict):
    """Directions between two values of the concept, added at every layer and scale beside the behaviour."""

    positive: Label  # the value steered towards, whose sequences show the transition
    negative: Label
    wrong: Annotated[list[Label], Field(min_length=2, max_length=2)] | None = (
        None  # another concept's two values
    )
    made_of: Literal["mean_difference", "principal", "task_vector"] = "mean_difference"
    layers: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | Literal["all"] = "all"
    scales: Annotated[
        list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=MIN_SCALES)
    ]  # of the mean residual norm; the natural scale, alpha = 1 and -1, is always added
    lengths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] | Literal["before"] = "before"
    draws: Annotated[int, Field(ge=8)] = 8  # random directions

    @field_validator("scales", mode="before")
    @classmethod
    def _whole_numbers_too(cls, values: object) -> object:
        return [float(v) if type(v) is int else v for v in values] if isinstance(values, list) else values

    @field_validator("layers", "lengths")
    @classmethod
    def _no_twice(cls, values: list[int] | str) -> list[int] | str:
        if isinstance(values, list) and len(set(values)) < len(values):
            raise ValueError(f"{values!r} names one twice; name each once")
        return values

    @field_validator("scales")
    @classmethod
    def _each_once(cls, values: list[float]) -> list[float]:
        if len(set(values)) < len(values) or 0 in values or max(values) <= 0:
            raise ValueError(
                f"scales {values!r}: name each once, at least one above 0, and not 0, which is the base"
            )
        return values

    @model_validator(mode="after")
    def _two_values(self) -> "SteeringSpec":
        if str(self.positive) == str(self.negative):
            raise ValueError(
                f"positive and negative are both {self.positive!r}; a direction needs two values"
            )
        return self
