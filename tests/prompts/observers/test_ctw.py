from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers import kt
from harness.prompts.observers.ctw import count_trees, ctw, ctw_batch
from harness.types import Ints
from tests.prompts.observers.words import Word, along, assert_ratio_of_evidences, ints, multinomial_evidence

HALF = Fraction(1, 2)
Tree = frozenset[Word]  # its leaves as contexts, newest symbol first


def trees(m: int, depth: int, stop: Fraction, node: Word = ()) -> Iterator[tuple[Tree, Fraction]]:
    """Every context tree with its prior, one by one."""
    if depth == 0:
        yield frozenset([node]), Fraction(1)
        return
    yield frozenset([node]), stop
    below = [list(trees(m, depth - 1, stop, (*node, a))) for a in range(m)]
    for subtrees in product(*below):
        leaves = frozenset().union(*(leaves for leaves, _ in subtrees))
        yield leaves, (1 - stop) * prod((p for _, p in subtrees), start=Fraction(1))


def tree_evidence(word: Word, past: Word, m: int, tree: Tree, alpha: Fraction) -> Fraction:
    counts: Counter[tuple[Word, int]] = Counter()
    for n, symbol in enumerate(word):
        newest_first = (*past, *word[:n])[::-1]
        [leaf] = [leaf for leaf in tree if newest_first[: len(leaf)] == leaf]
        counts[leaf, symbol] += 1
    leaves = {leaf for leaf, _ in counts}
    return prod(
        (multinomial_evidence([counts[leaf, a] for a in range(m)], alpha) for leaf in leaves),
        start=Fraction(1),
    )


@pytest.mark.parametrize(
    ("word", "past", "depth", "expected"),
    [
        ("0110100", "010", 3, Fraction(95, 32768)),  # the worked example of the literature
        ("0110100", "010", 0, Fraction(5, 2048)),  # KT alone
        ("0", "0", 1, HALF),
        ("01", "01", 1, Fraction(3, 16)),  # HALF * (KT of 01, 1/8) + HALF * (1/2 * 1/2)
    ],
)
def test_block_probabilities_are_the_known_fractions(
    word: str, past: str, depth: int, expected: Fraction
) -> None:
    law = ctw(ints(word), 2, depth=depth, past=ints(past))
    assert along(word, law) == pytest.approx(float(expected), rel=1e-14)


@pytest.mark.parametrize(
    ("m", "depth", "stop", "alpha", "length"),
    [
        (2, 1, HALF, HALF, 9),
        (2, 3, HALF, HALF, 9),
        (2, 4, Fraction(2, 3), Fraction(1), 6),
        (3, 2, HALF, HALF, 8),
        (3, 2, Fraction(3, 4), HALF, 8),  # 1 - 2^(1 - m)
    ],
)
def test_the_law_is_that_of_all_trees_weighed_one_by_one(
    m: int, depth: int, stop: Fraction, alpha: Fraction, length: int
) -> None:
    every = list(trees(m, depth, stop))
    assert sum(prior for _, prior in every) == 1
    rng = np.random.default_rng(m * 100 + depth)
    past, word = (tuple(rng.integers(m, size=n).tolist()) for n in (depth, length))

    @cache
    def evidence(prefix: Word) -> Fraction:
        return sum(
            (prior * tree_evidence(prefix, past, m, tree, alpha) for tree, prior in every), start=Fraction(0)
        )

    law = ctw(ints(word), m, depth=depth, past=past, stop=float(stop), alpha=float(alpha))
    assert_ratio_of_evidences(law, word, evidence)


@pytest.mark.parametrize(("depth", "past"), [(1, ()), (2, ()), (2, (1,)), (3, (0, 1))])
def test_a_start_without_a_full_past_is_a_symbol_of_its_own(depth: int, past: Word) -> None:
    every = list(trees(3, depth, HALF))  # of contexts over 0, 1 and the mark 2
    marked = (*(2,) * depth, *past)
    word = (0, 1, 1, 0, 1, 0, 0)

    @cache
    def evidence(prefix: Word) -> Fraction:
        return sum(
            (prior * tree_evidence(prefix, marked, 2, tree, HALF) for tree, prior in every), start=Fraction(0)
        )

    assert_ratio_of_evidences(ctw(ints(word), 2, depth=depth, past=past), word, evidence)


@pytest.mark.parametrize(("m", "known"), [(2, (1, 2, 5, 26, 677)), (3, (1, 2, 9, 730))])
def test_trees_are_counted(m: int, known: tuple[int, ...]) -> None:
    assert tuple(count_trees(depth, m) for depth in range(len(known))) == known
    for depth in range(3):
        assert sum(1 for _ in trees(m, depth, HALF)) == known[depth]


def test_depth_zero_is_kt() -> None:
    word = np.random.default_rng(1).integers(3, size=50)
    np.testing.assert_allclose(ctw(word, 3, depth=0), kt(word, 3), rtol=1e-14)


def test_a_batch_is_its_sequences_one_by_one() -> None:
    batch = np.random.default_rng(2).integers(2, size=(4000, 11))  # more than are taken at a time
    laws = ctw_batch(batch, 2, depth=3)
    assert laws.shape == (4000, 12, 2)
    for i in (0, 1, 2730, 2731, 3999):
        np.testing.assert_array_equal(laws[i], ctw(batch[i], 2, depth=3))
    assert ctw_batch(batch[:0], 2, depth=3).shape == (0, 12, 2)


def test_all_words_of_a_length_have_probability_one_together() -> None:
    words = np.array(list(product(range(2), repeat=12)))
    law = ctw_batch(words, 2, depth=5)
    p = np.take_along_axis(law[:, :-1], words[..., None], axis=2)[..., 0].prod(axis=1)
    assert p.sum() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("word", [np.zeros(20_000, np.int64), np.tile([0, 1, 1], 7_000)])
def test_the_law_stays_one_when_trees_differ_beyond_all_floats(word: Ints) -> None:
    law = ctw(word, 2, depth=4)
    np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)
    assert law[-2, word[-1]] > 0.999


def test_a_source_of_order_three_costs_no_more_than_its_tree_and_its_rows() -> None:
    """Willems et al. 1995: at most 2 l - 1 bits for the tree, l (log2(n / l) / 2 + 1) for l rows."""
    rng = np.random.default_rng(3)
    one_more_likely = rng.random(8)
    word = rng.integers(2, size=3).tolist()
    true = 0.0
    for _ in range(3000):
        p = one_more_likely[word[-3] * 4 + word[-2] * 2 + word[-1]]
        word.append(int(rng.random() < p))
        true -= float(np.log2(p if word[-1] else 1 - p))
    symbols = np.array(word[3:])
    law = ctw(symbols, 2, depth=6, past=(0, 0, 0, *word[:3]))
    loss = -float(np.log2(law[np.arange(3000), symbols]).sum())
    assert loss - true <= 15 + 8 * (0.5 * np.log2(3000 / 8) + 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": -1}, "depth=-1"),
        ({"stop": 0.0}, "stop=0.0"),
        ({"stop": 1.0}, "stop=1.0"),
        ({"alpha": 0.0}, "alpha=0.0"),
        ({"past": (0, 2)}, r"past=\(0, 2\)"),
    ],
)
def test_what_is_no_prior_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        ctw(ints("01"), 2, **({"depth": 2} | options))  # type: ignore[arg-type]


def test_no_trees_of_negative_depth() -> None:
    with pytest.raises(SpecError, match="depth=-1"):
        count_trees(-1)
