"""Draws behind an answer that was begun for the model: some services repeat the beginning, others do not."""

import json

import pytest

from harness.adapters._reading import read_reply
from harness.types import Prompt, Request, Response

PROMPT = Prompt("", ("H", "T"), "", (0, 1, 0, 1) * 8, "prefill", "Flip a coin.")


def counts(length: int, *answers: tuple[str, str], repeats: bool = False) -> list[int]:
    """Read answers of (text, finish_reason) after a context of this length."""
    choices = [
        {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
        for i, (text, reason) in enumerate(answers)
    ]
    raw = json.dumps({"choices": choices, "usage": {"completion_tokens": len(answers)}}).encode()
    response = read_reply(Request("samples", PROMPT, (length,), n=len(answers)), raw, repeats=repeats)
    assert isinstance(response, Response)
    assert response.counts is not None
    row: list[int] = response.counts[0].tolist()
    return row


@pytest.mark.parametrize("length", [1, 2, 30])
def test_the_same_draws_are_counted_whether_the_beginning_is_repeated_or_not(length: int) -> None:
    begun = PROMPT.text(length)
    drawn = ["H", "T", "T", "x"]
    assert counts(length, *((text, "length") for text in drawn)) == [1, 2, 1]
    assert counts(length, *((begun + text, "length") for text in drawn)) == [1, 2, 1]


@pytest.mark.parametrize("length", [1, 2, 30])
def test_a_model_that_ends_its_answer_has_drawn_no_symbol(length: int) -> None:
    assert counts(length, (PROMPT.text(length), "stop")) == [0, 0, 1]
    assert counts(length, ("", "stop")) == [0, 0, 1]


def test_a_symbol_that_is_all_that_was_begun_is_a_draw_where_nothing_is_repeated() -> None:
    """After "H" an "H" may be drawn; that other answers do not start so shows that nothing is repeated."""
    assert counts(1, ("H", "length")) == [1, 0, 0]
    assert counts(1, ("H", "length"), ("T", "length")) == [1, 1, 0]


def test_a_beginning_without_more_is_no_draw_where_another_answer_repeats_it() -> None:
    """A special token has no text: what is left of it is the beginning."""
    assert counts(1, ("H", "length"), ("HT", "length")) == [0, 1, 1]
