"""Sentences of the report, computed from the numbers: what was found, and what was not.

Pure functions of the records; plain text, escaped by whoever writes it out.
"""

import numpy as np

from harness.reporting.levels import failures_per_level, ideal_transition, lowest_mass
from harness.reporting.numbers import level as level_words
from harness.reporting.numbers import listing, number, percent, plural, probability, with_interval
from harness.types import AnalysisOptions, CurveResult, Delay, Floats, Transition

MASS_WARNING = 0.99
"""Captured probability below which a curve carries a warning."""

UNIT = "symbols"
P_LABEL = {
    "next_symbol": "p(target)",
    "continuation": "p(continuation)",
    "answer": "p(answer)",
    "judgment": "p(a rule)",
}
"""What p is the probability of, by readout; anything else is plain p."""


def p_label(result: CurveResult) -> str:
    """Return the name of the measured probability, for axes and sentences."""
    return P_LABEL.get(result.readout, "p")


def observer_words(name: str) -> str:
    """Return an observer in words; kt is the unigram observer of Krichevsky and Trofimov."""
    if name == "kt":
        return "unigram (KT) observer"
    if name == "unigram_sparse":
        return "unigram observer that learns which symbols occur"
    for start, words in (("ngram", "{}-gram observer"), ("backoff", "back-off {}-gram observer")):
        if name.startswith(start) and name.removeprefix(start).isdigit():
            return words.format(name.removeprefix(start))
    return f"{name} observer"


def posterior_words(transition: Transition) -> str:
    """Return the posterior probabilities of the four classes."""
    t = transition
    classes = {"none": t.p_none, "gradual": t.p_gradual, "sharp": t.p_sharp, "multiple": t.p_multiple}
    return ", ".join(f"{name} {probability(p)}" for name, p in classes.items())


def options_words(options: AnalysisOptions) -> str:
    """Return the thresholds a verdict was made under."""
    axis = "the log2 range" if options.axis == "log2" else "the range"
    return (
        f"sharp means a 10-90 % width of at most {options.sharp_width:g} of {axis} of levels; "
        f"a change of p below {options.min_change:g} is no transition; "
        f"intervals at {100 * options.confidence:g} %; false discovery rate {options.fdr:g}"
    )


def short_verdict(transition: Transition) -> str:
    """Return the verdict with its place, for a narrow cell: "sharp at 10.3"."""
    t = transition
    if t.verdict in ("sharp", "gradual") and t.location is not None:
        return f"{t.verdict} at {number(t.location)}"
    return f"multiple ({len(t.changes)})" if t.verdict == "multiple" else t.verdict


def transition_sentence(transition: Transition, level: Floats, name: str = "p") -> str:
    """Return what the analyzer says of a curve, without its observers."""
    t = transition
    match t.verdict:
        case "none":
            return (
                f"none: no change of {name} of at least {t.options.min_change:g} was found "
                f"(posterior probability of no transition {probability(t.p_none)})."
            )
        case "undetermined":
            if (
                max(t.p_none, t.p_gradual, t.p_sharp, t.p_multiple) >= 0.9
            ):  # the class is clear, its claim is not
                return (
                    f"undetermined: what the most probable class claims is not shown ({posterior_words(t)})."
                )
            return f"undetermined: the data do not decide between the classes ({posterior_words(t)})."
        case "multiple":
            places = [with_interval(c.location, c.low, c.high) for c in t.changes]
            where = f", at n = {listing(places)} {UNIT}" if places else ""
            return f"multiple: {plural(len(t.changes), 'change')}{where}."
    return f"{t.verdict}: {name} {_course(t)}{_place(t)}{_extent(t, level)}."


def verdict_sentence(result: CurveResult) -> str:
    """Return the verdict on a curve with its ideal observer and excess delay, as one sentence or two."""
    sentence = transition_sentence(result.transition, result.curve.level, p_label(result))
    if result.transition.verdict == "none" and np.isfinite(result.mean).any():
        sentence = sentence[:-1] + f"; its mean is {number(float(np.nanmean(result.mean)), 2)}."
    compared = "; ".join(part for part in (_observer_words(result), _delay_clause(result)) if part)
    return f"{sentence[:-1]}; {compared}." if compared else sentence


def delay_words(delay: Delay | None) -> str:
    """Return an excess delay for a table cell: "2.3 [1.1, 3.4]", "≥ 40" or why there is none."""
    if delay is None:
        return "n/a"
    if delay.censored == "observer" or delay.value is None:
        return "none (observer)"
    if delay.censored == "model":
        return f"≥ {level_words(round(delay.value, 1))}"
    return with_interval(delay.value, delay.low, delay.high)


def beyond_sentence(result: CurveResult) -> str | None:
    """Return whether a transition is left once the baseline observer is taken off, or None if not asked."""
    t = result.beyond
    if t is None:
        return _kept_sentence(result)
    whose = f"Under {result.control}" if result.control else "In this curve"
    baseline = observer_words(result.baseline)
    match t.verdict:
        case "none":
            return f"{whose}, no transition survives beyond the {baseline} (none {probability(t.p_none)})."
        case "undetermined":
            odds = posterior_words(t)
            return f"{whose}, whether a transition survives beyond the {baseline} is undetermined ({odds})."
        case "multiple":
            return f"{whose}, {plural(len(t.changes), 'change')} survive beyond the {baseline}."
    return f"{whose}, a {t.verdict} transition survives beyond the {baseline}{_place(t, ', ')}."


