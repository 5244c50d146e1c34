"""What a suite may ask of a local model's inside: the `whitebox:` section of a task."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from harness.capability_spec import CapabilitySpec
from harness.emergence_spec import EmergenceSpec
from harness.geometry_spec import Geometry, Induction
from harness.steering_spec import SteeringSpec
from harness.strict import Strict

Probe = Literal["knn", "logistic"]
Layers = Annotated[
    Annotated[list[Annotated[int, Field(ge=-1)]], Tag("<list>")] | Annotated[Literal["all"], Tag("<all>")],
    Discriminator(lambda value: "<list>" if isinstance(value, list) else "<all>"),
]
"""Blocks, 0-based; -1 is the stream before the first block."""


def _both() -> list[Probe]:
    return ["knn", "logistic"]


class DecodabilitySpec(Strict):
    """How well simple decoders read the concept from the states of each layer."""

    probes: Annotated[list[Probe], Field(min_length=1)] = Field(default_factory=_both)
    k: Annotated[int, Field(ge=1)] = 10  # neighbours, as Han et al. 2024
    layers: Layers = "all"
    context_lengths: list[Annotated[int, Field(ge=0)]] | None = None  # None: those of the task
    shuffles: Annotated[int, Field(ge=20)] = 200  # of the labels, for kNN

    @field_validator("probes", "layers", "context_lengths")
    @classmethod
    def _each_once(cls, values: list[int] | list[str] | str | None) -> object:
        if isinstance(values, list) and (not values or len(set(values)) < len(values)):
            raise ValueError(f"{values!r} is empty or names one twice; name each once")
        return values


class WhiteBoxSpec(Strict):
    """What is measured inside, beside the behaviour on the same sequences; each kind is None where not asked."""

    concept: str  # a parameter that the task sweeps, "control", or "sequence": its own concept
    decodability: DecodabilitySpec | None = None
    steering: SteeringSpec | None = None
    geometry: Geometry = None
    induction: Induction = None
    emergence: EmergenceSpec | None = None
    capability: CapabilitySpec | None = None

    @property
    def kinds(self) -> dict[str, Strict]:
        """Return what is asked, by kind of measurement."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "concept"}
        return {name: value for name, value in values.items() if value not in (None, False)}

    @model_validator(mode="after")
    def _something_asked(self) -> "WhiteBoxSpec":
        if not self.kinds:
            known = ", ".join(name for name in type(self).model_fields if name != "concept")
            raise ValueError(f"whitebox asks for nothing; it may hold {known}")
        return self
