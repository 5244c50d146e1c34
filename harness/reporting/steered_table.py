"""Steering as a pandas table, a row a layer, scale and direction."""

from collections.abc import Sequence

import pandas as pd

from harness.types import RunResult
from harness.types.steering import SteeringReading
from harness.types.whitebox import WhiteBoxResult


def steering_df(results: Sequence[RunResult]) -> pd.DataFrame:
    """Return one row a model, task, layer, scale and direction, controls by draw.

    All numbers are of the held-out sequences of the positive value but
    `chosen_by`, the gain on the selection half, and `off_target`, of the held-out
    sequences of the negative value. `predicted` is N* by the law fitted to all
    other scales; `effect` and `p_additive` are of the law of the chosen layer.
    """
    columns = [
        "run", "model", "task", "concept", "positive", "negative", "made_of", "direction", "draw", "layer", "scale",
        "natural", "chosen", "gain", "gain_low", "gain_high", "chosen_by", "n_star", "shift", "shift_low",
        "shift_high", "predicted", "predicted_low", "predicted_high", "octaves", "off_target", "mass", "effect",
        "effect_low", "effect_high", "p_additive",
    ]  # fmt: skip
    rows = [
        {"run": run.name, "model": result.model, "task": result.title, **row}
        for run in results
        for result in run.whitebox
        if "steering" in result.findings
        for row in _rows(result)
    ]
    return pd.DataFrame(rows, columns=columns)


def _rows(result: WhiteBoxResult) -> list[dict[str, object]]:
    found = result.findings["steering"]
    assert isinstance(found, SteeringReading)
    same: dict[str, object] = {
        "concept": found.concept,
        "positive": found.positive,
        "negative": found.negative,
        "made_of": found.made_of,
    }
    return [same | row for row in _concept_rows(found) + _control_rows(found)]


def _concept_rows(found: SteeringReading) -> list[dict[str, object]]:
    ahead = {h.strength: h for h in found.held_out}
    rows: list[dict[str, object]] = []
    for c in found.cells:
        here = c.layer == found.chosen_layer
        h = ahead.get(c.scale) if here else None
        law = found.law if here else None
        rows.append(
            {
                "direction": "concept",
                "layer": c.layer,
                "scale": c.scale,
                "natural": c.natural,
                "chosen": here and c.scale == found.chosen_scale,
                "gain": c.gain.value,
                "gain_low": c.gain.low,
                "gain_high": c.gain.high,
                "chosen_by": c.chosen_by,
                "n_star": c.n_star,
                "shift": None if c.shift is None else c.shift.value,
                "shift_low": None if c.shift is None else c.shift.low,
                "shift_high": None if c.shift is None else c.shift.high,
                "predicted": None if h is None else h.predicted.value,
                "predicted_low": None if h is None else h.predicted.low,
                "predicted_high": None if h is None else h.predicted.high,
                "octaves": None if h is None or h.octaves is None else h.octaves.value,
                "off_target": c.off_target.value,
                "mass": c.mass,
                "effect": None if law is None else law.effect.value,
                "effect_low": None if law is None else law.effect.low,
                "effect_high": None if law is None else law.effect.high,
                "p_additive": None if law is None else law.p_additive,
            }
        )
    return rows


def _control_rows(found: SteeringReading) -> list[dict[str, object]]:
    return [
        {
            "direction": c.name,
            "draw": draw,
            "layer": c.layer,
            "scale": c.scale,
            "natural": c.natural,
            "chosen": c.scale == found.chosen_scale,
            "gain": gain,
            "n_star": star,
            "mass": c.mass,
        }
        for c in found.controls
        for draw, (gain, star) in enumerate(zip(c.gains, c.n_stars, strict=True))
    ]
