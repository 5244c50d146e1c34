from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from automata.fa import dfa as automata_lib
from scipy import stats

from harness.errors import SpecError
from harness.prompts.automata import DFA, bounded_dyck, group, tomita
from harness.prompts.draws import uniforms
from harness.types import Ints

RARE = 1e-6  # odds that a correct sampler fails a test of its law, were the seed drawn at random
Word = tuple[int, ...]


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def random_table(key: int, n_states: int, n_symbols: int) -> DFA:
    """Any automaton: states that are not reached, equivalent or dead among them."""
    rng = np.random.default_rng(key)
    return DFA(
        rng.integers(n_states, size=(n_states, n_symbols)),
        rng.random(n_states) < 0.4,
        int(rng.integers(n_states)),
    )


def reference(dfa: DFA) -> automata_lib.DFA:
    """The same automaton in automata-lib."""
    return automata_lib.DFA(
        states=set(range(dfa.n_states)),
        input_symbols={str(a) for a in range(dfa.n_symbols)},
        transitions={q: {str(a): int(r) for a, r in enumerate(row)} for q, row in enumerate(dfa.table)},
        initial_state=dfa.start,
        final_states={int(q) for q in np.flatnonzero(dfa.accepting)},
    )


def language(dfa: DFA, n: int) -> list[Word]:
    """All words of length n, by asking of every word."""
    return [word for word in product(range(dfa.n_symbols), repeat=n) if dfa.contains(word)]


RANDOM = [(key, 2 + key % 7, 1 + key % 3) for key in range(40)]
EXAMPLES = {
    "tomita 3": tomita(3, "adjacent"),
    "tomita 4": tomita(4),
    "tomita 7": tomita(7),
    "dyck": bounded_dyck(1, 2),
    "s3": group("s3").word_problem(),
    "random": random_table(3, 6, 3),
}
every_example = pytest.mark.parametrize("name", EXAMPLES)


@pytest.mark.parametrize(("key", "n_states", "n_symbols"), RANDOM)
def test_counts_words_and_minimal_size_are_those_of_automata_lib(
    key: int, n_states: int, n_symbols: int
) -> None:
    dfa = random_table(key, n_states, n_symbols)
    other = reference(dfa)
    assert [dfa.count(n) for n in range(9)] == [other.count_words_of_length(n) for n in range(9)]
    assert dfa.minimise().n_states == len(other.minify(retain_names=False).states)
    for word in product(range(n_symbols), repeat=4):
        assert dfa.contains(word) == other.accepts_input("".join(map(str, word)))


@pytest.mark.parametrize(("key", "n_states", "n_symbols"), RANDOM)
def test_equivalence_is_that_of_automata_lib(key: int, n_states: int, n_symbols: int) -> None:
    first = random_table(key, n_states, n_symbols)
    for again in range(key, key + 12):
        second = random_table(again, 2, n_symbols)
        assert first.equivalent(second) == (reference(first) == reference(second))
    renamed = np.random.default_rng(key).permutation(n_states)
    table, accepting = np.empty_like(first.table), np.empty_like(first.accepting)
    table[renamed], accepting[renamed] = renamed[first.table], first.accepting
    same = DFA(table, accepting, int(renamed[first.start]))
    assert same.equivalent(first)
    assert same.minimise() == first.minimise()
    assert hash(same.minimise()) == hash(first.minimise())


@pytest.mark.parametrize("key", range(10))
def test_boolean_operations_are_those_of_sets(key: int) -> None:
    first, second = random_table(key, 4, 2), random_table(key + 100, 3, 2)
    for n in range(6):
        every, a, b = set(product(range(2), repeat=n)), set(language(first, n)), set(language(second, n))
        assert set(language(first.complement(), n)) == every - a
        assert set(language(first.intersection(second), n)) == a & b
        assert set(language(first.union(second), n)) == a | b
        longer = {
            word[:n] for m in range(n, n + 5) for word in language(first, m)
        }  # 4 states: within 4 symbols
        assert set(language(first.prefixes(), n)) == longer


@every_example
@pytest.mark.parametrize("n", [0, 3, 6])
def test_conditionals_are_those_of_all_words_listed(name: str, n: int) -> None:
    dfa = EXAMPLES[name]
    words = language(dfa, n)
    if not words:
        assert not dfa.has_words(n)
        return
    for length in range(n + 1):
        for prefix in product(range(dfa.n_symbols), repeat=length):
            begun = [word for word in words if word[:length] == prefix]
            law = dfa.conditional(prefix, n)
            if length == n or not begun:
                assert np.isnan(law).all()
                assert dfa.exact_conditional(prefix, n) is None
            else:
                exact = tuple(
                    Fraction(sum(word[length] == a for word in begun), len(begun))
                    for a in range(dfa.n_symbols)
                )
                assert dfa.exact_conditional(prefix, n) == exact
                np.testing.assert_allclose(law, [float(p) for p in exact], rtol=1e-14)


@every_example
def test_laws_are_the_conditionals_along_a_word(name: str) -> None:
    dfa = EXAMPLES[name]
    for word in product(range(dfa.n_symbols), repeat=6):
        laws = dfa.laws(word)
        np.testing.assert_array_equal(laws, [dfa.conditional(word[:t], 6) for t in range(7)])


@every_example
@pytest.mark.parametrize("draw", [DFA.sample, DFA.exact_sample])
def test_words_are_uniform(name: str, draw: Callable[[DFA, int, np.random.Generator], Ints]) -> None:
    dfa, n, rng = EXAMPLES[name], 6, philox(3)
    words = language(dfa, n)
    seen = Counter(tuple(draw(dfa, n, rng).tolist()) for _ in range(20 * len(words)))
    assert set(seen) <= set(words)
    if len(words) > 1:
        assert stats.chisquare([seen[word] for word in words]).pvalue > RARE


