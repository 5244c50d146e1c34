"""Which symbol a token or an answer is: every spelling of it, and nothing that only looks like it."""

import math

import numpy as np
import pytest

from harness.adapters._payload import Position
from harness.adapters._symbols import Symbols
from harness.types import Form, Prompt


def symbols(*surfaces: str, form: Form = "chat", between: str = "") -> Symbols:
    return Symbols(Prompt("", surfaces, between, (0,), form))


@pytest.mark.parametrize("form", ["chat", "prefill"])
@pytest.mark.parametrize("text", ["T", " T", "T ", "\nT", "▁T", "ĠT", "T\n\n"])
def test_white_space_around_a_symbol_is_ignored_in_answers(form: Form, text: str) -> None:
    assert symbols(" H", " T", form=form).index(text) == 1


@pytest.mark.parametrize(
    "text", ['"T"', "'T", "T.", "T,", "t", "**T**", "Tails", "TT", "T T", "", " ", "▁", "(T)"]
)
def test_nothing_else_is(text: str) -> None:
    assert symbols(" H", " T").index(text) is None


@pytest.mark.parametrize(
    ("text", "found"), [(" T", 1), ("▁T", 1), ("ĠT", 1), ("T", None), (" T ", None), ("\nT", None)]
)
def test_a_completion_takes_the_surface_alone(text: str, found: int | None) -> None:
    assert symbols(" H", " T", form="completion").index(text) == found


def test_symbols_that_white_space_tells_apart_are_told_apart_in_answers() -> None:
    blanks = symbols(" ", "\n")
    assert [blanks.index(text) for text in (" ", "\n", "", "  ")] == [0, 1, None, None]
    pair = symbols("a", " a")
    assert [pair.index(text) for text in ("a", " a", "a ")] == [0, 1, None]


def test_the_spellings_of_a_symbol_are_summed_and_the_rest_is_covered_mass() -> None:
    spellings = {"T": 0.2, " T": 0.1, "▁T": 0.05, "T\n": 0.05, '"T': 0.3, "t": 0.1}
    position = Position("T", None, math.log(0.2), [(text, math.log(p)) for text, p in spellings.items()])
    row, covered = symbols(" H", " T").row(position)
    assert math.isnan(row[0])
    np.testing.assert_allclose(np.exp(row[1]), 0.4)
    assert covered == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("text", "between", "found"),
    [
        ("T", "", 1),
        (" T H T", "", 1),
        ("THT", "", 1),
        ("T.", "", 1),
        ("T\nbecause", "", 1),
        ("T, H", "", 1),
        ("T,H", ",", 1),
        ("T,H", "", None),
        ("Tails", "", None),
        ("T1", "", None),
        ("The next is T", "", None),
        ('"T"', "", None),
        ("", "", None),
    ],
)
def test_a_longer_answer_is_the_symbol_that_it_begins_with(
    text: str, between: str, found: int | None
) -> None:
    assert symbols("H", "T", between=between).first(text) == found


@pytest.mark.parametrize(
    ("text", "found"), [("0.5", None), ("0", 0), ("10", 2), ("100", 2), ("1 0", 1), ("01", 0)]
)
def test_a_number_is_not_its_first_digit_and_the_longest_symbol_wins(text: str, found: int | None) -> None:
    assert symbols("0", "1", "10").first(text) == found
