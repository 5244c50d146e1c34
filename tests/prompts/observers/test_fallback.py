import numpy as np

from harness.prompts.observers.fallback import unless_refuted
from tests.prompts.observers.words import ints

OTHERWISE = np.full((5, 2), 0.5)


def test_an_observer_is_followed_up_to_the_symbol_it_held_for_impossible() -> None:
    law = np.tile([1.0, 0.0], (5, 1))
    rows = unless_refuted(law, ints("0010"), OTHERWISE)
    assert rows.tolist() == [[1, 0], [1, 0], [1, 0], [0.5, 0.5], [0.5, 0.5]]
    np.testing.assert_array_equal(unless_refuted(law, ints("0000"), OTHERWISE), law)


def test_a_row_without_a_law_is_replaced_and_refutes() -> None:
    law = np.array([[1, 0], [np.nan, np.nan], [1, 0], [1, 0], [1, 0]])
    rows = unless_refuted(law, ints("0000"), OTHERWISE)
    assert rows.tolist() == [[1, 0], *[[0.5, 0.5]] * 4]
    law = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [np.nan, np.nan]])
    assert unless_refuted(law, ints("0000"), OTHERWISE)[4].tolist() == [0.5, 0.5]
