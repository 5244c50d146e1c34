from itertools import product

import numpy as np
import pytest

from harness.registry import load_family
from harness.types import Floats, Ints

PARITY = load_family("parity")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def text(symbols: Ints) -> str:
    return "".join("01=|"[s] for s in symbols)


@pytest.mark.parametrize("n_bits", [1, 3, 8])
def test_labels_are_the_parity_of_one_set(n_bits: int) -> None:
    sequence = PARITY.sample(40 * (n_bits + 3) - 1, philox(n_bits), n_bits=n_bits)
    examples = [example.split("=") for example in text(sequence.symbols).split("|")]
    places = sequence.concept.removeprefix("parity of the bits ")
    chosen = [] if places == "of no place" else [int(i) for i in places.split(", ")]
    assert len(examples) == 40
    for bits, label in examples:
        assert len(bits) == n_bits
        assert int(label) == sum(int(bits[i]) for i in chosen) % 2


@pytest.mark.parametrize(
    ("n_examples", "accuracy"), [(0, 0.502), (4, 0.530), (6, 0.611), (8, 0.806), (12, 0.985)]
)
def test_bayes_accuracy_of_eight_bits_is_the_published_one(n_examples: int, accuracy: float) -> None:
    # 1/2 + E[2**(rank - 8)] / 2 in three decimals; 1000 sequences have a standard error of at most 0.008
    rng, at = philox(n_examples), 11 * n_examples + 9
    expected = [PARITY.sample(at, rng).observers["parity"][at].max() for _ in range(1000)]
    assert np.mean(expected) == pytest.approx(accuracy, abs=4.9 * 0.25 / 1000**0.5)


def law_by_listing(symbols: Ints, n_bits: int) -> Floats:
    """The law of a label from all sets that agree with the labels so far, each example being whole."""
    *before, last = [example.split("=") for example in text(symbols).split("|")]
    sets = [
        s
        for s in product(range(2), repeat=n_bits)
        if all(
            sum(a * int(b) for a, b in zip(s, bits, strict=True)) % 2 == int(label) for bits, label in before
        )
    ]
    ones = [sum(a * int(b) for a, b in zip(s, last[0], strict=True)) % 2 for s in sets]
    return np.array([1 - np.mean(ones), np.mean(ones), 0, 0])


def test_the_ideal_observer_lists_the_sets() -> None:
    for key in range(10):
        sequence = PARITY.sample(60, philox(key), n_bits=4)
        for t in range(5, 60, 7):
            expected = law_by_listing(sequence.symbols[:t], 4)
            np.testing.assert_allclose(sequence.observers["parity"][t], expected, atol=1e-12)


def test_what_breaks_the_format_is_forgotten_at_its_end() -> None:
    alphabet = ("0", "1", "=", "|")
    good = PARITY.sample(60, philox(20), n_bits=3).symbols
    broken = np.array([0, 2, 1, 3, 1, 1, 1, 1, 3, 0, 0, 0, 2, 1, 0, 3])  # "0=1|", "1111|" and "000=10|"
    # the last is whole up to its label, which no set explains
    rows = PARITY.observe(np.concatenate([broken, good]), alphabet, n_bits=3)
    clean = PARITY.observe(good, alphabet, n_bits=3)
    for name in ("parity", "format"):
        np.testing.assert_array_equal(rows[name][broken.size :], clean[name])
        np.testing.assert_array_equal(rows[name][2:4], rows["kt"][2:4])
        np.testing.assert_array_equal(rows[name][15], rows["kt"][15])


def test_the_label_is_all_that_is_gained_on_the_format() -> None:
    sequence = PARITY.sample(300, philox(21))
    labels = np.arange(301) % 11 == 9
    ideal, known = sequence.observers["parity"], sequence.observers["format"]
    np.testing.assert_array_equal(ideal[~labels], known[~labels])
    assert (known[labels, :2] == 0.5).all()
    np.testing.assert_array_equal(ideal[-50:], sequence.law[-50:])  # 22 examples: the set is known
