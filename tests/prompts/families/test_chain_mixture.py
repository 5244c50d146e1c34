from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from harness.types import ParamValue
from tests.prompts.families.calibration import standard_score

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
RARE_SCORE = 4.9  # |z| above this has those odds
MIXTURE = load_family("chain_mixture")
ABC = ("a", "b", "c")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def test_chains_of_the_library_are_equally_likely() -> None:
    rng = philox(1)
    seen = Counter(MIXTURE.sample(0, rng, chains=5).concept for _ in range(400))
    assert set(seen) == {f"chain {i} of 5 in library 0" for i in range(5)}
    assert stats.chisquare(list(seen.values())).pvalue > RARE


def test_a_chain_is_new_with_probability_novel() -> None:
    rng = philox(2)
    new = sum("not in the library" in MIXTURE.sample(0, rng, novel=0.3).concept for _ in range(500))
    assert stats.binomtest(new, 500, 0.3).pvalue > RARE


def rows_of(concept: str, **params: ParamValue) -> dict[int, list[float]]:
    """The law after each symbol in some sequence of this concept."""
    rng = philox(3)
    while True:
        sequence = MIXTURE.sample(400, rng, symbols=ABC, **params)
        if sequence.concept.startswith(concept):
            return {int(s): row.tolist() for s, row in zip(sequence.symbols, sequence.law[1:], strict=True)}


def test_a_library_is_the_same_for_every_sequence_and_its_number_tells_it_from_others() -> None:
    first = rows_of("chain 1 ", chains=2)
    assert len(first) == 3
    assert first == rows_of("chain 1 ", chains=9)  # a larger library begins with the smaller
    assert first != rows_of("chain 0 ", chains=2)
    assert first != rows_of("chain 1 ", chains=2, library=1)


@pytest.mark.parametrize("novel", [0.0, 1.0])
def test_symbols_follow_the_law(novel: float) -> None:
    sequence = MIXTURE.sample(8000, philox(4), symbols=ABC, novel=novel, alpha=2.0)
    assert (sequence.law[0] == 1 / 3).all()
    for last in range(3):
        at = 1 + np.flatnonzero(sequence.symbols[:-1] == last)
        assert (sequence.law[at] == sequence.law[at[0]]).all()
        expected = sequence.law[at[0]] * at.size
        assert stats.chisquare(np.bincount(sequence.symbols[at], minlength=3), expected).pvalue > RARE


@pytest.mark.parametrize("novel", [0.0, 0.5, 1.0])
def test_the_ideal_observer_is_calibrated(novel: float) -> None:
    rng = philox(5)
    score = standard_score(MIXTURE.sample(30, rng, novel=novel, chains=8, symbols=ABC) for _ in range(120))
    assert abs(score) < RARE_SCORE


def mean_loss(novel: float, observer: str, start: int) -> float:
    """Mean log-loss from symbol `start` to 300, in nats, over 20 sequences."""
    rng = philox(6)
    rows = np.arange(start, 300)
    sequences = [MIXTURE.sample(300, rng, novel=novel, chains=8) for _ in range(20)]
    return -float(np.mean([np.log(s.observers[observer][rows, s.symbols[rows]]) for s in sequences]))


def test_retrieval_is_right_for_known_chains_and_inference_for_new_ones() -> None:
    assert mean_loss(0.0, "bigram_retrieval", 0) < mean_loss(0.0, "bigram_inference", 0) - 0.1
    assert mean_loss(1.0, "bigram_inference", 100) < mean_loss(1.0, "bigram_retrieval", 100) - 0.1
    for novel in (0.0, 1.0):  # symbols alone are not enough for either
        assert mean_loss(novel, "mixture", 100) < mean_loss(novel, "unigram_retrieval", 100) - 0.05
        assert mean_loss(novel, "mixture", 100) < mean_loss(novel, "unigram_inference", 100) - 0.05
