"""The analyzer on published figures of real models: what their authors saw is found."""

import csv
from importlib import resources

import numpy as np
import pytest
import yaml
from scipy import stats

from harness.analysis import segment, transition
from harness.analysis.laws import belief_law
from harness.types import AnalysisOptions, SequenceCurve

REFERENCES = resources.files("harness.data") / "references"
JUDGMENT = yaml.safe_load((REFERENCES / "judgment-011.yaml").read_text(encoding="utf-8"))
COINS = list(
    csv.DictReader(
        line
        for line in (REFERENCES / "coin-evidence.csv").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
)
SIDES = sorted({(row["model"], row["side"]) for row in COINS})
CROSSOVER = {"base": (2.5, 4.5), "instruct": (5.5, 15.5)}  # published as 3-4 and 6-15, whole flips


def test_the_judgment_curve_rises_and_falls_again() -> None:
    level, p = np.array(JUDGMENT["x"], dtype=float), np.array([JUDGMENT["p_random"]])
    found = transition(SequenceCurve("judgment", level, p, ("published",)))
    assert found.verdict == "multiple"
    rise, fall = found.changes
    assert rise.low < JUDGMENT["described_as"]["rise_at"] <= rise.high  # the first level after the rise
    assert fall.low <= JUDGMENT["described_as"]["fall_centred_at"] <= fall.high


def test_the_segmentation_of_the_judgment_curve_breaks_where_it_was_described() -> None:
    level, p = np.array(JUDGMENT["x"], dtype=float), np.array(JUDGMENT["p_random"])
    found = segment(p, level=level)
    assert found.verdict == "changes"
    assert [change.location for change in found.changes] == [3.5, 8.5]  # after x = 3 and x = 8
    means = [found.changes[0].before, found.changes[0].after]
    np.testing.assert_allclose(means, JUDGMENT["described_as"]["means"][:2], atol=0.01)


def wordings(model: str, side: str) -> tuple[str, SequenceCurve]:
    """p of the side that was seen, one row per wording: beta laws of the published mean and sd, ranks kept."""
    rows = [row for row in COINS if (row["model"], row["side"]) == (model, side)]
    mean = np.clip([float(row["p_heads"]) for row in rows], 0.002, 0.998)
    mean = mean if side == "heads" else 1 - mean
    room = mean * (1 - mean)
    variance = np.clip([float(row["sd"]) ** 2 for row in rows], 1e-6, 0.8 * room)
    size = room / variance - 1
    n = int(rows[0]["wordings"])
    rank = (np.arange(n)[:, None] + 0.5) / n
    p = stats.beta.ppf(rank, mean * size, (1 - mean) * size)
    level = np.array([float(row["flips"]) for row in rows])
    return rows[0]["kind"], SequenceCurve(f"{model} {side}", level, p, tuple(map(str, range(n))))


@pytest.mark.parametrize(("model", "side"), SIDES)
def test_the_crossover_from_alternating_to_following_is_recovered(model: str, side: str) -> None:
    kind, curve = wordings(model, side)
    low, high = CROSSOVER[kind]
    law = belief_law(curve, asymptotes=(0.0, 1.0))
    assert law.n_star is not None
    assert low <= law.n_star.value <= high
    mean = curve.p.mean(axis=0)
    between = np.exp(np.interp(0.5, mean, np.log(curve.level)))  # straight between the levels, no law
    assert law.n_star.value == pytest.approx(between, rel=0.15)
    assert transition(curve, options=AnalysisOptions(axis="log2")).p_none < 0.05
