"""Where the sequences of each family that declares answers have them, read off the text."""

import re

import numpy as np
import pytest

from harness.registry import family_names, load_family
from harness.types import Params

SETTINGS = [
    ("bitwise", {}, r"=([01])", 2),
    ("bitwise", {"form": "letters"}, r"[abcd]([01])", 2),
    ("parity", {}, r"=([01])", 2),
    ("group_words", {}, r"=([A-Z])", 6),
    ("group_words", {"group": "a5", "form": "each"}, r"[xy]([A-Za-z0-9])", 60),
    ("group_words", {"group": "s3", "form": "each"}, r"[xy]([A-Z])", 6),
    ("modular_counting", {"task": "answer", "modulus": 3}, r"=([0-9])", 3),
    ("modular_counting", {"task": "answer", "modulus": 5, "symbols": ("a", "b", "c")}, r"=([0-9])", 5),
]


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize(("family", "params", "answer", "n_possible"), SETTINGS)
def test_answers_are_what_the_text_says(family: str, params: Params, answer: str, n_possible: int) -> None:
    for key in range(3):
        sequence = load_family(family).sample(300, philox(key), **params)
        text = "".join(sequence.alphabet[s] for s in sequence.symbols)
        expected = np.zeros(300, np.int64)
        expected[[found.start(1) for found in re.finditer(answer, text)]] = n_possible
        assert sequence.answers is not None
        np.testing.assert_array_equal(sequence.answers, expected)
        drawn = sequence.symbols[sequence.answers > 0]
        assert len(set(drawn.tolist())) <= n_possible


@pytest.mark.parametrize(
    ("family", "params"), [("group_words", {"form": "identity"}), ("modular_counting", {}), ("periodic", {})]
)
def test_sequences_without_answers_declare_none(family: str, params: Params) -> None:
    assert load_family(family).sample(60, philox(1), **params).answers is None


def test_families_with_answers_say_so() -> None:
    declared = {name for name in family_names() if load_family(name).answers}
    assert declared == {family for family, *_ in SETTINGS}
