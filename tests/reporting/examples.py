"""Run results with a known truth, made by explicit simulation: what a report is tested on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from harness.types import (
    AnalysisOptions,
    CurveResult,
    Delay,
    Floats,
    ModelInfo,
    Params,
    RunResult,
    SequenceCurve,
    Transition,
    Verdict,
)

OPTIONS = AnalysisOptions()
NASTY = '50% <script>alert(1)</script> & "q" {x}_y^z~#$1$ \\input ]]> ünïcode 中 🎲'
_POSTERIOR: Mapping[Verdict, tuple[float, float, float, float]] = {
    "none": (0.97, 0.02, 0.01, 0.0),
    "gradual": (0.0, 0.96, 0.03, 0.01),
    "sharp": (0.0, 0.02, 0.978, 0.002),
    "multiple": (0.0, 0.01, 0.03, 0.96),
    "undetermined": (0.31, 0.3, 0.35, 0.04),
}


def logistic(level: Floats, location: float, width: float, lower: float, upper: float) -> Floats:
    """A logistic curve by its half-way point and 10-90 % width (2 ln 9 scale units)."""
    p: Floats = lower + (upper - lower) / (1 + np.exp(-(level - location) * 2 * np.log(9) / width))
    return p


def rows(truth: Floats, rng: np.random.Generator, n: int = 24, spread: float = 0.6) -> Floats:
    """Sequences around a true curve: one shift a sequence and noise a level, on the logit scale."""
    logit = np.log(truth / (1 - truth))
    shifts = rng.normal(0, spread, (n, 1)) + rng.normal(0, spread, (n, len(truth)))
    return np.asarray(1 / (1 + np.exp(-(logit + shifts))))


def transition(verdict: Verdict, **fields: Any) -> Transition:
    """A transition of the verdict with stated fields, all others absent."""
    none, gradual, sharp, multiple = _POSTERIOR[verdict]
    located = ["location", "location_low", "location_high", "width", "width_low", "width_high"]
    absent = dict.fromkeys([*located, "lower", "upper", "direction"])
    values: dict[str, Any] = {"curve": "c", "changes": (), "options": OPTIONS, **absent, **fields}
    return Transition(
        verdict=verdict, p_none=none, p_gradual=gradual, p_sharp=sharp, p_multiple=multiple, **values
    )


def sharp_at(
    location: float, width: float, lower: float, upper: float, level: Floats, **fields: Any
) -> Transition:
    """A located transition whose fit is the truth and whose intervals are a tenth of its numbers."""
    known: dict[str, Any] = {
        "location": location,
        "location_low": 0.9 * location,
        "location_high": 1.1 * location,
        "width": width,
        "width_low": 0.7 * width,
        "width_high": 1.4 * width,
        "lower": lower,
        "upper": upper,
        "direction": "increasing",
        "fit": tuple(logistic(level, location, width, lower, upper).tolist()),
    }
    verdict: Verdict = "sharp" if width <= OPTIONS.sharp_width * (level[-1] - level[0]) else "gradual"
    return replace(transition(verdict, **known), **fields)


def curve_result(
    id: str,  # noqa: A002
    truth: Floats,
    found: Transition,
    *,
    rng: np.random.Generator,
    level: Floats,
    model: str = "local/icl-mixture",
    params: Params | None = None,
    observers: Mapping[str, Floats] | None = None,
    **fields: Any,
) -> CurveResult:
    """A curve of 24 simulated sequences around a truth; `fields` replace what is made by default."""
    p = rows(np.clip(truth, 0.01, 0.99), rng)
    ids = tuple(f"s{i}" for i in range(len(p)))
    mean, half = p.mean(axis=0), 1.96 * p.std(axis=0, ddof=1) / np.sqrt(len(p))
    watchers = observers if observers is not None else {"bayes": truth, "kt": np.full(len(level), 0.5)}
    made: dict[str, Any] = {
        "title": f"periodic, {id}",
        "family": "periodic",
        "params": params if params is not None else {"period": 3, "symbols": "binary"},
        "readout": "next_symbol",
        "control": None,
        "way": "prefixes",
        "nested": True,
        "chance": 0.5,
        "curve": SequenceCurve(id, level, p, ids),
        "mean": mean,
        "low": np.clip(mean - half, 0, 1),
        "high": np.clip(mean + half, 0, 1),
        "raw": mean * 0.995,
        "mass": np.full(len(level), 0.995),
        "scored": np.full(len(level), float(len(p))),
        "failures": {},
        "observers": {
            name: SequenceCurve(name, level, np.tile(np.clip(curve, 0, 1), (len(p), 1)), ids)
            for name, curve in watchers.items()
        },
        "observer_transitions": {},
        "baseline": "bayes",
        "beyond": None,
        "delay": None,
        "example_prompt": "0 1 1 0 1 1 0 1",
        "example_target": " 1",
        "example_context_length": 8,
        "cost_usd": 0.0,
        "context_tokens": level + 1,
    }
    return CurveResult(id=id, model=model, transition=replace(found, curve=id), **{**made, **fields})


def model_info(name: str = "local/icl-mixture", **fields: Any) -> ModelInfo:
    """A model that answered 480 requests without a failure at no cost."""
    made: dict[str, Any] = {
        "fingerprint": "sha256:0f3c9a",
        "settings": {"device": "cpu", "dtype": "float32"},
        "served_models": ("icl-mixture",),
        "findings": ("one pass reports every position of its prompt",),
        "requests": 480,
        "failed_requests": 0,
        "prompt_tokens": 61_440,
        "completion_tokens": 0,
        "cost_usd": 0.0,
    }
    return ModelInfo(name=name, **{**made, **fields})


def run_of(*curves: CurveResult, models: tuple[ModelInfo, ...] | None = None, **fields: Any) -> RunResult:
    """A run that holds these curves."""
    made: dict[str, Any] = {
        "name": "example",
        "suite_digest": "a" * 64,
        "seed": 7,
        "created": "2026-11-21T10:00:00+00:00",
        "versions": {"harness": "0.1.0", "numpy": "2.3.0"},
        "options": OPTIONS,
        "suite_yaml": "name: example\nseed: 7\nmodels: [local/icl-mixture]\n",
    }
    return RunResult(
        curves=curves, models=models if models is not None else (model_info(),), **{**made, **fields}
    )


def located(rng: np.random.Generator, period: int, model: str, lag: float, length: int = 128) -> CurveResult:
    """A period's curve: the ideal observer is half-way after 1.5 periods, the model `lag` later."""
    level = np.arange(length + 1.0)
    ideal, at = 1.5 * period, 1.5 * period + lag
    found = sharp_at(at, 2.0 + lag / 2, 0.5, 0.98, level)
    return curve_result(
        f"{model.split('/')[-1]}-period-{period}",
        logistic(level, at, 2.0 + lag / 2, 0.5, 0.98),
        found,
        rng=rng,
        level=level,
        model=model,
        params={"period": period, "symbols": "binary"},
        title=f"periodic, period {period}, binary",
        observers={"bayes": logistic(level, ideal, 1.5, 0.5, 0.99), "kt": np.full(len(level), 0.52)},
        observer_transitions={"bayes": sharp_at(ideal, 1.5, 0.5, 0.99, level)},
        delay=Delay("bayes", lag, lag - 1.1, lag + 1.3, None),
    )
