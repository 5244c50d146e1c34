"""`transitions`, by either method: the verdict on curves of probabilities, or the segmentation of any series."""

from collections.abc import Iterable
from typing import Literal, cast, overload

from harness.analysis import verdict
from harness.analysis.series import segment_all
from harness.errors import SpecError
from harness.types import AnalysisOptions, Curve, Segmentation, SegmentationOptions, Series, Transition


@overload
def transitions(
    curves: Iterable[Curve],
    *,
    options: AnalysisOptions | None = None,
    method: Literal["verdict"] = "verdict",
    goodness: int = 0,
) -> list[Transition]: ...
@overload
def transitions(
    curves: Iterable[Series],
    *,
    options: SegmentationOptions | None = None,
    method: Literal["segmentation"],
) -> list[Segmentation]: ...
def transitions(
    curves: Iterable[Curve] | Iterable[Series],
    *,
    options: AnalysisOptions | SegmentationOptions | None = None,
    method: Literal["verdict", "segmentation"] = "verdict",
    goodness: int = 0,
) -> list[Transition] | list[Segmentation]:
    """Judge each curve by itself.

    `method="verdict"` reads curves of counts or of probabilities and weighs none, gradual,
    sharp and multiple; `method="segmentation"` reads `Series` of real values and weighs
    how many changes of level they have. `goodness` (verdict only): so many curves are
    simulated from each fit and fitted, for `deviance` and `fit_p`. Raises CurveError for numbers that are not a
    curve or series, SpecError for a method, or for curves or options of the other method.
    """
    of = {"verdict": AnalysisOptions, "segmentation": SegmentationOptions}
    if method not in of:
        raise SpecError(f"method={method!r}: must be 'verdict' or 'segmentation'")
    given = list(curves)
    for item in given:
        if isinstance(item, Series) != (method == "segmentation"):
            raise SpecError(
                f"method={method!r} does not read a {type(item).__name__}; 'segmentation' reads Series, "
                "'verdict' CountCurve and SequenceCurve"
            )
    chosen = of[method]() if options is None else options
    if not isinstance(chosen, of[method]):
        raise SpecError(
            f"options of method={method!r} are {of[method].__name__}, not {type(chosen).__name__}"
        )
    if goodness < 0 or (goodness and method == "segmentation"):
        raise SpecError(
            f"goodness={goodness!r}: a number of simulated curves, 0 for none, of method='verdict' only"
        )
    if isinstance(chosen, SegmentationOptions):
        return segment_all(cast("list[Series]", given), options=chosen)
    curves_given, options_given = cast("list[Curve]", given), cast("AnalysisOptions", chosen)
    return verdict.transitions(curves_given, options=options_given, goodness=goodness)
