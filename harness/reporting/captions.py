"""What the report says of one curve, as plain strings: the same for HTML, PDF and LaTeX."""

from dataclasses import dataclass

import numpy as np

from harness.reporting.findings import finding_sentences
from harness.reporting.levels import failures_per_level, fitted
from harness.reporting.matches import match_note, match_sentence
from harness.reporting.numbers import count, level, money, percent
from harness.reporting.sections import Entry, params_words
from harness.reporting.summary import WAY_WORDS
from harness.reporting.wording import (
    beyond_sentence,
    failure_sentence,
    lost_sentence,
    mass_sentence,
    observer_words,
    options_words,
    posterior_words,
    verdict_sentence,
)
from harness.types import CountCurve

PROMPT_CHARACTERS = 3000
"""Longest example prompt shown whole; of a longer one, both ends."""


@dataclass(frozen=True, slots=True)
class Caption:
    """What is said of one curve. Plain text, not escaped."""

    verdict: str
    beyond: str  # "" where not asked
    match: str  # of exact match, "" where not asked
    findings: tuple[str, ...]  # under other scorings, of single sequences
    posterior: str
    measured: str  # how, on how much, under which options
    observers: str
    cautions: tuple[str, ...]  # failures, captured mass, warnings of the analyzer
    failures: tuple[tuple[str, ...], ...]  # rows (context length, scored, failed, share, kinds)
    prompt: tuple[str, ...]  # the example prompt, or its two ends
    prompt_left_out: str  # characters between the two ends, "" if none
    target: str
    context_length: str


def caption(entry: Entry) -> Caption:
    """Return what is said of one curve."""
    result, t = entry.result, entry.result.transition
    measured = (lost_sentence(result), failure_sentence(result), mass_sentence(result))
    cautions = [*measured, *(f"Analyzer: {w}." for w in t.warnings)]
    head, left_out, tail = _elide(result.example_prompt)
    return Caption(
        verdict=verdict_sentence(result),
        beyond=beyond_sentence(result) or "",
        match=match_sentence(result),
        findings=finding_sentences(result),
        posterior=posterior_words(t),
        measured=_measured(entry),
        observers=_observers(entry),
        cautions=tuple(text for text in cautions if text),
        failures=_failure_rows(entry),
        prompt=(head, tail) if left_out else (head,),
        prompt_left_out=f"{left_out:,}" if left_out else "",
        target=result.example_target,
        context_length=level(result.example_context_length),
    )


def figure_note(entry: Entry) -> str:
    """Return the caption of a figure: what its marks mean for this curve, with the options in force."""
    result, t = entry.result, entry.result.transition
    what = "share of answers" if isinstance(result.curve, CountCurve) else "mean over sequences"
    parts = [f"Blue: {what} with 95 % interval"]
    if fitted(entry.result) is not None:
        parts.append("thin line: fit")
    if t.location is not None or t.changes:
        parts.append(
            "green: half-way point with interval" + (", bar: 10-90 % width" if t.width is not None else "")
        )
    if result.observers:
        parts.append("orange: ideal observer")
    if result.match is not None:
        parts.append(match_note(result))
    if failures_per_level(result).any():
        parts.append("red: failed calls")
    return f"{'; '.join(parts)}. {options_words(t.options).capitalize()}."


def _measured(entry: Entry) -> str:
    result = entry.result
    scored = np.nan_to_num(result.scored)
    low, high = float(scored.min(initial=np.inf)), float(scored.max(initial=0.0))
    n = count(low) if low == high else f"{count(low)} to {count(high)}"
    unit = "answers" if isinstance(result.curve, CountCurve) else "sequences"
    order = "nested prefixes" if result.nested else "fresh sequences at each context length"
    words = [
        params_words(result),
        f"readout {result.readout}",
        WAY_WORDS[result.way],
        f"{n} {unit} a context length",
        order,
        f"chance {result.chance:.3g}",
    ]
    if result.context_tokens is not None and result.context_tokens.size:
        symbols, tokens = level(result.curve.level[-1]), count(result.context_tokens[-1])
        words.append(f"the longest context, {symbols} symbols, is {tokens} tokens")
    if result.permutation_sd is not None and not np.isnan(result.permutation_sd).all():
        widest = float(np.nanmax(result.permutation_sd))
        words.append(f"symbols counterbalanced, s.d. between assignments at most {widest:.2f}")
    if result.adaptive is not None:
        drawn = "" if result.way == "samples" else "; each probability is judged as one draw"
        words.append(f"design adaptive: {result.adaptive.words}{drawn}")
    if result.cost_usd:
        words.append(f"spend {money(result.cost_usd)}")
    return "; ".join(part for part in words if part)


def _observers(entry: Entry) -> str:
    result = entry.result
    words = []
    for k, name in enumerate(result.observers):
        t = result.observer_transitions.get(name)
        found = f": {_found(t.verdict, t.location)}" if t is not None else ""
        words.append(f"{observer_words(name)}{' (ideal)' if k == 0 else ''}{found}")
    return "; ".join(words) if words else "none declared"


def _found(verdict: str, location: float | None) -> str:
    return verdict if location is None else f"{verdict}, half-way at {location:.1f}"


def _failure_rows(entry: Entry) -> tuple[tuple[str, ...], ...]:
    """Return a row for each run of neighbouring levels with the same counts, where any call failed."""
    result = entry.result
    failed = failures_per_level(result)
    kinds = {kind: per_level for kind, per_level in result.failures.items() if sum(per_level)}
    groups: list[tuple[int, int]] = []
    for place in np.flatnonzero(failed).tolist():
        if groups and groups[-1][1] == place - 1 and _same(entry, place - 1, place):
            groups[-1] = (groups[-1][0], place)
        else:
            groups.append((place, place))
    rows = []
    for first, last in groups:
        names = ", ".join(
            f"{kind} {per_level[first]}" for kind, per_level in kinds.items() if per_level[first]
        )
        n, k = float(np.nan_to_num(result.scored[first])), float(failed[first])
        where = level(result.curve.level[first])
        if last > first:
            where += f" to {level(result.curve.level[last])}, each"
        rows.append((where, count(n), count(k), percent(k, n + k), names))
    return tuple(rows)


def _same(entry: Entry, a: int, b: int) -> bool:
    result = entry.result
    same_kinds = all(per_level[a] == per_level[b] for per_level in result.failures.values())
    return bool(same_kinds and result.scored[a] == result.scored[b])


def _elide(prompt: str) -> tuple[str, int, str]:
    """Return a prompt whole, or its two ends with the number of characters left out between them."""
    if len(prompt) <= PROMPT_CHARACTERS:
        return prompt, 0, ""
    half = PROMPT_CHARACTERS // 2
    return prompt[:half], len(prompt) - 2 * half, prompt[-half:]
