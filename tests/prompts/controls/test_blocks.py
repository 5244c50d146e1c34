from collections import Counter
from itertools import chain, permutations

import numpy as np
import pytest
from scipy import stats

from harness.prompts.controls import apply_control
from harness.prompts.observers import backoff
from harness.registry import load_family
from tests.prompts.controls.controlled import RARE, controlled, counted_law, philox


def reordered(symbols: list[int], width: int) -> list[tuple[int, ...]]:
    """The sequence for every order of its blocks, those of equal blocks each for itself."""
    n = len(symbols) // width
    blocks = [symbols[i * width : (i + 1) * width] for i in range(n)]
    rest = symbols[n * width :]
    return [(*chain(*order), *rest) for order in permutations(blocks)]


@pytest.mark.parametrize(("length", "width"), [(12, 2), (15, 3), (23, 4), (7, 4), (3, 4)])
@pytest.mark.parametrize("key", range(3))
def test_the_law_is_the_share_of_orders_of_the_blocks(length: int, width: int, key: int) -> None:
    before, after = controlled(f"block_shuffle?width={width}", length, key, "bernoulli", p=0.4)
    ways = reordered(before.symbols.tolist(), width)
    assert tuple(after.symbols.tolist()) in ways
    counted = counted_law(after.symbols.tolist(), 2, ways)
    np.testing.assert_allclose(after.law[:-1], counted, rtol=1e-12)
    assert np.isnan(after.law[-1]).all()


def test_every_order_of_the_blocks_is_equally_probable() -> None:
    found = load_family("periodic")
    sequence = found.sample(13, philox(2), period=10, symbols="letters")
    rng = philox(3)
    drawn = [
        tuple(apply_control("block_shuffle?width=3", sequence, found, {}, rng).symbols.tolist())
        for _ in range(720)
    ]
    seen = Counter(drawn)
    assert set(seen) == set(reordered(sequence.symbols.tolist(), 3))
    assert len(seen) == 24
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_blocks_as_long_as_a_multiple_of_the_period_change_nothing() -> None:
    before, after = controlled("block_shuffle?width=6", 64, 1, period=3)
    np.testing.assert_array_equal(after.symbols, before.symbols)
    before, after = controlled("block_shuffle?width=5", 64, 1, period=3)
    assert (after.symbols != before.symbols).any()


def test_the_baseline_counts_kgrams_up_to_the_width() -> None:
    _, after = controlled("block_shuffle?width=5", 64, 1, period=3)
    np.testing.assert_array_equal(after.observers["backoff5"], backoff(after.symbols, 2, k=5))
