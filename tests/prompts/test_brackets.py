from fractions import Fraction
from math import comb, log

import numpy as np
import pytest

from harness.prompts.automata import bounded_dyck, dyck_count
from harness.prompts.brackets import bracket_names, brackets, log_ways, untyped_brackets
from harness.prompts.words import Words
from harness.types import Floats, Ints


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def ways(n: int, depth: int) -> list[list[int]]:
    """The numbers of ways from each height to 0 in r = 0..n steps, one step after the other, as integers."""
    table = [[int(h == 0) for h in range(depth + 1)]]
    for _ in range(n):
        last = [0, *table[-1], 0]
        table.append([last[h] + last[h + 2] for h in range(depth + 1)])
    return table


@pytest.mark.parametrize("depth", [None, 1, 2, 3, 7])
def test_ways_back_to_the_ground_are_counted(depth: int | None) -> None:
    n = 40
    for r, row in enumerate(ways(n, n if depth is None else depth)):
        for h, number in enumerate(row):
            if (r - h) % 2 == 0:
                found = log_ways(np.array(r), np.array(h), depth)
                assert found == pytest.approx(log(number) if number else -np.inf, abs=1e-12)
    assert log_ways(np.array(-2), np.array(0), depth) == -np.inf  # no letters are left for this size


def test_words_are_as_many_as_catalan_numbers() -> None:
    assert [round(float(np.exp(log_ways(np.array(2 * n), np.array(0), None)))) for n in range(9)] == [
        1, 1, 2, 5, 14, 42, 132, 429, 1430
    ]  # fmt: skip
    for n in (10, 100, 400):
        assert log_ways(np.array(2 * n), np.array(0), None) == pytest.approx(
            log(dyck_count(2 * n, 1)), abs=1e-9
        )
        for depth in (1, 2, 5):
            count = bounded_dyck(1, depth).count(2 * n)
            assert log_ways(np.array(2 * n), np.array(0), depth) == pytest.approx(log(count), abs=1e-9)


def alone(k: int, depth: int | None, length: int, key: int) -> tuple[Ints, Floats]:
    words = Words(brackets(k, depth), "word", "geometric", 10)
    word = words.draw(length, philox(key))[0]
    return word, words.law(word)


def ballot(r: int, h: int) -> Fraction:
    """The number of ways from height h to 0 in r steps, by reflection: all paths but those that touch -1."""
    up = (r - h) // 2
    return Fraction(comb(r, up) - (comb(r, up - 1) if up > 0 else 0)) if up >= 0 else Fraction(0)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("length", [2, 30, 3000])
def test_a_bracket_opens_with_the_ballot_probability(k: int, length: int) -> None:
    word, law = alone(k, None, length, 1)
    h = np.concatenate([[0], np.cumsum(np.where(word < k, 1, -1))])
    assert h.min() == h[-1] == 0
    for t, height in list(enumerate(h.tolist()))[: length : max(1, length // 100)]:
        exact = float(ballot(length - t - 1, height + 1) / ballot(length - t, height))
        np.testing.assert_allclose(law[t, :k], exact / k, rtol=1e-9, atol=1e-15)
        assert np.count_nonzero(law[t, k:]) == (height > 0)


@pytest.mark.parametrize(("k", "depth"), [(1, 1), (1, 4), (2, 3), (3, 2)])
def test_bounded_words_follow_the_automaton_of_all_stacks(k: int, depth: int) -> None:
    dfa = bounded_dyck(k, depth)
    for key in range(5):
        word, law = alone(k, depth, 60, key)
        assert dfa.contains(word)
        np.testing.assert_allclose(law, dfa.laws(word), atol=1e-12)


def test_a_long_word_overflows_nothing() -> None:
    for depth in (None, 3):
        word, law = alone(2, depth, 4000, 3)
        np.testing.assert_allclose(law[:-1].sum(axis=1), 1, rtol=1e-12)
        assert (law[np.arange(4000), word] > 0).all()


def test_who_does_not_know_the_type_gives_every_type_the_same() -> None:
    words = Words(brackets(3), "words", "geometric", 5)
    drawn = words.draw(100, philox(4))[0]
    known, unknown = words.predict(drawn), words.predict(drawn, untyped_brackets(3))
    for table in (known, unknown):
        np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(unknown[:, :3], known[:, :3], atol=1e-12)
    np.testing.assert_allclose(
        unknown[:, 3:6], known[:, 3:6].sum(axis=1, keepdims=True).repeat(3, 1) / 3, atol=1e-12
    )
    np.testing.assert_allclose(unknown[:, 6], known[:, 6], atol=1e-12)


def test_brackets_have_names() -> None:
    assert bracket_names(2, None) == ("(", "[", ")", "]")
    assert bracket_names(1, ("open", "close")) == ("open", "close")


@pytest.mark.parametrize("depth", [None, 2, 5])
def test_short_words_have_the_law_that_is_computed_for_long_ones(depth: int | None) -> None:
    # weights of more than 1024 sizes are too many for a table that is kept: the sum over sizes is then made directly
    log_weights = np.where(np.arange(60) > 0, -0.3 * np.arange(60), -np.inf)
    many = np.concatenate([log_weights, np.full(1000, -np.inf)])
    for key in range(5):
        word = brackets(2, depth).draw(6, philox(key))
        for begun in (word, word[:7], np.append(word[:7], 1), word[:0]):
            kept, direct = (brackets(2, depth).law(begun, weights) for weights in (log_weights, many))
            np.testing.assert_allclose(kept, direct, rtol=1e-11, atol=1e-15)
