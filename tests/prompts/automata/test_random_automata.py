from collections import Counter

import numpy as np
import pytest
from scipy import stats

from harness.errors import SpecError
from harness.prompts.automata import minimal_binary_dfas, random_dfa, random_pfa

RARE = 1e-6  # odds that a correct generator fails a test of its law, were the seed drawn at random


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize(("n_states", "n_languages"), [(1, 2), (2, 24)])
def test_random_automata_are_uniform_over_languages(n_states: int, n_languages: int) -> None:
    rng = philox(1)
    seen = Counter(random_dfa(n_states, 2, rng) for _ in range(60 * n_languages))
    assert set(seen) == {dfa for dfa in minimal_binary_dfas(2) if dfa.n_states == n_states}
    assert stats.chisquare(list(seen.values())).pvalue > RARE


@pytest.mark.parametrize(("n_states", "n_symbols"), [(3, 2), (6, 3), (10, 2)])
def test_random_automata_have_the_size_asked_for(n_states: int, n_symbols: int) -> None:
    dfa = random_dfa(n_states, n_symbols, philox(2))
    assert (dfa.n_states, dfa.n_symbols) == (n_states, n_symbols)
    assert dfa == dfa.minimise()


@pytest.mark.parametrize("key", range(30))
def test_random_pfas_are_as_described(key: int) -> None:
    rng = philox(key)
    n_states, n_used = 4 + key % 9, 4 + key % 15
    pfa = random_pfa(n_states, n_used, rng)
    dfa, degree = pfa.dfa, (pfa.law > 0).sum(axis=1)
    assert dfa == dfa.minimise()
    assert dfa.n_symbols == 18
    assert dfa.accepting.sum() <= n_states
    assert ((degree >= 1) & (degree <= 3))[dfa.accepting].all()
    np.testing.assert_allclose(pfa.law[dfa.accepting].sum(axis=1), 1, rtol=1e-14)
    assert (pfa.law[~dfa.accepting] == 0).all()
    assert (pfa.law > 0).any(axis=0).sum() <= n_used
    assert (dfa.accepting[dfa.table] == (pfa.law > 0))[dfa.accepting].all()


def test_states_have_one_to_three_edges_equally_often() -> None:
    # the start is always kept, and states that are merged have the same edges
    rng = philox(7)
    seen = np.bincount([(random_pfa(6, 8, rng).law[0] > 0).sum() for _ in range(600)], minlength=4)
    assert seen[0] == 0
    assert stats.chisquare(seen[1:]).pvalue > RARE


def test_a_stream_follows_the_law_of_its_states() -> None:
    pfa = random_pfa(6, 6, philox(3), n_symbols=6)
    word = pfa.sample(30_000, philox(4))
    states = pfa.dfa.states(word)
    np.testing.assert_array_equal(pfa.laws(word), pfa.law[states])
    for state in np.unique(states[:-1]):
        seen = np.bincount(word[states[:-1] == state], minlength=6)
        used = pfa.law[state] > 0
        assert not seen[~used].any()
        if used.sum() > 1:
            assert stats.chisquare(seen[used]).pvalue > RARE
    np.testing.assert_array_equal(pfa.sample(100, philox(4)), word[:100])


def test_the_law_is_none_once_a_word_is_impossible() -> None:
    pfa = random_pfa(6, 4, philox(5))
    impossible = int(np.flatnonzero(pfa.law[0] == 0)[0])
    laws = pfa.laws([impossible, 0, 0])
    assert not np.isnan(laws[0]).any()
    assert np.isnan(laws[1:]).all()


def test_sizes_that_cannot_be_are_refused() -> None:
    for n_states, n_symbols in ((0, 2), (11, 2), (3, 1)):
        with pytest.raises(SpecError, match=rf"n_states={n_states}, n_symbols={n_symbols}"):
            random_dfa(n_states, n_symbols, philox(1))
    for n_states, n_used, max_edges in ((3, 4, 3), (8, 2, 3), (8, 19, 3), (8, 4, 0)):
        with pytest.raises(SpecError, match=rf"max_edges={max_edges} must be in 1\.\.n_used={n_used} "):
            random_pfa(n_states, n_used, philox(1), max_edges=max_edges)
