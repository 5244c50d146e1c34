"""What a suite may ask of information emergence: `emergence:` in the `whitebox:` section of a task."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.strict import Strict

Estimator = Literal["plug_in", "held_out", "faithful"]
LEAST_DRAWS = 400  # a quarter of them is what an estimate is read on


def _exact_and_held_out() -> list[Estimator]:
    return ["plug_in", "held_out"]


class EmergenceSpec(Strict):
    """Information that each block passes on of sequences of distinct entities, beside an untrained network."""

    entities: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=2)]  # one token each
    separator: str = ","  # after every entity; "" for none
    shots: Annotated[int, Field(ge=1)]  # entities of a sequence, all different
    layers: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | Literal["all"] = "all"
    n: Annotated[int, Field(ge=LEAST_DRAWS)] = (
        4000  # independent sequences that critics are fitted and read on
    )
    estimators: Annotated[list[Estimator], Field(min_length=1)] = Field(default_factory=_exact_and_held_out)

    @model_validator(mode="after")
    def _each_once(self) -> "EmergenceSpec":
        for name, values in (
            ("entities", self.entities),
            ("layers", self.layers),
            ("estimators", self.estimators),
        ):
            if isinstance(values, list) and len({*values}) < len(values):
                raise ValueError(f"{name} {values!r} names one twice; name each once")
        if self.shots > len(self.entities):
            raise ValueError(
                f"shots {self.shots} different entities cannot be drawn from {len(self.entities)}"
            )
        return self
