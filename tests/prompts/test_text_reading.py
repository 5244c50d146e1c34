"""What a model wrote is read as the symbols it was rendered from, and nothing behind a place not understood."""

import numpy as np
import pytest

from harness.prompts.announcing import announce
from harness.prompts.reading import Ending, read_text
from harness.prompts.rendering import render
from harness.types import Prompt, Sequence


def prompt_of(names: tuple[str, ...], separator: str) -> Prompt:
    return render(sequence(np.array([0]), names), separator=separator, template="Sequence: {sequence}")


def sequence(symbols: "np.ndarray[tuple[int], np.dtype[np.int64]]", names: tuple[str, ...]) -> Sequence:
    return Sequence(names, symbols, np.full((symbols.size + 1, len(names)), 1 / len(names)), {}, "", "")


@pytest.mark.parametrize(
    ("names", "separator"),
    [
        (("H", "T"), ""),
        (("Heads", "Tails"), ", "),
        (("Heads", "Tails"), " "),
        (("a", "ab", "b"), ";"),
        (("1", "11"), "\n"),
        (("(", ")"), ""),
        (("+", "."), " "),
        (("é", "ß"), ","),
    ],
)
@pytest.mark.parametrize("given", [0, 3])
def test_reading_undoes_rendering(names: tuple[str, ...], separator: str, given: int) -> None:
    rng = np.random.default_rng(len(separator) + given)
    for _ in range(20):
        symbols = rng.integers(0, len(names), size=given + 40)
        prompt = render(sequence(symbols, names), separator=separator, template="Sequence: {sequence}")
        text = prompt.text(given + 40)[len(prompt.text(given)) :]
        found = read_text(text, prompt, 40, ended=False)
        np.testing.assert_array_equal(found.symbols, symbols[given:])
        assert found.ending == "length"


COIN = prompt_of(("Heads", "Tails"), ", ")
BITS = prompt_of(("0", "1"), "")


@pytest.mark.parametrize(
    ("prompt", "text", "ended", "symbols", "ending"),
    [
        (COIN, "Heads, Tails,Tails ,\nHeads.", True, [0, 1, 1, 0], "ended"),
        (COIN, "[Heads, Tails]", True, [0, 1], "ended"),
        (COIN, '"Heads, Tails"', True, [0, 1], "ended"),
        (COIN, "Heads, Tails]\n\nQ: Heads, Tails", False, [0, 1], "ended"),
        (COIN, "", True, [], "ended"),
        (COIN, "Heads, Tails, Tai", False, [0, 1], "cut"),
        (COIN, "Heads, Tails,", False, [0, 1], "cut"),
        (COIN, "Heads, Tails, Tai", True, [0, 1], "unread"),  # nothing cut it
        (COIN, "Heads, maybe, Heads", True, [0], "unread"),
        (COIN, "Heads Tails", True, [0], "unread"),  # no comma
        (COIN, "heads, Tails", True, [], "unread"),  # case tells
        (COIN, "Headstrong, Tails", True, [], "unread"),
        (COIN, "Sure! Heads, Tails", True, [], "unread"),
        (COIN, ", Heads", True, [], "unread"),
        (BITS, "01 10\n01", False, [0, 1, 1, 0, 0, 1], "cut"),
        (BITS, "0120", False, [0, 1], "unread"),
        (BITS, "011</s>", False, [0, 1, 1], "unread"),
    ],
)
def test_reading_ends_where_something_else_comes(
    prompt: Prompt, text: str, ended: bool, symbols: list[int], ending: Ending
) -> None:
    found = read_text(text, prompt, 10, ended=ended)
    assert (found.symbols.tolist(), found.ending) == (symbols, ending)
    assert text.endswith(found.rest)


def test_no_more_symbols_are_read_than_were_wanted() -> None:
    found = read_text("010101 and so on", BITS, 4, ended=True)
    assert (found.symbols.tolist(), found.ending, found.rest) == ([0, 1, 0, 1], "length", "01 and so on")


def test_white_space_that_tells_symbols_apart_is_read() -> None:
    prompt = Prompt("", ("a", "a "), ",", (0,))
    assert read_text("a ,a,a ,", prompt, 9, ended=True).symbols.tolist() == [1, 0, 1]


def test_an_announcement_names_every_symbol_with_its_probability() -> None:
    told = announce(
        "{length} draws, each {law}, of {symbols}: {example}",
        names=("a", "b", "c"),
        law=np.array([0.5, 0.125, 0.375]),
        length=40,
        separator=", ",
    )
    assert told == (
        "40 draws, each a with 50% probability, b with 12.5% probability or c with 37.5% probability, "
        "of a, b or c: a, b, c"
    )
