"""The families of one known process: golden mean, even process, rrxor and mess3."""

from itertools import product

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM  # type: ignore[import-untyped]
from scipy import stats

from harness.prompts.automata import Process, even_process, golden_mean, mess3, rrxor
from harness.registry import load_family
from harness.types import Sequence
from tests.prompts.families.test_markov import RARE, philox

PROCESSES = {
    "golden_mean": golden_mean(),
    "even_process": even_process(),
    "rrxor": rrxor(),
    "mess3": mess3(0.05, 0.85),
}
every_family = pytest.mark.parametrize("family", PROCESSES)


def draw(family: str, length: int, key: int) -> Sequence:
    return load_family(family).sample(length, philox(key))


def state_emitting(process: Process) -> CategoricalHMM:
    """The same process with states (symbol just emitted, state arrived at), as hmmlearn knows them."""
    m, k = process.n_symbols, process.n_states
    model = CategoricalHMM(n_components=m * k)
    model.startprob_ = np.einsum("i,aij->aj", process.stationary, process.T).ravel()
    model.transmat_ = np.tile(process.T.transpose(1, 0, 2).reshape(k, m * k), (m, 1))
    model.emissionprob_ = np.repeat(np.eye(m), k, axis=0)
    model.n_features = m
    return model


@every_family
def test_the_product_of_the_law_is_the_likelihood_of_hmmlearn(family: str) -> None:
    model = state_emitting(PROCESSES[family])
    for key in range(5):
        sequence = draw(family, 80, key)
        log_p = np.log(sequence.law[np.arange(80), sequence.symbols]).sum()
        assert model.score(sequence.symbols[:, None]) == pytest.approx(log_p, rel=1e-9)


@every_family
def test_words_come_as_often_as_the_process_says(family: str) -> None:
    process = PROCESSES[family]
    words = list(product(range(process.n_symbols), repeat=4))
    p = np.array([process_probability(process, word) for word in words])
    n = 800
    seen = np.zeros(len(words))
    for key in range(n):
        digits = draw(family, 4, 1000 + key).symbols
        seen[words.index(tuple(digits.tolist()))] += 1
    assert not seen[p == 0].any()
    assert stats.chisquare(seen[p > 0], n * p[p > 0]).pvalue > RARE


def process_probability(process: Process, word: tuple[int, ...]) -> float:
    belief = process.stationary
    for symbol in word:
        belief = belief @ process.T[symbol]
    return float(belief.sum())


@every_family
def test_the_mean_entropy_of_the_law_is_the_myopic_entropy(family: str) -> None:
    """Exact: the sum over all words of their probability times the entropy of the row after them."""
    process, length = PROCESSES[family], 5
    observe, alphabet = load_family(family).observe, draw(family, 0, 0).alphabet
    mean = np.zeros(length)
    for word in product(range(process.n_symbols), repeat=length):
        p = process_probability(process, word)
        if p:
            rows = observe(np.array(word, np.int64), alphabet)["filter"][:length]
            mean += p * stats.entropy(rows, base=2, axis=1)
    np.testing.assert_allclose(mean, process.myopic_entropies(length), rtol=1e-10)


def test_the_loss_of_rrxor_after_13_symbols_is_what_the_docstring_says() -> None:
    assert rrxor().myopic_entropies(14)[-1] == pytest.approx(0.697, abs=5e-4)


def test_the_gain_of_mess3_is_what_the_docstring_says() -> None:
    for x, a, gain in ((0.05, 0.85, 0.440), (0.15, 0.6, 0.014)):
        low, high = mess3(x, a).entropy_bounds(10)
        assert np.log2(3) - (low + high) / 2 == pytest.approx(gain, abs=1e-3)


def test_golden_mean_has_no_two_zeros_and_one_symbol_tells_all() -> None:
    sequence = load_family("golden_mean").sample(2000, philox(1), memory=1)
    symbols = sequence.symbols
    assert not ((symbols[1:] == 0) & (symbols[:-1] == 0)).any()
    np.testing.assert_allclose(sequence.law[0], [1 / 3, 2 / 3])
    np.testing.assert_allclose(sequence.law[1:][symbols == 0], [[0, 1]] * int((symbols == 0).sum()))
    np.testing.assert_allclose(sequence.law[1:][symbols == 1], [[0.5, 0.5]] * int((symbols == 1).sum()))
    np.testing.assert_allclose(sequence.observers["memory"], sequence.law, atol=1e-12)


def test_even_process_has_even_runs_between_zeros() -> None:
    symbols = draw("even_process", 2000, 2).symbols
    zeros = np.flatnonzero(symbols == 0)
    assert (np.diff(zeros) % 2 == 1).all()
    assert np.diff(zeros).max() > 9


def test_a_finite_memory_is_lost_in_a_long_run_of_the_even_process() -> None:
    # after 0 and six 1s a fair coin is tossed; of four 1s alone one says P(11111) / P(1111) = 1/6 / 1/4
    symbols = np.array([0, 1, 1, 1, 1, 1, 1], np.int64)
    said = load_family("even_process").observe(symbols, ("0", "1"), memory=4)
    np.testing.assert_allclose(said["filter"][-1], [0.5, 0.5])
    np.testing.assert_allclose(said["memory"][-1], [1 / 3, 2 / 3])


def test_rrxor_holds_the_exclusive_or_in_one_of_three_phases() -> None:
    for key in range(20):
        symbols = draw("rrxor", 60, 100 + key).symbols
        fits = []
        for phase in range(3):
            triples = symbols[phase : phase + 57].reshape(-1, 3)
            fits.append(bool((triples[:, 0] ^ triples[:, 1] == triples[:, 2]).all()))
        assert sum(fits) == 1  # a wrong phase fits all 19 triples by chance with probability 2^-19


def test_the_observers_stand_in_the_order_of_what_they_know() -> None:
    for family in ("even_process", "rrxor", "mess3"):
        loss = dict.fromkeys(("filter", "memory", "ctw", "kt"), 0.0)
        for key in range(30):
            sequence = draw(family, 400, 200 + key)
            for name in loss:
                p = sequence.observers[name][np.arange(400), sequence.symbols]
                loss[name] -= float(np.log(p).sum())
        assert list(loss) == sorted(loss, key=loss.__getitem__)
