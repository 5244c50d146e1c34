"""Geometry and induction heads of a run: measured once, beside the behaviour, shown again without the model."""

from pathlib import Path

import numpy as np
import pytest

from harness.errors import SpecError
from harness.execute import RunOptions, execute
from harness.frames import geometry_df, induction_df
from harness.reporting.whitebox import inside_blocks, inside_tables
from harness.runs import Run
from harness.spec import SuiteSpec
from harness.suite_files import parse_suite
from harness.types.geometry import Geometry
from harness.types.induction import Induction

SUITE = """\
name: inside
seed: 4
models: [local/icl-mixture]
tasks:
  - family: periodic
    params: {{period: {{sweep: [4, 6]}}, symbols: letters}}
    context_lengths: [0, 2, 8, 16, 32, 48]
    sequences: 8
    whitebox: {whitebox}
"""
BOTH = "{concept: period, geometry: true, induction: {rows: 8, draws: 4, copies: 3}}"


def suite(whitebox: str) -> SuiteSpec:
    return parse_suite(SUITE.format(whitebox=whitebox), "inside")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("run")
    outcome = execute(suite(BOTH), RunOptions(out=out))
    assert outcome.tally.measured == 4 + 1 + 5  # context lengths; scores; ranked and random orders
    return Run(out)


def test_the_energy_stands_beside_the_behaviour_of_the_held_out_sequences(run: Run) -> None:
    found = run.result.whitebox[0].findings["geometry"]
    assert isinstance(found, Geometry)
    assert found.context_lengths.tolist() == [8, 16, 32, 48]
    assert found.layers == (-1, 0, 1)
    assert found.told.tolist() == [8, 8, 8, 8]  # of 16; the others chose the layer
    np.testing.assert_allclose(found.edges, 5)  # rings of 4 and of 6
    assert found.behaviour is not None
    assert found.behaviour.p.shape == (8, 4)
    assert (found.least <= found.energy).all()
    assert ((found.low <= found.energy) & (found.energy <= found.high)).all()
    assert found.walk is not None
    assert len(found.walk.edges) == len(found.walk.names) == 4


def test_heads_are_scored_and_ablated(run: Run) -> None:
    found = run.result.whitebox[0].findings["induction"]
    assert isinstance(found, Induction)
    assert found.repeated.shape == (2, 4)
    assert found.counts.tolist() == [0, 1, 2, 3, 4, 6, 8]
    assert found.random.shape == (4, 7)
    np.testing.assert_allclose(found.random[:, 0], found.ranked[0])
    np.testing.assert_allclose(found.random[:, -1], found.ranked[-1], atol=1e-6)  # all heads, in any order
    assert found.ranked[0] == pytest.approx(found.last)


def test_tables_have_a_row_a_cell_and_a_row_a_head(run: Run) -> None:
    energies, heads = geometry_df(run), induction_df(run)
    assert len(energies) == 3 * 4
    assert energies.chosen.sum() == 4
    assert sorted(heads["rank"]) == list(range(1, 9))
    assert set(inside_tables([run.result])) == {"geometry.csv", "induction.csv"}


def test_the_report_says_and_draws_both(run: Run) -> None:
    from harness.reporting.drawing import svg

    (block,) = inside_blocks([run.result])
    assert [shown.title for shown in block.shown] == ["Geometry of states", "Induction heads"]
    for shown in block.shown:
        assert all(len(row) == len(shown.heads) for row in shown.rows)
        for drawn in shown.figures:
            assert svg(drawn.draw, drawn.size, salt=drawn.name, title=drawn.title, description=drawn.note)
    words = " ".join(block.shown[0].sentences + block.shown[1].sentences)
    assert "Dirichlet energy" in words
    assert "Highest prefix matching" in words


def test_a_replay_makes_the_same_records(run: Run) -> None:
    again = Run(run.path).recompute()
    for kind in ("geometry", "induction"):
        mine, other = run.result.whitebox[0].findings[kind], again.whitebox[0].findings[kind]
        for name in mine.__dataclass_fields__:  # type: ignore[attr-defined]
            value = getattr(mine, name)
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(value, getattr(other, name))


@pytest.mark.parametrize(
    ("whitebox", "message"),
    [
        ("{concept: period, geometry: {layers: [2]}}", "layer 2 is not in -1..1"),
        ("{concept: period, geometry: {context_lengths: [64]}}", "none above 48"),
        (
            "{concept: period, geometry: {parallelogram: [4, 6, 5, 7]}}",
            "names 5, which is no value of period",
        ),
        ("{concept: period, induction: {block: 40}}", "a block of 40 different symbols"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is(
    whitebox: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=message):
        execute(suite(whitebox), RunOptions(out=tmp_path))


@pytest.mark.parametrize(
    ("whitebox", "message"),
    [
        ("{concept: period, geometry: false}", "asks for nothing"),
        ("{concept: period, geometry: {window: 2}}", "window"),
        ("{concept: period, induction: {copies: 1}}", "copies"),
    ],
)
def test_a_section_that_says_nothing_sensible_is_refused(whitebox: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        suite(whitebox)
