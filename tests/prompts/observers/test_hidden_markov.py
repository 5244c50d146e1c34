from itertools import product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.automata import Process, even_process, golden_mean, mess3, rrxor
from harness.prompts.observers.automata import hmm_filter
from harness.prompts.observers.hidden_markov import hmm_memory
from tests.prompts.observers.words import Word, ints

PROCESSES = [golden_mean(), even_process(), mess3(0.05, 0.85), rrxor()]
every_process = pytest.mark.parametrize("process", PROCESSES, ids=["golden mean", "even", "mess3", "rrxor"])


def probability(process: Process, word: Word) -> float:
    belief = process.stationary
    for symbol in word:
        belief = belief @ process.T[symbol]
    return float(belief.sum())


@every_process
@pytest.mark.parametrize("memory", [0, 1, 3])
def test_rows_are_ratios_of_the_probabilities_of_the_last_symbols(process: Process, memory: int) -> None:
    for word in product(range(process.n_symbols), repeat=5):
        seen = word[max(5 - memory, 0) :]
        if not probability(process, seen):
            continue
        expected = [
            probability(process, (*seen, a)) / probability(process, seen) for a in range(process.n_symbols)
        ]
        np.testing.assert_allclose(hmm_memory(ints(word), process, memory=memory)[-1], expected, atol=1e-12)


@every_process
def test_with_all_the_past_it_is_the_filter(process: Process) -> None:
    symbols, _ = process.sample(40, np.random.Generator(np.random.Philox(key=1)))
    for memory in (40, 10**6):
        np.testing.assert_allclose(
            hmm_memory(symbols, process, memory=memory), hmm_filter(symbols, process), atol=1e-12
        )


def test_what_comes_before_the_impossible_is_forgotten() -> None:
    # after 0 0, impossible in the golden mean, the second 0 alone counts: the next symbol is 1
    assert hmm_memory(ints("100"), golden_mean(), memory=2)[-1].tolist() == [0, 1]
    # 1 1 then leads the even process, whose state 0 gives, back to a fair coin
    np.testing.assert_allclose(hmm_memory(ints("01011"), even_process(), memory=4)[-1], [0.5, 0.5])


def test_a_negative_memory_is_refused() -> None:
    with pytest.raises(SpecError, match="memory=-1 must be >= 0"):
        hmm_memory(ints("01"), golden_mean(), memory=-1)
