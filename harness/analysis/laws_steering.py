"""The belief law fitted jointly over strengths of steering, and what it predicts of a strength it has not seen."""

from collections.abc import Mapping

import numpy as np
from scipy import stats

from harness.analysis.bootstrap import interval
from harness.analysis.checks import DEFAULTS, check_options
from harness.analysis.laws_belief import (
    DRAWS,
    Asymptotes,
    best_fit,
    bounded,
    joined,
    resampled,
    shows_change,
    star,
    start_of,
)
from harness.analysis.laws_curve import (
    BETA,
    EFFECT,
    INTERACTION,
    LOWER,
    N_STAR,
    SLOPE,
    UPPER,
    Design,
    fit_sets,
    n_star_at,
)
from harness.errors import CurveError, SpecError
from harness.types import AnalysisOptions, Bounded, CountCurve, Curve, Floats, HeldOut, SteeringLaw

MIN_STRENGTHS = 3


def steering_law(
    curves: Mapping[float, Curve], *, asymptotes: Asymptotes, options: AnalysisOptions = DEFAULTS
) -> SteeringLaw:
    """Fit logit q = slope ((N / n_ref)^beta - 1) / beta + effect (m - reference) to curves at strengths m.

    Slope, beta and asymptotes are shared; the strength moves the log-odds and so
    N*(m), with N*^beta linear in m (ln N* where beta goes to 0). `asymptotes` as in
    `belief_law`. Sequences with the same id at several strengths are resampled
    together. The interaction is tested by adding `interaction` (m - reference) g(N):
    its p value is Student's t of the coefficient over its bootstrap standard error.

    Source: Bigelow et al. 2025, reparametrised (`laws_curve`). Raises CurveError for
    fewer than 3 strengths, curves of both kinds, or what `belief_law` refuses.
    """
    strength, given = _ordered(curves, options, MIN_STRENGTHS)
    reference = float(np.median(strength))
    design, theta, draws = _joint(given, strength - reference, asymptotes, options)
    n_units = joined(given).n_units
    stars = tuple(_star_at(theta, draws, m - reference, n_units, design, options) for m in strength)
    figures = bounded(theta, draws, n_units, options)
    interaction, p_additive = _interaction(given, strength - reference, theta, asymptotes, options)
    warnings = []
    gone = [float(m) for m, n in zip(strength, stars, strict=True) if n.value == 0]
    if gone:
        warnings.append(f"at strength {gone!r} the steered prior alone is past half-way: N* is 0")
    if p_additive < 1 - options.confidence:
        warnings.append(
            f"steering and evidence are not additive in log-odds (p = {p_additive:.2g}): "
            "N* of the joint law describes no strength exactly"
        )
    return SteeringLaw(
        strength=tuple(map(float, strength)),
        reference=reference,
        n_star=stars,
        slope=figures[SLOPE],
        beta=figures[BETA],
        effect=figures[EFFECT],
        lower=figures[LOWER],
        upper=figures[UPPER],
        interaction=interaction,
        p_additive=p_additive,
        warnings=tuple(warnings),
    )


def held_out(
    curves: Mapping[float, Curve], *, asymptotes: Asymptotes, options: AnalysisOptions = DEFAULTS
) -> list[HeldOut]:
    """Predict N* at each strength from the curves at all others, and set it beside the one measured there.

    The measured N* is that of the belief law of its own curve, with nothing
    shared; both are resampled with the same sequences, so that `octaves`, log2 of
    predicted over measured, has an interval of its own. Strengths at the ends are
    extrapolations. Raises as `steering_law`, with at least 4 strengths.
    """
    strength, given = _ordered(curves, options, MIN_STRENGTHS + 1)
    out = []
    for i, m in enumerate(strength):
        rest = [c for j, c in enumerate(given) if j != i]
        others = np.delete(strength, i)
        reference = float(np.median(others))
        # The curve held out is resampled with the others, though it is not fitted with them.
        design, theta, draws = _joint(rest, others - reference, asymptotes, options, beside=given[i])
        own, point, again = _joint([given[i]], np.zeros(1), asymptotes, options, among=rest)
        n_units = joined(given).n_units
        predicted = _star_at(theta, draws, float(m) - reference, n_units, design, options)
        measured = star(np.exp(again[:, N_STAR]), float(np.exp(point[0, N_STAR])), n_units, own, options)
        alone = resampled([given[i]], own, point, np.random.default_rng(options.seed))
        shown = shows_change(own, point, joined([given[i]]), alone, options)
        octaves = None
        if shown and predicted.value > 0:
            least = np.exp(design.bounds[N_STAR, 0])  # of the search: a draw may put N* at 0
            log_ratio = np.log2(np.maximum(n_star_at(draws, float(m) - reference), least))
            log_ratio -= again[:, N_STAR] / np.log(2)
            value = float(np.log2(predicted.value / measured.value))
            low, high = interval(log_ratio, value, options.confidence, n_units)
            octaves = Bounded(value, float(low), float(high))
        out.append(HeldOut(float(m), predicted, measured if shown else None, octaves))
    return out


