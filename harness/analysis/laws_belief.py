"""The belief law fitted to one curve: half-way point N*, slope, accumulation of evidence and asymptotes."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.analysis.bootstrap import interval, resampling_weights, weighted_means
from harness.analysis.checks import DEFAULTS, check_curve, check_options
from harness.analysis.laws_curve import (
    BETA,
    BETAS,
    LOWER,
    N_STAR,
    SLOPE,
    TINY,
    UPPER,
    Design,
    evaluate,
    fit_sets,
    make_design,
)
from harness.errors import CurveError, SpecError
from harness.types import AnalysisOptions, BeliefLaw, Bounded, CountCurve, Curve, Floats, SequenceCurve

DRAWS = 300  # of the bootstrap of counts; that of sequences has as many
FEW = 10  # sequences below which no interval is given, as for a transition
TOO_SMALL = 1e-6  # an intra-class correlation
Asymptotes = tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """The values of one or several curves in a row, and what resampling them gives."""

    y: Floats  # (n_values,)
    trials: Floats | None  # (n_values,) of counts
    n_units: int  # independent sequences, or levels of counts


def belief_law(curve: Curve, *, asymptotes: Asymptotes, options: AnalysisOptions = DEFAULTS) -> BeliefLaw:
    """Fit p(N) = lower + (upper - lower) sigmoid(slope ((N / N*)^beta - 1) / beta).

    Counts by maximum likelihood, with a parametric bootstrap that is as
    overdispersed as the fit's Pearson chi2 says; sequences by least squares on
    the mean curve, with a bootstrap of whole sequences. `asymptotes` are
    (lower, upper) where they are known, such as (0, 1) for a belief, or None to
    estimate both: beta and asymptotes compete, so this choice matters.

    Source: Bigelow et al. 2025, in a form that is identifiable (`laws_curve`).
    Raises CurveError for numbers that are not a curve, negative levels, fewer
    levels than parameters + 1, or fewer than 10 sequences.
    """
    check_options(options)
    design, theta = start_of([curve], [0.0], asymptotes)
    data = joined([curve])
    theta, _ = best_fit(design, theta, data)
    rng = np.random.default_rng(options.seed)
    again = resampled([curve], design, theta, rng)
    draws, _ = fit_sets(design, np.repeat(theta, DRAWS, axis=0), again, data.trials)
    warnings = []
    found = star(np.exp(draws[:, N_STAR]), float(np.exp(theta[0, N_STAR])), data.n_units, design, options)
    n_star = found if shows_change(design, theta, data, again, options) else None
    if n_star is None:
        warnings.append(
            "no change is shown: p does not differ between any early and late levels, so there is no N*"
        )
    elif found.value > float(np.max(curve.level)):
        warnings.append(
            f"N* = {found.value:.4g} lies beyond the last level {float(curve.level[-1])!r}: an extrapolation"
        )
    if n_star is not None and not (n_star.low > 0 and np.isfinite(n_star.high)):
        warnings.append("the levels do not bound N* on both sides")
    span = bounded(theta, draws, data.n_units, options)
    if not BETAS[0] < span[BETA].value < BETAS[1]:
        warnings.append(
            f"beta = {span[BETA].value:g} is at the end of its search {BETAS!r}: evidence accumulates otherwise"
        )
    return BeliefLaw(
        curve.name,
        n_star,
        span[SLOPE],
        span[BETA],
        span[LOWER],
        span[UPPER],
        evaluate(design, theta)[0][0],
        tuple(warnings),
    )


def shows_change(design: Design, theta: Floats, data: Data, again: Floats, options: AnalysisOptions) -> bool:
    """Return whether one curve differs before and after N*, against all cuts it might have been (Bonferroni).

    `again` are the curve's values resampled, (DRAWS, n_values); their spread gives the standard error.
    """
    late = np.log(np.maximum(design.level, TINY)) > theta[0, N_STAR]
    if late.all() or not late.any():
        late = design.level > np.median(design.level)
    weight = late / late.sum() - ~late / (~late).sum()
    error = float(np.std(again @ weight)) * np.sqrt(data.n_units / (data.n_units - 1))
    least = stats.t.isf((1 - options.confidence) / 2 / len(late), data.n_units - 1)
    return bool(abs(float(data.y @ weight)) > least * error)


def start_of(
    curves: list[Curve], strength: list[float], asymptotes: Asymptotes, *more: int
) -> tuple[Design, Floats]:
    """Check curves and return the design of a joint fit with starts spread over the plausible parameters."""
    for curve in curves:
        check_curve(curve)
        if curve.level[0] < 0:
            raise CurveError(
                f"curve {curve.name!r}: level {float(curve.level[0])!r}; the law needs levels >= 0"
            )
        if isinstance(curve, SequenceCurve) and len(curve.p) < FEW:
            raise CurveError(
                f"curve {curve.name!r}: {len(curve.p)} sequence(s); a law with intervals needs at least {FEW}"
            )
        if isinstance(curve, SequenceCurve) and np.isnan(curve.p).all(axis=0).any():
            i = int(np.argmax(np.isnan(curve.p).all(axis=0)))
            raise CurveError(
                f"curve {curve.name!r}: nothing was measured at level {float(curve.level[i])!r}; drop it"
            )
    if asymptotes is not None and not 0 <= asymptotes[0] < asymptotes[1] <= 1:
        raise SpecError(
            f"asymptotes={asymptotes!r}: must be 0 <= lower < upper <= 1, or None to estimate them"
        )
    free = (N_STAR, SLOPE, BETA, *((LOWER, UPPER) if asymptotes is None else ()), *more)
    level = np.concatenate([c.level for c in curves])
    if len(level) <= len(free):
        raise CurveError(
            f"curve {curves[0].name!r}: {len(level)} levels for {len(free)} parameters; more are needed"
        )
    design = make_design(
        level, np.concatenate([np.full(len(c.level), m) for c, m in zip(curves, strength, strict=True)]), free
    )
    y = joined(curves).y
    lower, upper = asymptotes or (0.9 * float(y.min()), 1 - 0.9 * (1 - float(y.max())))
    share = (upper - lower) / (1 - lower)
    places = np.log(np.quantile(level[level > 0], [0.1, 0.3, 0.5, 0.7, 0.9]))
    grid = np.array([(at, s, b) for at in places for s in (-6.0, -1.5, 1.5, 6.0) for b in (0.1, 0.5, 1.0)])
    theta = np.zeros((len(grid), 7))
    theta[:, :3] = grid
    theta[:, LOWER], theta[:, UPPER] = lower, share
    return design, theta


def best_fit(design: Design, starts: Floats, data: Data) -> tuple[Floats, float]:
    """Return the best parameters, shape (1, 7), and their loss."""
    theta, loss = fit_sets(design, starts, np.repeat(data.y[None, :], len(starts), axis=0), data.trials)
    best = int(np.argmin(loss))
    return theta[[best]], float(loss[best])


def joined(curves: list[Curve]) -> Data:
    """Return the values of all curves in a row."""
    if isinstance(curves[0], CountCurve):
        counted = [c for c in curves if isinstance(c, CountCurve)]
        trials = np.concatenate([c.trials for c in counted]).astype(np.float64)
        return Data(np.concatenate([c.successes for c in counted]) / trials, trials, len(trials))
    tables = [c.p for c in curves if isinstance(c, SequenceCurve)]
    return Data(np.concatenate([np.nanmean(p, axis=0) for p in tables]), None, min(len(p) for p in tables))


def resampled(curves: list[Curve], design: Design, theta: Floats, rng: np.random.Generator) -> Floats:
    """Return bootstrap values of all curves in a row: (DRAWS, n_values).

    A sequence id that several curves share is drawn for all of them together.
    """
    if isinstance(curves[0], CountCurve):
        return _counts_again(joined(curves), design, theta, rng)
    tables = [c for c in curves if isinstance(c, SequenceCurve)]
    ids = list(dict.fromkeys(name for c in tables for name in c.sequence_ids))
    row = {name: i for i, name in enumerate(ids)}
    weights = resampling_weights(len(ids), rng)
    return np.concatenate(
        [weighted_means(c.p, weights[:, [row[name] for name in c.sequence_ids]]) for c in tables], axis=1
    )


def _counts_again(data: Data, design: Design, theta: Floats, rng: np.random.Generator) -> Floats:
    """Draw counts from the fit, beta-binomial where Pearson's chi2 per degree of freedom is above 1."""
    assert data.trials is not None
    p = np.clip(evaluate(design, theta)[0][0], 1e-6, 1 - 1e-6)
    n = data.trials
    chi2 = float(np.sum(n * (data.y - p) ** 2 / (p * (1 - p)))) / (len(n) - len(design.free))
    icc = np.clip((chi2 - 1) / np.maximum(n - 1, 1), 0.0, 0.9)
    rate = np.repeat(p[None, :], DRAWS, axis=0)
    loose = np.flatnonzero((icc > 0) & (n > 1))
    size = 1 / np.maximum(icc[loose], TOO_SMALL) - 1
    rate[:, loose] = rng.beta(p[loose] * size, (1 - p[loose]) * size, size=(DRAWS, len(loose)))
    return np.asarray(rng.binomial(n.astype(np.int64), rate) / n)


