from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from harness.types import Sequence
from tests.prompts.families.calibration import standard_score

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
TREE = load_family("tree_source")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def leaves(sequence: Sequence) -> tuple[str, ...]:
    """The contexts that the concept names, which are all where there are four or fewer."""
    return tuple(row.partition(" -> ")[0] for row in sequence.concept.split("; "))


@pytest.mark.parametrize("stop", [0.5, 0.3])
def test_trees_come_with_the_prior_of_context_tree_weighting(stop: float) -> None:
    """The five trees of depth 2: stop for each leaf above it, 1 - stop for each branching."""
    go = 1 - stop
    expected = {
        ("anything",): stop,
        ("x", "y"): go * stop**2,
        ("x", "xy", "yy"): go * stop * go,
        ("xx", "yx", "y"): go * go * stop,
        ("xx", "yx", "xy", "yy"): go**3,
    }
    rng = philox(1)
    seen = Counter(leaves(TREE.sample(0, rng, depth=2, stop=stop)) for _ in range(1000))
    assert set(seen) == set(expected)
    counts = [seen[tree] for tree in expected]
    assert stats.chisquare(counts, 1000 * np.array(list(expected.values()))).pvalue > RARE


@pytest.mark.parametrize("key", range(6))
def test_the_law_is_that_of_the_leaf_the_last_symbols_lead_to(key: int) -> None:
    sequence = TREE.sample(300, philox(key), depth=2, stop=0.3)
    written = "".join(sequence.alphabet[s] for s in sequence.symbols)
    assert (sequence.law[:2] == 0.5).all()
    rows: dict[str, list[float]] = {}
    for n in range(2, 301):
        fitting = [leaf for leaf in leaves(sequence) if leaf == "anything" or written[:n].endswith(leaf)]
        assert len(fitting) == 1
        row = sequence.law[n].tolist()
        assert rows.setdefault(fitting[0], row) == row
        assert f"{fitting[0]} -> x {row[0]:.2f}, y {row[1]:.2f}" in sequence.concept


def test_symbols_follow_the_law() -> None:
    sequence = TREE.sample(8000, philox(11), depth=3, stop=0.01, alpha=3.0, symbols=("a", "b", "c"))
    rows, which = np.unique(sequence.law[:-1], axis=0, return_inverse=True)
    assert len(rows) > 20
    for i, row in enumerate(rows):
        seen = np.bincount(sequence.symbols[which.ravel() == i], minlength=3)
        assert stats.chisquare(seen, row * seen.sum()).pvalue > RARE


def test_the_first_symbols_are_uniform() -> None:
    rng = philox(12)
    starts = [TREE.sample(2, rng, depth=2).symbols for _ in range(500)]
    assert stats.chisquare(np.bincount([2 * a + b for a, b in starts], minlength=4)).pvalue > RARE


@pytest.mark.parametrize("params", [{}, {"depth": 2, "stop": 0.2, "alpha": 1.0, "symbols": ("a", "b", "c")}])
def test_the_ideal_observer_is_calibrated(params: dict[str, float]) -> None:
    rng = philox(13)
    assert abs(standard_score(TREE.sample(50, rng, **params) for _ in range(100))) < RARE_SCORE


def test_it_beats_every_fixed_order_under_its_prior() -> None:
    rng = philox(14)
    sequences = [TREE.sample(200, rng, depth=4, stop=0.3) for _ in range(80)]
    loss = {
        name: -np.mean([np.log(s.observers[name][np.arange(200), s.symbols]).mean() for s in sequences])
        for name in sequences[0].observers
    }
    assert set(loss) == {"ctw", "ngram_2", "ngram_3", "ngram_4", "ngram_5", "kt"}
    assert min(loss, key=lambda name: float(loss[name])) == "ctw"


def test_a_tree_of_many_leaves_is_cut_short_in_words() -> None:
    concept = TREE.sample(0, philox(15), depth=6, stop=0.01).concept
    assert concept.count(" -> ") == 4
    assert concept.endswith("more contexts")
