from itertools import pairwise

import numpy as np
import pytest

from harness.registry import load_family
from harness.types import Sequence

PAIRS = load_family("even_pairs")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def words(sequence: Sequence) -> list[str]:
    return "".join(sequence.alphabet[s] for s in sequence.symbols).split("|")


def is_even(word: str) -> bool:
    """As Delétang et al. define it: the number of ab and ba is even."""
    return sum(a != b for a, b in pairwise(word)) % 2 == 0


@pytest.mark.parametrize(("pairs", "even"), [("even", True), ("odd", False)])
def test_every_word_has_the_parity_of_pairs_asked_for(pairs: str, even: bool) -> None:
    for key in range(20):
        for word in words(PAIRS.sample(100 + key, philox(key), pairs=pairs)):
            assert word
            assert is_even(word) is even


@pytest.mark.parametrize(("pairs", "even"), [("even", True), ("odd", False)])
def test_answers_say_whether_the_word_is_in_the_language(pairs: str, even: bool) -> None:
    for key in range(20):
        for word in words(PAIRS.sample(100 + key, philox(key), pairs=pairs, task="answer")):
            letters, answer = word.split("=")
            assert int(answer) == (is_even(letters) is even)


@pytest.mark.parametrize("task", ["member", "answer"])
def test_the_first_answer_tells_even_from_odd(task: str) -> None:
    sequence = PAIRS.sample(200, philox(3), task=task)
    end = sequence.symbols.tolist().index(len(sequence.alphabet) - 1)
    for name, rows in sequence.observers.items():
        agrees = np.allclose(rows[end + 1 :], sequence.observers["language"][end + 1 :], rtol=1e-9)
        assert agrees is (name in ("pairs", "language"))


def test_the_wider_class_finds_the_language_too() -> None:
    # 15 sets of ends: those that hold the right one lose a factor of about 2 with every second word
    for key in range(5):
        sequence = PAIRS.sample(600, philox(key), pairs="odd")
        np.testing.assert_allclose(
            sequence.observers["ends"][-50:], sequence.observers["language"][-50:], atol=1e-3
        )
