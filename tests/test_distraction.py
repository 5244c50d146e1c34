"""Text before a sequence, from the suite to the report: in the prompt, in the plan, and never renamed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.conditions import Condition, symbols_digest
from harness.errors import SpecError
from harness.execute import RunOptions, execute
from harness.expansion import expand
from harness.parts import straight
from harness.runs import open_run
from harness.spec import Sweep
from harness.suite_files import load_suite, parse_suite
from harness.token_audit import audit_conditions, refusal
from tests.adapters import stub_model
from tests.synthetic import SyntheticModel

SUITE = """\
name: distracted
seed: 2
models: ["mock/observer?family=distraction"]
tasks:
  - family: distraction
    params: {{question: {{sweep: [any, none]}}}}
    context_lengths: {{from: 0, to: 8}}
    sequences: 6
    render: {{separator: ", "{render}}}
"""


def conditions(render: str = "") -> list[Condition]:
    return expand(parse_suite(SUITE.format(render=render), "distracted"))


def test_each_sequence_has_a_question_before_it_and_its_control_has_none() -> None:
    asked, plain = conditions()
    headers = {asked.prompt(asked.sequence(r), r).header for r in range(6)}
    assert len(headers) > 1
    assert all(header.endswith("\nAnswer:") for header in headers)
    assert {plain.prompt(plain.sequence(r), r).header for r in range(6)} == {""}
    assert asked.prompt(asked.sequence(0)).surfaces == (" H", " T", " A", " B", " C", " D")


def test_the_shipped_suite_shows_an_answer_given_up_and_none_where_nothing_is_asked(tmp_path: Path) -> None:
    (task,) = load_suite("distraction").tasks
    assert task.params["question"] == Sweep(sweep=["any", "none"])
    short = parse_suite(SUITE.format(render=""), "distracted")
    assert execute(short, RunOptions(out=tmp_path / "run")).exit_status == 0
    asked, plain = open_run(tmp_path / "run").result.curves
    assert asked.mean[0] == pytest.approx(
        0.9 * 0.05 + 0.1 * 0.5, abs=1e-6
    )  # prior .9 on an answer, .1 on a flip then
    assert plain.observers["answer_or_flips"].p[0, 0] == 0.5
    assert asked.chance == pytest.approx(1 / 6)
    np.testing.assert_allclose(asked.observers["answer_or_flips"].p, asked.curve.p, atol=1e-6)  # type: ignore[union-attr]
    assert "\nAnswer:" in asked.example_prompt
    assert "Answer" not in plain.example_prompt


def test_the_plan_counts_the_text_of_every_question(tmp_path: Path) -> None:
    suite = parse_suite(SUITE.format(render=""), "distracted")
    done = execute(suite, RunOptions(out=tmp_path / "run"))
    asked, _ = conditions()
    (first, _) = done.plans[0].items
    texts = [asked.prompt(asked.sequence(r), r).text(8) for r in range(6)]
    assert first.prompt_tokens == sum(map(len, texts))  # a mock bills characters


@pytest.mark.parametrize(
    ("render", "message"),
    [
        (
            ", counterbalance: true",
            "names symbols, which would be written otherwise; leave counterbalance out",
        ),
        (
            ', symbols: [H, T, "1", "2", "3", "4"]',
            "names 'A', 'B', 'C', 'D', which would be written otherwise",
        ),
    ],
)
def test_options_that_the_text_names_are_never_renamed(render: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        conditions(render)


def test_flips_may_be_renamed_beside_a_question() -> None:
    asked, _ = conditions(", symbols: [Heads, Tails, A, B, C, D]")
    assert asked.prompt(asked.sequence(0)).surfaces[:3] == (" Heads", " Tails", " A")


def test_another_text_is_another_sequence_to_a_stored_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = conditions()
    before = symbols_digest(asked)
    sequence = asked.sequence(0)
    part = straight(asked.context_lengths, 1, replace(sequence, before=sequence.before + " "))
    monkeypatch.setattr(Condition, "first", property(lambda _: part))
    assert symbols_digest(asked) != before


class Joining(SyntheticModel):
    """A model whose tokenizer reads some strings as one and single characters else."""

    def __init__(self, merges: tuple[str, ...]) -> None:
        super().__init__()
        self.merges = merges

    async def tokens(self, text: str) -> list[str] | None:
        return stub_model.split(text, self.merges)


def test_the_audit_of_tokens_looks_at_the_letters_of_the_options_too() -> None:
    asked, _ = conditions()
    known = tuple(f" {letter}" for letter in "HTABCD")
    for merges, wrong in ((known, None), (known[:-1], "' D' is 2 tokens"), (known[:2], "' A' is 2 tokens")):
        found = refusal(asked, asyncio.run(audit_conditions(Joining(merges), [asked])))
        assert (found is None) if wrong is None else (wrong in str(found))
