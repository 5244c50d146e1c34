from dataclasses import replace

import numpy as np
import pytest

from harness.reporting.sections import entries, sections, sweeps
from tests.reporting.examples import curve_result, located, model_info, run_of, transition
from tests.reporting.kinds import all_kinds

LEVEL = np.arange(9.0)


def test_every_curve_has_one_place() -> None:
    run = all_kinds()
    placed = [e.anchor for s in sections(entries([run, run])) for e in (s.main, *s.controls)]
    assert len(placed) == 2 * len(run.curves)
    assert len(set(placed)) == len(placed)


def test_controls_stand_with_the_curve_of_their_condition() -> None:
    grouped = {s.main.result.title: s for s in sections(entries([all_kinds()]))}
    assert [c.result.control for c in grouped["periodic, period 3, binary"].controls] == [
        "shuffle",
        "matched_random",
    ]
    assert not grouped["periodic, period 5, binary"].controls


def test_a_control_without_its_curve_stands_alone() -> None:
    control = next(c for c in all_kinds().curves if c.control)
    assert [s.main.result.control for s in sections(entries([run_of(control)]))] == ["shuffle"]


def test_an_id_that_models_share_is_led_by_the_model() -> None:
    rng = np.random.default_rng(0)
    one = located(rng, 3, "a/x", 1.0)
    run = run_of(
        replace(one, id="p3"),
        replace(one, id="p3", model="b/y"),
        models=(model_info("a/x"), model_info("b/y")),
    )
    assert [e.anchor for e in entries([run])] == ["x-p3", "y-p3"]


@pytest.mark.parametrize(
    ("name", "anchor"), [("a b/../c", "a-b-..-c"), ("../..", "curve"), ("<p>", "p"), ("Ü", "curve")]
)
def test_an_id_becomes_a_safe_file_name(name: str, anchor: str) -> None:
    result = curve_result(
        name, np.full(9, 0.5), transition("none"), rng=np.random.default_rng(0), level=LEVEL
    )
    assert [e.anchor for e in entries([run_of(result)])] == [anchor]


def test_ids_that_differ_by_case_alone_get_names_that_differ_by_more() -> None:
    rng = np.random.default_rng(0)
    two = [curve_result(n, np.full(9, 0.5), transition("none"), rng=rng, level=LEVEL) for n in ("a", "A")]
    assert [e.anchor for e in entries([run_of(*two)])] == ["a", "A-2"]


def test_three_values_of_one_number_make_a_sweep_whatever_else_the_family_has() -> None:
    rng = np.random.default_rng(0)
    curves = [located(rng, k, "m", 1.0) for k in (8, 2, 5)]
    (sweep,) = sweeps(curves)
    assert (sweep.parameter, sweep.values) == ("period", (2, 5, 8))
    assert sweep.kept == ""
    other = replace(curves[0], params={"period": 2, "symbols": "letters"})
    (sweep,) = sweeps([*curves, other])
    assert sweep.values == (2, 5, 8)
    assert sweep.kept == "symbols=binary"
    assert sweeps(curves[:2]) == []
    words = [replace(curves[0], params={"form": word}) for word in ("a", "b", "c")]
    assert sweeps(words) == []
