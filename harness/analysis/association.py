"""How two quantities that are measured on the same sequences rise and fall together over the cells of a table."""

import numpy as np
from scipy.stats import rankdata

from harness.analysis.bootstrap import interval, resampling_weights, weighted_means
from harness.analysis.checks import DEFAULTS
from harness.analysis.prepare import FEW
from harness.errors import CurveError
from harness.types import AnalysisOptions, Floats


def association(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation over paired cells, NaN where one of them is constant.

    Raises CurveError for tables of other shapes or fewer than three cells.
    """
    if first.shape != second.shape or first.size < 3:
        raise CurveError(f"tables of {first.shape} and {second.shape} cells do not pair in at least 3 cells")
    x, y = (rankdata(table.ravel()) for table in (first, second))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def association_interval(
    first: Floats, second: Floats, *, options: AnalysisOptions = DEFAULTS
) -> tuple[float, float, float] | None:
    """Return the association of two mean tables with its interval over resampled sequences.

    Both are (n_sequences, n_cells), rows of the same sequences. None where a mean
    is constant over the cells; the interval is NaN with fewer than ten sequences.
    """
    value = association(np.nanmean(first, axis=0), np.nanmean(second, axis=0))
    if np.isnan(value):
        return None
    if len(first) < FEW:
        return value, float("nan"), float("nan")
    weights = resampling_weights(len(first), np.random.default_rng(options.seed))
    pairs = zip(weighted_means(first, weights), weighted_means(second, weights), strict=True)
    draws = np.array([association(x, y) for x, y in pairs])
    low, high = interval(draws[~np.isnan(draws)], value, options.confidence, len(first))
    return value, max(-1.0, low), min(1.0, high)
