"""What a suite file may say: pydantic models with strict types, where outside text enters.

The field names are contract. Unknown keys are errors. A value that this version
cannot honour is refused by name rather than ignored.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from harness.types import AnalysisOptions, Form

SCHEMA_VERSION = 1

Scalar = str | int | float | bool | None
"""A plain parameter value; a list is a value too, only {sweep: [...]} is swept."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Sweep(_Strict):
    """Values of a swept parameter: one condition each."""

    sweep: Annotated[list[Scalar | list[Scalar]], Field(min_length=1)]


class FromTo(_Strict):
    """Every context length from `from` to `to`, end inclusive."""

    from_: Annotated[int, Field(alias="from", ge=0)]
    to: Annotated[int, Field(ge=0)]
    step: Annotated[int, Field(ge=1)] = 1


class Log2(_Strict):
    """Powers of two between the two numbers, both inclusive."""

    log2: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=2)]


def _length_kind(value: object) -> str:
    if isinstance(value, dict):
        return "<log2>" if "log2" in value else "<range>"
    if isinstance(value, FromTo):
        return "<range>"
    return "<log2>" if isinstance(value, Log2) else "<list>"


def _param_kind(value: object) -> str:
    if isinstance(value, dict | Sweep):
        return "<sweep>"
    return "<list>" if isinstance(value, list) else "<value>"


# Tags let an error name the one form that was meant instead of every form there is.
Lengths = Annotated[
    Annotated[FromTo, Tag("<range>")]
    | Annotated[Log2, Tag("<log2>")]
    | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), Tag("<list>")],
    Discriminator(_length_kind),
]
Param = Annotated[
    Annotated[Sweep, Tag("<sweep>")]
    | Annotated[list[Scalar], Tag("<list>")]
    | Annotated[Scalar, Tag("<value>")],
    Discriminator(_param_kind),
]
TAGGED: dict[str, type[BaseModel]] = {"<range>": FromTo, "<log2>": Log2, "<sweep>": Sweep}


class RenderSpec(_Strict):
    """How symbols are written: see `prompts/rendering.py`."""

    symbols: list[str] | None = None
    separator: str = ""
    form: Form = "completion"
    template: str | None = None
    instruction: str = ""
    wording: str | None = None  # a name in data/wordings.yaml, in place of template and instruction
    options: list[str] | None = None  # of a question of one's own: random first
    counterbalance: bool = False  # which surface writes which symbol changes from sequence to sequence


class TaskSpec(_Strict):
    """One task family under one or more conditions."""

    family: str
    params: dict[str, Param] = Field(default_factory=dict)
    context_lengths: Lengths
    design: Literal["grid", "adaptive"] = "grid"
    sequences: Annotated[int, Field(ge=1)]
    samples: Annotated[int, Field(ge=1)] = 1
    readout: Literal["next_symbol", "continuation", "generation", "judgment", "answer"] = "next_symbol"
    depth: Annotated[int, Field(ge=1)] = 1  # symbols of a continuation
    phase: Literal["same", "any"] = "same"  # whether a continuation must go on where the sequence is
    controls: list[str] = Field(default_factory=list)
    nested: bool = True
    refusals: Literal["exclude", "score_zero"] = "exclude"
    render: RenderSpec = RenderSpec()

    @field_validator("design")
    @classmethod
    def _grid_only(cls, design: str) -> str:
        if design != "grid":
            raise ValueError(f"design {design!r} is not available in this version; use grid")
        return design

    @field_validator("readout")
    @classmethod
    def _known_readouts(cls, readout: str) -> str:
        if readout not in ("next_symbol", "continuation", "judgment"):
            raise ValueError(
                f"readout {readout!r} is not available in this version; use next_symbol, continuation or judgment"
            )
        return readout

    @model_validator(mode="after")
    def _depth_of_continuations_only(self) -> "TaskSpec":
        if self.readout != "continuation" and (self.depth, self.phase) != (1, "same"):
            raise ValueError("depth and phase belong to readout: continuation")
        return self

    @field_validator("controls")
    @classmethod
    def _no_control_twice(cls, controls: list[str]) -> list[str]:
        if len(set(controls)) < len(controls):
            raise ValueError(f"controls {controls!r} names one twice; name each once")
        return controls


class AnalysisSpec(_Strict):
    """The thresholds verdicts are made under."""

    sharp_width: Annotated[float, Field(gt=0, le=1)] = 0.10
    min_change: Annotated[float, Field(gt=0, lt=1)] = 0.10
    fdr: Annotated[float, Field(gt=0, lt=1)] = 0.05
    axis: Literal["linear", "log2"] = "linear"

    def options(self) -> AnalysisOptions:
        """Return these thresholds as the analyzer takes them."""
        return AnalysisOptions(self.sharp_width, self.min_change, self.fdr, self.axis)


class Price(_Strict):
    """US dollars per million tokens; what is left out costs what its plain kind does."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    cached_input: Annotated[float, Field(ge=0)] | None = None  # read from the provider's prompt cache
    cache_write: Annotated[float, Field(ge=0)] | None = None
    batch_input: Annotated[float, Field(ge=0)] | None = None
    batch_output: Annotated[float, Field(ge=0)] | None = None


class BudgetSpec(_Strict):
    """The cap of a whole run, and prices that are not in the shipped table."""

    max_cost_usd: Annotated[float, Field(ge=0)] | None = None
    prices: dict[str, Price] = Field(default_factory=dict)


class SuiteSpec(_Strict):
    """A suite: tasks, models and how the result is judged."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    seed: int
    models: list[str] = Field(default_factory=list)
    tasks: Annotated[list[TaskSpec], Field(min_length=1)]
    analysis: AnalysisSpec = AnalysisSpec()
    budget: BudgetSpec = BudgetSpec()
    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)] = SCHEMA_VERSION

    @model_validator(mode="after")
    def _no_model_twice(self) -> "SuiteSpec":
        if len(set(self.models)) < len(self.models):
            raise ValueError(f"models {self.models!r} names one twice; name each once")
        return self
