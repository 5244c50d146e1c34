"""What a finished run hands to tables and reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.types.curve import AnalysisOptions, Curve, Delay, SequenceCurve, Transition
from harness.types.model import Way
from harness.types.sequence import Floats, Params


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as it was used in a run."""

    name: str
    fingerprint: str
    settings: Mapping[str, str]
    served_models: tuple[str, ...]  # ids the server named; more than one means it changed in the run
    findings: tuple[str, ...]  # what probing established
    requests: int
    failed_requests: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None  # None where the price is unknown
    cached_tokens: int = 0  # of the prompt tokens, those read from the provider's cache
    hidden_tokens: int = 0  # of the completion tokens, those spent on reasoning that is not shown
    doubtful_usd: float = 0.0  # most that may have been spent besides, on attempts without an answer


@dataclass(frozen=True, slots=True, eq=False)
class CurveResult:
    """Everything a report shows of one model under one condition."""

    id: str  # short and stable, usable as a file name and an anchor
    title: str  # e.g. "periodic, period 3, binary"
    model: str
    family: str
    params: Params
    readout: str
    control: str | None
    way: Way  # how it was measured
    nested: bool
    chance: float  # chance level of p(target)
    curve: Curve  # p(target), renormalised over the declared symbols
    mean: Floats  # (n_levels,), of the scored sequences
    low: Floats  # (n_levels,), 95 % interval of the mean over sequences
    high: Floats
    raw: Floats  # (n_levels,), mean p(target) before renormalising, NaN where only counts exist
    mass: Floats  # (n_levels,), mean probability captured by the declared symbols
    scored: Floats  # (n_levels,), sequences (or samples) in n
    failures: Mapping[str, tuple[int, ...]]  # kind -> count per level
    transition: Transition
    observers: Mapping[str, SequenceCurve]  # the ideal observer first; the same sequences
    observer_transitions: Mapping[str, Transition]
    baseline: str  # observer compared with: the ideal one, for a control that of what the control keeps
    beyond: Transition | None  # of p_model - p_baseline, None where not asked
    delay: Delay | None
    example_prompt: str  # a real prompt of this curve, at a mid context length
    example_target: str
    example_context_length: int
    cost_usd: float | None  # of its calls; one that serves two curves is in both
    lost_levels: Mapping[int, str] = field(default_factory=dict)  # context length -> why nothing scored
    context_tokens: Floats | None = None  # (n_levels,), prompt tokens, where the tokenizer is known
    permutation_sd: Floats | None = (
        None  # (n_levels,), of the mean between assignments of surfaces to symbols
    )
    expects: Literal["gone", "kept", "moved"] | None = (
        None  # what a control does to a transition about the concept
    )

    @property
    def survives(self) -> Literal["yes", "no", "open"] | None:
        """Whether a transition is there under this control; None for a curve without one.

        Where the control destroys what a transition should be made of ("gone"),
        only one beyond the baseline observer counts; of a judgment, one towards
        "a rule made it".
        """
        if self.control is None:
            return None
        if self.readout == "judgment" and self.transition.direction == "decreasing":
            return "no"
        found = self.transition if self.beyond is None else self.beyond
        return {"none": "no", "undetermined": "open"}.get(found.verdict, "yes")  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """A run, analysed."""

    name: str
    suite_digest: str
    seed: int
    created: str  # ISO 8601 date of the first call, as stored: a replay shows the same
    versions: Mapping[str, str]  # of this package, Python, numpy, scipy at the time of the run
    options: AnalysisOptions
    models: tuple[ModelInfo, ...]
    curves: tuple[CurveResult, ...]
    suite_yaml: str  # the suite exactly as it was run
    unjudged: tuple[str, ...] = ()  # conditions with too little scored to be a curve, a sentence each
