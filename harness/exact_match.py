"""The exact matches of a condition judged as its curve is: with a transition, a delay and the observers beside them."""

import numpy as np

from harness.analysis import mean_band
from harness.answers import Matches, mean_log_probability
from harness.conditions import MIN_LEVELS
from harness.curves import Measured
from harness.judgments import Judgments
from harness.types import AnalysisOptions, CountCurve, Curve, ExactMatch, Ints, SequenceCurve


def exact_match(
    measured: Measured, name: str, chance: float, options: AnalysisOptions, judgments: Judgments
) -> ExactMatch | None:
    """Return how often the gold answer was the most probable one, None where that was not asked or hardly known.

    A sequence counts 1 or 0 at a level. Points of one sequence are correlated, so
    that sequences are resampled as for p; drawn answers are counts, and the
    observers' matches are of their most probable symbol there, too.
    """
    matches = measured.matches
    if matches is None:
        return None
    scored = _scored(matches)
    keep = scored > 0
    if keep.sum() < MIN_LEVELS:
        return None
    level, share = measured.levels[keep], matches.share[:, keep]
    curve: Curve = SequenceCurve(f"{name} match", level, share, measured.ids)
    if matches.trials is not None and measured.successes is not None:
        curve = CountCurve(curve.name, level, measured.successes[keep], matches.trials[keep])
    observers = {
        observer: SequenceCurve(f"{curve.name} {observer}", level, rows[:, keep], measured.ids)
        for observer, rows in matches.observers.items()
    }
    mean, low, high = mean_band(curve, options.confidence)
    return ExactMatch(
        curve=curve,
        mean=mean,
        low=low,
        high=high,
        scored=scored[keep].astype(np.float64),
        transition=judgments.transition(curve, options),
        chance=chance,
        log_p=mean_log_probability(matches.log_p, measured.p)[keep],
        observers=observers,
        observer_transitions={n: judgments.transition(o, options) for n, o in observers.items()},
        delay=judgments.delay(curve, next(iter(observers.values())), options),
    )


def _scored(matches: Matches) -> Ints:
    """Return how many sequences (or draws) count at each level: shape (n_levels,)."""
    if matches.trials is not None:
        return matches.trials
    return np.asarray(np.sum(~np.isnan(matches.share), axis=0), dtype=np.int64)
