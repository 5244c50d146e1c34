"""A stored run analysed: every curve with its transition, observers, failures and an example.

Works from the store and the suite alone: no model, no network, no keys.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from harness.analysis import failure_trend, mean_band, spread
from harness.conditions import MIN_LEVELS, Condition, symbols_digest
from harness.continuations import measure_continuation
from harness.curves import Measured, measure
from harness.errors import StoreError
from harness.judgments import Judgments
from harness.model_records import ModelRecord, plan_from_record, read_record
from harness.plan import ModelPlan
from harness.prompts.controls import parse_control
from harness.readouts import targets
from harness.registry import load_reader
from harness.store import Store
from harness.suite_files import parse_suite
from harness.types import (
    AnalysisOptions,
    Bools,
    Curve,
    CurveResult,
    Delay,
    Floats,
    ModelInfo,
    RunResult,
    SequenceCurve,
    Transition,
)

SELECTION = "calls fail more often as the context grows"  # how the warning of it begins


def analyse(store: Store, judgments: Judgments) -> RunResult:
    """Analyse everything a run has stored, judging only what `judgments` does not know yet."""
    text = store.get_meta("suite_yaml")
    if text is None:
        raise StoreError(f"{store.path.parent}: nothing was asked in this run yet; icl run starts it")
    suite = parse_suite(text, f"{store.path.parent}: stored suite")
    limit = store.get_meta("limit")
    options = suite.analysis.options()
    records = {name: read_record(record) for name, record in store.models().items()}
    plans = {n: plan_from_record(n, r, suite, int(limit) if limit else None) for n, r in records.items()}
    found = [r for plan in plans.values() for r in _curves(plan, store, options, judgments)]
    judgments.save()
    return RunResult(
        name=suite.name,
        suite_digest=store.get_meta("suite_digest") or "",
        seed=suite.seed,
        created=store.get_meta("created") or "",
        versions=dict(v.split("=", 1) for v in (store.get_meta("versions") or "").split()),
        options=options,
        models=tuple(_model_info(name, record, store) for name, record in records.items()),
        curves=tuple(r for r in found if isinstance(r, CurveResult)),
        suite_yaml=text,
        unjudged=tuple(r for r in found if isinstance(r, str)),
    )


def _curves(
    plan: ModelPlan, store: Store, options: AnalysisOptions, judgments: Judgments
) -> Iterator[CurveResult | str]:
    """Yield each condition's curve, or a sentence saying why there is none."""
    read = load_reader(plan.model)
    for item in plan.items:
        condition = item.condition
        store.check_symbols(condition.digest, symbols_digest(condition))
        measure_it = measure_continuation if condition.readout == "continuation" else measure
        measured = measure_it(plan, item, store, read)
        curve = measured.curve(f"{plan.model} {condition.id}")
        if curve is not None and len(curve.level) >= MIN_LEVELS:
            yield _curve_result(plan, measured, curve, options, judgments)
        else:
            yield _unjudged(plan.model, measured)


def _unjudged(model: str, measured: Measured) -> str:
    condition, lost = measured.item.condition, _lost(measured)
    scored = len(condition.context_lengths) - len(lost)
    control = f", control {condition.control}" if condition.control else ""
    reasons = "; ".join(dict.fromkeys(lost.values()))
    return (
        f"{model}: {condition.title}{control}: answers at {scored} of {len(condition.context_lengths)} context "
        f"lengths, at least {MIN_LEVELS} are needed (without: {reasons})"
    )


