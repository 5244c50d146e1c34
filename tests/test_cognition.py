"""What a suite's `cognitive` section makes of a run: known observers and models are found, and found again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from harness.cognition import explain
from harness.conditions import Condition
from harness.errors import SpecError, UnknownName
from harness.execute import RunOptions, execute
from harness.expansion import expand
from harness.judgments import Judgments
from harness.predictions import Predictions
from harness.runs import open_run
from harness.spec import CognitiveSpec
from harness.suite_files import parse_suite, suite_digest
from harness.types import Cognition, CurveResult

SUITE = """\
name: explained
seed: 6
models: ["mock/observer?family=bernoulli&name={observer}{ways}"]
tasks:
  - family: bernoulli
    params: {{p: 0.7, symbols: binary}}
    context_lengths: {{from: 0, to: 40, step: 2}}
    sequences: {sequences}
    samples: 8
    cognitive: {{models: [bernoulli, alternation, discounted_filter], folds: 4, every: 5}}
"""


def analysed(out: Path, observer: str = "kt", ways: str = "", sequences: int = 24) -> CurveResult:
    text = SUITE.format(observer=observer, ways=ways, sequences=sequences)
    execute(parse_suite(text, "explained"), RunOptions(out=out))
    return open_run(out).result.curves[0]


@pytest.fixture(scope="module")
def kt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cognition]:
    out = tmp_path_factory.mktemp("kt") / "run"
    found = analysed(out).cognition
    assert found is not None
    return out, found


def test_a_model_that_counts_is_found_to_be_the_filter_that_forgets_nothing(
    kt: tuple[Path, Cognition],
) -> None:
    _, found = kt
    best = found.scores[0]
    assert (best.model, found.fitted_to, found.sequences, found.folds) == ("discounted filter", "law", 24, 4)
    values = {p.name: p for p in best.parameters}
    # KT is (count + 1/2) / (n + 1): gamma 1 and priors 1/2, both exact; the search ends within 1e-3 of them.
    assert values["gamma"].value == pytest.approx(1, abs=1e-3)
    assert values["prior_0"].value == pytest.approx(0.5, abs=2e-3)
    assert values["prior_1"].value == pytest.approx(0.5, abs=2e-3)
    assert values["gamma"].at_bound
    assert values["gamma"].error is None
    # Its laws are those of the model: what is left of the loss is the entropy (lapse is 1e-4 at least).
    assert found.entropy is not None
    assert 0 <= best.held_out - found.entropy < 1e-3
    assert best.behind == 0
    assert all(s.behind > 3 * s.behind_error > 0 for s in found.scores[1:])
    assert [s.held_out for s in found.scores] == sorted(s.held_out for s in found.scores)


def test_the_mixture_is_the_observer_that_the_model_is(kt: tuple[Path, Cognition]) -> None:
    mixture = kt[1].mixture
    assert mixture is not None
    assert mixture.context_lengths == (0, 10, 20, 30, 40)
    assert mixture.observers == ("beta", "kt")
    for weights, low, bits, alone in zip(
        mixture.weights[1:], mixture.low[1:], mixture.divergence[1:], mixture.alone[1:], strict=True
    ):
        assert weights[1] > 0.99
        assert low[1] > 0.95
        assert bits < 1e-6 < alone[0]
    assert mixture.determined[0] == (False, False)  # before the first symbol both are uniform
    assert mixture.switch is None


def test_drawn_symbols_are_fitted_as_counts(tmp_path: Path) -> None:
    found = analysed(tmp_path / "run", ways="&ways=samples", sequences=32).cognition
    assert found is not None
    assert (found.fitted_to, found.entropy) == ("draws", None)
    best = found.scores[0]
    values = {p.name: p for p in best.parameters}
    assert best.model == "discounted filter"
    error = values["prior_0"].error
    assert error is not None
    assert abs(values["prior_0"].value - 0.5) < 5 * error  # five standard errors: odds below 1e-6
    # 8 draws at each of 21 context lengths of 32 sequences: BIC counts every one of them.
    nats = best.bic - len(best.parameters) * np.log(32 * 21 * 8)
    assert nats / (2 * 32 * 21 * 8 * np.log(2)) == pytest.approx(best.held_out, abs=0.01)


def test_a_replay_finds_the_same_to_the_last_bit_and_memory_is_exact(kt: tuple[Path, Cognition]) -> None:
    out, found = kt
    assert open_run(out).recompute().curves[0].cognition == found
    remembered = open_run(out).result.curves[0].cognition
    assert remembered == found
    known = json.loads((out / "judgments.json").read_text())
    held = [k for k, v in known.items() if "fitted_to" in v]
    assert len(held) == 1
    known[held[0]]["sequences"] = 1  # what is read back is what is held
    (out / "judgments.json").write_text(json.dumps(known))
    again = open_run(out).result.curves[0].cognition
    assert again == replace(found, sequences=1)
    known[held[0]] = {"fitted_to": "tea leaves"}  # and what cannot be read is worked out again
    (out / "judgments.json").write_text(json.dumps(known))
    assert open_run(out).result.curves[0].cognition == found


def test_the_section_asks_nothing_of_the_model() -> None:
    text = SUITE.format(observer="kt", ways="", sequences=4)
    plain = "\n".join(line for line in text.splitlines() if "cognitive" not in line)
    with_, without = parse_suite(text, "a"), parse_suite(plain, "b")
    assert suite_digest(with_) == suite_digest(without)
    assert [c.digest for c in expand(with_)] == [c.digest for c in expand(without)]


def test_one_sequence_gives_a_mixture_and_a_reason_why_there_are_no_models(tmp_path: Path) -> None:
    found = analysed(tmp_path / "run", sequences=1).cognition
    assert found is not None
    assert found.mixture is not None
    assert found.scores == ()
    assert [n for n in found.notes if n.startswith("no cognitive models: 1 sequence")]


SECTION = CognitiveSpec(models=["bernoulli", "alternation"], folds=3)


def condition() -> Condition:
    return expand(parse_suite(SUITE.format(observer="kt", ways="", sequences=4), "s"))[0]


def switching(at: int, n_sequences: int = 20, longest: int = 40) -> Predictions:
    """A model that is one observer up to a context length and another from there on."""
    rng = np.random.default_rng(5)
    symbols = rng.integers(2, size=(n_sequences, longest))
    laws = [rng.dirichlet([2, 2], size=(n_sequences, longest + 1)) for _ in range(2)]
    lengths = np.arange(longest + 1)
    law = np.where((lengths < at)[None, :, None], *laws)
    bank = {"early": laws[0], "late": laws[1]}
    target = np.zeros((n_sequences, longest + 1), np.int64)
    return Predictions("m", "c", "t", None, ("0", "1"), lengths, target, law, bank, symbols)


def test_the_place_where_another_observer_takes_the_lead_is_found() -> None:
    mixture = explain(switching(17), SECTION, condition()).mixture
    assert mixture is not None
    assert mixture.switch is not None
    assert (mixture.switch.before, mixture.switch.after, mixture.switch.agreement) == ("early", "late", 1)
    assert mixture.switch.location == pytest.approx(16.5, abs=1e-3)  # between 16 and 17, half-way


def test_context_lengths_that_were_not_measured_are_left_out() -> None:
    seen = switching(17)
    seen.law[:, 5] = np.nan
    seen.law[3] = np.nan
    found = explain(seen, SECTION, condition())
    assert found.mixture is not None
    assert found.mixture.context_lengths == tuple(n for n in range(41) if n != 5)
    assert (found.sequences, len(found.scores), found.notes) == (19, 2, ())


def test_what_cannot_be_a_mixture_of_the_observers_is_said() -> None:
    seen = switching(17)
    for law in seen.observers.values():
        law[:] = [1.0, 0.0]
    found = explain(seen, SECTION, condition())
    assert found.mixture is None
    assert found.notes[0].startswith("no mixture of observers: context length 0: the model puts mass on")
    assert len(found.scores) == 2


def test_the_record_reads_back_from_json() -> None:
    found = explain(switching(17), SECTION, condition())
    text = TypeAdapter(Cognition).dump_json(found)
    assert TypeAdapter(Cognition).validate_json(text) == found
    assert Judgments(None).cognition((), (), lambda: found) == found


@pytest.mark.parametrize(
    ("found", "instead", "error", "message"),
    [
        ("every: 5", "evry: 5", SpecError, "cognitive.evry is not a known key; did you mean 'every'"),
        ("every: 5", "every: 0", SpecError, r"cognitive.every=0"),
        ("folds: 4", "folds: 1", SpecError, r"cognitive.folds=1"),
        (
            "models: [bernoulli, alternation, discounted_filter]",
            "mixture: false",
            SpecError,
            "asks for nothing",
        ),
        ("samples: 8", "nested: false", SpecError, "nested: true"),
        ("samples: 8", "readout: judgment", SpecError, "readout: next_symbol"),
        ("alternation, ", "alternations, ", UnknownName, r"tasks\[0\]: no cognitive model 'alternations'"),
        (
            "family: bernoulli\n    params: {p: 0.7, symbols: binary}",
            "family: periodic\n    params: {period: 2, symbols: letters}",
            SpecError,
            r"tasks\[0\]: cognitive model 'alternation' is of two symbols",
        ),
    ],
)
def test_a_section_that_cannot_be_followed_is_refused(
    found: str, instead: str, error: type[SpecError], message: str
) -> None:
    text = SUITE.format(observer="kt", ways="", sequences=4).replace(found, instead)
    with pytest.raises(error, match=message):
        expand(parse_suite(text, "s"))
