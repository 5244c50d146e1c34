from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from harness.prompts.controls.euler import rearranged
from harness.prompts.controls.euler_law import rearrangement_law
from harness.prompts.draws import integers_below
from harness.types import Ints
from tests.prompts.controls.controlled import counted_law, philox
from tests.prompts.controls.test_euler import digits, every_rearrangement


@pytest.mark.parametrize(
    ("text", "k"),
    [
        ("011001011", 2),
        ("0110100110", 2),
        ("0000100001", 2),
        ("012010210", 2),
        ("001122012", 2),
        ("1011001000", 3),
        ("1010010110", 3),
        ("0000100000", 4),
        ("1110111110", 4),
        ("01", 3),
        ("010", 3),
    ],
)
def test_the_law_is_the_share_of_rearrangements(text: str, k: int) -> None:
    symbols = digits(text)
    law = rearrangement_law(symbols, 3, k)
    counted = counted_law(symbols.tolist(), 3, every_rearrangement(text, k))
    np.testing.assert_allclose(law[:-1], counted, atol=1e-14)
    np.testing.assert_array_equal(law[:-1] > 0, counted > 0)
    assert np.isnan(law[-1]).all()


def n_trees(left: Counter[tuple[int, int]], end: int) -> Fraction:
    """Spanning trees towards `end` of the contexts with a step left: the determinant of the Laplacian, exactly."""
    nodes = sorted({u for (u, _), m in left.items() if m} - {end})
    place = {u: i for i, u in enumerate(nodes)}
    rows = [[Fraction(0)] * len(nodes) for _ in nodes]
    for (u, a), m in left.items():
        if m and u != end:
            rows[place[u]][place[u]] += m
            if a in place:
                rows[place[u]][place[a]] -= m
            elif a != end:
                return Fraction(0)  # a dead end
    determinant = Fraction(1)
    for i in range(len(rows)):
        pivot = next((j for j in range(i, len(rows)) if rows[j][i]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != i:
            rows[i], rows[pivot], determinant = rows[pivot], rows[i], -determinant
        determinant *= rows[i][i]
        for row in rows[i + 1 :]:
            factor = row[i] / rows[i][i]
            row[i:] = [x - factor * y for x, y in zip(row[i:], rows[i][i:], strict=True)]
    return determinant


def exact_law(symbols: Ints, n_symbols: int) -> list[list[Fraction]]:
    """The law for k = 2 from the number of trails after each next step (BEST theorem), by exact determinants."""
    drawn = symbols.tolist()
    left = Counter(pairwise(drawn))
    law = []
    for u, a in pairwise(drawn):
        weights = [Fraction(0)] * n_symbols
        for b in range(n_symbols):
            if left[u, b]:
                after = left - Counter([(u, b)])
                # trails from b to the end: trees times (d - 1)! of each context, d! of the end; only
                # u's factor depends on b, and not on which b it is
                weights[b] = left[u, b] * n_trees(after, drawn[-1])
        law.append([w / sum(weights) for w in weights])
        left -= Counter([(u, a)])
    return law


@pytest.mark.parametrize("drift", [0, 3])
def test_the_law_is_exact_on_sequences_too_long_to_enumerate(drift: int) -> None:
    """With drift, contexts 0..6 are a ladder that is climbed with odds of 4 to 1: some trees are rare."""
    if drift:
        state, drawn = 0, [0]
        for u in integers_below(drift + 2, 149, philox(3)).tolist():
            state = min(state + 1, 6) if u else max(state - 1, 0)
            drawn.append(state)
        symbols = np.array(drawn, np.int64)
    else:
        symbols = integers_below(7, 150, philox(3))
    expected = np.array(exact_law(symbols, 7), dtype=object)
    law = rearrangement_law(symbols, 7, 2)[1:-1]
    np.testing.assert_array_equal(law > 0, expected > 0)
    np.testing.assert_allclose(law, expected.astype(np.float64), atol=1e-13)


@pytest.mark.parametrize(("n_symbols", "k"), [(2, 2), (2, 8), (16, 2), (16, 3)])
def test_the_probabilities_of_a_sequence_multiply_to_one_over_the_number_of_rearrangements(
    n_symbols: int, k: int
) -> None:
    """The number is the same from whichever rearrangement it is computed."""
    symbols = integers_below(n_symbols, 600, philox(5))
    logs = []
    for key in range(3):
        drawn = rearranged(symbols, k, philox(key))
        law = rearrangement_law(drawn, n_symbols, k)
        logs.append(np.log(law[np.arange(600), drawn]).sum())
    np.testing.assert_allclose(logs, logs[0], rtol=1e-10)
