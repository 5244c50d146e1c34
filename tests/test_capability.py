"""What is said of hidden capability: trials and seen classes kept apart, times and leads recovered, strict sections."""

import re
from dataclasses import replace

import numpy as np
import pytest

from harness.capability import gap_of, jobs, reading_of, roles
from harness.capability_course import capability_seeds, course_of, seeds_of
from harness.capability_spec import CapabilitySpec
from harness.errors import SpecError
from harness.reporting.capability_table import capability_df
from harness.reporting.trained_capability import capability_blocks
from harness.spec import SuiteSpec
from harness.suite_files import parse_suite
from harness.types import Bounded, Floats
from harness.types.capability import Capability, CapabilityCourse, CapabilityReading, CapabilitySeries, Gap
from harness.types.whitebox import Arrays, Job, WhiteBoxResult, WhiteBoxStudy
from harness.whitebox_studies import studies_of
from tests.reporting.examples import run_of

STEPS = (0, 64, 128, 256, 512, 1024, 2048, 4096)
SECTION = (
    "{positive: [NAND, OR], negative: [NOR, AND], seen: {operation: [NAND, NOR]}, wrong: {family: bitwise, "
    "params: {form: letters}, concept: operation, values: [XOR, XNOR]}, context_length: 5, question: 1, "
    "threshold: 0.8}"
)
SUITE = """\
name: operations
seed: 3
tasks:
  - family: bitwise
    params: {{form: letters, operation: {{sweep: [NAND, NOR, OR, AND]}}}}
    context_lengths: [1, 3, 5]
    sequences: 12
    whitebox: {{concept: operation, capability: {section}}}
"""


def suite(section: str = SECTION) -> SuiteSpec:
    return parse_suite(SUITE.format(section=section), "operations")


@pytest.fixture(scope="module")
def asked() -> tuple[CapabilitySpec, WhiteBoxStudy]:
    (found,) = studies_of(suite())
    assert found.spec.capability is not None
    return found.spec.capability, found.study


def planned(section: str) -> list[Job]:
    (found,) = studies_of(suite(section))
    assert found.spec.capability is not None
    return jobs(found.spec.capability, found.study, 2)


def test_a_wrong_concept_of_another_family_goes_with_phases_of_the_tasks_own_observers() -> None:
    wrong = "{family: periodic, params: {symbols: binary}, concept: period, values: [2, 1]}"
    section = SECTION.replace(
        "{family: bitwise, params: {form: letters}, concept: operation, values: [XOR, XNOR]}", wrong
    )
    assert wrong in section
    text = SUITE.format(section=section) + "    phases: [operation, kt]\n"
    (found,) = studies_of(parse_suite(text, "operations"))
    assert found.study.other is not None
    assert found.study.other.labels == ("2", "1")


def numbers(job: Job, name: str) -> list[int]:
    listed = job[name]
    assert isinstance(listed, list)
    return [int(str(value)) for value in listed]


def test_trials_are_of_classes_that_the_direction_has_not_seen(
    asked: tuple[CapabilitySpec, WhiteBoxStudy],
) -> None:
    spec, study = asked
    trials, seen = roles(spec, study)
    named = [{study.labels[study.trials[t].label] for t in part} for part in (trials, *seen)]
    assert named == [{"OR", "AND"}, {"NAND"}, {"NOR"}]
    assert [len(part) for part in (trials, *seen)] == [24, 12, 12]
    job = jobs(spec, study, 3)[0]
    towards = dict(zip(numbers(job, "trials"), numbers(job, "towards"), strict=True))
    assert all(
        sign == {"OR": 1, "AND": -1}[study.labels[study.trials[t].label]] for t, sign in towards.items()
    )
    chosen = np.array(numbers(job, "selection"))
    labels = np.array([study.trials[t].label for t in trials])
    assert {int(chosen[labels == label].sum()) for label in set(labels.tolist())} == {6}  # half of each class