def _curve_result(
    plan: ModelPlan, measured: Measured, curve: Curve, options: AnalysisOptions, judgments: Judgments
) -> CurveResult:
    condition = measured.item.condition
    keep = measured.scored() > 0
    observers = {
        name: SequenceCurve(f"{curve.name} {name}", curve.level, p[:, keep], measured.ids)
        for name, p in measured.observers.items()
    }
    baseline = next(iter(observers))  # the ideal one: under a control, what knows all that the control keeps
    expects = None if condition.control is None else parse_control(condition.control).expects
    found = judgments.transition(curve, options)
    judged = {name: judgments.transition(observer, options) for name, observer in observers.items()}
    mean, low, high = mean_band(curve, options.confidence)
    excess: Transition | None = None
    delay: Delay | None = None
    # A judge of random symbols says so sooner or later than another: that is no transition, so judges are not compared.
    if expects != "gone" or condition.readout == "judgment":
        delay = judgments.delay(curve, observers[baseline], options)
    else:
        # Drawn symbols are judged by each sequence's share of hits: the excess needs sequences that pair.
        shares = SequenceCurve(curve.name, curve.level, measured.p[:, keep], measured.ids)
        excess = judgments.beyond(shares, observers[baseline], options)
    example = _example_length(condition.context_lengths, found)
    sequence = condition.sequence(0, None if condition.nested else example)
    prompt = condition.prompt(sequence)
    return CurveResult(
        id=condition.id,
        title=condition.title,
        model=plan.model,
        family=condition.family,
        params=dict(condition.params),
        readout=condition.readout,
        control=condition.control,
        way=measured.way,
        nested=condition.nested,
        chance=_chance(condition),
        curve=curve,
        mean=mean,
        low=low,
        high=high,
        raw=_mean(measured.raw[:, keep]),
        mass=_mean(measured.mass[:, keep]),
        scored=measured.scored()[keep].astype(np.float64),
        failures={k: tuple(np.asarray(v)[keep].tolist()) for k, v in measured.failures.items()},
        transition=replace(found, warnings=(*selection_warning(measured), *found.warnings)),
        observers=observers,
        observer_transitions=judged,
        baseline=baseline,
        beyond=excess,
        delay=delay,
        example_prompt=prompt.text(example),
        example_target=prompt.surfaces[int(targets(condition, sequence, np.array([example]))[0])],
        example_context_length=example,
        cost_usd=measured.cost_usd,
        lost_levels=_lost(measured),
        permutation_sd=_permutation_sd(measured, len(sequence.alphabet), keep),
        expects=expects,
        context_tokens=None if measured.context_tokens is None else measured.context_tokens[keep],
    )


def _permutation_sd(measured: Measured, n_symbols: int, keep: Bools) -> Floats | None:
    """Return how far the curve differs between assignments of surfaces, None unless several were measured."""
    groups = measured.item.condition.writing.groups(n_symbols)
    n = len(measured.p)
    if groups < 2 or n < 2:
        return None
    return spread(measured.p[:, keep], np.arange(n) % min(groups, n)).sd


def _chance(condition: Condition) -> float:
    """Return p of guessing: the share of all blocks of `depth` symbols that count."""
    if condition.readout == "judgment":
        return 1 / len(condition.writing.options)
    parts = [part for part in condition.parts(0) if condition.context_lengths[-1] in part.levels]
    return float(len(parts) / len(parts[0].sequence.alphabet) ** condition.depth)


def selection_warning(measured: Measured) -> tuple[str, ...]:
    """Return the warning that failures grow with the context, if they do: what is left then is a selection."""
    failed = np.sum([np.zeros_like(measured.asked), *map(np.asarray, measured.failures.values())], axis=0)
    trend = failure_trend(np.minimum(failed, measured.asked), measured.asked)
    if not trend.grows:
        return ()
    return (
        f"{SELECTION}: {trend.low_rate:.1%} in the shortest third of the context "
        f"lengths, {trend.high_rate:.1%} in the longest; what is left is a selection, and a transition may be "
        "its doing",
    )


def _lost(measured: Measured) -> dict[int, str]:
    """Return the context lengths at which nothing was scored, each with what failed there."""
    lost = {}
    for i in np.flatnonzero(measured.scored() == 0):
        kinds = [f"{count[i]} {kind}" for kind, count in sorted(measured.failures.items()) if count[i]]
        lost[int(measured.levels[i])] = ", ".join(kinds) or "never asked"
    return lost


def _mean(table: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        count = np.sum(~np.isnan(table), axis=0)
        total = np.nansum(table, axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _example_length(lengths: tuple[int, ...], found: Transition) -> int:
    """Return the context length whose prompt is shown: where the transition is, else a short one."""
    wanted = found.location if found.location is not None else min(24, lengths[-1])
    return min(lengths, key=lambda n: (abs(n - wanted), n))


def _model_info(name: str, record: ModelRecord, store: Store) -> ModelInfo:
    spent = store.spending(name)
    return ModelInfo(
        name=name,
        fingerprint=record.fingerprint,
        settings=record.settings,
        served_models=spent.served_models,
        findings=record.capabilities.findings,
        requests=spent.replies,
        failed_requests=spent.failures,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        cost_usd=spent.cost_usd,
        cached_tokens=spent.cached_tokens,
        hidden_tokens=spent.hidden_tokens,
        doubtful_usd=spent.doubtful_usd,
    )
