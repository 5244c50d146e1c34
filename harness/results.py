"""A stored run analysed: every curve with its transition, observers, failures and an example.

Works from the store and the suite alone: no model, no network, no keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.adaptive import use_of
from harness.analysis import failure_trend, mean_band, spread
from harness.capability_course import capability_seeds
from harness.checkpoint_series import seed_spreads, series_of, without_inner
from harness.conditions import MIN_LEVELS, Condition, symbols_digest
from harness.continuations import measure_continuation
from harness.curves import Measured, measure
from harness.errors import StoreError
from harness.exact_match import exact_match
from harness.findings import families_of, shifts_of, with_findings
from harness.generations import generation_results, share_curves
from harness.judgments import Judgments
from harness.model_records import ModelRecord, plan_from_record, read_record
from harness.plan import Item, ModelPlan
from harness.prompts.controls import parse_control
from harness.readouts import targets
from harness.registry import Reader, load_reader
from harness.store import Store
from harness.suite_files import parse_suite
from harness.types import (
    AnalysisOptions,
    Bools,
    Cognition,
    Curve,
    CurveResult,
    Delay,
    Floats,
    GenerationResult,
    ModelInfo,
    RunResult,
    SequenceCurve,
    Transition,
)
from harness.types.phases import PhaseMap
from harness.types.training import CheckpointSeries
from harness.whitebox import whitebox_across, whitebox_results

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
    plans = {n: plan_from_record(n, r, suite, _number(limit)) for n, r in records.items()}
    found = [r for plan in plans.values() for r in _found(plan, store, options, judgments)]
    texts = tuple(r for r in found if isinstance(r, GenerationResult))
    on_shares = replace(options, axis="linear")  # probabilities, not context lengths
    written = tuple(share_curves(texts, lambda curve: judgments.transition(curve, on_shares)))
    curves = tuple(with_findings(r, options, judgments) for r in found if isinstance(r, CurveResult))
    series = series_of(curves, options, judgments)
    phases = _phases(store, plans, series, options, judgments)
    shifts = shifts_of(without_inner(curves, series), options, judgments)
    inside = whitebox_results(store, suite, _number(limit), records, curves, options, judgments)
    judgments.save()
    return RunResult(
        name=suite.name,
        suite_digest=store.get_meta("suite_digest") or "",
        seed=suite.seed,
        created=store.get_meta("created") or "",
        versions=dict(v.split("=", 1) for v in (store.get_meta("versions") or "").split()),
        options=options,
        models=tuple(_model_info(name, record, store) for name, record in records.items()),
        curves=curves,
        families=families_of(curves, options),
        shifts=shifts,
        suite_yaml=text,
        unjudged=tuple(r for r in found if isinstance(r, str)),
        generations=texts,
        shares=written,
        whitebox=inside,
        across=whitebox_across(inside, options),
        capability=capability_seeds(inside),
        series=series,
        seeds=seed_spreads(series, options),
        phases=phases,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _found(
    plan: ModelPlan, store: Store, options: AnalysisOptions, judgments: Judgments
) -> Iterator[CurveResult | GenerationResult | str]:
    """Yield each condition's curve or texts, or a sentence saying why there are none."""
    read = load_reader(plan.model)
    for item in plan.items:
        condition = item.condition
        store.check_symbols(condition.digest, symbols_digest(condition))
        if condition.readout == "generation":
            yield from generation_results(plan, item, store, read)
            continue
        measure_it = measure_continuation if condition.readout == "continuation" else measure
        measured = measure_it(plan, item, store, read)
        curve = measured.curve(f"{plan.model} {condition.id}")
        if curve is not None and len(curve.level) >= MIN_LEVELS:
            found = _curve_result(plan, measured, curve, options, judgments)
            yield replace(found, cognition=_cognition(plan, item, store, read, judgments))
        else:
            yield _unjudged(plan.model, measured)


def _cognition(
    plan: ModelPlan, item: Item, store: Store, read: Reader, judgments: Judgments
) -> Cognition | None:
    asked = item.condition.cognitive
    if asked is None:
        return None
    from harness.cognition import cognition  # loads what few suites ask for
    from harness.predictions import predictions_of

    return cognition(predictions_of(plan, item, store, read), asked, item.condition, judgments)


def _phases(
    store: Store,
    plans: Mapping[str, ModelPlan],
    series: Sequence[CheckpointSeries],
    options: AnalysisOptions,
    judgments: Judgments,
) -> tuple[PhaseMap, ...]:
    if not series:
        return ()
    from harness.phases import phase_maps  # loads what few runs need

    return phase_maps(store, plans, series, options, judgments)


def _unjudged(model: str, measured: Measured) -> str:
    condition, lost = measured.item.condition, _lost(measured)
    scored = len(condition.levels) - len(lost)
    control = f", control {condition.control}" if condition.control else ""
    reasons = "; ".join(dict.fromkeys(lost.values()))
    return (
        f"{model}: {condition.title}{control}: answers at {scored} of {len(condition.levels)} context "
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
    example = _example_length(condition.levels, found)
    replicate, sequence = condition.asked_at(example)
    prompt = condition.prompt(sequence, replicate)
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
        adaptive=use_of(plan, measured.item, measured.p, measured.asked, options)
        if measured.item.adaptive
        else None,
        lost_levels=_lost(measured),
        permutation_sd=_permutation_sd(measured, len(sequence.alphabet), keep),
        expects=expects,
        context_tokens=None if measured.context_tokens is None else measured.context_tokens[keep],
        match=exact_match(measured, curve.name, _chance(condition), options, judgments),
    )


def _permutation_sd(measured: Measured, n_symbols: int, keep: Bools) -> Floats | None:
    """Return how far the curve differs between assignments of surfaces, None unless all levels have several."""
    groups = measured.item.condition.writing.groups(n_symbols)
    n = len(measured.p)
    if groups < 2 or n < 2 or measured.item.adaptive:
        return None
    return spread(measured.p[:, keep], np.arange(n) % min(groups, n)).sd


def _chance(condition: Condition) -> float:
    """Return p of guessing: the share of all blocks of `depth` symbols that count."""
    if condition.readout == "judgment":
        return 1 / len(condition.writing.options)
    if condition.readout == "answer":
        part = condition.first
        assert part.sequence.answers is not None, "checked when the suite was expanded"
        return float(np.mean(1 / part.sequence.answers[list(part.levels)]))
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
        if measured.item.adaptive and not measured.asked[i]:
            continue  # not lost: nothing was to be learnt there
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