def test_the_law_is_exact_bayes_over_the_operations(asked: tuple[CapabilitySpec, WhiteBoxStudy]) -> None:
    """Counted anew: the operations that agree with both examples, and the share of them whose result is 1."""
    tables = {"AND": "0001", "NAND": "1110", "OR": "0111", "NOR": "1000", "XOR": "0110", "XNOR": "1001"}
    _, study = asked
    for trial in study.trials[::5]:
        a, x, b, y, query = trial.prompt.symbols[:5]
        left = [t for t in tables.values() if (t[a], t[b]) == (str(x - 4), str(y - 4))]
        p = np.mean([t[query] == "1" for t in left])
        np.testing.assert_allclose(trial.implied(5, "ideal")[4:], [1 - p, p])


def test_layers_come_first_and_what_is_asked_last_for_both_networks(
    asked: tuple[CapabilitySpec, WhiteBoxStudy],
) -> None:
    spec, study = asked
    found = [(job["network"], job["what"], job.get("layer")) for job in jobs(spec, study, 2)]
    one = [("layer", 0), ("layer", 1), ("asked", None)]
    assert found == [(network, *rest) for network in ("trained", "untrained") for rest in one]
    alphas = jobs(spec.model_copy(update={"alphas": [0.5, 2.0]}), study, 1)[0]
    assert (alphas["alphas"], alphas["tried"]) == ([0.5, 1.0, 2.0], [0, 2])  # 1 is measured, not chosen