@every_example
def test_words_have_ranks_in_lexicographic_order(name: str) -> None:
    dfa = EXAMPLES[name]
    words = language(dfa, 5)
    assert [tuple(dfa.word(5, rank).tolist()) for rank in range(dfa.count(5))] == words
    with pytest.raises(SpecError, match=f"there are {len(words)}"):
        dfa.word(5, len(words))


def test_very_long_words_keep_exact_conditionals() -> None:
    n = 3000  # 0.879 bits a symbol: counts are far above the largest float
    dfa = tomita(4)
    word = dfa.sample(n, philox(4))
    assert dfa.contains(word)
    laws = dfa.laws(word)
    np.testing.assert_allclose(laws[:n].sum(axis=1), 1, rtol=1e-12)
    assert np.isnan(laws[n]).all()
    for t in (0, 1, 1500, 2990, 2999):
        exact = dfa.exact_conditional(word[:t], n)
        assert exact is not None
        np.testing.assert_allclose(laws[t], [float(p) for p in exact], rtol=1e-11)


def test_a_word_that_is_never_drawn_still_has_its_law() -> None:
    # 0 leads to all words, 1 to 1* only: of the 2**2999 + 1 words of length 3000 one begins with 1
    dfa = DFA.from_table([[1, 2], [1, 1], [None, 2]], [0, 1, 2])
    laws = dfa.laws([1] * 3000)
    assert laws[0].tolist() == [1.0, 0.0]  # 2**-2999 is below the smallest float
    assert (laws[1:3000] == [0.0, 1.0]).all()
    assert (dfa.laws([0] * 3000)[1:3000] == 0.5).all()


def test_what_was_computed_for_one_length_serves_another_alike() -> None:
    word = tomita(4).sample(50, philox(5))
    lengths = [50, 1500, 3, 50]
    grown, fresh = (DFA(tomita(4).table, tomita(4).accepting) for _ in range(2))
    for n in lengths:
        assert grown.has_words(n)
    np.testing.assert_array_equal(grown.laws(word), fresh.laws(word))
    np.testing.assert_array_equal(grown.sample(2000, philox(6)), fresh.sample(2000, philox(6)))


def test_the_sampled_words_are_pinned() -> None:
    assert "".join(map(str, tomita(4).sample(40, philox(1)))) == PINNED


PINNED = "0100101010011101011111001001001111110101"


@pytest.mark.parametrize(
    ("dfa", "n", "message"),
    [
        (tomita(2), 5, "no word of length 5 in this language; nearest lengths that have one: 4 and 6"),
        (tomita(5), 1, "nearest lengths that have one: 0 and 2"),
        (DFA.from_table([[1], [None]], [1]), 4, "nearest lengths that have one: 1$"),
        (DFA.from_table([[1], [2], [0]], [2]), 0, "nearest lengths that have one: 2$"),
        (DFA.from_table([[0]], []), 3, "it has no word at all"),
        (tomita(4), -1, "length=-1 must be >= 0"),
    ],
)
def test_an_impossible_length_is_answered_with_the_nearest(dfa: DFA, n: int, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        dfa.sample(n, philox(1))
    with pytest.raises(SpecError, match=message):
        dfa.exact_sample(n, philox(1))
    with pytest.raises(SpecError, match=message):
        dfa.conditional([], n)


@pytest.mark.parametrize("key", range(20))
def test_the_nearest_lengths_are_found_however_far(key: int) -> None:
    dfa = random_table(key, 7, 1)  # one symbol: a tail and a cycle
    possible = [n for n in range(60) if dfa.count(n)]
    assert dfa.lengths(59) == possible
    for n in set(range(25)) - set(possible):
        near = [
            max((m for m in possible if m < n), default=None),
            min((m for m in possible if m > n), default=None),
        ]
        with pytest.raises(SpecError) as caught:
            dfa.laws([0] * n)
        assert all(str(m) in str(caught.value) for m in near if m is not None)


def test_tables_that_are_no_automaton_are_refused() -> None:
    with pytest.raises(SpecError, match=r"rows have lengths \[2, 1\]"):
        DFA.from_table([[0, 1], [0]], [0])
    with pytest.raises(SpecError, match=r"accepting=\[2\] names a state"):
        DFA.from_table([[0, 1], [0, 0]], [2])
    with pytest.raises(SpecError, match=r"states of this DFA are 0..1; table or start=0 names others"):
        DFA.from_table([[0, 2], [0, 0]], [0])
    with pytest.raises(SpecError, match="start=3"):
        DFA.from_table([[0, 1], [0, 0]], [0], start=3)
    with pytest.raises(SpecError, match="shapes"):
        DFA(np.zeros((2, 2), np.int64), np.zeros(3, np.bool_))
    with pytest.raises(SpecError, match=r"knows 0\.\.1"):
        tomita(4).contains([0, 2])
    with pytest.raises(SpecError, match="2 and 3 symbols"):
        tomita(4).intersection(random_table(1, 2, 3))
    with pytest.raises(SpecError, match="prefix of 3 symbols begins no word of length 2"):
        tomita(4).conditional([1, 1, 1], 2)


@pytest.mark.parametrize("n", [50, 40_000])  # a table that is kept, and one that is too large to be
def test_each_symbol_is_read_off_its_conditional(n: int) -> None:
    dfa = tomita(4)
    word = dfa.sample(n, philox(5))
    ends = np.cumsum(dfa.laws(word)[:n], axis=1)
    u = uniforms(n, philox(5))
    np.testing.assert_array_equal(word, (ends <= u[:, None] * ends[:, -1:]).sum(axis=1))
