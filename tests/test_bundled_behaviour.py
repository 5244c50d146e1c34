"""What the bundled model is said to do, measured by the harness itself: run, stored, read, analysed."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from harness.runs import Run, run
from harness.suite_files import parse_suite
from harness.types import CurveResult, SequenceCurve

pytestmark = pytest.mark.slow

MODEL = "local/icl-mixture"
SUITE = """\
name: behaviour
seed: 101
models: [local/icl-mixture]
tasks:
  - family: bernoulli
    context_lengths: {from: 0, to: 256}
    sequences: 64
  - family: bernoulli
    params: {p: 0.5}
    context_lengths: {from: 0, to: 256}
    sequences: 64
  - family: periodic
    params: {period: {sweep: [4, 8]}, symbols: binary}
    context_lengths: {from: 0, to: 256}
    sequences: 48
    controls: [shuffle, matched_random]
  - family: periodic
    params: {period: {sweep: [3, 8]}, symbols: letters}
    context_lengths: {from: 0, to: 256}
    sequences: 48
    controls: [shuffle]
"""
PERIODS = """\
name: periods
seed: {seed}
models: [local/icl-mixture]
tasks:
  - family: periodic
    params: {{period: {{sweep: [1, 2, 3, 4, 5, 6, 7, 8]}}, symbols: binary}}
    context_lengths: {{from: 0, to: 96}}
    sequences: 48
"""


@pytest.fixture(scope="module")
def behaviour(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(parse_suite(SUITE, "behaviour"), out=tmp_path_factory.mktemp("run") / "r")


def chosen(found: Run, family: str, control: str | None, **params: object) -> CurveResult:
    for curve in found.result.curves:
        if (curve.family, curve.control) == (family, control) and params.items() <= dict(
            curve.params
        ).items():
            return curve
    raise AssertionError(f"no curve {family} {control} {params}")


def rows(curve: CurveResult) -> SequenceCurve:
    assert isinstance(curve.curve, SequenceCurve)
    return curve.curve


def test_coins_are_tracked_like_the_posterior_mean(behaviour: Run) -> None:
    curve = chosen(behaviour, "bernoulli", None, p="uniform")
    error = rows(curve).p - curve.observers["beta"].p  # two symbols: the error of p(target) is that of p(H)
    rmse = np.sqrt(np.mean(error**2, axis=0))
    assert rmse[10:].max() < 0.03


def test_fair_coins_have_no_transition(behaviour: Run) -> None:
    found = chosen(behaviour, "bernoulli", None, p=0.5).transition
    assert found.verdict == "none"
    assert found.p_none > 0.9


@pytest.mark.parametrize(("symbols", "periods"), [("binary", (4, 8)), ("letters", (3, 8))])
def test_patterns_rise_from_chance_to_at_least_nine_tenths(
    behaviour: Run, symbols: str, periods: tuple[int, ...]
) -> None:
    for period in periods:
        curve = chosen(behaviour, "periodic", None, period=period, symbols=symbols)
        assert curve.mean[:2] == pytest.approx(curve.chance, abs=0.1)
        assert curve.mean[96:].min() > 0.9
        assert curve.transition.verdict != "none"
        assert curve.transition.p_none < 0.01


def test_controls_show_no_transition_beyond_the_unigram_observer(behaviour: Run) -> None:
    controls = [c for c in behaviour.result.curves if c.control is not None]
    assert len(controls) == 6
    for curve in controls:
        assert curve.baseline == "kt"
        assert curve.beyond is not None
        assert curve.beyond.verdict == "none", curve.title


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_onset_grows_with_the_period(tmp_path: Path, seed: int) -> None:
    """Spearman's rank correlation of period 1..8 with the first length at which mean p is 0.9; p < .01 is .83."""
    found = run(parse_suite(PERIODS.format(seed=seed), "periods"), out=tmp_path / "r")
    onset = [int(np.argmax(c.mean >= 0.9)) for c in found.result.curves]
    assert all(c.mean.max() >= 0.9 for c in found.result.curves)
    assert stats.spearmanr(range(1, 9), onset).statistic > 0.8
