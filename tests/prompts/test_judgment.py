from dataclasses import replace

import numpy as np
import pytest

from harness.errors import RenderError
from harness.prompts.judgment import ask
from harness.types import Form, Prompt, Sequence

FLIPS = Sequence(("H", "T"), np.array([0, 1, 1, 0]), np.full((5, 2), 0.5), {}, "", "")
TEMPLATE = "Flips: {sequence}\nChance or rule? Say {options}.\nAnswer: "
OPTIONS = ("chance", "rule")


def test_a_question_about_every_context_ends_where_the_option_is_predicted() -> None:
    prompt = ask(FLIPS, template=TEMPLATE, options=OPTIONS, symbols=("Heads", "Tails"), separator=", ")
    end = "\nChance or rule? Say chance or rule.\nAnswer:"
    assert prompt.text(0) == "Flips:" + end
    assert prompt.text(1) == "Flips: Heads" + end
    assert prompt.text(3) == "Flips: Heads, Tails, Tails" + end  # no separator after the last
    assert prompt.surfaces == (" chance", " rule")
    starts = prompt.starts(4)
    names = [prompt.text(4)[a + 1 :].partition(",")[0].partition("\n")[0] for a in starts[:4]]
    assert names == ["Heads", "Tails", "Tails", "Heads"]


def test_in_a_chat_the_option_opens_the_answer() -> None:
    prompt = ask(FLIPS, template=TEMPLATE, options=OPTIONS, form="chat")
    assert prompt.surfaces == OPTIONS
    assert prompt.text(2) == "Flips: HT\nChance or rule? Say chance or rule.\nAnswer:"


def test_the_order_of_the_options_changes_the_question_and_not_what_an_answer_means() -> None:
    prompts = [ask(FLIPS, template=TEMPLATE, options=OPTIONS, order=order) for order in ((0, 1), (1, 0))]
    assert prompts[0].surfaces == prompts[1].surfaces
    assert "Say chance or rule." in prompts[0].text(1)
    assert "Say rule or chance." in prompts[1].text(1)


def test_options_may_be_more_than_the_symbols_and_stand_before_the_sequence() -> None:
    template = "{options}? {sequence}\nAnswer:"
    prompt = ask(FLIPS, template=template, options=("coin", "program", "person"), order=(2, 0, 1))
    assert prompt.text(2) == "person or coin or program? HT\nAnswer:"
    assert prompt.surfaces == ("coin", "program", "person")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Chance?", r"holds \{sequence\} 0 times"),
        ("{sequence} {sequence}?", r"holds \{sequence\} 2 times"),
        ("{sequence} {options} {options}?", r"holds \{options\} 2 times"),
        ("Chance or rule? {sequence} ", r"nothing after \{sequence\}"),
    ],
)
def test_a_question_that_is_none_is_refused(template: str, message: str) -> None:
    with pytest.raises(RenderError, match=message):
        ask(FLIPS, template=template, options=OPTIONS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("chance",), "two or more"),
        (("chance", ""), "two or more, none empty"),
        (("chance", " rule"), "blanks around"),
        (("random", "Random walk"), "'random' begins 'Random walk'"),
        (("yes", "yes"), "'yes' begins 'yes'"),
    ],
)
def test_options_that_cannot_be_told_apart_are_refused(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(RenderError, match=message):
        ask(FLIPS, template=TEMPLATE, options=options)


@pytest.mark.parametrize("order", [(0,), (0, 0), (1, 2)])
def test_an_order_that_is_no_permutation_is_refused(order: tuple[int, ...]) -> None:
    with pytest.raises(RenderError, match="no permutation of the 2 options"):
        ask(FLIPS, template=TEMPLATE, options=OPTIONS, order=order)


def test_an_order_that_nothing_shows_is_refused() -> None:
    with pytest.raises(RenderError, match=r"has no \{options\}"):
        ask(FLIPS, template="{sequence}\nChance?", options=OPTIONS, order=(1, 0))


@pytest.mark.parametrize("form", ["prefill", "essay"])
def test_other_forms_cannot_hold_a_question(form: Form) -> None:
    with pytest.raises(RenderError, match="cannot ask about a sequence; use completion or chat"):
        ask(FLIPS, template=TEMPLATE, options=OPTIONS, form=form)


def test_a_prompt_without_a_question_is_written_as_before() -> None:
    plain = Prompt("Flips:", (" H", " T"), ",", (0, 1, 1))
    assert plain.text(2) == "Flips: H, T,"
    assert plain.starts(2) == [6, 9, 12]


def test_what_stands_before_a_sequence_ends_what_stands_before_its_question() -> None:
    asked = ask(replace(FLIPS, before="1 + 1 ="), template=TEMPLATE, options=OPTIONS, separator=", ")
    plain = ask(FLIPS, template=TEMPLATE, options=OPTIONS, separator=", ")
    assert asked.header == TEMPLATE.partition("{sequence}")[0] + "1 + 1 ="
    assert (asked.footer, asked.written) == (plain.footer, plain.written)
