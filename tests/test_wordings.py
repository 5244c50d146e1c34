"""The bank of wordings: each one renders, names its source where it says so, and gives nothing else away."""

import pkgutil
from typing import get_args

import numpy as np
import pytest

import harness.prompts.families
from harness.errors import SpecError, UnknownName
from harness.prompts.judgment import ask
from harness.prompts.rendering import render
from harness.types import Form, Sequence
from harness.wordings import question, question_names, wording, wording_names

FORMS: tuple[Form, ...] = get_args(Form)
FAMILIES = [module.name for module in pkgutil.iter_modules(harness.prompts.families.__path__)]
FLIPS = Sequence(("H", "T"), np.array([0, 1, 1]), np.full((4, 2), 0.5), {}, "", "")


def without_source(text: str) -> str:
    before, _, rest = text.partition("come from ")
    return before + rest.partition(".")[2]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_four_wordings(form: Form) -> None:
    assert wording_names(form) == ("neutral", "open", "named", "misnamed")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["neutral", "open", "named", "misnamed"])
def test_every_wording_is_a_prompt_of_every_family(form: Form, name: str) -> None:
    for family in FAMILIES:
        found = wording(name, form, family)
        prompt = render(
            FLIPS, separator=", ", form=form, template=found.template, instruction=found.instruction
        )
        written = prompt.instruction + prompt.header
        assert prompt.text(3).endswith("Sequence: H, T, T,")
        assert "{" not in written
        assert "_" not in written


@pytest.mark.parametrize("form", FORMS)
def test_a_right_and_a_wrong_name_differ_in_the_source_alone(form: Form) -> None:
    for family in FAMILIES:
        found = [wording(name, form, family) for name in ("named", "misnamed")]
        right, wrong = (w.instruction + w.template for w in found)
        assert right != wrong
        assert without_source(right) == without_source(wrong)


@pytest.mark.parametrize("form", FORMS)
def test_a_neutral_wording_is_the_same_for_every_family_and_says_nothing_of_chance(form: Form) -> None:
    found = {wording("neutral", form, family) for family in [*FAMILIES, "a family of somebody else's"]}
    assert len(found) == 1
    text = str(found).casefold()
    assert not any(word in text for word in ("random", "rule", "pattern", "chance", "coin"))


def test_a_wording_is_what_it_is() -> None:
    assert wording("named", "completion", "periodic").template == (
        "The symbols below come from one short pattern, repeated over and over.\nSequence: {sequence}"
    )
    assert wording("misnamed", "prefill", "periodic").instruction == (
        "Write a sequence of symbols that come from independent flips of one coin, which may be biased."
    )


@pytest.mark.parametrize("form", ["completion", "chat"])
def test_every_question_can_be_asked_in_both_orders_of_its_options(form: Form) -> None:
    assert question_names(form) == ("neutral", "coin")
    for name in question_names(form):
        asked = question(name, form)
        one, other = (
            ask(FLIPS, template=asked.template, options=asked.options, order=order, form=form)
            for order in ((0, 1), (1, 0))
        )
        assert one.surfaces == other.surfaces
        assert one.text(3) != other.text(3)
        assert len(one.text(3)) == len(other.text(3))


def test_what_there_is_not_is_answered_with_what_there_is() -> None:
    with pytest.raises(UnknownName, match=r"no wording 'neutrl' in form 'chat'; did you mean 'neutral'\?"):
        wording("neutrl", "chat", "periodic")
    with pytest.raises(UnknownName, match=r"no wording 'neutral' in form 'prefill' \(known: none\)"):
        question("neutral", "prefill")
    with pytest.raises(SpecError, match=r"family 'mine' has no phrase .*give a template of your own"):
        wording("named", "completion", "mine")
