import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from harness.types import Sequence

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
COUNTING = load_family("modular_counting")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def words(sequence: Sequence) -> list[str]:
    return "".join(sequence.alphabet[s] for s in sequence.symbols).split("|")


@pytest.mark.parametrize("modulus", [1, 2, 3, 6])
def test_the_first_letter_is_counted_in_every_word(modulus: int) -> None:
    for key in range(10):
        for word in words(COUNTING.sample(120 + key, philox(key), modulus=modulus, symbols=("a", "b", "c"))):
            assert word
            assert word.count("a") % modulus == 0


@pytest.mark.parametrize("modulus", [1, 2, 3, 6])
def test_answers_are_the_count_modulo_the_modulus(modulus: int) -> None:
    for key in range(10):
        for word in words(COUNTING.sample(120 + key, philox(key), modulus=modulus, task="answer")):
            letters, residue = word.split("=")
            assert letters
            assert letters.count("a") % modulus == int(residue)


def test_sizes_are_geometric_in_a_long_stream() -> None:
    # words of one stream, the last left out, whose sizes the total conditions
    sizes = [len(w) for w in words(COUNTING.sample(4000, philox(1), modulus=1, mean_size=2.0))[:-1]]
    seen = np.bincount(np.minimum(sizes, 8), minlength=9)[1:]
    expected = np.array([*(0.5**n for n in range(1, 8)), 0.5**7]) * len(sizes)
    assert stats.chisquare(seen, expected).pvalue > RARE


@pytest.mark.parametrize("task", ["member", "answer"])
def test_the_modulus_is_found(task: str) -> None:
    # another modulus fails with many words or, where it divides the right one, has more words and loses with each
    for modulus in (1, 2, 3, 4, 6):
        sequence = COUNTING.sample(900, philox(modulus), modulus=modulus, task=task)
        np.testing.assert_allclose(
            sequence.observers["moduli"][-100:], sequence.observers["language"][-100:], atol=1e-3
        )


def test_no_window_tells_where_a_word_of_even_count_may_end() -> None:
    # nine b stand at the end of both words: who sees nine letters cannot tell them apart
    even, odd = ("a" + "b" * 9, "aa" + "b" * 9)
    after = {}
    for start in (even, odd):
        symbols = np.array([["a", "b"].index(s) for s in start])
        rows = COUNTING.observe(symbols, ("a", "b", "|"), modulus=2)
        after[start] = rows["language"][-1, 2]
    assert after[even] == 0
    assert after[odd] > 0.1
