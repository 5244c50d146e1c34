from itertools import product

import numpy as np

from harness.prompts.automata import tomita
from harness.prompts.word_places import is_small, n_places, place_laws


def test_places_share_what_words_weigh() -> None:
    # every word of up to 6 letters, of weight 2**-n each, listed one by one
    dfa = tomita(4)
    words = [w for n in range(7) for w in product(range(2), repeat=n) if dfa.contains(w)]
    log_found = -np.log(2) * np.arange(4.0)[:, None]
    last = [sum(2.0 ** -(n + 4) * len(list(rest(q, n))) for n in range(3)) for q in range(dfa.n_states)]
    with np.errstate(divide="ignore"):
        laws, log_g = place_laws(dfa.table, dfa.accepting, log_found, np.log(last))
    for begun in words:
        if len(begun) > 3:
            continue
        state = dfa.states(begun)[-1]
        going_on = [w for w in words if w[: len(begun)] == begun]
        total = sum(2.0 ** -len(w) for w in going_on)
        share = np.zeros(3)
        for w in going_on:
            share[w[len(begun)] if len(w) > len(begun) else 2] += 2.0 ** -len(w) / total
        np.testing.assert_allclose(laws[len(begun), state], share, rtol=1e-12)
        np.testing.assert_allclose(np.exp(log_g[len(begun), state]), total, rtol=1e-12)


def rest(state: int, n: int) -> list[tuple[int, ...]]:
    """The words of n letters that are accepted from a state of Tomita 4, followed letter by letter."""
    dfa = tomita(4)
    found = []
    for word in product(range(2), repeat=n):
        q = state
        for letter in word:
            q = int(dfa.table[q, letter])
        if dfa.accepting[q]:
            found.append(word)
    return found


def test_nothing_goes_on_from_a_state_without_words() -> None:
    dfa = tomita(1)  # 1*: a 0 leads to where no word ends
    laws, log_g = place_laws(dfa.table, dfa.accepting, np.zeros((2, 1)), np.full(dfa.n_states, -np.inf))
    dead = int(dfa.table[dfa.start, 0])
    assert not laws[:, dead].any()
    assert np.isneginf(log_g[:, dead]).all()


def test_a_table_has_a_place_after_every_letter() -> None:
    for n in range(100):
        assert n < n_places(n) <= n + 16


def test_large_tables_and_tables_of_many_sizes_are_not_kept() -> None:
    assert is_small(8192, np.zeros(1024))
    assert not is_small(8193, np.zeros(1024))
    assert not is_small(8192, np.zeros(1025))
