"""The records that pass between modules: frozen, array-valued, without behaviour of their own.

A *sequence* is what a family generates; a *prompt* is how it is written; a
*request* asks a model for numbers at some context lengths and gets a
*response* or a *failure*; responses become a *curve*; a curve has a
*transition*; a *curve result* is everything a report shows of one curve.
"""

from harness.types.cognition import (
    Cognition,
    CognitiveScore,
    FittedParameter,
    LeadSwitch,
    ObserverMixture,
)
from harness.types.concept_space import ConceptTrajectory
from harness.types.curve import (
    AnalysisOptions,
    Changepoint,
    CountCurve,
    Curve,
    Delay,
    SequenceCurve,
    Transition,
    Verdict,
)
from harness.types.findings import Difference, Discovery, Family, Individuals, Mirage, Scored, Shift
from harness.types.generation import Generated, GenerationResult, GenerationStatistic, ShareCurve
from harness.types.law import BeliefLaw, Bounded, HeldOut, ScalingLaw, SteeringLaw
from harness.types.model import (
    BatchModel,
    BatchState,
    Capabilities,
    Failure,
    FailureKind,
    Learner,
    Model,
    Reply,
    Request,
    Response,
    Tokenizing,
    Way,
)
from harness.types.result import AdaptiveUse, CurveResult, ExactMatch, ModelInfo, RunResult
from harness.types.sequence import (
    Bools,
    Floats,
    Form,
    Ints,
    Params,
    ParamValue,
    Prompt,
    Sequence,
)
from harness.types.series import Segmentation, SegmentationOptions, Series, SeriesChange

__all__ = [
    "AdaptiveUse",
    "AnalysisOptions",
    "BatchModel",
    "BatchState",
    "BeliefLaw",
    "Bools",
    "Bounded",
    "Capabilities",
    "Changepoint",
    "Cognition",
    "CognitiveScore",
    "ConceptTrajectory",
    "CountCurve",
    "Curve",
    "CurveResult",
    "Delay",
    "Difference",
    "Discovery",
    "ExactMatch",
    "Failure",
    "FailureKind",
    "Family",
    "FittedParameter",
    "Floats",
    "Form",
    "Generated",
    "GenerationResult",
    "GenerationStatistic",
    "HeldOut",
    "Individuals",
    "Ints",
    "LeadSwitch",
    "Learner",
    "Mirage",
    "Model",
    "ModelInfo",
    "ObserverMixture",
    "ParamValue",
    "Params",
    "Prompt",
    "Reply",
    "Request",
    "Response",
    "RunResult",
    "ScalingLaw",
    "Scored",
    "Segmentation",
    "SegmentationOptions",
    "Sequence",
    "SequenceCurve",
    "Series",
    "SeriesChange",
    "ShareCurve",
    "Shift",
    "SteeringLaw",
    "Tokenizing",
    "Transition",
    "Verdict",
    "Way",
]
