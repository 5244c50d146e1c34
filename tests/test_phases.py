"""Phases of training: a model that is an observer is mapped as it, and what cannot be told apart is undecided."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import harness as icl
from harness.analysis.nearest import closeness, crossings, nearest
from harness.conditions import Condition
from harness.errors import CurveError, SpecError
from harness.expansion import expand
from harness.judgments import Judgments
from harness.phases import divergences, phase_map
from harness.phases_spec import contenders
from harness.reporting import write_report
from harness.reporting.phases import over_parameters, phase_blocks
from harness.reporting.phases_table import passages_df, phases_df
from harness.reporting.trained import training_blocks
from harness.suite_files import parse_suite
from harness.types import AnalysisOptions, Floats
from harness.types.phases import PhaseMap
from harness.types.training import CheckpointSeries
from tests.reporting.examples import run_of

STEPS = np.array([0.0, 16, 32, 64, 128, 256, 512, 1024])
LEVEL = np.array([0.0, 4, 16, 60])
FOUR = ("unigram_retrieval", "unigram_inference", "bigram_inference", "bigram_retrieval")
SUITE = """\
name: phases
seed: 3
tasks:
  - family: chain_mixture
    params: {chains: CHAINS, symbols: [a, b, c, d]}
    context_lengths: [0, 4, 16, 60]
    sequences: 40
