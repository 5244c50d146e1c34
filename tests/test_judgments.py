"""What was judged once is remembered exactly, and only for the very same numbers and options."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.analysis import beyond, excess_delay, transition
from harness.judgments import Judgments
from harness.types import AnalysisOptions, CountCurve, SequenceCurve

OPTIONS = AnalysisOptions()


def rising(name: str, seed: int, location: float) -> SequenceCurve:
    rng = np.random.default_rng(seed)
    level = np.arange(0.0, 64.0, 2.0)
    p = 0.5 + 0.45 / (1 + np.exp(-(level - location) / 2)) + 0.02 * rng.standard_normal((24, level.size))
    return SequenceCurve(name, level, np.clip(p, 0, 1), tuple(f"s{i}" for i in range(24)))


MODEL, OBSERVER = rising("model", 1, 30.0), rising("ideal", 2, 20.0)
COUNTS = CountCurve("counts", np.arange(8.0), np.array([5, 4, 6, 5, 14, 15, 15, 16]), np.full(8, 16))


def test_a_remembered_judgment_equals_the_first_to_the_last_bit(tmp_path: Path) -> None:
    first = Judgments(tmp_path)
    found = [first.transition(MODEL, OPTIONS), first.transition(COUNTS, OPTIONS)]
    excess, delay = first.beyond(MODEL, OBSERVER, OPTIONS), first.delay(MODEL, OBSERVER, OPTIONS)
    first.save()
    written = (tmp_path / "judgments.json").read_bytes()
    again = Judgments(tmp_path)
    assert [again.transition(MODEL, OPTIONS), again.transition(COUNTS, OPTIONS)] == found
    assert again.beyond(MODEL, OBSERVER, OPTIONS) == excess == beyond(MODEL, OBSERVER, options=OPTIONS)
    assert again.delay(MODEL, OBSERVER, OPTIONS) == delay == excess_delay(MODEL, OBSERVER, name="ideal")
    assert found[0] == transition(MODEL, options=OPTIONS)
    again.save()
    assert (tmp_path / "judgments.json").read_bytes() == written  # nothing was new


@pytest.mark.parametrize(
    ("curve", "options"),
    [
        (replace(MODEL, p=MODEL.p * 0.999), OPTIONS),
        (replace(MODEL, level=MODEL.level + 1), OPTIONS),
        (replace(MODEL, name="other"), OPTIONS),
        (MODEL, replace(OPTIONS, sharp_width=0.2)),
        (MODEL, replace(OPTIONS, axis="log2")),
    ],
)
def test_other_numbers_or_options_are_judged_anew(
    tmp_path: Path, curve: SequenceCurve, options: AnalysisOptions
) -> None:
    judgments = Judgments(tmp_path)
    judgments.transition(MODEL, OPTIONS)
    judgments.save()
    known = json.loads((tmp_path / "judgments.json").read_text())
    again = Judgments(tmp_path)
    assert again.transition(curve, options) == transition(curve, options=options)
    again.save()
    assert len(json.loads((tmp_path / "judgments.json").read_text())) == len(known) + 1


@pytest.mark.parametrize("content", ["", "{", "not json", "[1]", '{"x": 1}'])
def test_a_damaged_file_is_no_loss(tmp_path: Path, content: str) -> None:
    (tmp_path / "judgments.json").write_text(content)
    judgments = Judgments(tmp_path)
    assert judgments.transition(MODEL, OPTIONS) == transition(MODEL, options=OPTIONS)
    judgments.save()
    assert Judgments(tmp_path).transition(MODEL, OPTIONS) == transition(MODEL, options=OPTIONS)