def bounded(theta: Floats, draws: Floats, n_units: int, options: AnalysisOptions) -> list[Bounded]:
    """Return each parameter with its interval, N* as its logarithm and `upper` as itself."""
    point, many = theta.copy(), draws.copy()
    for table in (point, many):
        table[:, UPPER] = table[:, LOWER] + table[:, UPPER] * (1 - table[:, LOWER])
    found = []
    for i in range(7):
        low, high = interval(many[:, i], float(point[0, i]), options.confidence, n_units)
        if i in (LOWER, UPPER):
            low, high = max(low, 0.0), min(high, 1.0)
        if i == BETA:
            low = max(low, 0.0)
        found.append(Bounded(float(point[0, i]), float(low), float(high)))
    return found


def star(stars: Floats, value: float, n_units: int, design: Design, options: AnalysisOptions) -> Bounded:
    """Return N* with its interval, taken of its logarithm; an end at the limit of the search is no end."""
    tail = (1 - options.confidence) / 2
    edge = np.exp(design.bounds[N_STAR])
    floor = np.mean(stars <= edge[0] * (1 + 1e-6)) >= tail
    ceiling = np.mean(stars >= edge[1] * (1 - 1e-6)) >= tail
    log = np.log(np.clip(stars, edge[0], edge[1]))
    low, high = interval(log, float(np.log(np.clip(value, *edge))), options.confidence, n_units)
    return Bounded(value, 0.0 if floor else float(np.exp(low)), np.inf if ceiling else float(np.exp(high)))
