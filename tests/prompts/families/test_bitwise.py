"""The family `bitwise`: its results are the operation's, and its ideal observer is Bayes' rule."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from harness.types import ParamValue
from tests.prompts.families.calibration import standard_score

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
BITWISE = load_family("bitwise")
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "AND": lambda x, y: x & y,
    "NAND": lambda x, y: 1 - (x & y),
    "OR": lambda x, y: x | y,
    "NOR": lambda x, y: 1 - (x | y),
    "XOR": lambda x, y: x ^ y,
    "XNOR": lambda x, y: 1 - (x ^ y),
}


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("n_bits", [1, 5])
def test_results_are_the_operations_bit_by_bit(operation: str, n_bits: int) -> None:
    sequence = BITWISE.sample(400, philox(1), n_bits=n_bits, operation=operation)
    text = "".join(sequence.alphabet[s] for s in sequence.symbols)
    examples = text.split("|")[:-1]
    assert len(examples) == 400 // (3 * n_bits + 2)
    for words, result in (example.split("=") for example in examples):
        for x, y, z in zip(words[:n_bits], words[n_bits:], result, strict=True):
            assert int(z) == OPERATIONS[operation](int(x), int(y))


def test_letters_stand_for_the_pairs_in_order() -> None:
    sequence = BITWISE.sample(200, philox(2), form="letters", operation="OR")
    pairs = set(zip(sequence.symbols[::2].tolist(), sequence.symbols[1::2].tolist(), strict=True))
    assert {(sequence.alphabet[q], sequence.alphabet[r]) for q, r in pairs} == {
        ("a", "0"),
        ("b", "1"),
        ("c", "1"),
        ("d", "1"),
    }


def test_operations_are_equally_likely() -> None:
    rng = philox(3)
    seen = Counter(BITWISE.sample(0, rng).concept for _ in range(600))
    assert set(seen) == set(OPERATIONS)
    assert stats.chisquare(list(seen.values())).pvalue > RARE


@pytest.mark.parametrize("params", [{}, {"form": "letters"}, {"n_bits": 3}])
def test_the_ideal_observer_is_calibrated(params: dict[str, ParamValue]) -> None:
    rng = philox(4)
    assert abs(standard_score(BITWISE.sample(50, rng, **params) for _ in range(150))) < RARE_SCORE


def posterior_by_enumeration(examples: list[tuple[int, int, int]], x: int, y: int) -> float:
    """P(result of x, y is 1), by Bayes' rule over the six operations."""
    left = [f for f in OPERATIONS.values() if all(f(a, b) == c for a, b, c in examples)]
    return float(np.mean([f(x, y) for f in left]))


@pytest.mark.parametrize("form", ["letters", "bits"])
def test_the_ideal_observer_is_bayes_rule_by_enumeration(form: str) -> None:
    for key in range(12):
        sequence = BITWISE.sample(40, philox(key), form=form)
        drawn, size = sequence.symbols.tolist(), 2 if form == "letters" else 5
        first = 4 if form == "letters" else 0
        examples: list[tuple[int, int, int]] = []
        for at in range(0, 40, size):
            x, y = divmod(drawn[at], 2) if form == "letters" else drawn[at : at + 2]
            row = at + 1 if form == "letters" else at + 3
            expected = posterior_by_enumeration(examples, x, y)
            np.testing.assert_allclose(sequence.observers["operation"][row, first + 1], expected, atol=1e-12)
            examples.append((x, y, drawn[row] - first))


def test_the_docstrings_numbers_are_the_ideal_observers() -> None:
    rng, at = philox(6), np.arange(1, 10, 2)
    sequences = [BITWISE.sample(10, rng, form="letters") for _ in range(1500)]
    p = np.array([s.observers["operation"][at, s.symbols[at]] for s in sequences])
    score = (p.mean(axis=0)[1:] - [0.7222, 0.8403, 0.8993, 0.9327]) / (p.std(axis=0)[1:] / np.sqrt(1500))
    assert (p[:, 0] == 0.5).all()
    assert np.abs(score).max() < RARE_SCORE


def test_a_result_that_no_operation_explains_changes_nothing() -> None:
    alphabet = ("a", "b", "c", "d", "0", "1")
    seen = [0, 4, 3, 5, 1, 4]  # AND alone
    broken = [*seen, 1, 5, 2]
    table = BITWISE.observe(np.array(broken), alphabet, form="letters")["operation"]
    assert table[-1, 5] == 0  # 10 AND: still 0


@pytest.mark.parametrize("n_bits", [1, 2])
def test_every_answer_is_marked_and_nothing_else(n_bits: int) -> None:
    sequence = BITWISE.sample(60, philox(7), n_bits=n_bits)
    assert sequence.answers is not None
    text = "".join(sequence.alphabet[s] for s in sequence.symbols)
    marked = np.zeros(60, bool)
    for at in (i for i, c in enumerate(text) if c == "="):
        marked[at + 1 : at + 1 + n_bits] = True
    np.testing.assert_array_equal(sequence.answers, 2 * marked)
