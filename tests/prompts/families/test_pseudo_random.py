from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from harness.prompts.infinite_words import champernowne, de_bruijn, fibonacci, kolakoski, lfsr, thue_morse
from harness.registry import load_family
from harness.types import Ints, Params

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
PSEUDO = load_family("pseudo_random")
WORDS: list[tuple[Params, Ints, int]] = [  # settings, the word, where it may begin
    ({"kind": "thue_morse"}, thue_morse(1200), 1024),
    ({"kind": "fibonacci"}, fibonacci(1200), 1024),
    ({"kind": "kolakoski"}, kolakoski(1200), 1024),
    ({"kind": "champernowne", "symbols": "digits"}, champernowne(1200, 8), 1024),
    ({"kind": "de_bruijn", "order": 3, "symbols": ("a", "b", "c")}, np.tile(de_bruijn(3, 3), 9), 27),
    ({"kind": "lfsr", "order": 6}, np.tile(lfsr(6), 5), 63),
]
every_word = pytest.mark.parametrize(("params", "word", "n_places"), WORDS)


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@every_word
def test_a_sequence_is_the_word_from_its_place_on(params: Params, word: Ints, n_places: int) -> None:
    places = []
    for key in range(40):
        sequence = PSEUDO.sample(100, philox(key), **params)
        place = int(sequence.concept.split()[-2])
        np.testing.assert_array_equal(sequence.symbols, word[place : place + 100])
        assert (sequence.law.argmax(axis=1) == word[place : place + 101]).all()
        assert set(sequence.law.ravel().tolist()) == {0.0, 1.0}
        places.append(place)
    assert min(places) < n_places / 4
    assert n_places * 3 / 4 < max(places) < n_places


@every_word
def test_the_ideal_observer_counts_the_places_that_fit(params: Params, word: Ints, n_places: int) -> None:
    for key in range(3):
        sequence = PSEUDO.sample(40, philox(key), **params)
        drawn, m = sequence.symbols.tolist(), len(sequence.alphabet)
        for n in range(41):
            fitting = [p for p in range(n_places) if word[p : p + n].tolist() == drawn[:n]]
            following = [int(word[p + n]) for p in fitting]
            expected = [float(Fraction(following.count(a), len(following))) for a in range(m)]
            np.testing.assert_allclose(sequence.observers["phase"][n], expected, rtol=1e-12)


def test_every_place_of_a_cycle_is_equally_likely() -> None:
    rng = philox(1)
    places = [int(PSEUDO.sample(0, rng, kind="lfsr", order=3).concept.split()[-2]) for _ in range(700)]
    assert stats.chisquare(np.bincount(places, minlength=7)).pvalue > RARE


def test_symbols_that_fit_no_place_leave_the_ideal_observer_to_counts() -> None:
    zeros = np.zeros(10, np.int64)  # three equal symbols never follow each other in this word
    rows = PSEUDO.observe(zeros, ("0", "1"), kind="thue_morse")
    assert rows["phase"][2].tolist() == [0, 1]
    np.testing.assert_array_equal(rows["phase"][3:], rows["kt"][3:])


@pytest.mark.parametrize("order", [4, 8, 12])
def test_a_register_is_known_after_twice_its_length_without_its_taps(order: int) -> None:
    sequence = PSEUDO.sample(100, philox(2), kind="lfsr", order=order)
    p = sequence.observers["linear_recurrence"][np.arange(100), sequence.target]
    assert (p[: 2 * order] >= 0.5).all()
    assert (p[2 * order :] == 1).all()


def test_contexts_find_the_fibonacci_word_and_nothing_in_a_de_bruijn_word_of_their_depth() -> None:
    """One of the 9 factors of 8 symbols of the Fibonacci word has two successors, at .236 of its places or fewer.

    In one period of a cycle of order 9 no word of 9 symbols comes twice: 8 symbols back tell nothing.
    """
    loss = {}
    for kind, order in (("fibonacci", None), ("de_bruijn", 9)):
        sequence = PSEUDO.sample(512, philox(3), kind=kind, order=order)
        loss[kind] = -np.log2(sequence.observers["ctw"][np.arange(512), sequence.target])[256:].mean()
    assert loss["fibonacci"] < 0.236
    assert loss["de_bruijn"] > 0.9
