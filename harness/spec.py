"""What a suite file may say: pydantic models with strict types, where outside text enters.

The field names are contract. Unknown keys are errors. A value that this version
cannot honour is refused by name rather than ignored.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, field_validator, model_validator

from harness.strict import Strict
from harness.types import AnalysisOptions, Form
from harness.whitebox_spec import WhiteBoxSpec

SCHEMA_VERSION = 1

Scalar = str | int | float | bool | None
"""A plain parameter value; a list is a value too, only {sweep: [...]} is swept."""


class Sweep(Strict):
    """Values of a swept parameter: one condition each."""

    sweep: Annotated[list[Scalar | list[Scalar]], Field(min_length=1)]


class FromTo(Strict):
    """Every context length from `from` to `to`, end inclusive."""

    from_: Annotated[int, Field(alias="from", ge=0)]
    to: Annotated[int, Field(ge=0)]
    step: Annotated[int, Field(ge=1)] = 1


class Log2(Strict):
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


class RenderSpec(Strict):
    """How symbols are written: see `prompts/rendering.py`."""

    symbols: list[str] | None = None
    separator: str = ""
    form: Form = "completion"
    template: str | None = None
    instruction: str = ""
    wording: str | None = None  # a name in data/wordings.yaml, in place of template and instruction
    options: list[str] | None = None  # of a question of one's own: random first
    counterbalance: bool = False  # which surface writes which symbol changes from sequence to sequence


class CognitiveSpec(Strict):
    """What a model's predictions are explained by, once measured: asks the model nothing."""

    mixture: bool = True  # of the family's observers, at each context length by itself
    every: Annotated[int, Field(ge=1)] = 1  # the mixture is found at every so many-th context length
    models: list[str] = Field(default_factory=list)  # see `named_models` in harness/cognitive/named.py
    folds: Annotated[int, Field(ge=2)] = 10  # of the cross-validation, at most one a sequence

    @model_validator(mode="after")
    def _something_asked(self) -> "CognitiveSpec":
        if not self.mixture and not self.models:
            raise ValueError("cognitive asks for nothing; name models or leave mixture true")
        return self


class TaskSpec(Strict):
    """One task family under one or more conditions."""

    family: str
    params: dict[str, Param] = Field(default_factory=dict)
    context_lengths: Lengths
    design: Literal["grid", "adaptive"] = "grid"
    precision: Annotated[float, Field(gt=0, lt=0.5)] = 0.05  # of the location, in ranges: adaptive
    sequences: Annotated[int, Field(ge=1)]
    samples: Annotated[int, Field(ge=1)] = 1
    readout: Literal["next_symbol", "continuation", "generation", "judgment", "answer"] = "next_symbol"
    depth: Annotated[int, Field(ge=1)] = 1  # symbols of a continuation
    phase: Literal["same", "any"] = "same"  # whether a continuation must go on where the sequence is
    length: Annotated[int, Field(ge=2)] | None = None  # symbols that a generation is asked for
    controls: list[str] = Field(default_factory=list)
    nested: bool = True
    refusals: Literal["exclude", "score_zero"] = "exclude"
    render: RenderSpec = RenderSpec()
    cognitive: CognitiveSpec | None = None
    phases: list[str] | None = None  # observers that the checkpoints of a series are compared with; else all
    whitebox: WhiteBoxSpec | None = None

    @model_validator(mode="after")
    def _adaptive_asks_one_length_a_call(self) -> "TaskSpec":
        if self.design == "grid" and self.precision != 0.05:
            raise ValueError("precision, how well the location is to be known, belongs to design: adaptive")
        if self.design == "adaptive" and (self.readout not in ("next_symbol", "judgment") or self.cognitive):
            what = "cognitive" if self.readout == "next_symbol" else f"readout: {self.readout}"
            raise ValueError(
                "design: adaptive asks one context length of one sequence at a time, for readout next_symbol or "
                f"judgment; {what} needs design: grid"
            )
        return self

    @model_validator(mode="after")
    def _depth_of_continuations_only(self) -> "TaskSpec":
        if self.readout != "continuation" and (self.depth, self.phase) != (1, "same"):
            raise ValueError("depth and phase belong to readout: continuation")
        return self

    @model_validator(mode="after")
    def _length_of_generations_only(self) -> "TaskSpec":
        if (self.readout == "generation") != (self.length is not None):
            raise ValueError(
                "length, the symbols to be written, belongs to readout: generation, which needs it"
            )
        if self.readout != "generation":
            return self
        given = {"controls": self.controls, "samples": self.samples != 1, "nested": not self.nested}
        given["refusals"] = self.refusals != "exclude"
        for name in (name for name, value in given.items() if value):
            raise ValueError(
                f"{name} does not belong to readout: generation: sequences is how many texts are written, and "
                "what was refused is counted beside them"
            )
        return self

    @model_validator(mode="after")
    def _cognitive_follows_sequences(self) -> "TaskSpec":
        if self.cognitive is not None and (self.readout != "next_symbol" or not self.nested):
            raise ValueError(
                "cognitive follows predictions along a sequence: readout: next_symbol, nested: true"
            )
        return self

    @model_validator(mode="after")
    def _phases_compare_laws(self) -> "TaskSpec":
        if self.phases is not None and (self.readout != "next_symbol" or self.design != "grid"):
            raise ValueError("phases compares laws of the next symbol: readout: next_symbol, design: grid")
        return self

    @model_validator(mode="after")
    def _whitebox_follows_sequences(self) -> "TaskSpec":
        if self.whitebox is None:
            return self
        if self.readout not in ("next_symbol", "answer") or not self.nested or self.design != "grid":
            raise ValueError(
                "whitebox reads states along a sequence: readout: next_symbol or answer, nested: true, design: grid"
            )
        swept = sorted(name for name, value in self.params.items() if isinstance(value, Sweep))
        concept = self.whitebox.concept
        if concept not in (*swept, "control", "sequence") or (concept == "control" and not self.controls):
            raise ValueError(
                f"whitebox concept {concept!r} has no values here: it is a swept parameter "
                f"({', '.join(swept) or 'none is swept'}), control (with controls: [...]) or sequence"
            )
        return self

    @field_validator("controls")
    @classmethod
    def _no_control_twice(cls, controls: list[str]) -> list[str]:
        if len(set(controls)) < len(controls):
            raise ValueError(f"controls {controls!r} names one twice; name each once")
        return controls


class AnalysisSpec(Strict):
    """The thresholds verdicts are made under."""

    sharp_width: Annotated[float, Field(gt=0, le=1)] = 0.10
    min_change: Annotated[float, Field(gt=0, lt=1)] = 0.10
    fdr: Annotated[float, Field(gt=0, lt=1)] = 0.05
    axis: Literal["linear", "log2"] = "linear"

    def options(self) -> AnalysisOptions:
        """Return these thresholds as the analyzer takes them."""
        return AnalysisOptions(self.sharp_width, self.min_change, self.fdr, self.axis)


class Price(Strict):
    """US dollars per million tokens; what is left out costs what its plain kind does."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    cached_input: Annotated[float, Field(ge=0)] | None = None  # read from the provider's prompt cache
    cache_write: Annotated[float, Field(ge=0)] | None = None
    batch_input: Annotated[float, Field(ge=0)] | None = None
    batch_output: Annotated[float, Field(ge=0)] | None = None


class BudgetSpec(Strict):
    """The cap of a whole run, and prices that are not in the shipped table."""

    max_cost_usd: Annotated[float, Field(ge=0)] | None = None
    prices: dict[str, Price] = Field(default_factory=dict)


class SuiteSpec(Strict):
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
