"""Design adaptive: a run asks where the transition is, can be broken off and replayed, and says what it took."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from harness.commands.adaptive import plan_words, use_words
from harness.errors import SpecError
from harness.execute import Outcome, RunOptions, execute
from harness.expansion import expand
from harness.plan import ModelPlan
from harness.runner import Tally
from harness.runs import Run
from harness.spec import SuiteSpec
from harness.suite_files import parse_suite, suite_digest
from harness.types import CountCurve, SequenceCurve

SUITE = """\
name: chosen
seed: 3
models: ["mock/step?location=11&low=0.1&high=0.9&ways=next_token"]
tasks:
  - family: bernoulli
    context_lengths: {from: 0, to: 32, step: 2}
    design: adaptive
    sequences: 30
"""
GRID = 17 * 30


def suite(model: str | None = None, old: str = "", new: str = "") -> SuiteSpec:
    spec = parse_suite(SUITE.replace(old, new) if old else SUITE, "chosen")
    return spec if model is None else spec.model_copy(update={"models": [f"mock/{model}"]})


def run(spec: SuiteSpec, out: Path, *, stop_at: int | None = None, cap: float | None = None) -> Outcome:
    """Run it; `stop_at` interrupts it, as Ctrl-C does, after so many answers."""

    def tick(tally: Tally) -> None:
        if tally.answered == stop_at and tally.stopped is None:
            os.kill(os.getpid(), signal.SIGINT)

    return execute(spec, RunOptions(out=out, max_cost_usd=cap, max_connections=4), on_tick=tick)


def digests(out: Path) -> set[bytes]:
    connection = sqlite3.connect(f"file:{out / 'run.sqlite'}?mode=ro", uri=True)
    found = {row[0] for row in connection.execute("SELECT digest FROM replies")}
    connection.close()
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """The suite, run to its end once for all tests that only look."""
    out = tmp_path_factory.mktemp("whole")
    return out, run(suite(), out)


def test_the_transition_is_found_with_fewer_calls_than_the_grid(whole: tuple[Path, Outcome]) -> None:
    out, outcome = whole
    (curve,) = Run(out).result.curves
    use = curve.adaptive
    assert outcome.exit_status == 0
    assert use is not None
    assert (use.stopped, use.grid_calls) == ("precise", GRID)
    assert use.calls == outcome.tally.answered + outcome.tally.stored == outcome.tally.total
    assert use.calls < GRID / 2
    found = curve.transition
    assert found.location_low is not None
    assert found.location_high is not None
    assert found.location_low <= 11 <= found.location_high
    assert curve.lost_levels == {}
    (words,) = use_words(Run(out).result)
    assert f"{use.calls} calls where the grid has {GRID}; ended: the location is known" in words


def test_a_run_broken_off_goes_on_to_the_same_calls(whole: tuple[Path, Outcome], tmp_path: Path) -> None:
    first = run(suite(), tmp_path, stop_at=21)
    assert first.tally.stopped == "interrupted"
    before, wanted = digests(tmp_path), digests(whole[0])
    assert 21 <= len(before) < len(wanted)
    again = run(suite(), tmp_path)
    assert digests(tmp_path) == wanted
    assert again.tally.answered == len(wanted) - len(before)
    one, other = (Run(out).result.curves[0] for out in (whole[0], tmp_path))
    assert one.transition == other.transition
    assert one.adaptive == other.adaptive


def test_a_finished_run_asks_nothing_more_and_is_rebuilt_from_its_store(whole: tuple[Path, Outcome]) -> None:
    out, _ = whole
    assert run(suite(), out).tally.answered == 0
    first, again = Run(out).result.curves[0], Run(out).recompute().curves[0]
    assert first.transition == again.transition
    assert first.adaptive == again.adaptive


def test_probabilities_are_judged_as_one_draw_each(whole: tuple[Path, Outcome]) -> None:
    curve = Run(whole[0]).result.curves[0].curve
    assert isinstance(curve, CountCurve)
    p = np.where(curve.level >= 11, 0.9, 0.1)
    assert np.all(np.abs(curve.successes - p * curve.trials) < 1)  # the mock has no noise: only rounding


def test_calls_that_fail_are_told_as_nothing(tmp_path: Path) -> None:
    outcome = run(suite("step?location=11&low=0.1&high=0.9&ways=samples&fail=0.2"), tmp_path)
    (curve,) = Run(tmp_path).result.curves
    failed = sum(map(sum, curve.failures.values()))
    assert outcome.exit_status == 3
    assert curve.adaptive is not None
    assert failed > 0
    assert curve.scored.sum() + failed == curve.adaptive.calls
    assert curve.transition.location == pytest.approx(11, abs=4)


def test_a_flat_curve_is_given_up(tmp_path: Path) -> None:
    run(suite("flat?p=0.6&ways=samples"), tmp_path)
    (curve,) = Run(tmp_path).result.curves
    assert curve.adaptive is not None
    assert (curve.adaptive.stopped, curve.transition.verdict) == ("none", "none")


def test_where_one_pass_scores_every_length_the_grid_is_measured_and_the_plan_says_so(tmp_path: Path) -> None:
    plans: list[ModelPlan] = []
    spec = suite("step?location=11&ways=prefixes")
    execute(spec, RunOptions(out=tmp_path), on_plan=plans.extend)
    (curve,) = Run(tmp_path).result.curves
    assert isinstance(curve.curve, SequenceCurve)
    assert curve.adaptive is None
    assert not np.isnan(curve.curve.p).any()
    assert (
        "choosing among them saves nothing; 1 conditions are measured on the whole grid"
        in plan_words(plans[0])[0]
    )


def test_the_plan_says_the_most_and_the_expected(tmp_path: Path) -> None:
    plans: list[ModelPlan] = []
    execute(suite(), RunOptions(out=tmp_path, dry_run=True), on_plan=plans.extend)
    (words,) = plan_words(plans[0])
    assert f"1 conditions of at most {GRID} requests" in words
    assert "where each has one transition" in words


def test_the_cap_holds_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    price = f'budget: {{prices: {{"{suite().models[0]}": {{input: 1000, output: 1000}}}}}}'
    spec = suite(None, "tasks:", f"{price}\ntasks:")
    first = run(spec, tmp_path, cap=1.0)
    assert first.exit_status == 4
    assert 0 < first.tally.spent_usd <= 1.0
    rest = run(spec, tmp_path, cap=1000.0)
    assert rest.exit_status == 0
    assert rest.tally.spent_usd > first.tally.spent_usd


def test_controls_judged_beyond_an_observer_are_measured_on_the_grid() -> None:
    spec = suite(None, "sequences: 30", "sequences: 30\n    controls: [shuffle, permute_symbols]")
    assert {c.control: c.design for c in expand(spec)} == {
        None: "adaptive",
        "shuffle": "grid",
        "permute_symbols": "adaptive",
    }


def test_the_design_is_in_no_digest_of_requests_but_in_the_suites() -> None:
    grid = suite(None, "adaptive", "grid")
    assert expand(grid)[0].digest == expand(suite())[0].digest
    assert suite_digest(grid) == suite_digest(suite(None, "    design: adaptive\n", ""))
    assert suite_digest(grid) != suite_digest(suite())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "sequences: 30",
            "sequences: 30\n    readout: continuation",
            "readout: continuation needs design: grid",
        ),
        ("sequences: 30", "sequences: 30\n    precision: 0.7", "precision"),
        ("design: adaptive", "precision: 0.1", "belongs to design: adaptive"),
        ("sequences: 30", "sequences: 30\n    cognitive: {}", "cognitive needs design: grid"),
    ],
)
def test_what_adaptive_cannot_do_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        suite(None, old, new)


def test_batch_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--batch: design: adaptive needs each answer"):
        execute(suite(), RunOptions(out=tmp_path, batch=True))


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_calls(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SUITE)
    command = [sys.executable, "-m", "harness", "run", "s.yaml", "-o"]
    process = subprocess.Popen(
        [*command, "run"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if len(digests(tmp_path / "run")) >= 16:
                break
        except sqlite3.OperationalError:
            pass
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert digests(tmp_path / "run")
    for folder in ("run", "whole"):
        subprocess.run([*command, folder], cwd=tmp_path, check=True, capture_output=True)
    assert digests(tmp_path / "run") == digests(tmp_path / "whole")
