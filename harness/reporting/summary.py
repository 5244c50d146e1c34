"""One paragraph a model: counts of verdicts, delays, controls and failures, and what was spent."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from harness.reporting.generations import texts_summary
from harness.reporting.numbers import count, level, listing, money, number, percent, plural
from harness.reporting.wording import MASS_WARNING, UNIT, observer_words
from harness.types import CurveResult, GenerationResult, ModelInfo, RunResult, Verdict, Way

_VERDICTS: tuple[Verdict, ...] = ("sharp", "gradual", "multiple", "none", "undetermined")

WAY_WORDS: dict[Way, str] = {
    "prefixes": "one scored pass a sequence, exact at every context length",
    "next_token": "one request a context length, next-token log-probabilities",
    "samples": "one request a context length, drawn answers counted",
    "generation": "one request a sequence, written freely and read as text",
}


def measured_of(run: RunResult, model: str) -> tuple[list[CurveResult], list[GenerationResult]]:
    """Return the curves of one model and the texts that it wrote."""
    return [c for c in run.curves if c.model == model], [g for g in run.generations if g.model == model]


def model_summary(
    model: ModelInfo, curves: Sequence[CurveResult], texts: Sequence[GenerationResult] = ()
) -> str:
    """Return what was found for one model, in plain words; nothing is left out that would weaken it."""
    main = [c for c in curves if c.control is None]
    controls = [c for c in curves if c.control is not None]
    measured = f"{plural(len(main), 'curve')} {'was' if len(main) == 1 else 'were'} measured"
    parts = [
        f"{measured}, with {plural(len(controls), 'control')}."
        if controls
        else f"{measured}, without controls."
    ]
    if texts:
        parts = [*(parts if curves else ()), texts_summary(texts)]
    if main:
        parts.append(_verdict_counts(main))
        parts += _locations(main) + _delays(main)
    if controls:
        parts.append(_controls(controls))
    parts.append(_reliability(model, curves))
    return " ".join(parts)


def spend_words(models: Sequence[ModelInfo]) -> str:
    """Return the spend of all models; an unknown price is said, never counted as nothing."""
    known = sum(m.cost_usd for m in models if m.cost_usd is not None)
    unknown = sum(m.cost_usd is None for m in models)
    if not unknown:
        return money(known)
    if unknown == len(models):
        return "price unknown"
    return f"{money(known)} and the unknown price of {plural(unknown, 'model')}"


def tokens_words(prompt: int | None, completion: int | None) -> str:
    """Return the tokens read and written."""
    if prompt is None and completion is None:
        return "unknown"
    return f"{count(prompt)} in, {count(completion)} out"


def model_tokens(model: ModelInfo) -> str:
    """Return the tokens of one model, with those that are billed otherwise or not shown."""
    words = tokens_words(model.prompt_tokens, model.completion_tokens)
    if model.cached_tokens:
        words += f"; {count(model.cached_tokens)} of them read from the provider's prompt cache"
    if model.hidden_tokens:
        words += f"; {count(model.hidden_tokens)} of them spent on reasoning that is not shown"
    return words


def model_spend(model: ModelInfo) -> str:
    """Return what one model cost, and apart from it what may have been spent for nothing."""
    words = money(model.cost_usd)
    if model.doubtful_usd:
        words += (
            f", and at most {money(model.doubtful_usd)} more for probing and for attempts without an answer"
        )
    return words


def ways(curves: Sequence[CurveResult], texts: Sequence[GenerationResult] = ()) -> str:
    """Return how a model was measured, each way once."""
    each: list[Way] = [c.way for c in curves]
    if texts:
        each.append("generation")
    return "; ".join(WAY_WORDS[way] for way in dict.fromkeys(each)) or "not measured"


def run_totals(run: RunResult) -> tuple[int, int, int | None, int | None]:
    """Return requests, failed requests, prompt tokens and completion tokens; None if any is unknown."""
    prompt = [m.prompt_tokens for m in run.models]
    completion = [m.completion_tokens for m in run.models]
    return (
        sum(m.requests for m in run.models),
        sum(m.failed_requests for m in run.models),
        None if None in prompt else sum(n for n in prompt if n is not None),
        None if None in completion else sum(n for n in completion if n is not None),
    )


def _verdict_counts(curves: Sequence[CurveResult]) -> str:
    counts = Counter(c.transition.verdict for c in curves)
    words = [f"{counts[v]} {v}" for v in _VERDICTS if counts[v]]
    return f"Verdicts: {listing(words)}."


def _locations(curves: Sequence[CurveResult]) -> list[str]:
    at = [c.transition.location for c in curves if c.transition.verdict == "sharp"]
    places = [x for x in at if x is not None]
    if len(places) < 2:
        return [f"The sharp transition is half-way at n = {number(places[0])}."] if places else []
    return [
        f"The sharp transitions are half-way between n = {number(min(places))} and {number(max(places))}."
    ]


def _delays(curves: Sequence[CurveResult]) -> list[str]:
    delays = [c.delay for c in curves if c.delay is not None]
    exact = [d.value for d in delays if d.censored is None and d.value is not None]
    bounds = [d.value for d in delays if d.censored == "model" and d.value is not None]
    without = sum(d.censored == "observer" for d in delays)
    sentences = []
    if exact:
        spread = f", from {number(min(exact))} to {number(max(exact))}" if len(exact) > 1 else ""
        sentences.append(
            f"Against the ideal observer the median excess delay of {plural(len(exact), 'curve')} "
            f"is {number(float(np.median(exact)))} {UNIT}{spread}."
        )
    if bounds:
        sentences.append(
            f"For {plural(len(bounds), 'curve')} it is only bounded from below "
            f"(≥ {listing([level(round(b, 1)) for b in sorted(bounds)])})."
        )
    if without:
        sentences.append(
            f"For {plural(without, 'curve')} the ideal observer has no transition to compare with."
        )
    return sentences


def _controls(controls: Sequence[CurveResult]) -> str:
    asked = [c.beyond for c in controls if c.beyond is not None]
    if not asked:
        return "Whether the controls go beyond an observer was not tested."
    survive = sum(t.verdict in ("sharp", "gradual", "multiple") for t in asked)
    open_ = sum(t.verdict == "undetermined" for t in asked)
    baselines = listing(
        list(dict.fromkeys(observer_words(c.baseline) for c in controls if c.beyond is not None))
    )
    keep = "keeps" if survive == 1 else "keep"
    words = f"Of {plural(len(asked), 'control')}, {survive} {keep} a transition beyond the {baselines}"
    return f"{words}, {open_} undetermined." if open_ else f"{words}."


def _reliability(model: ModelInfo, curves: Sequence[CurveResult]) -> str:
    words = f"Failed requests: {count(model.failed_requests)} of {count(model.requests)}"
    if model.failed_requests:
        words += f" ({percent(model.failed_requests, model.requests)})"
    low = sum(bool((c.mass < MASS_WARNING).any()) for c in curves)
    if low:
        where = plural(low, "curve")
        words += f"; in {where} the declared symbols capture less than {MASS_WARNING} of the probability"
    if len(model.served_models) < 2:
        return f"{words}."
    return f"{words}. {listing(list(model.served_models))} answered under this name: the curves mix them."
