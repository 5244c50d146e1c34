import numpy as np
import pytest
from scipy import stats

from harness.prompts.families.random_automata import _library
from harness.registry import load_family
from harness.types import Ints

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
AUTOMATA = load_family("random_automata")
SEPARATOR = 18


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def words(symbols: Ints) -> list[Ints]:
    return [w[w != SEPARATOR] for w in np.split(symbols, np.flatnonzero(symbols == SEPARATOR))]


def test_a_longer_library_begins_with_the_shorter() -> None:
    short, long = (_library(n, 7, (4, 12), (4, 18), 3, 18) for n in (5, 9))
    for a, b in zip(short, long[:5], strict=True):
        assert a.dfa == b.dfa
        np.testing.assert_array_equal(a.law, b.law)


def test_every_state_has_one_to_three_equally_likely_letters() -> None:
    for pfa in _library(100, 0, (4, 12), (4, 18), 3, 18):
        rows = pfa.law[pfa.law.any(axis=1)]
        assert 1 < len(rows) <= 12
        for row in rows:
            assert sorted(set(row[row > 0])) == [1 / (row > 0).sum()]
            assert 1 <= (row > 0).sum() <= 3


def test_words_are_drawn_by_the_automaton_from_its_start() -> None:
    for key in range(20):
        sequence = AUTOMATA.sample(150, philox(key))
        pfa = _library(256, 0, (4, 12), (4, 18), 3, 18)[int(sequence.concept.split()[1])]
        for word in words(sequence.symbols):
            assert 1 <= word.size <= 49
            assert not np.isnan(pfa.laws(word)).any()


def test_next_letters_are_uniform_on_the_edges() -> None:
    sequence = AUTOMATA.sample(5000, philox(30), library=1)
    law = np.where(sequence.symbols == SEPARATOR, 0, np.count_nonzero(sequence.law[:-1, :18] > 0, axis=1))
    three = np.flatnonzero(law == 3)
    rank = [np.flatnonzero(sequence.law[t] > 0).tolist().index(sequence.symbols[t]) for t in three]
    assert three.size > 500
    assert stats.chisquare(np.bincount(rank, minlength=3)).pvalue > RARE


def test_lengths_of_words_are_uniform() -> None:
    sizes = np.concatenate(
        [[w.size for w in words(AUTOMATA.sample(2000, philox(k)).symbols)][:-2] for k in range(15)]
    )
    assert stats.chisquare(np.bincount(sizes, minlength=50)[1:]).pvalue > RARE


def test_the_ideal_observer_is_the_posterior_over_the_library() -> None:
    params = {"library": 12, "mean_size": 3.0}
    every = _library(12, 0, (4, 12), (4, 18), 3, 18)
    for key in range(5):
        sequence = AUTOMATA.sample(40, philox(key), **params)
        for t in range(41):
            *ended, begun = words(sequence.symbols[:t])
            evidence = np.array(
                [
                    np.prod(
                        [np.nan_to_num(pfa.laws(w))[np.arange(w.size), w].prod() for w in (*ended, begun)]
                    )
                    for pfa in every
                ]
            )
            letters = np.nan_to_num(np.array([pfa.laws(begun)[-1] for pfa in every]))
            expected = evidence @ letters / (evidence @ letters).sum()
            row = sequence.observers["library"][t]
            goes_on = 1 if begun.size == 0 else (5 - begun.size) / (6 - begun.size)  # uniform on 1..5
            np.testing.assert_allclose(row[:18], goes_on * expected, atol=1e-12)
            assert row[18] == pytest.approx(1 - goes_on)


def test_a_word_that_no_automaton_has_is_evidence_up_to_where_it_fails() -> None:
    params = {"library": 4, "mean_size": 6.0}
    sequence = AUTOMATA.sample(30, philox(3), **params)
    strange = np.array([0, 0, 0, SEPARATOR])  # no automaton stays in its state, but a may lead on
    rows = AUTOMATA.observe(
        np.concatenate([sequence.symbols, [SEPARATOR], strange]), sequence.alphabet, **params
    )
    letters = rows["library"][-2, :18]  # after 000
    np.testing.assert_allclose(letters, letters[0])