def _ordered(
    curves: Mapping[float, Curve], options: AnalysisOptions, least: int
) -> tuple[Floats, list[Curve]]:
    check_options(options)
    if len(curves) < least:
        raise CurveError(f"{len(curves)} strength(s) {sorted(curves)!r}; at least {least} are needed")
    strength = np.array(sorted(curves), dtype=np.float64)
    if not np.isfinite(strength).all():
        raise SpecError(f"strengths {sorted(curves)!r}: must be finite numbers")
    given = [curves[m] for m in sorted(curves)]
    if len({isinstance(c, CountCurve) for c in given}) > 1:
        raise CurveError("curves of counts and of sequences together; a joint fit needs one kind")
    return strength, given


def _joint(
    fitted: list[Curve],
    strength: Floats,
    asymptotes: Asymptotes,
    options: AnalysisOptions,
    *,
    beside: Curve | None = None,
    among: list[Curve] | None = None,
) -> tuple[Design, Floats, Floats]:
    """Fit one law to curves; `beside` and `among` name curves that are resampled with them, after or before."""
    more = (EFFECT,) if len(fitted) > 1 else ()
    design, starts = start_of(fitted, list(strength), asymptotes, *more)
    data = joined(fitted)
    theta, _ = best_fit(design, starts, data)
    rng = np.random.default_rng(options.seed)
    together = [*(among or []), *fitted, *([beside] if beside else [])]
    if isinstance(fitted[0], CountCurve):
        rng = np.random.default_rng([options.seed, len(fitted)])  # not the draws of another fit's counts
        again = resampled(fitted, design, theta, rng)
    else:
        before = sum(len(c.level) for c in among or [])
        again = resampled(together, design, theta, rng)[:, before : before + len(data.y)]
    draws, _ = fit_sets(design, np.repeat(theta, DRAWS, axis=0), again, data.trials)
    return design, theta, draws


def _interaction(
    given: list[Curve], strength: Floats, theta: Floats, asymptotes: Asymptotes, options: AnalysisOptions
) -> tuple[Bounded, float]:
    """Return the coefficient that would spoil additivity, and the p value of its being 0."""
    design, _ = start_of(given, list(strength), asymptotes, EFFECT, INTERACTION)
    data = joined(given)
    starts = np.repeat(theta, 3, axis=0)
    starts[:, INTERACTION] = np.array([0.0, 0.3, -0.3]) * theta[0, SLOPE] / np.max(np.abs(strength))
    full, _ = best_fit(design, starts, data)
    again = resampled(given, design, full, np.random.default_rng(options.seed))
    draws, _ = fit_sets(design, np.repeat(full, DRAWS, axis=0), again, data.trials)
    freedom = data.n_units - (1 if data.trials is None else len(design.free))
    error = float(np.std(draws[:, INTERACTION])) * np.sqrt(data.n_units / (data.n_units - 1))
    found = bounded(full, draws, data.n_units, options)[INTERACTION]
    return found, float(2 * stats.t.sf(abs(found.value) / error, freedom)) if error > 0 else 1.0


def _star_at(
    theta: Floats, draws: Floats, strength: float, n_units: int, design: Design, options: AnalysisOptions
) -> Bounded:
    value = float(n_star_at(theta, strength)[0])
    found = star(n_star_at(draws, strength), value, n_units, design, options)
    return Bounded(value, min(found.low, value), max(found.high, value))
