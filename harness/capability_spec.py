"""What a suite may ask of hidden capability: `capability:` in the `whitebox:` section of a task."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from harness.strict import Strict

Label = str | int | float | bool
"""A value of the concept or of a parameter, as the suite writes it."""
Values = Annotated[list[Label], Field(min_length=1)]
_ALPHAS = (0.5, 1.0, 2.0, 4.0, 8.0)


class OtherConcept(Strict):
    """Two settings of a family that differ in another concept: the wrong direction, and where it should do nothing."""

    family: str
    params: dict[str, str | int | float | bool | list[str | int] | None] = Field(default_factory=dict)
    concept: str  # the parameter of the family that differs
    values: Annotated[list[Label], Field(min_length=2, max_length=2)]


class CapabilitySpec(Strict):
    """Naive prompting, over-prompting and latent intervention on the same trials, after Park et al. 2024.

    The trials are the sequences of `positive` and `negative` that `seen` leaves
    out; the direction is made of those that `seen` names, and of no other.
    """

    positive: Values  # values of the concept; the direction points to them
    negative: Values
    seen: Annotated[dict[str, Values], Field(min_length=1, max_length=1)]  # parameter -> its values
    wrong: OtherConcept
    context_length: Annotated[int, Field(ge=1)]  # symbols of a naive prompt: one of the task's; evidence is
    # repeated as it stands, so that of a pattern it should be whole periods
    threshold: Annotated[float, Field(gt=0, lt=1)]  # agreement with the implied law that counts as able
    question: Annotated[int, Field(ge=0)] = 0  # symbols at the end that ask: no evidence, so not repeated
    law: str = "ideal"  # what the evidence implies: an observer of the family, or "truth"
    layers: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | Literal["all"] = "all"
    alphas: Annotated[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1)] = Field(
        default_factory=lambda: [*_ALPHAS]
    )  # tried; 1 is reported apart whatever is chosen
    repetitions: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)] = Field(
        default_factory=lambda: [2, 4]
    )  # of the evidence, by over-prompting
    random_directions: Annotated[int, Field(ge=8)] = 20
    untrained: bool = True  # measure weights drawn anew as well; step 0 of a series shows the same
    smoothing: Annotated[float, Field(ge=0)] = 1.5  # checkpoints (s.d.), as Park et al. 2024
    consecutive: Annotated[int, Field(ge=1)] = 3  # checkpoints above the threshold, likewise

    @field_validator("alphas", "smoothing", "threshold", mode="before")
    @classmethod
    def _whole_numbers_too(cls, value: object) -> object:
        if isinstance(value, list):
            return [float(v) if type(v) is int else v for v in value]
        return float(value) if type(value) is int else value

    @model_validator(mode="after")
    def _each_once(self) -> "CapabilitySpec":
        named = {"alphas": self.alphas, "repetitions": self.repetitions, "layers": self.layers}
        named |= {"positive and negative": [*self.positive, *self.negative], "wrong": self.wrong.values}
        named |= {f"seen {name}": values for name, values in self.seen.items()}
        for name, values in named.items():
            if isinstance(values, list) and len({str(v) for v in values}) < len(values):
                raise ValueError(f"{name} {values!r} names one twice; name each once")
        if self.question >= self.context_length:
            raise ValueError(
                f"question {self.question} leaves no evidence in a context of {self.context_length} symbols"
            )
        return self
