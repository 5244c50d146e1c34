import re
from itertools import product

import pytest

from harness.errors import SpecError
from harness.prompts.automata import bounded_dyck, dyck_count, tomita
from harness.prompts.automata.languages import Reading


def runs(word: str) -> list[tuple[str, int]]:
    return [(run.group()[0], len(run.group())) for run in re.finditer("0+|1+", word)]


def in_tomita(i: int, reading: Reading | None, word: str) -> bool:
    """The definitions, word by word."""
    zeros, ones = word.count("0"), word.count("1")
    match i:
        case 1:
            return re.fullmatch("1*", word) is not None
        case 2:
            return re.fullmatch("(10)*", word) is not None
        case 3:
            odd = [(symbol, length % 2) for symbol, length in runs(word)]
            pairs = [
                (odd[i], odd[j])
                for i in range(len(odd))
                for j in range(i + 1, len(odd))
                if reading == "later" or j == i + 1
            ]
            return (("1", 1), ("0", 1)) not in pairs
        case 4:
            return "000" not in word
        case 5:
            return zeros % 2 == 0 and ones % 2 == 0
        case 6:
            return (zeros - ones) % 3 == 0
        case _:
            return re.fullmatch("0*1*0*1*", word) is not None


LANGUAGES: list[tuple[int, Reading | None, int]] = [
    (1, None, 2),
    (2, None, 3),
    (3, "adjacent", 5),
    (3, "later", 5),
    (4, None, 4),
    (5, None, 4),
    (6, None, 3),
    (7, None, 5),
]


@pytest.mark.parametrize(("i", "reading", "n_states"), LANGUAGES)
def test_tomita_languages_are_as_defined(i: int, reading: Reading | None, n_states: int) -> None:
    dfa = tomita(i, reading)
    assert dfa.n_states == dfa.minimise().n_states == n_states
    for n in range(10):
        for word in product("01", repeat=n):
            assert dfa.contains([int(s) for s in word]) == in_tomita(i, reading, "".join(word))


@pytest.mark.parametrize(
    ("reading", "counts"),
    [
        ("adjacent", [1, 2, 3, 6, 10, 18, 32, 56, 100, 176, 312, 552]),
        ("later", [1, 2, 3, 6, 10, 18, 31, 54, 93, 160, 274, 468]),
    ],
)
def test_the_two_readings_of_tomita_3_have_their_own_counts(reading: Reading, counts: list[int]) -> None:
    assert [tomita(3, reading).count(n) for n in range(12)] == counts


def test_the_two_readings_of_tomita_3_differ_first_on_100110() -> None:
    adjacent, later = tomita(3, "adjacent"), tomita(3, "later")
    words = [word for n in range(7) for word in product(range(2), repeat=n)]
    assert [w for w in words if adjacent.contains(w) != later.contains(w)] == [(1, 0, 0, 1, 1, 0)]


@pytest.mark.parametrize("modulus", [10**9 + 7])
def test_big_counts_follow_the_recurrence_of_tomita_4(modulus: int) -> None:
    counts = [1, 2, 4]  # no 000: the last 1 stands first, second or third from the end
    while len(counts) <= 1000:
        counts.append(sum(counts[-3:]))
    assert tomita(4).count(1000) % modulus == counts[1000] % modulus
    assert tomita(4).count(1000) == counts[1000]


def test_a_tomita_language_that_is_none_is_refused() -> None:
    with pytest.raises(SpecError, match=r"languages are 1\.\.7"):
        tomita(8)
    with pytest.raises(SpecError, match=r"reading=None.*'adjacent' or 'later'"):
        tomita(3)
    with pytest.raises(SpecError, match="only language 3"):
        tomita(4, "later")


def balanced(word: tuple[int, ...], k: int, depth: int) -> bool:
    stack: list[int] = []
    for symbol in word:
        if symbol < k:
            stack.append(symbol)
        elif not stack or stack.pop() != symbol - k:
            return False
        if len(stack) > depth:
            return False
    return not stack


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_bounded_dyck_words_are_balanced_and_shallow(k: int, depth: int) -> None:
    dfa = bounded_dyck(k, depth)
    assert dfa.n_states == 1 + sum(k**j for j in range(depth + 1)) == dfa.minimise().n_states
    for n in range(7):
        for word in product(range(2 * k), repeat=n):
            assert dfa.contains(word) == balanced(word, k, depth)


@pytest.mark.parametrize("k", [1, 2])
def test_dyck_counts_are_those_of_an_automaton_deep_enough(k: int) -> None:
    deep = bounded_dyck(k, 5)
    assert [deep.count(n) for n in range(11)] == [dyck_count(n, k) for n in range(11)]


def test_dyck_counts_are_catalan() -> None:
    assert [dyck_count(2 * n, 1) for n in range(11)] == [1, 1, 2, 5, 14, 42, 132, 429, 1430, 4862, 16796]
    assert dyck_count(20, 3) == 16796 * 3**10


def test_brackets_that_are_none_are_refused() -> None:
    with pytest.raises(SpecError, match="k=0"):
        dyck_count(4, 0)
    with pytest.raises(SpecError, match="depth=0"):
        bounded_dyck(1, 0)
    with pytest.raises(SpecError, match="at most 100000 stacks"):
        bounded_dyck(3, 40)
