"""What a finished run hands to tables and reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.types.capability import CapabilitySeeds
from harness.types.cognition import Cognition
from harness.types.curve import AnalysisOptions, Curve, Delay, SequenceCurve, Transition
from harness.types.decodability import AcrossModels
from harness.types.findings import Family, Individuals, Mirage, Shift
from harness.types.generation import GenerationResult, ShareCurve
from harness.types.model import Way
from harness.types.phases import PhaseMap
from harness.types.sequence import Floats, Params
from harness.types.training import CheckpointSeries, SeedSpread
from harness.types.whitebox import WhiteBoxResult


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
class ExactMatch:
    """How often the gold answer is the most probable declared symbol: what readout "answer" shows beside p.

    Of drawn answers it is the share of all draws that is the gold one, and
    `curve` holds counts.
    """

    curve: Curve  # 1 or 0 a sequence and level, 1/k where k symbols tie; its levels are among those of p
    mean: Floats  # (n_levels,)
    low: Floats  # (n_levels,), 95 % interval of the mean over sequences
    high: Floats
    scored: Floats  # (n_levels,), sequences (or draws) in n
    transition: Transition
    chance: float
    log_p: Floats  # (n_levels,), mean ln p(gold) in nat, NaN where it is not known of every scored sequence
    observers: Mapping[str, SequenceCurve]  # their exact match, the ideal observer first
    observer_transitions: Mapping[str, Transition]
    delay: Delay | None


@dataclass(frozen=True, slots=True)
class AdaptiveUse:
    """What design adaptive took, and why it ended."""

    calls: int  # requests that were settled
    grid_calls: int  # what the same task takes with design grid
    stopped: Literal["precise", "several", "none", "calls", "levels"] | None  # None: the run was broken off
    precision: float  # half-width of the location's interval that was asked for, as a fraction of the range

    @property
    def words(self) -> str:
        """Return what it took, beside what the grid takes, and why it ended."""
        ends = {
            "precise": f"the location is known to {self.precision:g} of the range",
            "several": "there is more than one change",
            "none": "no change",
            "calls": "everything was asked",
            "levels": "everything was asked",
        }
        end = "not at its end" if self.stopped is None else f"ended: {ends[self.stopped]}"
        return f"{self.calls} calls where the grid has {self.grid_calls}; {end}"


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
    mirage: Mirage | None = None  # under other scorings, None without a single change
    individuals: Individuals | None = None  # of single sequences, None where too few change
    cognition: Cognition | None = None  # what explains the predictions, where the suite asks

    match: ExactMatch | None = None  # only of readout "answer"
    adaptive: AdaptiveUse | None = None  # only of design adaptive, where there was something to choose

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
    families: tuple[Family, ...] = ()  # a model's curves, and those under its controls, judged together
    shifts: tuple[Shift, ...] = ()  # controls against their curve, models against each other
    unjudged: tuple[str, ...] = ()  # conditions with too little scored to be a curve, a sentence each
    generations: tuple[GenerationResult, ...] = ()  # of readout "generation", which has no curves
    shares: tuple[ShareCurve, ...] = ()  # what was written against what was asked for
    whitebox: tuple[WhiteBoxResult, ...] = ()  # what was found inside models, a record a task and model
    across: tuple[AcrossModels, ...] = ()  # decodability and behaviour over models
    series: tuple[CheckpointSeries, ...] = ()  # conditions over the checkpoints of a training series
    seeds: tuple[SeedSpread, ...] = ()  # the same condition over series that differ in their seed
    capability: tuple[CapabilitySeeds, ...] = ()  # what training series can be made to do, seeds together
    phases: tuple[PhaseMap, ...] = ()  # which observer the checkpoints of a series predict like
