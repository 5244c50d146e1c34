"""What holds of every observer that sees the symbols only."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from harness.prompts.observers import kt, markov, period
from harness.prompts.observers.changes import change_point
from harness.prompts.observers.copying import induction_copy, lempel_ziv
from harness.prompts.observers.ctw import ctw
from harness.prompts.observers.ngram import backoff, ngram, witten_bell
from harness.prompts.observers.sparse import unigram_sparse
from harness.prompts.observers.window import alternation, discounted, window_average
from harness.types import Floats, Ints

OBSERVERS: Mapping[str, Callable[[Ints, int], Floats]] = {
    "alternation": lambda x, m: alternation(x, m),
    "backoff": lambda x, m: backoff(x, m, k=4),
    "change_point": lambda x, m: change_point(x, m, hazard=0.05),
    "ctw": lambda x, m: ctw(x, m, depth=4),
    "discounted": lambda x, m: discounted(x, m, 0.9),
    "induction_copy": lambda x, m: induction_copy(x, m),
    "kt": lambda x, m: kt(x, m),
    "lempel_ziv": lambda x, m: lempel_ziv(x, m),
    "markov": lambda x, m: markov(x, m, order=2, alpha=1.0),
    "ngram": lambda x, m: ngram(x, m, k=4),
    "period": lambda x, m: period(x, m, max_period=8, prior_random=0.5, distinct=False),
    "unigram_sparse": lambda x, m: unigram_sparse(x, m),
    "window_average": lambda x, m: window_average(x, m, width=5),
    "witten_bell": lambda x, m: witten_bell(x, m, k=4),
}
every_observer = pytest.mark.parametrize("name", OBSERVERS)


def alphabet_sizes(name: str) -> tuple[int, ...]:
    return (2,) if name == "window_average" else (2, 3, 16)


@every_observer
@pytest.mark.parametrize("length", [0, 1, 2, 3, 70])
def test_an_observer_gives_a_law_at_every_prefix(name: str, length: int) -> None:
    for m in alphabet_sizes(name):
        rng = np.random.default_rng(length)
        for word in (rng.integers(m, size=length), np.zeros(length, np.int64), np.arange(length) % m):
            law = OBSERVERS[name](word, m)
            assert law.shape == (length + 1, m)
            assert law.dtype == np.float64
            assert (law >= 0).all()
            np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)
            np.testing.assert_allclose(law[0], 1 / m, rtol=1e-14)  # no symbol is favoured before the first


@every_observer
def test_an_observer_knows_the_prefix_and_nothing_else(name: str) -> None:
    for m in alphabet_sizes(name):
        word = np.random.default_rng(1).integers(m, size=80)
        law = OBSERVERS[name](word, m)
        for n in (0, 1, 5, 40, 79):
            other = np.concatenate([word[:n], (word[n:] + 1) % m])
            for rows in (OBSERVERS[name](other, m)[: n + 1], OBSERVERS[name](word[:n], m)):
                np.testing.assert_allclose(rows, law[: n + 1], rtol=1e-12, atol=1e-15)


@every_observer
def test_renaming_the_symbols_renames_the_law(name: str) -> None:
    for m in alphabet_sizes(name):
        rng = np.random.default_rng(2)
        word, renamed = rng.integers(m, size=60), rng.permutation(m)
        np.testing.assert_allclose(
            OBSERVERS[name](renamed[word], m)[:, renamed], OBSERVERS[name](word, m), rtol=1e-11, atol=1e-15
        )


@every_observer
def test_symbols_are_left_as_they_were(name: str) -> None:
    word = np.random.default_rng(3).integers(2, size=30)
    word.setflags(write=False)
    OBSERVERS[name](word, 2)
