"""The records that pass between modules: frozen, array-valued, without behaviour of their own.

A *sequence* is what a family generates; a *prompt* is how it is written; a
*request* asks a model for numbers at some context lengths and gets a
*response* or a *failure*; responses become a *curve*; a curve has a
*transition*; a *curve result* is everything a report shows of one curve.
"""

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
from harness.types.result import CurveResult, ModelInfo, RunResult
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

__all__ = [
    "AnalysisOptions",
    "BatchModel",
    "BatchState",
    "Bools",
    "Capabilities",
    "Changepoint",
    "CountCurve",
    "Curve",
    "CurveResult",
    "Delay",
    "Failure",
    "FailureKind",
    "Floats",
    "Form",
    "Ints",
    "Learner",
    "Model",
    "ModelInfo",
    "ParamValue",
    "Params",
    "Prompt",
    "Reply",
    "Request",
    "Response",
    "RunResult",
    "Sequence",
    "SequenceCurve",
    "Tokenizing",
    "Transition",
    "Verdict",
    "Way",
]
