"""Runs that hold every kind of curve a report must show, and curves at the edge of what it may be given."""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from harness.types import AnalysisOptions, Changepoint, CountCurve, CurveResult, Delay, RunResult
from tests.reporting.examples import (
    NASTY,
    curve_result,
    located,
    logistic,
    model_info,
    run_of,
    sharp_at,
    transition,
)


def controls_of(result: CurveResult) -> list[CurveResult]:
    """A shuffled control that goes flat and a matched-random one that keeps a transition."""
    flat = np.full(result.curve.level.shape, 0.5)
    shuffled = replace(
        result,
        id=f"{result.id}-shuffle",
        title=f"{result.title}, shuffled",
        control="shuffle",
        baseline="kt",
        mean=flat + 0.03,
        low=flat,
        high=flat + 0.06,
        transition=transition("none", fit=tuple((flat + 0.03).tolist())),
        beyond=transition("none"),
        delay=None,
    )
    kept = replace(
        result,
        id=f"{result.id}-matched",
        title=f"{result.title}, matched random",
        control="matched_random",
        baseline="kt",
        beyond=sharp_at(11.0, 4.0, 0.0, 0.2, result.curve.level),
        delay=None,
    )
    return [shuffled, kept]


def other_verdicts(rng: np.random.Generator) -> list[CurveResult]:
    """A gradual, a flat, a twice changing and an undecided curve."""
    level = np.arange(129.0)
    flat, slow, late = (
        np.full(129, 0.5),
        logistic(level, 60, 70, 0.5, 0.9),
        logistic(level, 90, 40, 0.5, 0.62),
    )
    bumpy = logistic(level, 4, 1.5, 0.3, 0.85) - logistic(level, 40, 6, 0, 0.8)
    twice = transition(
        "multiple",
        changes=(Changepoint(4.0, 3.2, 4.9), Changepoint(40.0, 38.0, 43.0)),
        fit=tuple(bumpy.tolist()),
    )
    undecided = transition("undetermined", warnings=("24 sequences are few for a change this small",))
    same: dict[str, Any] = {"rng": rng, "level": level}
    return [
        curve_result(
            "gradual", slow, sharp_at(60, 70, 0.5, 0.9, level), family="pfa", params={"states": 3}, **same
        ),
        curve_result(
            "bernoulli",
            flat,
            transition("none", fit=tuple(flat.tolist())),
            family="bernoulli",
            params={"theta": 0.5},
            delay=Delay("bayes", None, None, None, "observer"),
            **same,
        ),
        curve_result("multiple", bumpy, twice, family="judgment", readout="judgment", params={}, **same),
        curve_result(
            "undetermined",
            late,
            undecided,
            family="pfa",
            params={"states": 5},
            delay=Delay("bayes", 40.0, None, None, "model"),
            **same,
        ),
    ]


def failing(rng: np.random.Generator, model: str) -> CurveResult:
    """A sharp curve with three time-outs at every context length above 100, one refusal, and little mass."""
    level = np.arange(129.0)
    timeouts = tuple(int(x > 100) * 3 for x in level)
    return curve_result(
        "failing",
        logistic(level, 80, 9, 0.5, 0.97),
        sharp_at(80, 9, 0.5, 0.97, level),
        rng=rng,
        level=level,
        model=model,
        family="periodic_letters",
        params={"period": 8},
        failures={"timeout": timeouts, "refused": tuple(int(x == 64) for x in level)},
        mass=np.linspace(0.7, 1, 129),
        raw=logistic(level, 80, 9, 0.3, 0.9),
        scored=24.0 - np.array(timeouts),
    )


def counted(rng: np.random.Generator, model: str) -> CurveResult:
    """Counted answers at ten levels on a log2 axis: no observers, no raw p, no price, names that bite."""
    level = np.array([0.0, 1, 2, 4, 8, 16, 32, 64, 128, 256])
    truth = logistic(level, 40, 30, 0.05, 0.9)
    k = rng.binomial(20, truth)
    gradual = replace(
        sharp_at(40, 30, 0.05, 0.9, level), options=AnalysisOptions(axis="log2"), verdict="gradual"
    )
    return curve_result(
        "counts",
        truth,
        gradual,
        rng=rng,
        level=level,
        model=model,
        family="coin " + NASTY,
        params={"label": NASTY},
        title="counts " + NASTY,
        readout="answer",
        way="samples",
        nested=False,
        chance=0.0,
        curve=CountCurve("counts", level, k, np.full(10, 20)),
        mean=k / 20,
        low=np.clip(k / 20 - 0.15, 0, 1),
        high=np.clip(k / 20 + 0.15, 0, 1),
        raw=np.full(10, np.nan),
        mass=np.full(10, 1.0),
        scored=np.full(10, 20.0),
        observers={},
        example_prompt=f"Q: {NASTY}\nA:",
        example_target=" <b>yes</b>",
        cost_usd=None,
        context_tokens=None,
    )


def all_kinds(seed: int = 0) -> RunResult:
    """One curve of every kind a report must show, of two models, one with a name that bites."""
    rng = np.random.default_rng(seed)
    name = "openai-api/host/" + NASTY
    curves = [located(rng, k, "local/icl-mixture", 1.0 + k / 3) for k in (2, 3, 5, 8)]
    curves += controls_of(curves[1]) + other_verdicts(rng) + [failing(rng, name), counted(rng, name)]
    trouble = model_info(
        name,
        cost_usd=None,
        served_models=("a-1", "a-2"),
        failed_requests=85,
        requests=1200,
        findings=(NASTY,),
        completion_tokens=400,
    )
    return run_of(
        *curves,
        models=(model_info(), trouble),
        name="all kinds " + NASTY,
        suite_yaml=f"name: {json.dumps(NASTY)}\n",
    )


def odd_curves() -> dict[str, CurveResult]:
    """Curves at the edge of what an analyzer may hand over."""
    rng, level = np.random.default_rng(2), np.arange(30.0)
    nothing, truth = np.full(30, np.nan), logistic(level, 10, 2, 0.1, 0.9)
    found = sharp_at(10, 2, 0.1, 0.9, level)
    usual = curve_result("c", truth, found, rng=rng, level=level)
    three = np.array([1.0, 5.0, 9.0])
    return {
        "infinite interval": replace(
            usual, transition=replace(found, location_high=np.inf, width_high=np.inf)
        ),
        "no interval": replace(usual, transition=replace(found, location_low=None, location_high=None)),
        "location out of range": replace(
            usual,
            transition=replace(found, location=45.0),
            observer_transitions={"bayes": replace(found, location=-9.0)},
        ),
        "fit of other levels": replace(usual, transition=replace(found, fit=(0.1, 0.9))),
        "nothing scored": replace(usual, mean=nothing, low=nothing, high=nothing, raw=nothing, mass=nothing),
        "three levels": curve_result("c", three / 10, transition("none"), rng=rng, level=three),
        "one level": curve_result("c", three[:1] / 10, transition("none"), rng=rng, level=three[:1]),
        "name with markup": replace(usual, observers={NASTY: usual.observers["bayes"]}, title=NASTY),
    }
