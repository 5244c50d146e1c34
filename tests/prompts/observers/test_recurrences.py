from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.infinite_words import lfsr
from harness.prompts.observers.recurrences import linear_recurrence
from tests.prompts.observers.words import Word, ints


@pytest.mark.parametrize(("order", "length"), [(1, 7), (2, 9), (3, 10), (4, 9)])
def test_the_law_is_exact_on_every_word(order: int, length: int) -> None:
    """All taps weighed one by one; uniform where none fit."""

    @cache
    def evidence(word: Word) -> Fraction:
        fitting = sum(
            all(
                word[n] == sum(c * word[n - i] for i, c in enumerate(taps, start=1)) % 2
                for n in range(order, len(word))
            )
            for taps in product(range(2), repeat=order)
        )
        return Fraction(fitting, 2**order * 2 ** min(len(word), order))

    for word in product(range(2), repeat=length):
        law = linear_recurrence(ints(word), order=order)
        for n in range(length + 1):
            before, after = evidence(word[:n]), [evidence((*word[:n], a)) for a in range(2)]
            assert law[n].tolist() == ([float(p / before) for p in after] if before else [0.5, 0.5])


@pytest.mark.parametrize("order", range(2, 13))
def test_a_register_of_maximal_period_is_known_after_twice_its_length(order: int) -> None:
    cycle = lfsr(order)
    for place in (0, 1, cycle.size // 2):
        word = np.resize(np.roll(cycle, -place), 4 * order)
        law = linear_recurrence(word, order=order)
        assert (law[np.arange(2 * order, 4 * order), word[2 * order :]] == 1).all()
        assert (law[2 * order - 1] == 0.5).all()


def test_an_order_below_one_is_refused() -> None:
    with pytest.raises(SpecError, match="order=0 must be at least 1"):
        linear_recurrence(ints("01"), order=0)
