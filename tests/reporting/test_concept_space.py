"""The concept-space experiment read from trajectories whose truth is known."""

import csv
import io
from functools import partial

import numpy as np
import pytest

from harness.reporting.concept_figures import (
    TIMES_SIZE,
    draw_accuracy,
    draw_paths,
    draw_times,
    panels_size,
    standing_alone,
)
from harness.reporting.concept_findings import NAIVE, TRAINED, WAYS, ConceptFindings, find
from harness.reporting.concept_page import results, times_csv, trajectories_csv
from harness.reporting.drawing import svg
from harness.types import ConceptTrajectory, Floats

STEP = np.concatenate([[0], np.geomspace(40, 1500, 18).round().astype(int)])
SIZE_AT, LEAD = 5, 4  # checkpoints: size is learned first; what can be elicited leads plain asking by four


def rise(at: float, n_images: int, rng: np.random.Generator) -> Floats:
    """A probability that rises at a checkpoint, abruptly, a little differently for each image."""
    t = np.arange(len(STEP))[:, None] - rng.normal(at, 0.2, n_images)
    return np.asarray(1 / (1 + np.exp(-8 * t)))


def trajectory(colour: float, seed: int, colour_at: float) -> ConceptTrajectory:
    """Plain asking turns blue at a checkpoint, the intervention LEAD checkpoints before, the controls never."""
    rng, n = np.random.default_rng([seed, int(100 * colour)]), 32
    small = rise(SIZE_AT, n, rng)
    places = {
        NAIVE: (0.03 + 0.92 * rise(colour_at, n, rng), small),
        "latent": (0.03 + 0.92 * rise(colour_at, n, rng), small),
        "latent tuned": (0.03 + 0.92 * rise(colour_at - LEAD, n, rng), small),
        "stronger": (0.03 + 0.92 * rise(colour_at - LEAD, n, rng), small),
        "patched": (0.03 + 0.92 * rise(colour_at, n, rng), small),
        "random": (np.full_like(small, 0.1), small),
        "wrong": (np.full_like(small, 0.1), small),
        "00": (1 - rise(SIZE_AT, n, rng), 1 - small),
        "01": (1 - rise(SIZE_AT, n, rng), small),
        "10": (rise(SIZE_AT, n, rng), 1 - small),
    }
    p = {way: np.stack(pair, axis=-1) for way, pair in places.items()}
    return ConceptTrajectory(
        colour=colour,
        size=0.4,
        seed=seed,
        step=STEP,
        p=p,
        blue_less_red={way: colour * (2 * values[..., 0] - 1) for way, values in p.items()},
        parallelogram=np.ones(len(STEP)),
        chosen={},
        accuracy=(1.0, 1.0),
    )


@pytest.fixture(scope="module")
def findings() -> ConceptFindings:
    when = {0.1: 14.0, 0.2: 12.0, 0.4: 10.0}
    return find([trajectory(colour, seed, at) for seed in (0, 1, 2) for colour, at in when.items()])


def test_times_and_leads_are_those_that_were_planted(findings: ConceptFindings) -> None:
    octave = np.log2(STEP[-1] / STEP[1]) / 17  # between two checkpoints
    for run in findings.runs:
        planted = STEP[{0.1: 14, 0.2: 12, 0.4: 10}[run.run.colour]]
        found = run.times[NAIVE, 0.5]
        assert found is not None
        assert abs(np.log2(found / planted)) < 1.6 * octave  # .95 of the way up, and smoothing
        assert run.times["random", 0.5] is None
    for colour in findings.colours:
        lead = findings.leads[colour, "latent tuned", 0.5]
        same = findings.leads[colour, "latent", 0.5]
        assert lead is not None
        assert same is not None
        assert lead.mean == pytest.approx(LEAD * octave, abs=octave)
        assert (lead.seeds, lead.bounds, lead.without) == (3, 0, 0)
        assert abs(same.mean) <= octave / 3 + 1e-9  # one seed may be one checkpoint off


def test_the_turn_is_where_size_is_learned_and_colour_not_yet(findings: ConceptFindings) -> None:
    for run in findings.runs:
        assert run.turn.verdict == "turn"
        # from small red upwards to small blue: anywhere between the two rises fits both lines
        assert SIZE_AT - 1 <= run.turn.index + 1 <= {0.1: 14, 0.2: 12, 0.4: 10}[run.run.colour]
        assert run.turn.angle_deg == pytest.approx(90, abs=25)


def test_learning_times_that_fall_in_every_seed_have_the_smallest_p(findings: ConceptFindings) -> None:
    naive = findings.trends["held-out class above 0.8, asked plainly"]
    assert naive is not None
    assert naive.p_value == naive.least == pytest.approx(1 / 216)
    trained = findings.trends["colour of the trained classes"]
    assert trained is not None
    assert trained.p_value > 0.1  # planted alike at all colours


def test_the_analyzer_sees_the_behaviour_come_at_its_step(findings: ConceptFindings) -> None:
    for run in findings.runs:
        assert run.transitions[NAIVE].p_sharp > 0.9
        planted = STEP[{0.1: 14, 0.2: 12, 0.4: 10}[run.run.colour]]
        assert run.transitions[NAIVE].location is not None
        assert abs(np.log2(run.transitions[NAIVE].location / planted)) < 0.35


def test_seeds_without_all_colours_are_left_out_of_the_trend() -> None:
    partial_ = [trajectory(c, s, 10.0) for c, s in ((0.1, 0), (0.2, 0), (0.1, 1))]
    found = find(partial_)
    assert found.blocks == 1
    naive = found.trends["held-out class above 0.8, asked plainly"]
    assert naive is not None
    assert naive.p_value == 1  # learned at the same checkpoint in the one seed that counts


def test_the_page_says_what_was_found(findings: ConceptFindings) -> None:
    page = results(findings)
    assert "small blue (joint accuracy above 0.8) in 3, before plain asking in 3" in page
    assert "nan" not in page.lower()
    rows = list(csv.DictReader(io.StringIO(trajectories_csv(findings))))
    assert len(rows) == 9 * len(STEP) * (len(TRAINED) + len(WAYS))
    row = next(r for r in rows if (r["colour"], r["seed"], r["step"], r["way"]) == ("0.2", "1", "1500", "11"))
    assert float(row["product"]) == pytest.approx(float(row["p_blue"]) * float(row["p_small"]), abs=2e-4)
    times = list(csv.DictReader(io.StringIO(times_csv(findings))))
    assert {r["learning_time"] for r in times if r["way"] == "random"} == {""}


def test_figures_are_drawn_the_same_twice_and_stand_alone(findings: ConceptFindings) -> None:
    size = panels_size(findings)
    for draw, wide in ((draw_paths, size), (draw_accuracy, size), (draw_times, TIMES_SIZE)):
        made = [
            svg(partial(draw, findings=findings), wide, salt="x", title="t", description="d")
            for _ in range(2)
        ]
        assert made[0] == made[1]
        alone = standing_alone(made[0])
        assert alone.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
        assert "NaN" not in alone
