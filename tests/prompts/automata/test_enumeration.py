from itertools import product

import numpy as np
import pytest
from automata.fa import dfa as automata_lib

from harness.errors import SpecError
from harness.prompts.automata import minimal_binary_dfas
from harness.types import Ints


def test_there_are_so_many_languages_of_each_size() -> None:
    assert minimal_binary_dfas(4).counts() == (2, 24, 1028, 56_014)
    assert len(minimal_binary_dfas(4)) == 57_068
    assert minimal_binary_dfas(2).counts() == (2, 24)


def test_every_automaton_is_minimal_canonical_and_different() -> None:
    every = list(minimal_binary_dfas(3))
    assert all(dfa == dfa.minimise() for dfa in every)
    assert len(set(every)) == len(every) == 2 + 24 + 1028


def test_every_language_of_three_states_is_there() -> None:
    # every table of three states, numbered or not, asked for its accepted words up to the length 4
    # that tells apart any two languages of 3 states (at most 3 + 3 - 2)
    words = [word for n in range(5) for word in product(range(2), repeat=n)]
    tables = np.array(list(product(range(3), repeat=6)))
    state: dict[tuple[int, ...], Ints] = {(): np.zeros(len(tables), np.int64)}
    for word in words[1:]:
        state[word] = tables[np.arange(len(tables)), 2 * state[word[:-1]] + word[-1]]
    subsets = np.array(list(product([False, True], repeat=3)))
    seen: set[tuple[bool, ...]] = set()
    for accepting in subsets:
        seen |= set(map(tuple, np.array([accepting[state[word]] for word in words]).T.tolist()))
    known = {tuple(dfa.contains(word) for word in words) for dfa in minimal_binary_dfas(3)}
    assert known == seen


def test_sizes_are_those_of_automata_lib() -> None:
    rng = np.random.default_rng(1)
    every = minimal_binary_dfas(4)
    t, subset = np.nonzero(every.minimal)
    for i in rng.integers(len(every), size=60):
        n = int(every.n_states[t[i]])
        accepting = {q for q in range(4) if subset[i] >> q & 1}
        other = automata_lib.DFA(
            states=set(range(n)),
            input_symbols={"0", "1"},
            transitions={q: {str(a): int(every.tables[t[i], q, a]) for a in range(2)} for q in range(n)},
            initial_state=0,
            final_states=accepting,
        )
        assert len(other.minify(retain_names=False).states) == n


@pytest.mark.parametrize("max_states", [0, 5])
def test_other_sizes_are_refused(max_states: int) -> None:
    with pytest.raises(SpecError, match=rf"max_states={max_states} must be in 1\.\.4"):
        minimal_binary_dfas(max_states)