def _kept_sentence(result: CurveResult) -> str | None:
    """Return what became of the transition under a control where no observer is taken off."""
    if result.expects is None or result.survives is None:
        return None
    should = {"gone": "vanish", "kept": "stay where it is", "moved": "move with the evidence"}[result.expects]
    found = {
        "yes": "one is there",
        "no": "none is left",
        "open": "whether one is there is undetermined",
    }[result.survives]
    return f"Under {result.control}, where a transition about the concept should {should}, {found}."


def failure_sentence(result: CurveResult) -> str | None:
    """Return how many readings failed, of which kind and at which end, or None if none did.

    The halves are of the levels by rank. Missing answers that gather at one end
    can bend a curve, so their place is always told.
    """
    kinds = {kind: sum(per_level) for kind, per_level in result.failures.items() if sum(per_level)}
    if not kinds:
        return None
    per_level = failures_per_level(result)
    failed, tried = float(per_level.sum()), float(per_level.sum() + np.nansum(result.scored))
    half = len(per_level) // 2
    lower, upper = (
        _share(per_level[:half], result.scored[:half]),
        _share(per_level[half:], result.scored[half:]),
    )
    sentence = (
        f"{failed:,.0f} of {tried:,.0f} readings ({percent(failed, tried)}) failed and count in neither k "
        f"nor n: {listing([f'{n:,} {kind}' for kind, n in kinds.items()])}; {lower} in the shorter half of "
        f"the context lengths, {upper} in the longer half."
    )
    if result.transition.verdict not in ("none", "undetermined") and lower != upper:
        sentence += " They are not spread evenly: the verdict may owe something to what is missing."
    return sentence


def lost_sentence(result: CurveResult) -> str | None:
    """Return which context lengths are missing from the curve and why, or None if none is."""
    if not result.lost_levels:
        return None
    reasons: dict[str, list[int]] = {}
    for length, reason in result.lost_levels.items():
        reasons.setdefault(reason, []).append(length)
    words = [f"{_some(lengths)} ({reason})" for reason, lengths in reasons.items()]
    return f"Nothing could be scored at context length {listing(words)}: not drawn and not analysed."


def _some(lengths: list[int]) -> str:
    shown = ", ".join(f"{n}" for n in lengths[:6])
    return shown if len(lengths) <= 6 else f"{shown} and {len(lengths) - 6} more"


def mass_sentence(result: CurveResult) -> str | None:
    """Return a warning where the declared symbols capture less than 0.99 of the probability, or None."""
    lowest = lowest_mass(result)
    if lowest is None or lowest[0] >= MASS_WARNING:
        return None
    mass, at = lowest
    n_low = int((result.mass < MASS_WARNING).sum())
    return (
        f"The declared symbols capture less than {MASS_WARNING} of the probability at {n_low} of "
        f"{plural(len(result.mass), 'context length')} (lowest {number(mass, 2)}, at n = {level_words(at)}): "
        f"p there is renormalised over that part alone."
    )


def _course(t: Transition) -> str:
    if t.lower is None or t.upper is None:
        return "changes"
    low, high = number(t.lower, 2), number(t.upper, 2)
    return f"falls from {high} to {low}" if t.direction == "decreasing" else f"rises from {low} to {high}"


def _place(t: Transition, before: str = ", ") -> str:
    if t.location is None:
        return ""
    return f"{before}half-way at n = {with_interval(t.location, t.location_low, t.location_high)}"


def _extent(t: Transition, level: Floats) -> str:
    if t.width is None:
        return ""
    words = f", 10-90 % width {with_interval(t.width, t.width_low, t.width_high)} {UNIT}"
    if t.verdict == "gradual" and t.options.axis == "linear" and level.size:
        limit = t.options.sharp_width * float(level[-1] - level[0])
        words += f", where sharp would be at most {number(limit)}"
    return words


def _observer_words(result: CurveResult) -> str:
    """Return where the ideal observer, the first of the observers, is half-way."""
    t = ideal_transition(result)
    if t is None:
        return ""
    if t.verdict == "multiple":
        return f"the ideal observer has {plural(len(t.changes), 'change')}"
    if t.location is None:
        return f"the ideal observer: {t.verdict}"
    at = with_interval(t.location, t.location_low, t.location_high)
    return f"ideal observer half-way at {at} ({t.verdict})"


def _delay_clause(result: CurveResult) -> str:
    delay = result.delay
    if delay is None:
        return ""
    if delay.censored == "observer" or delay.value is None:
        return "no excess delay can be stated, for the observer has no half-way point"
    if delay.censored == "model":
        return (
            f"excess delay {delay_words(delay)} {UNIT}, a bound, for the model has no half-way point in range"
        )
    return f"excess delay {delay_words(delay)} {UNIT}"


def _share(failed: Floats, scored: Floats) -> str:
    return percent(float(failed.sum()), float(failed.sum() + np.nansum(scored)))