def test_another_setting_or_other_trials_are_another_measurement(
    asked: tuple[CapabilitySpec, WhiteBoxStudy],
) -> None:
    spec, study = asked
    (less,) = studies_of(suite(), limit=8)
    assert less.study.other is not None
    assert study.other is not None
    assert less.study.other.digest != study.other.digest
    assert jobs(spec, study, 1)[0]["other"] == study.other.digest
    assert jobs(spec.model_copy(update={"law": "truth"}), study, 1) != jobs(spec, study, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("positive: [NAND, OR]", "positive: [NAND, NOT]", "'NOT' is no value of operation"),
        ("seen: {operation: [NAND, NOR]}", "seen: {operation: [NAND]}", r"negative .* has 0 seen sequences"),
        ("seen: {operation: [NAND, NOR]}", "seen: {operation: [NAND, NOR, OR, AND]}", "has 0 trials"),
        ("seen: {operation: [NAND, NOR]}", "seen: {colour: [red]}", "seen names values of a swept parameter"),
        ("context_length: 5", "context_length: 4", "none of the task's context_lengths"),
        ("threshold: 0.8", "threshold: 0.8, law: bayes", "no law 'bayes'.*known: .*operation"),
        ("threshold: 0.8", "threshold: 0.8, layers: [0, 7]", "layer 7 is not in 0..1"),
        ("threshold: 0.8", "threshold: 0.8, alphas: [1, 1]", "names one twice"),
        ("threshold: 0.8", "threshold: 0.8, alphas: [0]", "greater than 0"),
        ("threshold: 0.8", "threshold: 0.8, alpha: [2]", "did you mean 'alphas'"),
        ("question: 1", "question: 5", "leaves no evidence"),
        (", threshold: 0.8", "", "threshold"),
        ("values: [XOR, XNOR]", "values: [XOR, XOR]", "names one twice"),
        ("values: [XOR, XNOR]", "values: [XOR, NOT]", "NOT"),
        ("family: bitwise, params", "family: bitwisse, params", "did you mean 'bitwise'"),
        ("positive: [NAND, OR]", "positive: [NAND, OR, AND]", "names one twice"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(old: str, new: str, message: str) -> None:
    assert old in SECTION
    with pytest.raises(SpecError, match=re.compile(message, re.DOTALL)):
        planned(SECTION.replace(old, new))


def measured(job: Job, best: Floats, *, layer_gain: float = 0.0) -> Arrays:
    """Arrays of a layer whose alphas score `best` on every trial, plus `layer_gain`."""
    n = len(numbers(job, "trials"))
    latent = best[:, None] + layer_gain + np.zeros((len(best), n))
    return {
        "alpha": np.array([0.5, 1.0, 2.0, 4.0, 8.0]),
        "latent": latent,
        "latent_mass": np.ones_like(latent),
        "best": np.array(int(best.argmax())),
        "one": np.array(1),
        "random": np.full((8, n), 0.6),
        "random_natural": np.full((8, n), 0.55),
        "wrong": np.full(n, 0.5),
        "alpha_norm": np.array(0.3),
        "off_target": np.array(0.01),
    }


def test_the_layer_and_the_way_that_are_best_on_the_selection_are_read_on_the_others(
    asked: tuple[CapabilitySpec, WhiteBoxStudy],
) -> None:
    spec, study = asked
    first, second, plain = jobs(spec.model_copy(update={"untrained": False}), study, 2)
    chosen = np.array(numbers(plain, "selection"), dtype=np.bool_)
    naive = np.where(chosen, 0.4, 0.7)  # worse where choices are made: the latent way wins there
    asks = {"naive": naive, "mass": np.ones(24), "over": np.stack([naive - 0.1, naive + 0.05])}
    best = np.array([0.5, 0.52, 0.6, 0.55, 0.4])
    done = [(first, measured(first, best)), (second, measured(second, best, layer_gain=0.1)), (plain, asks)]
    reading = reading_of(spec, done)
    assert reading is not None
    assert (reading.layer, reading.scale, reading.natural_layer, reading.strength) == (1, 2.0, 1, 4)
    assert reading.best == "latent"
    np.testing.assert_allclose(reading.able, 0.7)  # the held-out trials, where naive prompting is as good
    gap = gap_of(reading, least=0.1)
    assert gap.latent.value == pytest.approx(0.0)
    assert gap.natural.value == pytest.approx(0.62 - 0.7)
    assert not gap.shown
    assert reading_of(spec, done[:2]) is None  # what is asked is not there yet


def test_a_gap_is_shown_where_it_is_large_enough_above_0_and_beyond_every_random_direction() -> None:
    noise = 0.02 * np.random.default_rng(0).standard_normal(30)
    large, small = (reading(0.6 + noise, 0.6 + more + noise) for more in (0.2, 0.02))
    assert gap_of(large, least=0.1).shown
    assert gap_of(small, least=0.1).clear
    assert not gap_of(small, least=0.1).shown
    assert gap_of(small, least=0.01).shown
    lucky = replace(large, random=np.stack([*large.random[:7], large.tuned]))
    assert not gap_of(lucky, least=0.1).shown


def reading(naive: Floats, tuned: Floats) -> CapabilityReading:
    random = np.stack([naive] * 8)
    return CapabilityReading(
        naive, naive, naive, tuned, random, random, naive, 0, 1.0, 0, 2, "latent", 0.1, (1.0, 1.0), 0.0
    )


def course(does: int, can: int, *, noise: float = 0.0, seed: int = 0) -> CapabilityCourse:
    these = readings(does, can, noise=noise, seed=seed)
    bounded = Bounded(0.45, 0.4, 0.5)
    gaps = [Gap(bounded, bounded, bounded, bounded, (0, 8), 0.1)] * len(STEPS)
    return course_of(STEPS, these, gaps, threshold=0.9, smoothing=0)


def readings(does: int, can: int, *, noise: float = 0.0, seed: int = 0) -> list[CapabilityReading]:
    """Agreement .5 before and .95 from the step numbered `can` (tuned) or `does` (naive), trials noisy."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(len(STEPS)):
        naive, tuned = ((0.95 if k >= at else 0.5) + noise * rng.standard_normal(30) for at in (does, can))
        rows.append(reading(naive, tuned))
    return rows


def test_times_and_the_lead_over_trials_are_those_that_were_planted() -> None:
    found = course(5, 2)
    assert (found.capability, found.behaviour) == (128, 1024)
    assert found.lead is not None
    assert (found.lead.value, found.lead.low, found.lead.high) == (3, 3, 3)


def test_the_lead_over_trials_widens_where_trials_disagree_and_covers_the_truth() -> None:
    covered, widths = 0, []
    for seed in range(40):
        lead = course(5, 2, noise=0.15, seed=seed).lead
        assert lead is not None
        covered += lead.low <= 3 <= lead.high
        widths.append(lead.high - lead.low)
    assert covered >= 34  # of 40 at 95 %: P(fewer) < 1e-3
    assert max(widths) > 0


def test_a_behaviour_that_never_comes_bounds_the_lead_and_a_capability_at_step_0_gives_none() -> None:
    never = course(99, 2)
    assert never.lead is not None
    assert (never.behaviour, never.lead.value, never.lead.bound) == (None, 5, True)  # 4096 / 128
    always = course(5, 0)
    assert (always.capability, always.lead) == (0, None)
    seeds = [
        CapabilitySeries(f"local/a{k}", "x", record(readings(5, 2)[0]), c)
        for k, c in enumerate((never, always))
    ]
    assert seeds_of(seeds[1:]).lead is None
    over = seeds_of(seeds)
    assert over.lead is not None
    assert (over.lead.value, over.bounds, over.without) == (5, 1, 1)


def record(found: CapabilityReading) -> Capability:
    return Capability(
        reading=found, gap=gap_of(found, least=0.1), untrained=None, untrained_gap=None, concept="operation",
        positive=("NAND", "OR"), negative=("NOR", "AND"), seen="operation NAND, NOR", wrong="another", law="ideal",
        context_length=5, question=1, repetitions=(2, 4), layers=(0, 1), alphas=(1.0,), draws=8, seen_trials=24,
        chosen_on=12, measured_on=30, threshold=0.9, smoothing=0.0, consecutive=3,
    )  # fmt: skip


def inside(series: str, does: int, can: int) -> list[WhiteBoxResult]:
    return [
        WhiteBoxResult(
            f"{series}@{step}", "bits", "operation", ("a", "b"), 2, 4, (), {"capability": record(r)}
        )
        for step, r in zip(STEPS, readings(does, can), strict=True)
    ]


def test_seeds_are_series_whose_names_differ_in_numbers_and_the_lead_is_bootstrapped_over_them() -> None:
    members = [
        *inside("local/bits-seed0", 5, 2),
        *inside("local/bits-seed1", 4, 3),
        *inside("local/other", 5, 2),
    ]
    run = run_of(whitebox=tuple(members), capability=capability_seeds(members))
    *_, over, other = capability_blocks([run])
    assert over.shown[0].title == "Hidden capability over seeds"
    assert "Over 2 seeds capability leads behaviour by 2.0 [-7.2, 11.2] octaves" in over.shown[0].sentences[0]
    assert [row[1:3] for row in over.shown[0].rows] == [("128", "1024"), ("256", "512")]
    assert other.model == "local/other@*"
    table = capability_df([run])
    first = table[table.series == "local/bits-seed0"].iloc[0]
    assert (first.lead, first.seeds, first.seeds_lead) == (3, 2, 2)
    assert first.seeds_lead_low < 1  # of two seeds, leads 3 and 1, hardly anything is known
    assert table[table.series == "local/other"].seeds_lead.isna().all()
    assert set(table.way) == {
        "naive", "over-prompting", "alpha = 1", "tuned", "random, tuned", "random, alpha = 1", "wrong concept"
    }  # fmt: skip


def test_a_series_of_two_checkpoints_or_without_steps_is_no_course() -> None:
    assert capability_seeds(inside("local/a", 5, 2)[:2]) == ()
    named = replace(inside("local/a", 5, 2)[0], model="local/a")
    table = capability_df([run_of(whitebox=(named,))])
    assert len(table) == 7
    assert table.step.isna().all()
    assert table.capability_step.isna().all()


def test_tasks_of_one_series_are_no_seeds_of_each_other() -> None:
    members = [*inside("local/a0", 5, 2), *inside("local/a1", 5, 2)]
    both = [*members, *(replace(result, title="other bits") for result in members)]
    assert [[(one.series, one.title) for one in seeds.series] for seeds in capability_seeds(both)] == [
        [("local/a0", "bits"), ("local/a1", "bits")],
        [("local/a0", "other bits"), ("local/a1", "other bits")],
    ]
