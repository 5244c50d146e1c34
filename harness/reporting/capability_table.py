"""Hidden capability as a pandas table, a row a way of asking."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.analysis.learning import mean_interval
from harness.types import Floats, RunResult
from harness.types.capability import Capability, CapabilityReading, CapabilitySeeds, CapabilitySeries, Gap
from harness.types.whitebox import WhiteBoxResult


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way of asking, on the held-out trials."""

    name: str
    trials: Floats  # (n_trials,), agreement; of random directions their mean
    layer: int | None = None
    alpha: float | None = None
    repetitions: int = 1
    draws: tuple[float, ...] = ()  # mean agreement of each random direction


def ways(reading: CapabilityReading) -> tuple[Way, ...]:
    """Return the ways of asking of one checkpoint, the controls last."""
    tuned, natural = (reading.layer, reading.scale), (reading.natural_layer, 1.0)
    return (
        Way("naive", reading.naive),
        Way("over-prompting", reading.over, repetitions=reading.strength),
        Way("alpha = 1", reading.natural, *natural),
        Way("tuned", reading.tuned, *tuned),
        _random("random, tuned", reading.random, tuned),
        _random("random, alpha = 1", reading.random_natural, natural),
        Way("wrong concept", reading.wrong, *tuned),
    )


def capability_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a model, task, network (trained or untrained) and way of asking.

    `agreement` is the mean over held-out trials, `gap` what it is above naive
    prompting, both with intervals; `mass`, `off_target` and `alpha_norm` are of the
    tuned addition and of naive prompting where they apply. `clear` says whether
    the gap of the tuned addition is above 0 and beyond every random direction,
    `shown` whether it is `min_change` at least besides. Of a training series, `capability_step`,
    `behaviour_step` and `lead` (octaves, over trials) are of the whole series, and
    `seeds_lead` of all its seeds.
    """
    columns = [
        "run", "model", "series", "step", "task", "concept", "positive", "negative", "seen", "wrong", "law",
        "context_length", "network", "way", "agreement", "low", "high", "gap", "gap_low", "gap_high", "layer", "alpha",
        "repetitions", "mass", "alpha_norm", "off_target", "draws", "random_as_good", "min_change", "clear",
        "shown", "chosen_on", "measured_on", "threshold", "capability_step", "behaviour_step", "lead", "lead_low",
        "lead_high", "seeds", "seeds_lead", "seeds_lead_low", "seeds_lead_high",
    ]  # fmt: skip
    rows = [row for run in results for row in _rows(run)]
    return pd.DataFrame(rows, columns=columns)


def _random(name: str, draws: Floats, where: tuple[int, float]) -> Way:
    return Way(name, draws.mean(axis=0), *where, draws=tuple(draws.mean(axis=1).tolist()))


def _rows(run: RunResult) -> list[dict[str, object]]:
    over_training = {
        (one.series, one.title): _timed(one, seeds) for seeds in run.capability for one in seeds.series
    }
    found = []
    for result in run.whitebox:
        if isinstance(result.findings.get("capability"), Capability):
            of_series = over_training.get((_step(result)[0] or "", result.title), {})
            found += [{"run": run.name, **row, **of_series} for row in _of_model(result)]
    return found


def _step(result: WhiteBoxResult) -> tuple[str, int] | tuple[None, None]:
    """Return the series and the training step that a model's name says."""
    series, _, step = result.model.rpartition("@")
    return (series, int(step)) if series and step.isdecimal() else (None, None)


def _of_model(result: WhiteBoxResult) -> list[dict[str, object]]:
    found = result.findings["capability"]
    assert isinstance(found, Capability)
    series, step = _step(result)
    same: dict[str, object] = {
        "model": result.model,
        "series": series,
        "step": step,
        "task": result.title,
        "concept": found.concept,
        "positive": ", ".join(found.positive),
        "negative": ", ".join(found.negative),
        "seen": found.seen,
        "wrong": found.wrong,
        "law": found.law,
        "context_length": found.context_length,
        "chosen_on": found.chosen_on,
        "measured_on": found.measured_on,
        "threshold": found.threshold,
    }
    rows = _of_network("trained", found.reading, found.gap)
    if found.untrained is not None and found.untrained_gap is not None:
        rows += _of_network("untrained", found.untrained, found.untrained_gap)
    return [same | row for row in rows]


def _of_network(network: str, reading: CapabilityReading, gap: Gap) -> list[dict[str, object]]:
    rows = []
    for way in ways(reading):
        low, high = mean_interval(way.trials)
        above = way.trials - reading.naive
        gap_low, gap_high = mean_interval(above)
        tuned = way.name == "tuned"
        rows.append(
            {
                "network": network,
                "way": way.name,
                "agreement": float(way.trials.mean()),
                "low": low,
                "high": high,
                "gap": float(np.mean(above)),
                "gap_low": gap_low,
                "gap_high": gap_high,
                "layer": way.layer,
                "alpha": way.alpha,
                "repetitions": way.repetitions,
                "mass": {"naive": reading.mass[0], "tuned": reading.mass[1]}.get(way.name),
                "alpha_norm": reading.alpha_norm if tuned else None,
                "off_target": reading.off_target if tuned else None,
                "draws": len(way.draws) or None,
                "random_as_good": gap.random_as_good[0] if tuned else None,
                "min_change": gap.least,
                "clear": gap.clear if tuned else None,
                "shown": gap.shown if tuned else None,
            }
        )
    return rows


def _timed(one: CapabilitySeries, seeds: CapabilitySeeds) -> dict[str, object]:
    trials, several = one.course.lead, seeds.lead if len(seeds.series) > 1 else None
    return {
        "capability_step": one.course.capability,
        "behaviour_step": one.course.behaviour,
        "lead": None if trials is None else trials.value,
        "lead_low": None if trials is None else trials.low,
        "lead_high": None if trials is None else trials.high,
        "seeds": len(seeds.series),
        "seeds_lead": None if several is None else several.value,
        "seeds_lead_low": None if several is None else several.low,
        "seeds_lead_high": None if several is None else several.high,
    }
