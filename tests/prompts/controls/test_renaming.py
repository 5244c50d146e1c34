from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.errors import SpecError
from harness.prompts.controls import apply_control
from harness.registry import load_family
from harness.types import Params, Sequence
from tests.prompts.controls.controlled import RARE, controlled, philox


def of_targets(sequence: Sequence, observer: str) -> list[float]:
    table = sequence.observers[observer]
    return [float(p) for p in table[np.arange(sequence.target.size), sequence.target]]


@pytest.mark.parametrize(
    ("family", "params"),
    [("periodic", {"period": 5, "symbols": "letters"}), ("dyck", {}), ("markov", {"symbols": "digits"})],
)
def test_a_permutation_changes_names_and_nothing_else(family: str, params: Params) -> None:
    found = load_family(family)
    before = found.sample(60, philox(4), **params)
    after = apply_control("permute_symbols", before, found, params, philox(5))
    names = dict(zip(before.symbols.tolist(), after.symbols.tolist(), strict=True))
    assert len(set(names.values())) == len(names)  # one name each
    assert [names[s] for s in before.symbols.tolist()] == after.symbols.tolist()
    rows = np.arange(60)
    np.testing.assert_array_equal(after.law[rows, after.target], before.law[rows, before.target])
    np.testing.assert_array_equal(np.sort(after.law[:60]), np.sort(before.law[:60]))
    for observer in before.observers:
        assert of_targets(after, observer) == of_targets(before, observer)


def test_observers_of_exchangeable_symbols_say_the_same_of_the_permuted_ones() -> None:
    """Where no symbol has a part of its own, to be told the permutation is to be told nothing."""
    before, after = controlled("permute_symbols", 40, 8, period=4, symbols="letters")
    again = load_family("periodic").observe(after.symbols, before.alphabet, period=4, symbols="letters")
    np.testing.assert_allclose(after.observers["period"], again["period"], atol=1e-15)


def test_permutations_are_uniform() -> None:
    found = load_family("categorical")
    sequence = found.sample(50, philox(1))
    assert len(set(sequence.symbols.tolist())) == len(sequence.alphabet) == 3
    rng = philox(2)
    drawn = [apply_control("permute_symbols", sequence, found, {}, rng).symbols.tobytes() for _ in range(900)]
    seen = Counter(drawn)
    assert len(seen) == 6
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_two_symbols_without_labels_are_exchanged_from_there_on() -> None:
    before, after = controlled("label_flip?at=17", 40, 6, period=3)
    np.testing.assert_array_equal(after.symbols[:17], before.symbols[:17])
    np.testing.assert_array_equal(after.symbols[17:], 1 - before.symbols[17:])
    np.testing.assert_array_equal(after.law[:17], before.law[:17])
    np.testing.assert_array_equal(after.law[17:], before.law[17:, ::-1])
    assert of_targets(after, "period") == of_targets(before, "period")


@pytest.mark.parametrize("at", [0, 25])
@pytest.mark.parametrize(
    ("family", "params", "labels"),
    [
        ("parity", {"n_bits": 3}, "01"),
        ("even_pairs", {"task": "answer"}, "01"),
        ("modular_counting", {"task": "answer", "modulus": 3, "max_modulus": 4}, "0123"),
    ],
)
def test_only_labels_are_flipped_in_families_that_answer(
    family: str, params: Params, labels: str, at: int
) -> None:
    before, after = controlled(f"label_flip?at={at}", 100, 3, family, **params)
    was, now = ([s.alphabet[i] for i in s.symbols] for s in (before, after))
    for n, (old, new) in enumerate(zip(was, now, strict=True)):
        if n > 0 and n >= at and was[n - 1] == "=":
            assert new == labels[(labels.index(old) + 1) % len(labels)]
        else:
            assert new == old
    assert now != was
    assert (after.law[np.arange(100), after.target] == before.law[np.arange(100), before.target]).all()
    assert of_targets(after, before.ideal) == of_targets(before, before.ideal)


def test_a_family_without_labels_or_with_more_symbols_has_no_label_flip() -> None:
    with pytest.raises(SpecError, match="family 'periodic' has 16 symbols and no labels"):
        controlled("label_flip?at=5", 20, 1, symbols="letters")


def test_a_symbol_that_only_looks_like_the_question_for_a_label_is_refused() -> None:
    with pytest.raises(SpecError, match="in family 'categorical' and is no label; labels are a"):
        controlled("label_flip?at=0", 60, 1, "categorical", symbols=("=", "a", "|"))
