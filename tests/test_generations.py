"""Sequences that a model writes: asked for, stored, read again, and held against the law that was asked for."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import harness as icl
from harness.cognitive import generated as behaviour_of
from harness.errors import ModelError, SpecError
from harness.execute import RunOptions, execute
from harness.expansion import expand
from harness.generations import LEAST_LEVELS
from harness.plan import make_item, most_tokens, pieces
from harness.runs import Run, open_run
from harness.suite_files import parse_suite
from harness.types import Capabilities, GenerationResult, Request, RunResult

SUITE = """\
name: written
seed: 5
models: ["{model}"]
tasks:
  - family: bernoulli
    params: {{p: {p}, symbols: coin}}
    context_lengths: {given}
    length: {length}
    sequences: {sequences}
    readout: generation
    render: {{{render}}}
"""


def suite(model: str = "mock/flat?p=0.7", **changes: object) -> str:
    known: dict[str, object] = {"p": 0.7, "given": "[0, 3]", "length": 60, "sequences": 12}
    return SUITE.format(model=model, **known | {"render": 'separator: ", "'} | changes)


def ran(out: Path, text: str) -> Run:
    assert execute(parse_suite(text, "written"), RunOptions(out=out)).exit_status in (0, 3)
    return open_run(out)


def found(result: RunResult) -> dict[int, GenerationResult]:
    return {g.context_length: g for g in result.generations}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ran(tmp_path_factory.mktemp("written") / "run", suite())


def test_a_faithful_model_is_like_an_ideal_generator(run: Run) -> None:
    """The mock writes each symbol from the law that is asked for; nine p-values all above 0.001, twice."""
    assert (run.result.curves, run.result.unjudged) == ((), ())
    for n, g in found(run.result).items():
        assert (g.read, g.asked, g.endings, g.announced) == (12, 12, {"length": 12}, True)
        np.testing.assert_array_equal(g.lengths, 60)
        assert all(s.p > 0.001 for s in g.statistics), (n, g.statistics)
        assert g.statistics[0].low < 0.7 < g.statistics[0].high
        np.testing.assert_allclose(g.shares.sum(axis=1), 1)


def test_a_model_with_another_law_is_not(tmp_path: Path) -> None:
    g = found(ran(tmp_path, suite("mock/flat?p=0.5")).result)[3]
    assert g.statistics[0].name == "share of H"
    assert g.statistics[0].p < 0.001
    assert g.statistics[0].low < 0.5 < g.statistics[0].high < g.statistics[0].ideal_low


def test_the_prompt_announces_the_law_and_begins_with_the_symbols_given(run: Run) -> None:
    symbols = expand(parse_suite(suite(), "written"))[0].sequence(0).symbols[:3]
    given = "".join(f"{'HT'[s]}, " for s in symbols).rstrip(" ")
    told = "A sequence of 60 independent random draws, each H with 70% probability or T with 30% probability."
    assert found(run.result)[3].example_prompt == f"{told}\nSequence: {given}"
    assert found(run.result)[0].example_prompt == f"{told}\nSequence:"


def test_counterbalanced_symbols_are_announced_with_their_own_probability() -> None:
    text = suite(render='separator: ", ", counterbalance: true, wording: announced')
    condition = expand(parse_suite(text, "written"))[0]
    headers = [condition.prompt(condition.sequence(r), r).header for r in (0, 1)]
    assert ["each H with 70%" in h for h in headers].count(True) == 1
    assert ["each T with 70%" in h for h in headers].count(True) == 1


@pytest.mark.parametrize(("wording", "announced"), [("announced", True), ("silent", False)])
@pytest.mark.parametrize("form", ["completion", "chat", "prefill"])
def test_every_form_has_its_wordings(form: str, wording: str, announced: bool) -> None:
    text = suite(render=f'separator: ", ", form: {form}, wording: {wording}')
    condition = expand(parse_suite(text, "written"))[0]
    prompt = condition.prompt(condition.sequence(0))
    said = prompt.instruction + prompt.text(0)
    assert (condition.writing.announces, "70%" in said) == (announced, announced)
    assert "{" not in said


def test_every_request_has_a_seed_of_its_own_and_is_planned_at_its_most(run: Run) -> None:
    condition = expand(parse_suite(suite(), "written"))[0]
    seen = Capabilities(False, 0, False, 1, True, None, hidden_tokens=7)
    item = make_item(condition, seen)
    asked = [p.request for r in range(12) for p in pieces(item, r, 1)]
    assert len({r.seed for r in asked}) == 24
    assert {(r.way, r.n, r.length, r.top_logprobs) for r in asked} == {("generation", 1, 60, 0)}
    assert {most_tokens(r, seen).completion for r in asked} == {60 * len(" H,") + 16 + 7}
    model = run.result.models[0]
    assert (model.requests, model.failed_requests) == (24, 0)


def test_a_model_without_random_draws_cannot_be_asked() -> None:
    condition = expand(parse_suite(suite(), "written"))[0]
    with pytest.raises(ModelError, match="not random"):
        make_item(condition, Capabilities(True, 5, False, 0, False, None))


@pytest.mark.parametrize(("separator", "restricted"), [("", True), (", ", False)])
def test_draws_are_restricted_only_where_nothing_stands_between(separator: str, restricted: bool) -> None:
    condition = expand(parse_suite(suite(render=f'separator: "{separator}"'), "written"))[0]
    seen = Capabilities(False, 5, False, 8, True, None, logit_bias=True)
    assert make_item(condition, seen).restricted == restricted


def test_a_replay_rebuilds_every_number_and_the_same_command_asks_nothing_again(
    run: Run, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    again = execute(parse_suite(suite(), "written"), RunOptions(out=copy))
    assert (again.tally.stored, again.tally.answered) == (24, 0)
    first, second = run.recompute().generations, open_run(copy).recompute().generations
    assert [g.statistics for g in first] == [g.statistics for g in second]
    replayed = ran(tmp_path / "replayed", suite(f"replay/{run.path}"))
    assert [g.statistics for g in replayed.result.generations] == [g.statistics for g in first]


def test_a_longer_text_is_another_request() -> None:
    of = {length: expand(parse_suite(suite(length=length), "written"))[0].digest for length in (60, 61)}
    assert of[60] != of[61]


def test_failures_are_counted_and_in_no_statistic(tmp_path: Path) -> None:
    outcome = execute(parse_suite(suite("mock/flat?p=0.7&fail=0.4"), "x"), RunOptions(out=tmp_path))
    assert outcome.exit_status == 3
    for g in found(open_run(tmp_path).result).values():
        assert g.failures
        assert g.read + sum(g.failures.values()) == g.asked == 12


def test_a_run_without_a_single_text_says_so(tmp_path: Path) -> None:
    result = ran(tmp_path, suite("mock/flat?fail=1")).result
    assert result.generations == ()
    assert len(result.unjudged) == 2
    assert "no text came" in result.unjudged[0]


def test_the_sequences_are_had_as_arrays_for_cognitive_models(run: Run) -> None:
    for g in run.generations():
        assert g.symbols.shape == (12, g.given + 60)
        np.testing.assert_allclose(g.law, [0.7, 0.3])
        assert set(g.endings) == {"length"}
        behaviour = behaviour_of(g.symbols, 2, given=g.given)
        np.testing.assert_array_equal(behaviour.n_scored, 60)
    sequence = expand(parse_suite(suite(), "written"))[0].sequence(4).symbols
    np.testing.assert_array_equal(run.generations()[1].symbols[4, :3], sequence[:3])


@pytest.mark.parametrize("n_levels", [LEAST_LEVELS - 1, LEAST_LEVELS])
def test_a_transition_is_asked_for_where_there_are_enough_probabilities(
    tmp_path: Path, n_levels: int
) -> None:
    """A mock that writes 0.5 whatever it is told: the share is the same everywhere, which is no transition."""
    levels = [round(0.1 + 0.8 * i / (n_levels - 1), 2) for i in range(n_levels)]
    text = suite("mock/flat?p=0.5", p={"sweep": levels}, given="[1]", sequences=10)
    (curve,) = ran(tmp_path, text).result.shares
    np.testing.assert_allclose(curve.probability, levels)
    assert np.all((curve.low < 0.62) & (curve.high > 0.38))
    if n_levels < LEAST_LEVELS:
        assert (curve.transition, "too few" in curve.note) == (None, True)
    else:
        assert curve.transition is not None
        assert curve.transition.verdict == "none"


def test_the_table_has_a_row_for_every_statistic(run: Run) -> None:
    table = icl.generations_df(run)
    assert len(table) == sum(len(g.statistics) for g in run.result.generations)
    row = table[(table["context_length"] == 3) & (table["statistic"] == "share of H")].iloc[0]
    assert (row["law_H"], row["announced"], row["whole"], row["failed"]) == (0.7, True, 12, 0)
    assert row["mean"] == found(run.result)[3].statistics[0].mean


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("length: 60\n", "samples: 1\n", "which needs it"),
        ("readout: generation", "readout: next_symbol", "belongs to readout: generation"),
        ("sequences: 12", "sequences: 12\n    controls: [shuffle]", "controls does not belong"),
        ("sequences: 12", "sequences: 12\n    samples: 3", "samples does not belong"),
        ("sequences: 12", "sequences: 12\n    refusals: score_zero", "refusals does not belong"),
        ("p: 0.7", "p: uniform", "must be independent draws"),
        ("bernoulli", "periodic", "must be independent draws"),
        ('separator: ", "', "wording: anounced", "did you mean 'announced'"),
        (
            'separator: ", "',
            "form: prefill, instruction: Go, template: '{sequence}'",
            "words must stand before",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(old: str, new: str, words: str) -> None:
    text = suite().replace("p: 0.7, symbols: coin", "period: 3") if new == "periodic" else suite()
    assert old in text
    with pytest.raises(SpecError, match=words):
        expand(parse_suite(text.replace(old, new), "written"))


def test_a_request_for_a_text_has_an_identity_of_its_own() -> None:
    from harness.requests import request_json
    from harness.types import Prompt

    request = Request("generation", Prompt("", ("0", "1"), "", (0, 1)), (1,), n=1, seed=3, length=40)
    assert json.loads(request_json(request))["length"] == 40
    assert "length" not in json.loads(request_json(Request("samples", request.prompt, (1,), n=1, seed=3)))
