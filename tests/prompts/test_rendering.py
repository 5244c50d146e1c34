from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import RenderError
from harness.prompts.rendering import render
from harness.types import Form, Prompt, Sequence


def flips(word: str, alphabet: tuple[str, ...] = ("H", "T")) -> Sequence:
    law = np.full((len(word) + 1, len(alphabet)), 1 / len(alphabet))
    symbols = np.array([alphabet.index(s) for s in word], np.int64)
    return Sequence(alphabet, symbols, law, {}, "", "")


@pytest.mark.parametrize(
    ("separator", "between", "lead"),
    [
        ("", "", ""),
        (", ", ",", " "),
        (",", ",", ""),
        (" ", "", " "),
        (" | ", " |", " "),
        ("\n", "\n", ""),  # tokenizers do not merge a line break with the word after it
        (",\n\t", ",\n", "\t"),
    ],
)
def test_only_blanks_at_the_end_of_a_separator_lead_the_next_symbol(
    separator: str, between: str, lead: str
) -> None:
    prompt = render(flips("HTT"), separator=separator)
    assert prompt.between == between
    assert prompt.surfaces == (lead + "H", lead + "T")


@pytest.mark.parametrize("separator", ["", ", ", "\n", " -> "])
@pytest.mark.parametrize("template", [None, "{sequence}", "Flips of {a coin}:\n{sequence}", "Q{}[{sequence}"])
def test_context_and_target_read_as_the_template_says(separator: str, template: str | None) -> None:
    prompt = render(flips("HTTH"), symbols=("Heads", "Tails"), separator=separator, template=template)
    lead = separator[len(separator.rstrip(" ")) :]
    for n in range(4):
        written = separator.join(("Heads", "Tails")[s] for s in prompt.symbols[: n + 1])
        target = prompt.surfaces[prompt.symbols[n]]
        assert prompt.text(n) + target == (template or "{sequence}").replace("{sequence}", lead + written)


def test_every_symbol_starts_where_the_prompt_says() -> None:
    prompt = render(flips("HTTH"), symbols=("Heads", "Tails"), separator=", ", template="[{sequence}")
    text = prompt.text(4)
    starts = prompt.starts(4)
    assert starts[-1] == len(text)
    for start, symbol in zip(starts, prompt.symbols, strict=False):
        assert text.startswith(prompt.surfaces[symbol], start)


def test_a_blank_is_not_written_twice_between_header_and_first_symbol() -> None:
    prompt = render(flips("HT"), separator=", ", template="Flips: {sequence}")
    assert prompt == Prompt(header="Flips:", surfaces=(" H", " T"), between=",", symbols=(0, 1))
    assert prompt.text(2) == "Flips: H, T,"


def test_the_form_is_kept() -> None:
    assert render(flips("HT"), form="chat").form == "chat"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Flips:", r"does not hold \{sequence\}"),
        ("Flips: {sequence}]", r"has '\]' after \{sequence\}"),
        ("{sequence} and {sequence}", r"has ' and \{sequence\}' after"),
        ("{sequence} ", "has ' ' after"),
    ],
)
def test_a_template_must_end_where_the_next_symbol_is_predicted(template: str, message: str) -> None:
    with pytest.raises(RenderError, match=message):
        render(flips("HT"), template=template)


@pytest.mark.parametrize(
    ("symbols", "separator", "message"),
    [
        (("H",), "", r"\('H',\) must be as many as the 2 of the alphabet \('H', 'T'\)"),
        (("H", "H"), "", "distinct"),
        (("H", ""), ",", "none empty"),
        (("1", "11"), "", r"'1' starts '11' and separator '' does not tell them apart"),
        (("1", "1,1"), ",", "'1' starts '1,1' and separator ',' does not"),
    ],
)
def test_symbols_that_cannot_be_read_back_are_refused(
    symbols: tuple[str, ...], separator: str, message: str
) -> None:
    with pytest.raises(RenderError, match=message):
        render(flips("HT"), symbols=symbols, separator=separator)


def test_a_separator_can_tell_a_symbol_from_a_longer_one() -> None:
    assert render(flips("HT"), symbols=("1", "11"), separator=", ").text(2) == " 1, 11,"


def test_an_unknown_form_is_refused() -> None:
    form: Form = "essay"  # type: ignore[assignment]
    with pytest.raises(RenderError, match="form 'essay' is not known; it is one of completion, chat"):
        render(flips("HT"), form=form)


WORDS = ["".join(word) for length in range(4) for word in product("012", repeat=length)]


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    names=st.lists(st.text("ab, ", min_size=1, max_size=3), min_size=3, max_size=3, unique=True),
    separator=st.text("a, ", max_size=2),
)
def test_different_sequences_never_give_the_same_text(names: list[str], separator: str) -> None:
    try:
        texts = {
            render(flips(word, tuple("012")), symbols=tuple(names), separator=separator).text(len(word))
            for word in WORDS
        }
    except RenderError:
        return
    assert len(texts) == len(WORDS)


def test_an_answer_begun_for_the_model_needs_an_instruction_and_no_other_form_takes_one() -> None:
    begun = render(flips("HTT"), form="prefill", instruction="Flip a coin.", separator=", ")
    assert (begun.form, begun.instruction, begun.text(2)) == ("prefill", "Flip a coin.", " H, T,")
    with pytest.raises(RenderError, match="needs an instruction"):
        render(flips("HTT"), form="prefill")
    for form in ("completion", "chat"):
        with pytest.raises(RenderError, match="no other form takes one"):
            render(flips("HTT"), form=form, instruction="Flip a coin.")


@pytest.mark.parametrize(
    ("template", "text"),
    [(None, "1 + 1 = H, T,"), ("Flips: {sequence}", "Flips: 1 + 1 = H, T,"), ("{sequence}", "1 + 1 = H, T,")],
)
@pytest.mark.parametrize("before", ["1 + 1 =", "1 + 1 = "])
def test_what_stands_before_a_sequence_ends_the_header_and_counts_as_no_symbol(
    template: str | None, text: str, before: str
) -> None:
    asked = replace(flips("HTT"), before=before)
    prompt = render(asked, separator=", ", template=template)
    assert prompt.text(2) == text
    assert prompt.starts(1) == [len(prompt.header), len(prompt.header) + len(" H,")]
    for form in ("chat", "prefill"):
        other = render(
            asked,
            separator=", ",
            template=template,
            form=form,
            instruction="Flip." if form == "prefill" else "",
        )
        assert other.text(2) == text
