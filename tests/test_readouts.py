"""Judgments of whole sequences, wordings by name, and symbols that change places from sequence to sequence."""

from pathlib import Path

import numpy as np
import pytest

from harness.errors import SpecError, UnknownName
from harness.execute import RunOptions, execute
from harness.expansion import expand
from harness.prompts.observers import against_random
from harness.registry import load_family
from harness.runs import open_run
from harness.suite_files import parse_suite
from harness.types import CurveResult, SequenceCurve

SUITE = """\
name: judged
seed: 4
models: ["mock/observer?family=periodic&max_period=6"]
tasks:
  - family: periodic
    params: {{period: 3, symbols: binary, max_period: 6}}
    context_lengths: {{from: 0, to: 20}}
    sequences: 12
    readout: {readout}
    render: {{{render}}}
"""


def curve(out: Path, readout: str, render: str) -> CurveResult:
    execute(parse_suite(SUITE.format(readout=readout, render=render), "judged"), RunOptions(out=out))
    (found,) = open_run(out).result.curves
    return found


def test_a_judgment_is_the_posterior_that_a_rule_made_the_sequence(tmp_path: Path) -> None:
    found = curve(tmp_path / "run", "judgment", "symbols: [red, blue], separator: ', '")
    render = "symbols: [red, blue], separator: ', '"
    (condition,) = expand(parse_suite(SUITE.format(readout="judgment", render=render), "j"))
    family = load_family("periodic")
    assert isinstance(found.curve, SequenceCurve)
    for row in range(12):
        symbols = condition.sequence(row).symbols
        law = family.observe(symbols, ("0", "1"), period=3, max_period=6)["period"]
        evidence = np.concatenate([[1.0], np.cumprod(2 * law[np.arange(symbols.size), symbols])])
        expected = evidence / (1 + evidence)
        np.testing.assert_allclose(found.curve.p[row], expected[:21], atol=1e-6)
    assert (found.way, found.chance, found.example_target) == ("next_token", 0.5, " pattern")
    assert found.example_prompt.endswith("Answer:")
    assert found.mean[-1] > 0.95
    np.testing.assert_allclose(found.observers["period"].p, found.curve.p, atol=1e-6)


def test_a_judgment_of_shuffled_symbols_turns_to_chance_and_does_not_survive(tmp_path: Path) -> None:
    text = SUITE.format(readout="judgment", render="") + "    controls: [shuffle]\n"
    execute(parse_suite(text, "judged"), RunOptions(out=tmp_path / "run"))
    main, control = open_run(tmp_path / "run").result.curves
    assert (main.survives, main.transition.direction) == (None, "increasing")
    assert (control.survives, control.beyond) == ("no", None)
    assert control.mean[-1] < 0.5 < main.mean[-1]


def test_against_random_is_bayes_rule_and_random_symbols_refute_a_family_that_excludes_them() -> None:
    law = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
    posterior = against_random(np.array([0, 1]), law, prior=0.25)
    expected = [0.25, 0.25 * 1.8 / (0.25 * 1.8 + 0.75), 0.25 * 0.36 / (0.25 * 0.36 + 0.75)]
    np.testing.assert_allclose(posterior, expected)
    assert against_random(np.array([1]), np.array([[1.0, 0.0], [1.0, 0.0]]))[1] == pytest.approx(
        0, abs=1e-300
    )
    with pytest.raises(SpecError, match="prior"):
        against_random(np.array([0]), law[:2], prior=1.0)


def test_counterbalanced_symbols_take_turns_and_their_spread_is_told(tmp_path: Path) -> None:
    render = "counterbalance: true"
    (condition,) = expand(parse_suite(SUITE.format(readout="next_symbol", render=render), "c"))
    surfaces = [condition.prompt(condition.sequence(r), r).surfaces for r in range(4)]
    assert surfaces == [("0", "1"), ("1", "0"), ("0", "1"), ("1", "0")]
    plain = curve(tmp_path / "plain", "next_symbol", "")
    turned = curve(tmp_path / "turned", "next_symbol", render)
    np.testing.assert_allclose(turned.mean, plain.mean, atol=1e-6)  # names mean nothing to this model
    assert plain.permutation_sd is None
    assert turned.permutation_sd is not None
    assert turned.permutation_sd.shape == turned.curve.level.shape


def test_a_wording_by_name_stands_in_the_prompt(tmp_path: Path) -> None:
    found = curve(tmp_path / "run", "next_symbol", "wording: open, separator: ', '")
    assert found.example_prompt.startswith(
        "The symbols below may be random, or they may follow a rule.\nSequence:"
    )


@pytest.mark.parametrize(
    ("readout", "render", "error", "words"),
    [
        ("next_symbol", "wording: opn", UnknownName, "did you mean 'open'"),
        ("next_symbol", "wording: open, template: '{{sequence}}'", SpecError, "give one of them"),
        ("next_symbol", "options: [a, b]", SpecError, "belong to readout: judgment"),
        ("judgment", "template: 'Q {{sequence}} A:'", SpecError, "needs a template and options"),
        ("judgment", "form: prefill", SpecError, "prefill"),
        ("generation", "", SpecError, "length, the symbols to be written"),
    ],
)
def test_words_that_do_not_fit_together_are_refused(
    readout: str, render: str, error: type[SpecError], words: str
) -> None:
    text = SUITE.format(readout=readout, render=render.replace("{{", "{").replace("}}", "}"))
    with pytest.raises(error, match=words):
        expand(parse_suite(text, "judged"))
