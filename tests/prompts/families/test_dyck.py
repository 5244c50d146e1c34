from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.prompts.automata import dyck_count
from harness.registry import load_family

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
DYCK = load_family("dyck")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize(("k", "length"), [(1, 8), (1, 10), (2, 6), (3, 4)])
def test_words_are_uniform_among_all_balanced_ones(k: int, length: int) -> None:
    rng = philox(k)
    n = 30 * dyck_count(length, k)
    seen = Counter(tuple(DYCK.sample(length, rng, k=k, stream="word").symbols.tolist()) for _ in range(n))
    assert len(seen) == dyck_count(length, k)
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_the_only_type_that_may_close_was_opened_last() -> None:
    sequence = DYCK.sample(301, philox(5), k=4)
    stack: list[int] = []
    for n, symbol in enumerate(sequence.symbols.tolist()):
        closes = np.flatnonzero(sequence.support[n, 4:8])
        assert closes.tolist() in ([], stack[-1:])
        if symbol < 4:
            stack.append(symbol)
        elif symbol < 8:
            assert stack.pop() == symbol - 4
        else:
            assert not stack
    assert not stack


def test_memory_of_the_stack_is_what_the_ideal_observer_has_on_height() -> None:
    sequence = DYCK.sample(401, philox(6), k=3)
    ideal, height = sequence.observers["language"], sequence.observers["height"]
    closing = np.flatnonzero((sequence.target >= 3) & (sequence.target < 6))
    right = sequence.target[closing]
    np.testing.assert_allclose(3 * height[closing, right], ideal[closing, right], rtol=1e-12)
    assert "height" not in DYCK.sample(60, philox(6), k=1).observers


def test_the_ideal_observer_is_calibrated_where_words_have_the_sizes_it_expects() -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p); |z| > 4.9 has odds 1e-6
    rng, surprise, variance = philox(7), 0.0, 0.0
    for _ in range(60):
        # the beginning of a long stream: the total is not felt there
        sequence = DYCK.sample(300, rng, k=1, mean_size=3.0)
        law = sequence.observers["language"][:100]
        p = law.max(axis=1)
        surprise += float(((sequence.target[:100] == law.argmax(axis=1)) - p).sum())
        variance += float((p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < 4.9
