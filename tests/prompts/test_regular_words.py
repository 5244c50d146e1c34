from itertools import product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.automata import DFA, group, tomita
from harness.prompts.regular_words import answered, regular
from harness.types import Floats, Ints

Word = tuple[int, ...]


def ints(word: Word) -> Ints:
    return np.array(word, np.int64)


def law_by_listing(dfa: DFA, log_weights: Floats, prefix: Word) -> list[float]:
    """The law after a prefix: every word of every size weighed one by one."""
    step, extra = regular(dfa).step, regular(dfa).extra
    weight = [0.0] * (dfa.n_symbols + 1)
    for size in np.flatnonzero(np.isfinite(log_weights)).tolist():
        words = [
            w for w in product(range(dfa.n_symbols), repeat=step * size + extra) if dfa.contains(ints(w))
        ]
        for word in words:
            if word[: len(prefix)] == prefix:
                following = word[len(prefix)] if len(word) > len(prefix) else dfa.n_symbols
                weight[following] += float(np.exp(log_weights[size])) / len(words)
    total = sum(weight)
    return [w / total if total else 0.0 for w in weight]


LANGUAGES = [tomita(1), tomita(2), tomita(4), tomita(5), tomita(6), tomita(7), group("s3").word_problem()]


@pytest.mark.parametrize("dfa", LANGUAGES)
@pytest.mark.parametrize("sizes", [[1, 2, 3], [2], [1, 3]])
def test_the_law_weighs_every_word(dfa: DFA, sizes: list[int]) -> None:
    log_weights = np.full(6, -np.inf)
    log_weights[sizes] = np.log([0.5, 0.2, 0.3][: len(sizes)])
    for word in product(range(2), repeat=4):
        rows = regular(dfa).law(ints(word), log_weights)
        expected = [law_by_listing(dfa, log_weights, word[:t]) for t in range(5)]
        np.testing.assert_allclose(rows, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("dfa", "lengths"),
    [
        (tomita(2), [2, 4, 6]),
        (tomita(4), [1, 2, 3]),
        (tomita(5), [2, 4, 6]),
        (tomita(6), [2, 3, 4]),
        (group("a5").word_problem(), [2, 3, 4]),
    ],
)
def test_sizes_count_the_lengths_of_the_language(dfa: DFA, lengths: list[int]) -> None:
    rng = np.random.Generator(np.random.Philox(key=1))
    for size, length in enumerate(lengths, 1):
        word = regular(dfa).draw(size, rng)
        assert word.size == length
        assert dfa.contains(word)


def test_long_words_keep_the_exact_law() -> None:
    # 0*1*0*1* has words whose beginning alone says how they go on: counts of 1500 letters against big integers
    dfa = tomita(7)
    word = np.repeat([0, 1, 0, 1], [300, 400, 300, 500])
    alone = np.full(1501, -np.inf)
    alone[-1] = 0.0
    rows = regular(dfa).law(word, alone)
    for t in (0, 300, 700, 1000, 1499):
        exact = dfa.exact_conditional(word[:t], 1500)
        assert exact is not None
        np.testing.assert_allclose(rows[t], [*map(float, exact), 0.0], rtol=1e-9)


def test_an_answer_is_the_output_of_the_state() -> None:
    table, outputs = np.array([[1, 0], [2, 1], [0, 2]]), np.array([0, 2, 1])  # 0s modulo 3, as 0, 2, 1
    dfa = answered(table, outputs, 4)
    assert dfa.n_symbols == 2 + 1 + 4
    for n in range(1, 6):
        for word in product(range(7), repeat=n):
            letters, rest = word[:-2], word[-2:]
            right = (2, 3 + (0, 2, 1)[letters.count(0) % 3])
            assert dfa.contains(ints(word)) is (rest == right and len(letters) > 0 and max(letters) < 2)


def test_lengths_that_are_not_equally_spaced_are_refused() -> None:
    finite = DFA.from_table([[1], [None]], [1])
    gaps = DFA.from_table([[1], [2], [3], [4], [3]], [1, 2, 4])  # lengths 1, 2, 4, 6, 8, ..
    for dfa in (finite, gaps):
        with pytest.raises(SpecError, match="no equally spaced lengths without end"):
            regular(dfa)