"""


def condition(chains: int = 4) -> Condition:
    return expand(parse_suite(SUITE.replace("CHAINS", str(chains)), "phases"))[0]


def bank(asked: Condition) -> dict[str, Floats]:
    """What each of the four algorithms says, (n_sequences, n_levels, n_symbols)."""
    drawn = [asked.sequence(r) for r in range(asked.sequences)]
    at = LEVEL.astype(int)
    return {name: np.array([sequence.observers[name][at] for sequence in drawn]) for name in FOUR}


def series(asked: Condition, name: str = "local/a", steps: Floats = STEPS) -> CheckpointSeries:
    table = np.zeros((len(steps), len(LEVEL)))
    return CheckpointSeries(
        name, asked.id, asked.title, None, 0.25, steps, LEVEL, table, table, table, table[0], (), ()
    )


def mapped(
    laws: Sequence[Floats], asked: Condition, known: Mapping[str, Floats], name: str = "local/a"
) -> PhaseMap:
    """The phases of a series whose checkpoints predict these laws."""
    stack = np.stack(list(known.values()))
    table = np.stack([divergences(law, stack) for law in laws], axis=1)
    return phase_map(
        series(asked, name), asked, tuple(known), LEVEL, table, AnalysisOptions(), Judgments(None)
    )


def test_a_model_that_is_one_algorithm_at_each_checkpoint_has_exactly_that_map() -> None:
    asked = condition()
    known = bank(asked)
    planted = [0, 0, 1, 1, 2, 2, 3, 3]
    found = mapped([known[FOUR[k]] for k in planted], asked, known)
    np.testing.assert_array_equal(found.nearest[:, 1:], np.tile(np.array(planted)[:, None], (1, 3)))
    assert found.decided[:, 1:].all()
    own = np.take_along_axis(found.divergence, found.nearest[..., None], axis=2)
    assert own[:, 1:].max() < 1e-9
    passed = [p for p in found.passages if p.context_length == 60]
    assert [(p.before, p.after) for p in passed] == list(pairwise(FOUR))
    assert [(p.last_before, p.first_after) for p in passed] == [(16, 32), (64, 128), (256, 512)]
    for p in passed:
        assert (p.low, p.high) == pytest.approx((p.last_before, p.first_after))
        assert p.low < p.location < p.high
        assert p.transition is not None
        assert len(p.transition.fit) == 4  # checkpoints of the two alone


def test_where_all_say_the_same_nothing_is_decided() -> None:
    asked = condition()
    known = bank(asked)  # before the first symbol three of the four are uniform
    found = mapped([known["bigram_inference"]] * len(STEPS), asked, known)
    assert not found.decided[:, 0].any()
    twins = {"a": known["bigram_inference"], "b": known["bigram_inference"].copy()}
    found = mapped([known["bigram_retrieval"]] * len(STEPS), asked, twins)
    assert not found.decided.any()
    assert found.passages == ()


def test_one_change_of_the_algorithm_is_sharp_and_lies_where_it_was_planted() -> None:
    asked = condition()
    known = bank(asked)
    first, last = known["bigram_inference"], known["bigram_retrieval"]
    found = mapped([first] * 4 + [last] * 4, asked, known)
    (passage,) = [p for p in found.passages if p.context_length == 60]
    assert passage.transition is not None
    assert passage.transition.verdict == "sharp"
    assert passage.transition.location is not None
    assert 64 <= passage.transition.location <= 128
    assert (passage.transition.lower, passage.transition.upper) == pytest.approx((0, 1), abs=0.01)


def test_a_gradual_change_is_placed_where_both_are_equally_far() -> None:
    """Independent of the harness: the weight at which both are equally far, by bisection."""
    asked = condition()
    known = bank(asked)
    first, last = known["bigram_inference"][:, -1], known["bigram_retrieval"][:, -1]

    def ahead(w: float) -> float:
        law = (1 - w) * first + w * last
        return float((stats.entropy(first, law, axis=1) - stats.entropy(last, law, axis=1)).mean())

    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if ahead(middle) < 0 else (low, middle)
    octave = np.log2(STEPS + 1)
    weight = 1 / (1 + np.exp(-2 * (octave - 6.3)))
    wanted = 2 ** (6.3 + np.log(low / (1 - low)) / 2) - 1
    laws = [(1 - w) * known["bigram_inference"] + w * known["bigram_retrieval"] for w in weight]
    found = mapped(laws, asked, known)
    passage = next(p for p in found.passages if p.context_length == 60)
    assert abs(np.log2((passage.location + 1) / (wanted + 1))) < 0.2  # checkpoints are an octave apart
    assert passage.low <= passage.location <= passage.high


def test_divergence_is_that_of_scipy_in_bits_and_finite_where_the_model_excludes_a_symbol() -> None:
    rng = np.random.default_rng(4)
    law, observer = rng.dirichlet(np.ones(5), (7, 3)), rng.dirichlet(np.ones(5), (2, 7, 3))
    expected = np.moveaxis(np.asarray(stats.entropy(observer, law[None], base=2, axis=-1)), 0, -1)
    np.testing.assert_allclose(divergences(law, observer), expected, atol=1e-12)
    certain, fair = np.array([[[1.0, 0.0]]]), np.array([[[[0.5, 0.5]]]])
    assert divergences(certain, fair)[0, 0, 0] == pytest.approx(0.5 * 64 - 1)  # bits: p = 2^-64 at the least
    assert np.isnan(divergences(np.full((1, 1, 2), np.nan), fair)).all()


def test_equally_near_predictors_are_decided_as_seldom_as_the_interval_says() -> None:
    cells = 1000
    divergence = np.random.default_rng(5).normal(1, 0.3, (60, cells, 2))
    decided = int(nearest(divergence).decided.sum())
    # nominally 5 %; of 60 values 5.7 %: the normal quantile for Student's, and n for n - 1
    assert stats.binomtest(decided, cells, 0.057).pvalue > 1e-6


def test_the_rival_is_the_predictor_that_is_hardest_to_tell_from_the_nearest() -> None:
    divergence = np.zeros((100, 1, 3))
    divergence[:, 0, 1] = 0.10  # second in the mean, and in every sequence
    divergence[:, 0, 2] = 0.12 + np.tile([-2, 2], 50)
    found = nearest(divergence)
    assert (found.nearest[0], found.rival[0]) == (0, 2)
    assert found.margin[0] == pytest.approx(0.12)
    assert not found.decided[0]


def test_sequences_that_were_not_measured_count_for_nothing() -> None:
    divergence = np.random.default_rng(7).gamma(2, 0.1, (40, 3, 4))
    more = np.concatenate([divergence, np.full((5, 3, 4), np.nan)])
    more[:, 2] = np.nan
    found, known = nearest(more), nearest(divergence)
    np.testing.assert_array_equal(found.nearest[:2], known.nearest[:2])
    np.testing.assert_allclose(found.margin[:2], known.margin[:2])
    assert found.nearest[2] == -1
    assert not found.decided[2]
    with pytest.raises(CurveError, match="predictors"):
        nearest(divergence[..., :1])


def test_an_undecided_stretch_is_passed_over_and_the_crossing_lies_in_it() -> None:
    x = np.arange(5.0)
    ahead = np.array([-1.0, -0.1, 0.1, 0.3, 1.0])
    divergence = np.zeros((30, 5, 2))
    divergence[:, :, 0] = 1 + ahead
    divergence[:, :, 1] = 1
    (found,) = crossings(divergence, np.array([0, -1, -1, -1, 1]), x)
    assert (found.before, found.after, found.last, found.first) == (0, 1, 0, 4)
    assert (found.start, found.stop) == (0, 4)
    assert found.location == pytest.approx(1.5)
    assert (found.low, found.high) == (
        1,
        2,
    )  # all sequences are alike, but between two steps nothing is known


def test_closeness_is_0_for_the_one_1_for_the_other_and_a_half_for_both() -> None:
    before, after = np.array([0.0, 0.3, 0.0, np.nan]), np.array([0.2, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(closeness(before, after), [0, 1, 0.5, np.nan])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("phases: [bigram_retrieval, bigram_inferense]", "did you mean 'bigram_inference'"),
        ("phases: [kt, kt]", "names one twice"),
        ("phases: [kt]", "two observers or more"),
        ("phases: kt", "phases"),
        ("phases: [kt, uniform]\n    readout: judgment", "phases compares laws of the next symbol"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_asked(line: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        expand(parse_suite(SUITE.replace("CHAINS", "4") + f"    {line}\n", "phases"))


def test_the_suite_is_the_same_whichever_observers_are_compared() -> None:
    from harness.suite_files import suite_digest

    plain = parse_suite(SUITE.replace("CHAINS", "4"), "phases")
    narrowed = parse_suite(SUITE.replace("CHAINS", "4") + "    phases: [kt, uniform]\n", "phases")
    assert suite_digest(plain) == suite_digest(narrowed)
    assert expand(plain)[0].digest == expand(narrowed)[0].digest
    assert contenders(None, ["ideal", "kt"]) == ("ideal", "kt", "uniform")


def test_a_run_of_a_series_is_compared_with_every_observer_and_those_alike_are_one(tmp_path: Path) -> None:
    """The bundled series on two chains of two symbols; with novel 0 the ideal observer is bigram retrieval."""
    text = SUITE.replace("CHAINS", "2").replace("[a, b, c, d]", "binary").replace("40", "6")
    run = icl.run(parse_suite(text, "phases"), ["local/icl-mixture@*"], out=tmp_path / "run")
    (found,) = run.result.phases
    assert found.observers[0] == "mixture = bigram_retrieval"
    assert found.observers[1:] == (
        "unigram_retrieval",
        "bigram_inference",
        "unigram_inference",
        "kt",
        "uniform",
    )
    last = next(p for p in run.predictions() if p.model == "local/icl-mixture@3000")
    for k, name in enumerate(("mixture", *found.observers[1:-1])):
        expected = stats.entropy(last.observers[name], last.law, base=2, axis=-1).mean(axis=0)
        np.testing.assert_allclose(found.divergence[-1, :, k], expected, atol=1e-6)
    same = parse_suite(text + "    phases: [mixture, bigram_retrieval]\n", "phases")
    again = icl.run(same, ["local/icl-mixture@*"], out=tmp_path / "run")  # nothing is asked again
    assert again.result.models[0].requests == run.result.models[0].requests
    assert again.result.phases == ()  # one observer is left: nothing to tell apart
    table = icl.phases_df(run)
    assert len(table) == 6 * 4
    np.testing.assert_array_equal(table["kl_kt"].to_numpy().reshape(6, 4), found.divergence[..., 4])
    assert len(icl.passages_df(run)) == len(found.passages)
    assert any(block.anchor == "phases-0" for block in training_blocks([run.result]))


def test_series_over_a_parameter_share_a_diagram_in_every_format(tmp_path: Path) -> None:
    maps = []
    for chains, turn in ((2, 2), (4, 4), (16, 6)):
        asked = condition(chains)
        known = bank(asked)
        laws = [known["bigram_inference"]] * turn + [known["bigram_retrieval"]] * (len(STEPS) - turn)
        maps.append(mapped(laws, asked, known, name=f"local/n{chains}"))
    ((parameter, (columns,)),) = over_parameters(maps).items()
    assert (parameter, [c.value for c in columns]) == ("chains", [2, 4, 16])
    runs = [replace(run_of(), phases=(one,)) for one in maps]
    blocks = phase_blocks(runs)
    assert len(blocks) == 4
    (shown,) = blocks[-1].shown
    assert [row[2] for row in shown.rows] == ["bigram_retrieval"] * 3
    assert "bigram_inference, from step 2" in shown.rows[0][1]
    assert len(phases_df(runs)) == 3 * len(STEPS) * len(LEVEL)
    assert set(passages_df(runs)["after"]) == {"bigram_retrieval"}
    written = {f.name for f in write_report(runs, tmp_path, frozenset({"html", "latex", "pdf", "csv"}))}
    assert {"phases.csv", "passages.csv", "phases-0-0-phases.pdf", "phases-3-0-over.pdf"} <= written
    page = (tmp_path / "report.html").read_text()
    assert "<image" not in page
    assert "Over chains and training step" in page
    assert "Over chains and training step" in (tmp_path / "latex" / "transitions.tex").read_text()
