"""What is said of a steering sweep: planted laws are recovered, controls are set beside, nothing is chosen twice."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit

from harness.errors import SpecError
from harness.judgments import Judgments
from harness.reporting.drawing import pdf
from harness.reporting.steered import HEADS, shown
from harness.reporting.steered_table import steering_df
from harness.steering import find, jobs
from harness.steering_spec import SteeringSpec
from harness.types import AnalysisOptions, Floats, Prompt, RunResult
from harness.types.steering import SteeringReading
from harness.types.whitebox import Arrays, Job, WhiteBoxResult, WhiteBoxStudy, WhiteBoxTrial

LEVELS = np.arange(0, 49, 3)
N_REF, SLOPE, EFFECT = 12.0, 3.0, 2.0  # of the planted law, beta near 0: N*(m) = 12 exp(-2 m / 3)
SPEC = SteeringSpec(positive="a", negative="b", wrong=["c", "b"], scales=[-0.4, -0.2, 0.2, 0.4])
OPTIONS = AnalysisOptions()


def study(n: int = 40) -> WhiteBoxStudy:
    trials = [
        WhiteBoxTrial(
            f"{label}-{i}", f"condition {label}", label, 100 * label + i, Prompt("", ("0", "1"), "", ())
        )
        for label in range(3)
        for i in range(n)
    ]
    return WhiteBoxStudy(
        "planted", "kind", ("a", "b", "c"), tuple(LEVELS.tolist()), tuple(trials), 0, "digest"
    )


def curves(rng: np.random.Generator, n: int, strengths: Floats, *, mixed: float = 0.0) -> Floats:
    """p(target) of n sequences at each strength: each is off the law, and steered, in its own way.

    The mean over all sequences that might have been is the law itself. Shape (n_strengths, n, n_levels).
    """
    own, response = 0.3 * rng.standard_normal((1, n, 1)), 0.5 * rng.standard_normal((1, n, 1))
    each = 0.1 * rng.standard_normal((len(strengths), n, len(LEVELS)))
    with np.errstate(divide="ignore"):
        g = np.maximum(np.log(LEVELS / N_REF), -20)
    m = strengths[:, None, None]
    q = expit(SLOPE * g + m * EFFECT + m * mixed * np.maximum(g, -5))
    return np.asarray(np.clip(0.5 + 0.5 * (q + (own + m * response + each) * q * (1 - q)), 0, 1))


def arrays(
    job: Job, trials: WhiteBoxStudy, *, effect: float = 1.0, mixed: float = 0.0, seed: int = 1
) -> Arrays:
    """What a model would give that obeys the law, times `effect`, along the direction of one job."""
    if job["direction"] == "self_patch":
        return {"difference": np.array(2e-7)}
    rng, label = np.random.default_rng(seed), trials.label
    positive = np.flatnonzero(label == 0)
    concept = job["direction"] == "concept"
    trial = np.flatnonzero(label < 2) if concept else positive[~trials.selection[positive]]
    draws = 8 if job["direction"] == "random" else 1
    one = sorted([-0.4, -0.3, -0.2, 0.2, 0.3, 0.4])
    scale = np.array(one * draws)
    p_all = curves(rng, len(positive), np.concatenate([[0.0], effect * scale]), mixed=mixed)
    rows = np.searchsorted(positive, trial[label[trial] == 0])
    p = np.full((len(scale) + 1, len(trial), len(LEVELS)), 0.5)
    p[:, label[trial] == 0] = p_all[:, rows]
    mass = np.full(p.shape, 0.99)
    return {
        "trial": trial,
        "base": p[0] * mass[0],
        "base_mass": mass[0],
        "p": p[1:] * mass[1:],
        "mass": mass[1:],
        "scale": scale,
        "natural": np.abs(scale) == 0.3,
        "draw": np.repeat(np.arange(draws), len(one)),
        "residual_norm": np.array(5.0),
        "natural_scale": np.array(0.3),
        "direction_lengths": np.arange(1, 12),
        "before_change": np.arange(1, 12),
    }


def done(trials: WhiteBoxStudy, *, good: int = 1, mixed: float = 0.0) -> list[tuple[Job, Arrays]]:
    """All jobs of a model with two layers, where steering works at layer `good` alone and no control does."""
    return [
        (
            job,
            arrays(
                job, trials, effect=float(job["direction"] == "concept" and job["layer"] == good), mixed=mixed
            ),
        )
        for job in jobs(SPEC, trials, 2)
    ]


def found(
    measured: list[tuple[Job, Arrays]], trials: WhiteBoxStudy, spec: SteeringSpec = SPEC
) -> SteeringReading:
    result = find(spec, measured, trials, {}, OPTIONS, Judgments(None))
    assert isinstance(result, SteeringReading)
    return result


@pytest.fixture(scope="module")
def planted() -> SteeringReading:
    trials = study()
    return found(done(trials), trials)


def test_a_planted_law_is_recovered_at_the_layer_where_it_holds(planted: SteeringReading) -> None:
    result = planted
    assert (result.chosen_layer, result.chosen_scale) == (1, 0.4)
    assert result.law is not None
    assert result.law.effect.low < EFFECT < result.law.effect.high
    assert result.law.effect.value == pytest.approx(EFFECT, rel=0.1)
    assert result.law.p_additive > 0.01  # the planted law has no interaction
    for strength, star in zip(result.law.strength, result.law.n_star, strict=True):
        assert star.value == pytest.approx(
            N_REF * np.exp(-EFFECT * strength / SLOPE), rel=0.08
        )  # sd of own is .5
    octaves = [h.octaves.value for h in result.held_out if h.octaves]
    assert len(octaves) == 7
    assert max(map(abs, octaves)) < 0.05
    np.testing.assert_allclose(result.law_means[0.4], result.curves[0.4].p.mean(axis=0), atol=0.03)


def test_the_shift_of_n_star_is_that_of_the_law_and_its_interval_pairs_sequences(
    planted: SteeringReading,
) -> None:
    result = planted
    for cell in (result.cell(s) for s in (-0.4, -0.3, 0.3, 0.4)):
        expected = N_REF * (np.exp(-EFFECT * cell.scale / SLOPE) - 1)
        assert cell.shift is not None
        assert cell.shift.value == pytest.approx(expected, abs=0.4)
        # Paired: what a sequence does to both curves cancels. Unpaired: 4 x 1.4 x 12 x .3 / 3 / sqrt(20) = 1.5.
        assert cell.shift.high - cell.shift.low < 0.6
        assert (cell.gain.value > 0) == (cell.scale > 0)
    null = result.cell(0.3, layer=0)
    assert null.shift is not None
    assert null.shift.value == pytest.approx(0, abs=0.3)


def test_controls_that_do_nothing_are_reached_by_none(planted: SteeringReading) -> None:
    result = planted
    assert {c.name for c in result.controls} == {"random", "wrong concept", "untrained model"}
    assert result.share_as_good(0.4) == (0, 8)
    assert result.share_as_good(-0.4) == (0, 8)
    assert all(abs(g) < 0.01 for c in result.controls for g in c.gains)
    assert result.self_patch == 2e-7


def test_an_interaction_is_found() -> None:
    trials = study()
    result = found(done(trials, mixed=4.0), trials)
    assert result.law is not None
    assert result.law.p_additive < 0.01
    assert result.law.interaction.low > 0


def test_layer_and_scale_are_chosen_without_the_held_out_sequences() -> None:
    trials = study()
    measured = done(trials)
    spoiled = []
    for job, table in measured:
        if job["direction"] == "concept":
            held = ~trials.selection[table["trial"]]
            p = table["p"].copy()
            p[:, held] = 0.99 * (0.99 if job["layer"] == 0 else 0.01)  # on these, layer 0 would win
            table = {**table, "p": p}
        spoiled.append((job, table))
    result = found(spoiled, trials)
    assert (result.chosen_layer, result.chosen_scale) == (1, 0.4)
    assert result.cell(0.4).gain.value < 0 < result.cell(0.4).chosen_by


def test_a_scale_that_leaves_the_symbols_is_neither_chosen_nor_in_the_law() -> None:
    trials = study()
    measured = []
    for job, table in done(trials):
        if job["direction"] == "concept":
            at = table["scale"] == 0.4
            table = {
                **table,
                "mass": np.where(at[:, None, None], 0.5, table["mass"]),
                "p": np.where(at[:, None, None], table["p"] * 0.5 / 0.99, table["p"]),
            }
        measured.append((job, table))
    result = found(measured, trials)
    assert result.chosen_scale == 0.2
    assert result.law is not None
    assert 0.4 not in result.law.strength
    assert any("+0.4" in note for note in result.notes)


def test_an_interrupted_sweep_says_what_is_there_and_few_sequences_say_why_not() -> None:
    trials = study()
    assert "not yet measured" in str(find(SPEC, [], trials, {}, OPTIONS, Judgments(None)))
    some = [pair for pair in done(trials) if pair[0]["direction"] == "concept"]
    assert found(some, trials).controls == ()
    few = study(12)
    assert "at least 10 are needed" in str(find(SPEC, done(few), few, {}, OPTIONS, Judgments(None)))


def test_jobs_are_plain_json_one_a_layer_and_direction() -> None:
    made = jobs(SPEC, study(), 3)
    assert len(made) == 3 * 5
    assert [json.loads(json.dumps(job)) for job in made] == made
    assert len(jobs(SPEC.model_copy(update={"wrong": None, "layers": [1]}), study(), 3)) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"positive": "d"}, "no value of 'kind'"),
        ({"layers": [0, 2]}, r"layer 2 is not in 0\.\.1"),
        ({"wrong": ["b", "a"]}, "the concept itself"),
        ({"lengths": [90]}, "go beyond 48"),
    ],
)
def test_what_does_not_fit_the_study_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        jobs(SPEC.model_copy(update=change), study(), 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scales": [0.1, 0.0]}, "which is the base"),
        ({"scales": [-0.1, -0.2]}, "above 0"),
        ({"negative": "a"}, "needs two values"),
        ({"draws": 3}, "greater than or equal to 8"),
        ({"alpha": 1}, "Extra inputs"),
    ],
)
def test_what_a_suite_may_not_say_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SteeringSpec(**{"positive": "a", "negative": "b", "scales": [0.1, 0.2], **change})


def test_the_report_states_choice_controls_and_law(planted: SteeringReading) -> None:
    labels = ("a", "b", "c")
    result = WhiteBoxResult("local/m", "planted", "kind", labels, 2, 120, (), {"steering": planted})
    block = shown(result, OPTIONS)
    text = " ".join(block.sentences)
    assert "0 of 8 random directions of equal length reach (p = 0.11)" in text
    assert "Natural scale (alpha = 1): layer 1, scale +0.3" in text
    assert "steering and evidence are additive" in text
    assert all(len(row) == len(HEADS) for row in block.rows)
    assert pdf([(figure.size, figure.draw) for figure in block.figures]).count(b"/Type /Page ") == 2
    assert len(block.rows) == 6 + 2  # every scale of the chosen layer, the natural ones of the other
    run = RunResult("r", "", 0, "", {}, OPTIONS, (), (), "", whitebox=(result,))
    table = steering_df([run])
    assert len(table) == 2 * 6 + 6 * (8 + 1 + 1)
    assert table[table.chosen & (table.direction == "concept")].scale.tolist() == [0.4]


def test_where_behaviour_does_not_change_there_is_no_law_and_no_shift() -> None:
    trials = study()
    flat = [
        (
            job,
            {**table, "p": 0.5 + 0.01 * (table["p"] - 0.5), "base": 0.5 + 0 * table["base"]}
            if "p" in table
            else table,
        )
        for job, table in done(trials)
    ]
    rng = np.random.default_rng(0)
    for _, table in flat:
        if "p" in table:
            table["base"] += 0.01 * rng.standard_normal(table["base"].shape)
    result = found(flat, trials)
    assert result.law is None
    assert "no rise" in result.no_law
    assert all(cell.shift is None and cell.n_star is None for cell in result.cells)
    block = shown(WhiteBoxResult("m", "t", "kind", ("a", "b"), 2, 80, (), {"steering": result}), OPTIONS)
    assert any("No law over scales: the unsteered curve shows no rise" in s for s in block.sentences)
    assert pdf([(figure.size, figure.draw) for figure in block.figures]).count(b"/Type /Page ") == 2
